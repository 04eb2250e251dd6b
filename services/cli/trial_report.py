"""The result of a trial: tables with amounts in major units, JSON with minor units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from services.accrual.trial.cost import Cost, costs
from services.accrual.trial.drafted import Drafted, drafted
from services.accrual.trial.run import Trial
from services.accrual.trial.tally import BIGGEST, Moved, Pair, Tally, ranked
from services.cli.session import Output, Session
from services.kernel.units import major


@dataclass(frozen=True, slots=True)
class Report:
    """A trial and all that it is told with."""

    both: Drafted
    beside: tuple[str, ...]
    tally: Tally
    costs: list[Cost]
    source: str
    seconds: float
    cores: int

    @classmethod
    def of(cls, trial: Trial, source: str, seconds: float) -> Report:
        """A report of a trial on `source`, the record or a file, that took so long."""
        both, tally = drafted(trial.documents), trial.tally
        beside = tuple(f"{both.contract}/{version}" for version in sorted(both.old_sales))
        return cls(both, beside, tally, costs(tally, both), source, seconds, trial.cores)


def print_report(session: Session, report: Report) -> None:
    """Print everything; in CSV one table, of every sum."""
    if session.document(_document(report)):
        return
    unit, tally = report.both.unit, report.tally
    sums = [
        ("total", "", tally.total),
        *[("rule", rule, pair) for rule, pair in _by_name(tally.rules)],
        ("partner", report.both.partner, tally.total),
        *[("funder", funder, pair) for funder, pair in _by_name(tally.funders)],
        *[("fee", party, pair) for party, pair in _by_name(tally.fees)],
    ]
    rows: list[list[object]] = [
        [what, name, *_amounts(pair, unit), unit] for what, name, pair in sums
    ]
    rows += [
        ["cost", " ".join(part for part in (cost.what, cost.award) if part),
         *_amounts(cost.pair, cost.currency), cost.currency]
        for cost in report.costs
    ]  # fmt: skip
    if session.output is Output.CSV:
        members = [("member", name, pair) for name, pair in ranked(tally.members)]
        rows += [[what, name, *_amounts(pair, unit), unit] for what, name, pair in members]
        session.table(["what", "name", "old", "new", "difference", "unit"], rows)
        return
    print(_head(report))
    session.table(["", "", "old", "new", "difference", "in"], _aligned(rows, (2, 3, 4)))
    _print_members(session, report)
    _print_biggest(session, report)
    for note in _notes(report):
        print(note)


def _head(report: Report) -> str:
    both, tally = report.both, report.tally
    changed = tally.gained + tally.lost
    beside = ", ".join(report.beside) or "nothing"
    return (
        f"{both.contract}/{both.version} (draft) beside {beside}, "
        f"{both.window.first} to {both.window.last}, on {_source(report)}\n"
        f"{tally.accounts:,} accounts, {tally.events:,} events, {tally.purchases:,} purchases with "
        f"a reward: {tally.gained:,} get more, {tally.lost:,} less, "
        f"{tally.purchases - changed:,} the same"
    )


def _source(report: Report) -> str:
    return "the record" if report.source == "record" else report.source


def _notes(report: Report) -> list[str]:
    both = report.both
    cores = "1 core" if report.cores == 1 else f"{report.cores} cores"
    notes = [f"took {report.seconds:.1f} s on {cores}; nothing was changed"]
    if both.stretched:
        notes.insert(
            0, f"the draft's term holds none of these days: it was tried as if it ran from "
            f"{both.first} to {both.last}",
        )  # fmt: skip
    elif both.window.first < both.first or both.last < both.window.last:
        notes.insert(0, f"the draft governs only {both.first} to {both.last} of these days")
    return notes


def _print_members(session: Session, report: Report) -> None:
    unit, members = report.both.unit, report.tally.members
    more = sum(pair.difference > 0 for pair in members.values())
    less = sum(pair.difference < 0 for pair in members.values())
    moved = [(name, pair) for name, pair in ranked(members) if pair.difference][:BIGGEST]
    same = len(members) - more - less
    print(f"members: {more:,} get more, {less:,} less, {same:,} the same")
    rows = [[name, *_amounts(pair, unit)] for name, pair in moved]
    if rows:
        session.table(["member", "old", "new", "difference"], _aligned(rows, (1, 2, 3)))


def _print_biggest(session: Session, report: Report) -> None:
    unit = report.both.unit
    rows = [
        [moved.on.isoformat(), f"{moved.issuer_id}/{moved.purchase}", moved.merchant,
         moved.mcc, f"{major(moved.net, moved.currency)} {moved.currency}",
         *_amounts(Pair(moved.old, moved.new), unit), _rules(moved, unit)]
        for moved in report.tally.biggest()
    ]  # fmt: skip
    if rows:
        columns = ["on", "purchase", "merchant", "mcc", "net", "old", "new", "difference", "rules"]
        print("purchases, the biggest changes:")
        session.table(columns, _aligned(rows, (4, 5, 6, 7)))


def _rules(moved: Moved, unit: str) -> str:
    """What each rule gave and gives: `base 3, dining 0 → 9`."""
    return ", ".join(
        f"{rule} {major(old, unit)}" + ("" if old == new else f" → {major(new, unit)}")
        for rule, old, new in moved.rules
    )


def _amounts(pair: Pair, unit: str) -> list[str]:
    return [_grouped(one, unit) for one in (pair.old, pair.new)] + [
        ("+" if pair.difference > 0 else "") + _grouped(pair.difference, unit)
    ]


def _grouped(amount: int, unit: str) -> str:
    """An amount in major units, its thousands apart."""
    whole, point, rest = major(abs(amount), unit).partition(".")
    return ("-" if amount < 0 else "") + f"{int(whole):,}{point}{rest}"


def _aligned(rows: Sequence[Sequence[object]], columns: Sequence[int]) -> list[list[object]]:
    """The rows with the text of these columns to the right, as numbers stand."""
    widths = {at: max((len(str(row[at])) for row in rows), default=0) for at in columns}
    return [
        [str(cell).rjust(widths[at]) if at in widths else cell for at, cell in enumerate(row)]
        for row in rows
    ]


def _by_name(sums: dict[str, Pair]) -> Iterable[tuple[str, Pair]]:
    return sorted(sums.items())


def _document(report: Report) -> dict[str, Any]:
    both, tally = report.both, report.tally
    return {
        "contract": both.contract,
        "version": both.version,
        "beside": list(report.beside),
        "from": both.window.first,
        "to": both.window.last,
        "tried_as_if": {"from": both.first, "to": both.last} if both.stretched else None,
        "source": report.source,
        "accounts": tally.accounts,
        "events": tally.events,
        "purchases": {
            "rewarded": tally.purchases, "more": tally.gained, "less": tally.lost,
            "same": tally.purchases - tally.gained - tally.lost,
        },
        "unit": both.unit,
        "total": _pair(tally.total),
        "rules": [
            {"rule": rule, **_pair(pair), "purchases": _pair(tally.earning[rule])}
            for rule, pair in _by_name(tally.rules)
        ],
        "partners": [{"partner": both.partner, **_pair(tally.total)}],
        "funders": [{"funder": name, **_pair(pair)} for name, pair in _by_name(tally.funders)],
        "fees": [{"party": name, **_pair(pair)} for name, pair in _by_name(tally.fees)],
        "members": [{"member_id": name, **_pair(pair)} for name, pair in ranked(tally.members)],
        "biggest": [
            {
                **{key: value for key, value in moved._asdict().items() if key != "rules"},
                "difference": moved.difference,
                "rules": [
                    {"rule": rule, "old": old, "new": new} for rule, old, new in moved.rules
                ],
            }
            for moved in tally.biggest()
        ],
        "cost": [
            {"what": cost.what, "award": cost.award or None, "currency": cost.currency,
             **_pair(cost.pair)}
            for cost in report.costs
        ],
        "seconds": round(report.seconds, 3),
        "cores": report.cores,
    }  # fmt: skip


def _pair(pair: Pair) -> dict[str, int]:
    return {"old": pair.old, "new": pair.new, "difference": pair.difference}

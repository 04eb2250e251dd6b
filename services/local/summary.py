"""What a demo came to, added up from the exports, the batches and the books."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from services.accrual.ledger import chart
from services.local.acts import Proof
from services.local.cases import Found
from services.local.evidence import Evidence, Row
from services.local.ties import Tie
from services.settlement.billing.price import due
from services.settlement.show import Shown


@dataclass(frozen=True, slots=True)
class Rewards:
    """One unit, in minor units: what members were given, what was taken back, what was settled."""

    unit: str
    granted: int
    taken_back: int
    settled: int

    @property
    def stands(self) -> int:
        """What members have or had."""
        return self.granted - self.taken_back


@dataclass(frozen=True, slots=True)
class Given:
    """What stands of one rule, in minor units, and how many purchases hold it."""

    contract: str
    rule: str
    unit: str
    purchases: int
    amount: int


@dataclass(frozen=True, slots=True)
class Balanced:
    """One unit of the trial balance, in minor units."""

    unit: str
    debits: int
    credits: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How lines of a batch ended: what was said of them, why, and what they come to."""

    batch: str
    outcome: str
    code: str
    unit: str
    lines: int
    amount: int
    again: int
    """How many of them a line of a later batch names."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one unit stands in the books (minor units, credits above zero); it adds up to zero."""

    unit: str
    cost: int
    members: int
    payable: int
    clearing: int
    bank: int
    other: int

    @property
    def sum(self) -> int:
        """Zero, or the books are wrong."""
        return self.cost + self.members + self.payable + self.clearing + self.bank + self.other


@dataclass(frozen=True, slots=True)
class SettledFile:
    """A file that a partner would load."""

    path: Path
    batch: str
    records: int | None
    totals: dict[str, int]
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast the stream went through: records sent, and seconds until all were recorded."""

    records: int
    seconds: float

    @property
    def per_second(self) -> int:
        """Records a second."""
        return round(self.records / self.seconds) if self.seconds else 0


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything that the tables show."""

    seed: int
    speed: Speed
    outcomes: tuple[tuple[str, str, int], ...]
    cases: tuple[Found, ...]
    ties: tuple[Tie, ...]
    """What was planted in the month that is reconciled."""
    rewards: tuple[Rewards, ...]
    rules: tuple[Given, ...]
    trial: tuple[Balanced, ...]
    answers: tuple[Outcome, ...]
    standing: tuple[Standing, ...]
    files: tuple[SettledFile, ...]
    incoming: tuple[SettledFile, ...]
    """What the partners answered with."""
    due: dict[str, dict[str, int]]
    """Batch → what the partner charges, by currency."""
    proof: Proof

    @property
    def missing(self) -> list[str]:
        """What was not found as often as it was planted, or is still unexplained."""
        cases = [found.case for found in self.cases if found.missing]
        return cases + [f"{one.planted.what}: {one.planted.code}" for one in self.ties if one.wrong]

    def document(self) -> dict[str, Any]:
        """The same for a machine; amounts are minor units."""
        return {
            "seed": self.seed,
            "records": self.speed.records,
            "seconds": round(self.speed.seconds, 3),
            "transactions_per_second": self.speed.per_second,
            "events": [
                {"outcome": outcome, "reason": reason or None, "count": count}
                for outcome, reason, count in self.outcomes
            ],
            "cases": {found.case: found.count for found in self.cases},
            "planted": [one.document() for one in self.ties],
            "missing": self.missing,
            "rewards": [asdict(one) for one in self.rewards],
            "rules": [asdict(one) for one in self.rules],
            "trial_balance": [
                {**asdict(one), "difference": one.debits - one.credits} for one in self.trial
            ],
            "answers": [asdict(one) for one in self.answers],
            "standing": [{**asdict(one), "sum": one.sum} for one in self.standing],
            "incoming": [{**asdict(one), "path": str(one.path)} for one in self.incoming],
            "files": [{**asdict(one), "path": str(one.path)} for one in self.files],
            "amounts_due": self.due,
            "verify": {"ok": not self.proof.broken, "invariants": len(self.proof.findings)},
        }


def summarize(
    evidence: Evidence,
    *,
    seed: int,
    speed: Speed,
    cases: Iterable[Found],
    ties: Iterable[Tie],
    batches: Sequence[Shown],
    files: Path,
    proof: Proof,
) -> Summary:
    """Add it all up; `files` is the folder of the partners' files."""
    outcomes = Counter((row["outcome"], row["reason"]) for row in evidence.events)
    order = sorted(outcomes.items(), key=lambda item: (_rank(item[0][0]), -item[1], item[0]))
    return Summary(
        seed=seed,
        speed=speed,
        outcomes=tuple((*key, count) for key, count in order),
        cases=tuple(cases),
        ties=tuple(ties),
        rewards=tuple(_rewards(evidence)),
        rules=tuple(_rules(evidence)),
        trial=tuple(_trial(proof)),
        answers=tuple(_answers(evidence)),
        standing=tuple(_standing(proof)),
        incoming=tuple(_incoming(files)),
        files=tuple(found for batch in batches for found in _files(batch, files)),
        due={batch.header.batch: due(batch.kinds) for batch in batches},
        proof=proof,
    )


_OUTCOMES = ("POSTED", "NO_REWARD", "WAITING", "DUPLICATE", "CONFLICT", "FAILED", "REJECTED",
             "RECORDED")  # fmt: skip


def _rank(outcome: str) -> int:
    return _OUTCOMES.index(outcome)


def _rewards(evidence: Evidence) -> Iterable[Rewards]:
    sums: dict[str, Counter[str]] = {}
    for row in evidence.transfers:
        amount, found = int(row["amount"]), sums.setdefault(row["unit"], Counter())
        if row["debit"].startswith("reward-cost/"):
            found["granted"] += amount
        elif row["credit"].startswith("reward-cost/"):
            found["taken_back"] += amount
        elif row["debit"].startswith("member/"):
            found["settled"] += amount
        elif row["credit"].startswith("member/"):
            found["settled"] -= amount
    for unit, found in sorted(sums.items(), key=lambda item: (-len(item[0]), item[0])):
        yield Rewards(unit, found["granted"], found["taken_back"], found["settled"])


def _rules(evidence: Evidence) -> Iterable[Given]:
    """By contract and rule; who pays and under which version does not matter here."""
    sums: dict[tuple[str, str, str], Counter[tuple[str, str]]] = {}
    for row in evidence.grants:
        found = sums.setdefault((row["contract"], row["rule"], row["unit"]), Counter())
        found[row["issuer_id"], row["purchase"]] += int(row["amount"])
    for key, found in sorted(sums.items()):
        amounts = [amount for amount in found.values() if amount]
        yield Given(*key, purchases=len(amounts), amount=sum(amounts))


def _trial(proof: Proof) -> Iterable[Balanced]:
    units = sorted({row.unit for row in proof.trial}, key=lambda unit: (-len(unit), unit))
    for unit in units:
        rows = [row for row in proof.trial if row.unit == unit]
        yield Balanced(unit, sum(row.debit for row in rows), sum(row.credit for row in rows))


def _answers(evidence: Evidence) -> Iterable[Outcome]:
    """By batch in order, the commonest outcome first."""
    named = {(row["original_batch"], row["original_line"]) for row in evidence.batches}
    groups: dict[tuple[str, str, str, str], list[Row]] = {}
    for row in evidence.batches:
        key = (row["batch"], row["outcome"], row["code"], row["unit"])
        groups.setdefault(key, []).append(row)
    for key, rows in sorted(groups.items(), key=lambda item: (item[0][0], -len(item[1]), item[0])):
        again = sum((row["batch"], row["line"]) in named for row in rows)
        amount = sum(int(row["amount"]) for row in rows)
        yield Outcome(*key, lines=len(rows), amount=amount, again=again)


_PLACES = {"reward-cost": "cost", "member": "members", "partner-payable": "payable",
           chart.PAYOUT_CLEARING: "clearing", chart.BANK: "bank"}  # fmt: skip


def _standing(proof: Proof) -> Iterable[Standing]:
    sums: dict[str, Counter[str]] = {}
    for row in proof.trial:
        place = _PLACES.get(row.account.partition("/")[0], "other")
        sums.setdefault(row.unit, Counter())[place] += row.credit - row.debit
    places = [*_PLACES.values(), "other"]
    for unit in sorted(sums, key=lambda unit: (-len(unit), unit)):
        yield Standing(unit, **{place: sums[unit][place] for place in places})


def _incoming(folder: Path) -> Iterable[SettledFile]:
    for path in sorted(folder.glob("*/incoming/*")):
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        yield SettledFile(path, path.parent.parent.name, None, {}, len(content), sha256)


def _files(batch: Shown, folder: Path) -> Iterable[SettledFile]:
    """What lies in outgoing, hashed as it lies there; the manifest is the last."""
    outgoing = folder / batch.header.partner / "outgoing"
    written = {file.name: file for file in batch.files}
    for name in (*sorted(written), f"{batch.header.batch}.manifest.json"):
        path = outgoing / name
        content = path.read_bytes()
        known = written.get(name)
        yield SettledFile(
            path=path,
            batch=batch.header.batch,
            records=known.records if known else None,
            totals=dict(known.totals) if known else {},
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )

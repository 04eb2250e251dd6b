"""What a demo came to, added up from the exports, the batches and the books."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from services.kernel.units import major
from services.local.acts import Proof
from services.local.cases import Found
from services.local.evidence import Evidence
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
class Balanced:
    """One unit of the trial balance, in minor units."""

    unit: str
    debits: int
    credits: int


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
    rewards: tuple[Rewards, ...]
    trial: tuple[Balanced, ...]
    files: tuple[SettledFile, ...]
    due: dict[str, dict[str, int]]
    """Batch → what the partner charges, by currency."""
    proof: Proof

    @property
    def missing(self) -> list[Found]:
        """The cases that were not found as often as they were planted."""
        return [found for found in self.cases if found.missing]

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
            "missing": [found.case for found in self.missing],
            "rewards": [asdict(one) for one in self.rewards],
            "trial_balance": [
                {**asdict(one), "difference": one.debits - one.credits} for one in self.trial
            ],
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
        rewards=tuple(_rewards(evidence)),
        trial=tuple(_trial(proof)),
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


def _trial(proof: Proof) -> Iterable[Balanced]:
    units = sorted({row.unit for row in proof.trial}, key=lambda unit: (-len(unit), unit))
    for unit in units:
        rows = [row for row in proof.trial if row.unit == unit]
        yield Balanced(unit, sum(row.debit for row in rows), sum(row.credit for row in rows))


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


def shown_totals(totals: dict[str, int], *, sign: bool = False) -> str:
    """Totals in major units: `412,003 SKY-MILE`; with `sign`, `+412,003 SKY-MILE`."""
    return " · ".join(
        f"{'+' if sign and amount > 0 else ''}{grouped(amount, unit)} {unit}"
        for unit, amount in sorted(totals.items())
    )


def grouped(amount: int, unit: str) -> str:
    """An amount in major units with its thousands apart: `22,422.70`."""
    whole, point, decimals = major(abs(amount), unit).partition(".")
    return f"{'-' if amount < 0 else ''}{int(whole):,}{point}{decimals}"

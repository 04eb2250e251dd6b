"""From sums to numbered lines: the order of the file, and which earlier line each one changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.kernel.errors import InvariantViolated
from services.settlement.batches.due import LineKey, Sum
from services.settlement.batches.line import Earlier, Line


@dataclass(frozen=True, slots=True)
class Numbered:
    """A sum with its line; with several when it takes back from several originals."""

    sum: Sum
    lines: tuple[Line, ...]


@dataclass(slots=True)
class Original:
    """A line that gave something, and what later ones have left of it."""

    batch: str
    line: int
    left: int


@dataclass(slots=True)
class Given:
    """What earlier batches gave for one key."""

    latest_first: list[Original] = field(default_factory=list)
    """The lines that stand."""
    void: list[Original] = field(default_factory=list)
    """Lines that were withdrawn or rejected, in order."""

    def named_by(self, found: Sum) -> Original | None:
        """The line that one which gives more names: the one it replaces, or else the first."""
        old = [line for line in self.void if (line.batch, line.line) in found.replaces]
        if old:
            return old[-1]
        return self.latest_first[-1] if self.latest_first else None


def given(earlier: Iterable[Earlier]) -> dict[LineKey, Given]:
    """The originals of each key, from all earlier lines of the purchases concerned."""
    originals: dict[tuple[str, int], Original] = {}
    found: dict[LineKey, Given] = {}
    for line in sorted(earlier, key=lambda line: (line.sequence, line.line)):
        if line.amount > 0:
            original = Original(line.batch, line.line, line.amount)
            originals[line.batch, line.line] = original
            own = found.setdefault(LineKey(*line[3:10]), Given())
            if line.void:
                own.void.append(original)
            else:
                own.latest_first.insert(0, original)
        elif line.original_batch is not None and line.original_line is not None and not line.void:
            originals[line.original_batch, line.original_line].left += line.amount
    return found


def number(ready: Iterable[Sum], *, earlier: Mapping[LineKey, Given]) -> list[Numbered]:
    """The lines in file order: by membership number, account, issuer, purchase, rule, unit.

    Raises InvariantViolated when more would be taken back than was given.
    """
    last, last_empty = 0, 1
    numbered: list[Numbered] = []
    for found in sorted(ready, key=_business_order):
        if not found.amount:
            last_empty -= 1
            lines: tuple[Line, ...] = (_line(found, last_empty, 0, None),)
        else:
            pieces = _pieces(found, earlier.get(found.key))
            lines = tuple(
                _line(found, last + nth, amount, original)
                for nth, (amount, original) in enumerate(pieces, 1)
            )
            last += len(lines)
        numbered.append(Numbered(found, lines))
    return numbered


def _business_order(found: Sum) -> tuple[str, ...]:
    key = found.key
    return (
        found.membership_number, key.account_id, found.issuer_id, found.purchase, key.rule,
        key.unit, key.contract, key.award,
    )  # fmt: skip


def _pieces(found: Sum, given: Given | None) -> list[tuple[int, Original | None]]:
    """The amounts of a sum's lines, each with the line that it changes."""
    if found.amount > 0:
        return [(found.amount, given.named_by(found) if given else None)]
    pieces: list[tuple[int, Original | None]] = []
    wanted = -found.amount
    for original in given.latest_first if given else ():
        taken = min(wanted, original.left)
        if taken > 0:
            original.left -= taken
            wanted -= taken
            pieces.append((-taken, original))
    if wanted:
        raise InvariantViolated(
            f"purchase {found.purchase!r} of {found.issuer_id} takes back {-found.amount} "
            f"{found.key.unit} by rule {found.key.rule}, {wanted} more than was ever settled"
        )
    return pieces


def _line(found: Sum, line: int, amount: int, original: Original | None) -> Line:
    key = found.key
    return Line(
        line=line,
        account_id=key.account_id,
        membership_number=found.membership_number,
        issuer_id=found.issuer_id,
        of_stream_id=key.of_stream_id,
        of_purchase=key.of_purchase,
        purchase=found.purchase,
        contract=key.contract,
        version=found.terms.version,
        rule=key.rule,
        award=key.award,
        unit=key.unit,
        activity_on=found.activity_on,
        amount=amount,
        original_batch=original.batch if original else None,
        original_line=original.line if original else None,
    )

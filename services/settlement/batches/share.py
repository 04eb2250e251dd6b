"""What each line of a batch holds of what sealing posted, by version and funder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from services.kernel.errors import InvariantViolated
from services.settlement.batches.due import LineKey, Part
from services.settlement.batches.line import Line
from services.settlement.batches.terms import TermsBook


class Posted(NamedTuple):
    """What sealing posted for one sum under one version and funder, from the member's side."""

    account_id: str
    of_stream_id: int
    of_purchase: int
    contract: str
    version: int
    rule: str
    funder: str
    unit: str
    amount: int


Shares = Mapping[int, Mapping[Part, int]]
"""Line → part → signed amount; the parts of a line add up to its amount."""


def shares(lines: Iterable[Line], posted: Iterable[Posted], terms: TermsBook) -> Shares:
    """Every line's parts, those of lines of nothing included."""
    parts: dict[LineKey, dict[Part, int]] = {}
    for one in posted:
        award = terms[one.contract, one.version].award(one.rule)
        key = LineKey(one.account_id, one.of_stream_id, one.of_purchase, one.contract, one.rule,
                      award, one.unit)  # fmt: skip
        own, part = parts.setdefault(key, {}), Part(one.version, one.funder)
        own[part] = own.get(part, 0) + one.amount
    pieces: dict[LineKey, list[Line]] = {}
    for line in lines:
        pieces.setdefault(_key(line), []).append(line)
    found: dict[int, Mapping[Part, int]] = {}
    for key, own_lines in pieces.items():
        own_lines.sort(key=lambda line: line.line)
        divided = apportion(parts.get(key, {}), [line.amount for line in own_lines])
        found.update(zip((line.line for line in own_lines), divided, strict=True))
    return found


def apportion(parts: Mapping[Part, int], amounts: Sequence[int]) -> list[Mapping[Part, int]]:
    """The parts of a sum divided among the pieces it stands in, which all have its sign.

    Each piece takes from the parts of its own sign, in their order; the last takes what is left,
    parts of the other sign too. Raises InvariantViolated when they do not add up to each other.
    """
    if sum(parts.values()) != sum(amounts):
        raise InvariantViolated(f"lines of {sum(amounts)} stand for {sum(parts.values())} posted")
    left = dict(sorted(parts.items()))
    divided: list[Mapping[Part, int]] = []
    for amount in amounts[:-1]:
        taken: dict[Part, int] = {}
        wanted = abs(amount)
        for part, have in left.items():
            if wanted and have * amount > 0:
                size = min(abs(have), wanted)
                taken[part] = size if amount > 0 else -size
                wanted -= size
        for part, size in taken.items():
            left[part] -= size
        divided.append(taken)
    divided.append({part: amount for part, amount in left.items() if amount})
    return divided


def _key(line: Line) -> LineKey:
    return LineKey(line.account_id, line.of_stream_id, line.of_purchase, line.contract, line.rule,
                   line.award, line.unit)  # fmt: skip

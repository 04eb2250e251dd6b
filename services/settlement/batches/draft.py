"""Who goes into the batch now, who is held, who is carried."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.settlement.batches.due import Sum

Refusal = Callable[[Sum], str | None]
"""Why a sum's layout cannot write it; None if it can."""


class Entry(NamedTuple):
    """A member whose due transfers wait: what they come to, and why."""

    account_id: str
    unit: str
    amount: int
    why: str


@dataclass(frozen=True, slots=True)
class Draft:
    """The sums that can be sealed, and the members that wait for a later batch."""

    ready: tuple[Sum, ...]
    held: tuple[Entry, ...]
    carried: tuple[Entry, ...]

    @property
    def worthless(self) -> bool:
        """Whether no line of it would stand in a file."""
        return not any(found.amount for found in self.ready)


def draft(
    sums: Iterable[Sum],
    *,
    numbers: Mapping[str, str],
    by_number: Container[str],
    refusal: Refusal,
) -> Draft:
    """Divide the sums by member and unit.

    `numbers` holds the partner's number by account; layouts in `by_number` need it.
    """
    by_member: dict[tuple[str, str], list[Sum]] = {}
    for found in sums:
        if found.terms.layout in by_number:
            found.membership_number = numbers.get(found.key.account_id, "")
        by_member.setdefault((found.key.account_id, found.key.unit), []).append(found)
    ready: list[Sum] = []
    held: list[Entry] = []
    carried: list[Entry] = []
    for (account_id, unit), own in sorted(by_member.items()):
        reasons = {_unnamed(found, by_number) or refusal(found) for found in own}
        if refused := sorted(reason for reason in reasons if reason):
            held.append(Entry(account_id, unit, _amount(own), "; ".join(refused)))
            continue
        waiting = [found for found in own if found.terms.carries]
        if _amount(waiting) < 0:
            why = "the sum is below zero and the contract carries it"
            carried.append(Entry(account_id, unit, _amount(waiting), why))
            own = [found for found in own if not found.terms.carries]
        ready.extend(own)
    return Draft(tuple(ready), tuple(held), tuple(carried))


def _unnamed(found: Sum, by_number: Container[str]) -> str | None:
    if found.terms.layout in by_number and not found.membership_number:
        return "the partner has given no membership number"
    return None


def _amount(sums: Iterable[Sum]) -> int:
    return sum(found.amount for found in sums)

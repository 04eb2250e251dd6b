"""The purchases of an account in line before its totals, in recorded order, when one is shared out
anew among a thousand: each is looked at once, and decoded no further than its grants.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter

import msgspec

from services.accrual.engine.totals import TotalKey, key_of
from services.accrual.lifecycle.purchase import Grant, Purchase, part_of, restore


class Lane:
    """The totals that grants of one rule go through in the same periods and scopes."""

    __slots__ = ("contract", "keys", "number", "period", "rule", "scope_id", "unit", "version")

    def __init__(self, number: int, grant: Grant, keys: tuple[TotalKey, ...]) -> None:
        self.number = number
        self.unit = grant.unit
        self.contract, self.version, self.rule = grant.contract, grant.version, grant.rule
        self.keys = keys
        self.period, self.scope_id = grant.shares[0].period, grant.shares[0].scope_id


Rows = dict[tuple[int, int], tuple[str, bytes]]
"""(stream, number) of a purchase → issuer, stored bytes"""


class Turn(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A grant in line: the `at`-th of its purchase, which is `of` this number in its stream, and
    decoded or not. What is kept of one that is not is little, so that a thousand fit a cache."""

    place: int
    of: tuple[int, int]
    at: int
    lane: Lane
    earned: int
    came_out: tuple[int, ...]
    """Of each of its totals, in order."""
    purchase: Purchase | None = None


_place = attrgetter("place")


class Line:
    """Stored purchases that only share totals with those that are touched, and their turns."""

    __slots__ = ("_account_id", "_lanes", "_latest", "_rows", "_turns")

    def __init__(self, account_id: str, rows: Rows) -> None:
        self._account_id = account_id
        self._rows = rows
        self._turns: list[Turn] = []
        self._lanes: dict[tuple[str, int, str, tuple[TotalKey, ...]], Lane] = {}
        self._latest: dict[str, Lane] = {}
        """Of each rule the lane of the grant before: nearly always the next one's."""

    @classmethod
    def read(cls, account_id: str, rows: Rows) -> Line:
        """The line of these stored purchases of an account."""
        line = cls(account_id, rows)
        add, lane_of = line._turns.append, line._lane_of
        for of, (_, body) in rows.items():
            part = part_of(body)
            for at, grant in enumerate(part.grants):
                if grant.shares:
                    shares = grant.shares
                    came_out = (
                        (shares[0].granted,)
                        if len(shares) == 1
                        else tuple([share.granted for share in shares])
                    )
                    add(Turn(part.place, of, at, lane_of(grant), grant.earned, came_out))
        line._turns.sort(key=_place)
        return line

    def copy(self) -> Line:
        """Another one to decide over; nothing that is shared between the two ever changes."""
        other = Line(self._account_id, self._rows.copy())
        other._turns = self._turns.copy()
        other._lanes, other._latest = self._lanes.copy(), self._latest.copy()
        return other

    def __len__(self) -> int:
        return len(self._rows)

    def purchases(self) -> Iterator[Purchase]:
        """All of them, decoded; they stay in line."""
        for of in self._rows:
            yield self._restored(of)

    def keys(self) -> Iterator[TotalKey]:
        """Every total that somebody in line goes through."""
        for lane in self._lanes.values():
            yield from lane.keys

    def turns(self, purchases: Iterable[Purchase]) -> list[Turn]:
        """All in recorded order, these purchases among them."""
        lane_of = self._lane_of
        turns = self._turns.copy()
        for found in purchases:
            place, of = found.place or 0, (found.stream_id, found.number)
            for at, grant in enumerate(found.grants):
                if grant.shares:
                    turns.append(Turn(place, of, at, lane_of(grant), grant.earned, (), found))
        turns.sort(key=_place)
        return turns

    def take(self, of: tuple[int, int]) -> Purchase | None:
        """Decode a purchase and take it out of the line; None when it is out already."""
        if of not in self._rows:
            return None
        found = self._restored(of)
        del self._rows[of]
        return found

    def close(self) -> None:
        """Close up where purchases were taken out."""
        self._turns = [turn for turn in self._turns if turn.of in self._rows]

    def _restored(self, of: tuple[int, int]) -> Purchase:
        issuer_id, body = self._rows[of]
        return restore(
            stream_id=of[0], number=of[1], issuer_id=issuer_id, account_id=self._account_id,
            body=body,
        )  # fmt: skip

    def _lane_of(self, grant: Grant) -> Lane:
        lane, shares = self._latest.get(grant.rule), grant.shares
        if lane is not None and lane.version == grant.version and len(shares) == 1:
            share = shares[0]
            if (
                lane.period == share.period
                and lane.scope_id == share.scope_id
                and lane.contract == grant.contract
            ):
                return lane
        keys = tuple([key_of(grant, one) for one in shares])
        way = (grant.contract, grant.version, grant.rule, keys)
        lane = self._lanes.get(way)
        if lane is None:
            lane = self._lanes[way] = Lane(len(self._lanes), grant, keys)
        self._latest[grant.rule] = lane
        return lane

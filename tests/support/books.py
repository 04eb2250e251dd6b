"""One way to speak to whatever keeps rewards: the naive model here, the engine in `engine.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from services.kernel.transaction import CardTransaction
from tests.support import naive
from tests.support.builders import as_read
from tests.support.dates import Read, Row
from tests.support.lifecycles import Recorded
from tests.support.picture import DueKey, FeeKey, GrantKey, Picture, TotalKey

Outcome = tuple[str, str | None]


class Book(Protocol):
    """Records events and facts, and says what everything comes to."""

    def record(self, event: CardTransaction, role: str = "books") -> Outcome:
        """Record an event at the end of the stream; its outcome and reason."""

    def import_members(self, rows: Sequence[Row]) -> None:
        """Import member rows and decide anew what they concern."""

    def activate(self, rows: Sequence[Row]) -> None:
        """Import activations and decide anew what they concern."""

    def approve(self, document: str) -> None:
        """Approve a contract file and decide anew what it concerns."""

    def grants(self) -> Mapping[GrantKey, int]:
        """What every purchase has, by contract, version, rule and funder; no zeros."""

    def totals(self) -> Mapping[TotalKey, Sequence[int]]:
        """F(T) of every total, sorted, one for each terms; no zeros."""

    def due(self) -> Mapping[DueKey, int]:
        """The grants by the date on which they become available; no zeros."""

    def fees(self) -> Mapping[FeeKey, int]:
        """The commission on every grant, by party and funder; no zeros."""

    def waiting(self) -> Mapping[tuple[str, str], str]:
        """(issuer, event id) of what waits for an original, with the reason."""


class NaiveBook:
    """The naive model behind the same words; it forgets nothing and computes all of it anew."""

    def __init__(self) -> None:
        self.records: list[Recorded] = []
        self.contracts: list[Read] = []
        self.imports: list[Sequence[Row]] = []
        self.activations: list[Sequence[Row]] = []
        self.picture: Picture = naive.recompute([], [], [])

    def record(self, event: CardTransaction, role: str = "books") -> Outcome:
        """Record an event at the end of the stream; its outcome and reason."""
        before = self.picture
        self.records.append(Recorded(len(self.records) + 1, event, role))
        self._look()
        return naive.outcome(before, self.picture, self.records[-1])

    def import_members(self, rows: Sequence[Row]) -> None:
        """Import member rows; the picture is another one from then on."""
        self.imports.append(rows)
        self._look()

    def activate(self, rows: Sequence[Row]) -> None:
        """Import activations; the picture is another one from then on."""
        self.activations.append(rows)
        self._look()

    def approve(self, document: str) -> None:
        """Approve a contract file; the picture is another one from then on."""
        self.contracts.append(as_read(document))
        self._look()

    def grants(self) -> Mapping[GrantKey, int]:
        """What every purchase has."""
        return self.picture.grants

    def totals(self) -> Mapping[TotalKey, Sequence[int]]:
        """F(T) of every total."""
        return {key: sorted(worth) for key, worth in self.picture.totals.items()}

    def due(self) -> Mapping[DueKey, int]:
        """The grants by the date on which they become available."""
        return self.picture.due

    def fees(self) -> Mapping[FeeKey, int]:
        """The commission on every grant."""
        return self.picture.fees

    def waiting(self) -> Mapping[tuple[str, str], str]:
        """What waits for an original."""
        return self.picture.linked.waiting

    def _look(self) -> None:
        self.picture = naive.recompute(self.records, self.contracts, self.imports, self.activations)

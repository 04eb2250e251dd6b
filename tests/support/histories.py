"""What happens to a book: contracts approved, members imported, events recorded, in some order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.kernel.transaction import CardTransaction
from tests.support.books import Book, NaiveBook, Outcome
from tests.support.dates import Row


@dataclass(frozen=True)
class Arrives:
    """An event is recorded."""

    event: CardTransaction
    role: str = "books"


@dataclass(frozen=True)
class Imports:
    """Member rows are imported."""

    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Approves:
    """A contract file is approved."""

    document: str


Step = Arrives | Imports | Approves


@dataclass(frozen=True)
class History:
    """Steps in their order, whole: a book that plays them starts empty."""

    steps: tuple[Step, ...]

    @property
    def facts(self) -> tuple[Step, ...]:
        """The contracts and members, without the events."""
        return tuple(step for step in self.steps if not isinstance(step, Arrives))

    @property
    def arrivals(self) -> tuple[Arrives, ...]:
        """The events, in recorded order."""
        return tuple(step for step in self.steps if isinstance(step, Arrives))

    def facts_first(self, arrivals: Sequence[Arrives]) -> History:
        """The same contracts and members from the start, and these events."""
        return History((*self.facts, *arrivals))

    def without_conflicts(self) -> tuple[Arrives, ...]:
        """The events with the first of each id only, and its exact repeats."""
        first: dict[tuple[str, str, str], CardTransaction] = {}
        kept = []
        for arrival in self.arrivals:
            event = arrival.event
            key = (arrival.role, event.issuer_id, event.event_id)
            if first.setdefault(key, event) == event:
                kept.append(arrival)
        return tuple(kept)


def play(step: Step, book: Book) -> Outcome | None:
    """Let one step happen; an event's outcome and reason."""
    match step:
        case Arrives(event, role):
            return book.record(event, role)
        case Imports(rows):
            book.import_members(rows)
        case Approves(document):
            book.approve(document)
    return None


def played(history: History, book: Book) -> Book:
    """Let all of it happen."""
    for step in history.steps:
        play(step, book)
    return book


def naive(history: History) -> NaiveBook:
    """The naive model at the end of a history; looks once, not after every step."""
    book = NaiveBook()
    with book.looking_once():
        played(history, book)
    return book


def split_in_two(event: CardTransaction, first: int) -> tuple[CardTransaction, CardTransaction]:
    """The same event as two of half its id each: `first` minor units, and the rest."""
    rest = event.billing_amount - first
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return (
        CardTransaction(**(fields | {"billing_amount": first, "event_id": event.event_id + "-a"})),
        CardTransaction(**(fields | {"billing_amount": rest, "event_id": event.event_id + "-b"})),
    )

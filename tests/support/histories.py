"""What happens to a book: contracts approved, members and activations imported, events recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from services.kernel.transaction import CardTransaction
from tests.support.books import Book, Outcome
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
class Activates:
    """Activations are imported."""

    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Approves:
    """A contract file is approved."""

    document: str


SILENT: tuple[object, ...] = (None, 0, {})
Kept = TypeVar("Kept", bound=Book)
Step = Arrives | Imports | Activates | Approves


@dataclass(frozen=True, repr=False)
class History:
    """Steps in their order, whole: a book that plays them starts empty."""

    steps: tuple[Step, ...]

    def __repr__(self) -> str:
        return "\n" + "\n".join(_told(step) for step in self.steps) + "\n"

    @property
    def facts(self) -> tuple[Step, ...]:
        """The contracts, members and activations, without the events."""
        return tuple(step for step in self.steps if not isinstance(step, Arrives))

    @property
    def arrivals(self) -> tuple[Arrives, ...]:
        """The events, in recorded order."""
        return tuple(step for step in self.steps if isinstance(step, Arrives))

    def facts_first(self, arrivals: Sequence[Arrives]) -> History:
        """The same contracts and members from the start, and these events."""
        return History((*self.facts, *arrivals))

    def once(self) -> list[Arrives]:
        """The first arrival of each id: no duplicates, no conflicts."""
        first: dict[tuple[str, str, str], Arrives] = {}
        for arrival in self.arrivals:
            event = arrival.event
            first.setdefault((arrival.role, event.issuer_id, event.event_id), arrival)
        return list(first.values())


def _told(step: Step) -> str:
    """A step in one line; contracts as their text."""
    match step:
        case Arrives(event, role):
            fields = {name: getattr(event, name) for name in event.__struct_fields__}
            said = [f"{name}={value}" for name, value in fields.items() if value not in SILENT]
            return " ".join([role, *said])
        case Imports(rows):
            return "\n".join(f"member {dict(row)}" for row in rows)
        case Activates(rows):
            return "\n".join(f"activation {dict(row)}" for row in rows)
        case Approves(document):
            return document


def shortened(history: History, check: Callable[[History], None]) -> History:
    """A history without the steps that `check` fails without as well."""
    steps = list(history.steps)
    for place in reversed(range(len(steps))):
        fewer = History((*steps[:place], *steps[place + 1 :]))
        try:
            check(fewer)
        except AssertionError:
            del steps[place]
        except Exception:  # another failure is another story
            continue
    return History(tuple(steps))


def hold(check: Callable[[History], None], history: History) -> None:
    """Run a check; when it fails, show a shorter history that fails too."""
    try:
        check(history)
    except AssertionError:
        print("A shorter history that fails:", shortened(history, check))
        raise


def play(step: Step, book: Book) -> Outcome | None:
    """Let one step happen; an event's outcome and reason."""
    match step:
        case Arrives(event, role):
            return book.record(event, role)
        case Imports(rows):
            book.import_members(rows)
        case Activates(rows):
            book.activate(rows)
        case Approves(document):
            book.approve(document)
    return None


def played(history: History, book: Kept) -> Kept:
    """Let all of it happen."""
    for step in history.steps:
        play(step, book)
    return book

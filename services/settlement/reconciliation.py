"""Reconciles a partner's month: the control sheet, and three comparisons by transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from services.kernel.errors import InvalidInput, Problem
from services.kernel.transaction import Role
from services.settlement.batches.batch import Header, Written
from services.settlement.batches.terms import TermsBook
from services.settlement.emission import FOLDER
from services.settlement.files.catalogue import BY_NUMBER
from services.settlement.ports import FileDrop
from services.settlement.reconcile import judge
from services.settlement.reconcile.code import Check, Code
from services.settlement.reconcile.control import Held, Moved, Sheet, sheets, untied
from services.settlement.reconcile.coverage import Coverage, Outside, Spans, coverage, split
from services.settlement.reconcile.difference import Difference
from services.settlement.reconcile.discrepancy import Found, damaged_name
from services.settlement.reconcile.judge import (
    Tally,
    Unanswered,
    Uncaused,
    Unposted,
    Unsealed,
    Waiting,
)
from services.settlement.reconcile.month import Month
from services.settlement.reconcile.readback import ReadBack, carrier, reader_of, summed


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run is asked. `second_above` is in minor units of whatever is counted."""

    partner: str
    month: Month
    by: str
    on: date
    second_above: int
    answer_days: int


@dataclass(frozen=True, slots=True)
class Books:
    """What PostgreSQL says at one instant, beside what the sides hold."""

    terms: TermsBook
    moved: Sequence[Moved]
    held: Sequence[Held]
    waiting: Sequence[Waiting]
    unsealed: Sequence[Unsealed]
    unposted: Sequence[Unposted]
    uncaused: Sequence[Uncaused]
    latest: str
    """The partner's latest batch; empty before the first."""
    headers: Sequence[Header]
    files: dict[str, Sequence[Written]]
    """Batch → its files."""
    sent: dict[str, date]


class Sides(Protocol):
    """The loaded sides of each comparison; see adapters/sides.py."""

    compares: bool
    spans: Mapping[str, Spans]

    def feeds(self) -> list[Difference]: ...
    def feed_tallies(self, month: Month) -> list[Tally]: ...
    def ledger(self) -> list[Difference]: ...
    def ledger_tallies(self) -> list[Tally]: ...
    def file(self, rows: Iterable[Sequence[Any]], carriers: Iterable[Sequence[Any]]) -> None: ...
    def files(self) -> list[Difference]: ...
    def file_tallies(self) -> list[Tally]: ...
    def answers(self, sent: Iterable[str]) -> list[Difference]: ...
    def answer_tallies(self) -> list[Tally]: ...
    def outcomes(self) -> list[tuple[str, int]]: ...
    def answered_twice(self) -> list[tuple[Any, ...]]: ...


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a run saw, before it is recorded."""

    sheets: tuple[Sheet, ...]
    tallies: tuple[Tally, ...]
    compares: bool
    coverage: tuple[Coverage, ...]
    outside: tuple[Outside, ...]
    waiting: tuple[Waiting, ...]
    outcomes: tuple[tuple[str, int], ...]
    unanswered: Unanswered
    batches: tuple[tuple[str, str], ...]
    """(batch, state) of the month."""
    found: tuple[Found, ...]


def reconcile(
    terms: Terms, books: Books, sides: Sides, drop: FileDrop, *, answering: frozenset[str]
) -> Reconciliation:
    """Compare everything. Raises InvalidInput for a partner without a contract.

    `answering` are the layouts that partners answer line by line.
    """
    if not books.terms:
        why = "no contract is signed with this partner; see `milepost contract list`"
        raise InvalidInput([Problem(why, field="--partner", value=terms.partner)])
    control = sheets(books.moved, books.held, partner=terms.partner)
    found = untied(control)
    tallies: list[Tally] = []
    covered: list[Coverage] = []
    outside: list[Outside] = []
    if sides.compares:
        compare, own = (sides.spans[role] for role in (Role.COMPARE, Role.BOOKS))
        covered = coverage(compare, terms.month)
        standing, outside = split(
            sides.feeds(), compare=compare, books=own, month=terms.month, on=terms.on
        )
        found += judge.feeds(standing)
        tallies += sides.feed_tallies(terms.month)
    found += judge.causes(books.unposted, books.uncaused)
    found += judge.ledger(sides.ledger(), terms.partner)
    found += judge.unsealed(books.unsealed, books.latest)
    found += _read_back(terms, books, sides, drop)
    found += judge.files(sides.files())
    late, unanswered = judge.answers(
        sides.answers(books.sent), sent=books.sent, answering=answering,
        days=terms.answer_days, on=terms.on,
    )  # fmt: skip
    found += late + judge.answered_twice(sides.answered_twice())
    tallies += sides.ledger_tallies() + sides.file_tallies() + sides.answer_tallies()
    return Reconciliation(
        sheets=tuple(control),
        tallies=tuple(tallies),
        compares=sides.compares,
        coverage=tuple(covered),
        outside=tuple(outside),
        waiting=tuple(books.waiting),
        outcomes=tuple(sides.outcomes()),
        unanswered=unanswered,
        batches=tuple((header.batch, header.state) for header in books.headers),
        found=tuple(found),
    )


def _read_back(terms: Terms, books: Books, sides: Sides, drop: FileDrop) -> list[Found]:
    """Read every file of the month from its bytes; gives what is wrong with files as a whole."""
    found: list[Found] = []
    rows: list[Sequence[Any]] = []
    carriers: dict[tuple[str, str], Sequence[Any]] = {}
    for header in books.headers:
        for written in books.files[header.batch]:
            folder = FOLDER[header.state]
            content = drop.read(header.partner, folder, written.name)
            whole = _whole(written, content, folder)
            found += whole
            read = reader_of(written)
            if content is None or read is None:
                continue
            said, name = read(content, written.name), carrier(written)
            found += _addressed(said, header, written, books.terms)
            unit = next(iter(written.totals)) if len(written.totals) == 1 else ""
            rows += [(header.batch, name, *line, written.name) for line in said.lines]
            by_number = written.layout in BY_NUMBER
            known = carriers.get((header.batch, name))
            carriers[header.batch, name] = (
                header.batch, written.layout, name, by_number, summed(written),
                unit if known is None or known[5] == unit else "",
            )  # fmt: skip
    sides.file(rows, carriers.values())
    return found


def _whole(written: Written, content: bytes | None, folder: str) -> list[Found]:
    unit, amount = next(iter(written.totals.items()), ("", 0))
    if content is None:
        why = f"is not in {folder}"
        return [Found(Check.FILES, Code.MISSING_FILE, written.name, amount, unit, why)]
    if hashlib.sha256(content).hexdigest() != written.sha256:
        why = f"not the bytes that were sealed: {len(content)} now, {written.bytes} then"
        damaged = damaged_name(written.name, content)
        return [Found(Check.FILES, Code.CHANGED_FILE, damaged, 0, unit, why)]
    return []


def _addressed(said: ReadBack, header: Header, written: Written, terms: TermsBook) -> list[Found]:
    """A file must name the partner that its batch is settled with."""
    codes = {one.provider_code for one in terms.values() if one.layout == written.layout}
    for named, known in ((said.partner, {header.partner}), (said.provider, codes)):
        if named and named not in known:
            unit, amount = next(iter(written.totals.items()), ("", 0))
            why = f"its header names {named}, not {' or '.join(sorted(known))}"
            return [Found(Check.FILES, Code.WRONG_PARTNER, written.name, amount, unit, why)]
    return []

"""One batch of recorded events, decided account by account. No I/O: what is needed is loaded
before, what changed is saved after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import partial

import msgspec

from services.accrual.contracts.book import Book
from services.accrual.engine.assessment import Assessment
from services.accrual.engine.decide import Account, Decision
from services.accrual.engine.eligibility import Enrolments
from services.accrual.engine.line import Line
from services.accrual.engine.moving import tie
from services.accrual.engine.reasons import Outcome, Reason
from services.accrual.engine.totals import NeedsHistory, Total, TotalKey
from services.accrual.engine.waiting import Waiting
from services.accrual.intake import Recorded
from services.accrual.ledger.posting_rules import post
from services.accrual.ledger.transfer import Transfer
from services.accrual.lifecycle.matching import UNLINKED, Links, Stub, purchase_key, stub_of
from services.accrual.lifecycle.purchase import (
    Purchase,
    restore,
)
from services.kernel.errors import InvariantViolated
from services.kernel.transaction import BOOKS

AccountId = str
LinkKey = tuple[str, str, str]
"""Account, issuer, key of a purchase; or an exact key that events of it carry."""


class Loaded(msgspec.Struct, gc=False):
    """What was read of one account, kept as stored so that a decision can start over."""

    purchases: dict[tuple[int, int], tuple[str, bytes]] = {}
    """(stream, number) → (issuer, body)"""
    totals: dict[TotalKey, tuple[str, int, int]] = {}
    """key → (unit, T, F(T))"""
    waiting: list[Waiting] = []
    failed: list[Waiting] = []
    known: dict[tuple[str, str], Stub] = {}
    complete: bool = False
    tied: bool = False
    """Whether exact keys link events of the batch, or what they name."""
    linked: frozenset[tuple[int, int]] | None = None
    """The purchases that the batch may touch, where all of the account is loaded for the sake of
    its totals; None: any of them."""
    assessed: dict[int, Assessment] = {}
    """seq → what contracts say of an event that is the only one of a purchase of its own"""
    _line: Line | None = None

    def restored(self, account_id: str) -> list[Purchase]:
        """The purchases that may be touched, decoded."""
        rows = self.purchases
        if self.linked is not None:
            rows = {place: rows[place] for place in sorted(self.linked) if place in rows}
        return [
            restore(
                stream_id=place[0],
                number=place[1],
                issuer_id=issuer_id,
                account_id=account_id,
                body=body,
            )
            for place, (issuer_id, body) in rows.items()
        ]

    def line(self, account_id: str) -> Line | None:
        """The purchases that only share totals with those that may be touched; None: none."""
        if self.linked is not None and self._line is None:
            others = self.purchases.copy()
            for place in self.linked:
                others.pop(place, None)
            self._line = Line.read(account_id, others)
        return self._line

    def _copied(self, account_id: str) -> Line | None:
        line = self.line(account_id)
        return None if line is None else line.copy()

    def open(
        self, account_id: str, *, stream_id: int, book: Book, enrolments: Enrolments
    ) -> Account:
        """A fresh account to decide over."""
        known = self.known.copy()
        totals = {
            key: Total(unit, "", total, granted)
            for key, (unit, total, granted) in self.totals.items()
        }
        account = Account(
            stream_id=stream_id, account_id=account_id, book=book, enrolments=enrolments,
            totals=totals, known=known, assessed=self.assessed, complete=self.complete,
        )  # fmt: skip
        if self.waiting or self.failed:
            account.waiting = {found.seq: found for found in self.waiting}
            for found in (*self.waiting, *self.failed):
                known[found.event.issuer_id, found.event.event_id] = stub_of(found.event)
        if self.purchases:
            account.purchases = {
                (found.issuer_id, found.key): found for found in self.restored(account_id)
            }
        if self.linked is not None:
            account.line = self._copied(account_id)
        if self.tied:
            tie(account)
        return account


class Decided(msgspec.Struct, gc=False):
    """What a batch came to."""

    outcomes: dict[tuple[int, int], tuple[str, str | None]] = {}
    """(stream, seq) → outcome and reason"""
    transfers: list[Transfer] = []
    accounts: list[Account] = []
    """Accounts with what changed of them."""
    failed: list[tuple[Recorded, Exception]] = []

    def absorb(self, other: Decided) -> None:
        """Add what another part of the same batch came to."""
        self.outcomes.update(other.outcomes)
        self.transfers.extend(other.transfers)
        self.accounts.extend(other.accounts)
        self.failed.extend(other.failed)


def compare_outcome() -> tuple[str, str]:
    """The outcome of an event that is only recorded for comparison."""
    return Outcome.NO_REWARD, Reason.COMPARE_FEED.name


def by_account(events: Iterable[Recorded]) -> dict[AccountId, list[Recorded]]:
    """The events that enter purchases, by account, in recorded order."""
    grouped: dict[AccountId, list[Recorded]] = {}
    for recorded in events:
        if recorded.role == BOOKS:
            grouped.setdefault(recorded.event.account_id, []).append(recorded)
    return grouped


def decide_account(
    account_id: AccountId,
    events: list[Recorded],
    loaded: Loaded,
    *,
    book: Book,
    enrolments: Enrolments,
) -> Decided:
    """Decide an account's events in order.

    Raises NeedsHistory when all of the account must be loaded first. An unexpected error fails
    the one event that caused it; the others are decided as if it had not come.
    """
    failed: dict[int, Exception] = {}
    while True:
        account = loaded.open(
            account_id, stream_id=events[0].stream_id, book=book, enrolments=enrolments
        )
        decided = Decided(accounts=[account])
        for recorded in events:
            seq = recorded.seq
            if seq in failed:
                event = recorded.event
                account.known[event.issuer_id, event.event_id] = stub_of(event)
                decided.outcomes[recorded.stream_id, seq] = (Outcome.FAILED, None)
                decided.failed.append((recorded, failed[seq]))
                continue
            try:
                decision = account.record(recorded.event, seq)
                _post(decision, recorded, account, decided)
            except (NeedsHistory, InvariantViolated):
                raise
            except Exception as error:  # a bug must not stop the others; it is recorded
                failed[seq] = error
                break
        else:
            return decided


def _post(decision: Decision, recorded: Recorded, account: Account, decided: Decided) -> None:
    decided.outcomes[recorded.stream_id, recorded.seq] = (decision.outcome, decision.reason)
    if decision.changes:
        decided.transfers.extend(
            post(
                decision.changes, stream_id=recorded.stream_id, seq=recorded.seq,
                account_id=account.account_id,
            )
        )  # fmt: skip


def reconsider_account(
    account_id: AccountId,
    loaded: Loaded,
    *,
    stream_id: int,
    seq: int,
    first_leg: int,
    on: date,
    book: Book,
    enrolments: Enrolments,
    links: Links = UNLINKED,
) -> Decided:
    """Decide everything of an account anew, as part of the command recorded under `seq`."""
    account = loaded.open(account_id, stream_id=stream_id, book=book, enrolments=enrolments)
    changes = account.reconsider(seq=seq, on=on, failed=loaded.failed, links=links)
    transfers = post(
        changes, stream_id=stream_id, seq=seq, account_id=account_id, first_leg=first_leg
    )
    return Decided(transfers=transfers, accounts=[account])


def link_keys(
    grouped: Mapping[AccountId, list[Recorded]], loaded: Mapping[AccountId, Loaded]
) -> list[LinkKey]:
    """The purchases that a batch may touch and that may be stored already.

    An event without lifecycle id that names none can only open a purchase of its own.
    """
    keys: dict[LinkKey, None] = {}
    for account_id, events in grouped.items():
        known: dict[tuple[str, str], Stub] | None = None
        for recorded in events:
            event = recorded.event
            if event.lifecycle_id is not None:
                keys[account_id, event.issuer_id, f"L:{event.lifecycle_id}"] = None
            elif event.original_event_id is not None:
                if known is None:
                    known = _known(events, loaded[account_id])
                key = purchase_key(stub_of(event), partial(_find, known, event.issuer_id))
                if key is not None:
                    keys[account_id, event.issuer_id, key] = None
    return list(keys)


def exact_keys(account_id: AccountId, events: Iterable[Recorded], loaded: Loaded) -> list[LinkKey]:
    """The exact keys of the events of a batch, and of all that is loaded of their account."""
    keys = [(issuer, stub.keys) for (issuer, _), stub in _known(events, loaded).items()]
    for found in (*loaded.waiting, *loaded.failed):
        keys.append((found.event.issuer_id, stub_of(found.event).keys))
    for purchase in loaded.restored(account_id):
        keys.append((purchase.issuer_id, tuple(purchase.exact_keys())))
    return [(account_id, issuer, key) for issuer, some in keys for key in some]


def _known(events: Iterable[Recorded], loaded: Loaded) -> dict[tuple[str, str], Stub]:
    """What can be named in an account: recorded events, and those of the batch."""
    known = dict(loaded.known)
    known.update(((r.event.issuer_id, r.event.event_id), stub_of(r.event)) for r in events)
    return known


def _find(known: Mapping[tuple[str, str], Stub], issuer: str, event_id: str) -> Stub | None:
    return known.get((issuer, event_id))

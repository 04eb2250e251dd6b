"""One account's decisions: record an event, and post the difference that it makes.

    account = Account(stream_id=0, account_id="A1", book=book, enrolments=roster)
    decision = account.record(event, seq)        # outcome, reason, changes (signed, by funder)

`Account` holds what was loaded of an account: purchases, totals, events that wait. Amounts are a
function of the recorded set; the recorded order decides only who comes first where a total binds.
When a full total changes in its middle and not all purchases of the account are loaded,
`NeedsHistory` is raised: load them all (`complete=True`) and decide again from the start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType

import msgspec

from services.accrual.contracts.book import Book, local_date
from services.accrual.engine.assessment import Assessment
from services.accrual.engine.cause import Cause
from services.accrual.engine.eligibility import Enrolments, assess
from services.accrual.engine.funding import differences, first_changes
from services.accrual.engine.granting import grant_of
from services.accrual.engine.line import Line
from services.accrual.engine.moving import concerns, link_held, relink, tie
from services.accrual.engine.outcomes import held_back
from services.accrual.engine.reasons import (
    MISSING_ORIGINAL,
    MISSING_POSTING_DATE,
    NO_CHANGE,
    Outcome,
    Reason,
)
from services.accrual.engine.sharing import Shares
from services.accrual.engine.totals import Total, TotalKey, append
from services.accrual.engine.waiting import Waiting
from services.accrual.ledger.posting_rules import Change
from services.accrual.lifecycle.matching import (
    UNLINKED,
    Links,
    Stub,
    as_linked,
    own_key,
    purchase_key,
    stub_of,
)
from services.accrual.lifecycle.net import weigh
from services.accrual.lifecycle.purchase import Purchase, leg_of
from services.kernel.calendar import day_of
from services.kernel.transaction import CardTransaction, Kind

NOTHING_ASSESSED: Mapping[int, Assessment] = MappingProxyType({})


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What came of an event: its outcome for good, and the changes that it causes."""

    outcome: str
    reason: str | None
    changes: list[Change]


class Account(msgspec.Struct, kw_only=True, eq=False):
    """What is loaded of one account in one stream, and the decisions over it."""

    stream_id: int
    account_id: str
    book: Book
    enrolments: Enrolments
    purchases: dict[tuple[str, str], Purchase] = {}
    """By issuer and key."""
    line: Line | None = None
    """Purchases of the account that are not decoded yet; nothing links to them."""
    totals: dict[TotalKey, Total] = {}
    waiting: dict[int, Waiting] = {}
    """By seq."""
    joined: list[int] = []
    """Seqs of events that waited and have joined a purchase."""
    known: dict[tuple[str, str], Stub] = {}
    """Recorded events of the account by (issuer, event id), as far as linking needs them."""
    assessed: Mapping[int, Assessment] = NOTHING_ASSESSED
    """Assessments that were made before, by seq, of purchases with that one event."""
    complete: bool = False
    tied: bool = False
    """Whether exact keys link events here: then one event may move others. See `moving.tie`."""

    def record(self, event: CardTransaction, seq: int) -> Decision:
        """Take an event that is recorded under `seq` and decide what it changes."""
        stub = self.known[event.issuer_id, event.event_id] = stub_of(event)
        if self.tied or stub.keys:
            return self._record_tied(event, seq)
        own = self._join(event, stub, seq)
        if own is not None and not own.grants and not self.waiting and own.place == seq:
            return self._open(event, own, seq)
        if own is None:
            self.waiting[seq] = Waiting(seq, event)
        late = self._join_waiting(event.issuer_id) if self.waiting else []
        touched = late if own is None else [own]
        if own is not None and late:
            touched += [found for found in late if found is not own]
        cause = Cause(event.occurred_at, event.posted_on, None)
        assessed, changes = self._settle(touched, cause, seq=seq, moved_in=bool(late))
        if changes:
            return Decision(Outcome.POSTED, None, changes)
        if seq in self.waiting or own is None:
            return Decision(Outcome.WAITING, MISSING_ORIGINAL, [])
        return self._without_transfer(event, own, assessed[own.number])

    def _record_tied(self, event: CardTransaction, seq: int) -> Decision:
        """The same where exact keys link: others may move with it, or because of it."""
        if not self.tied:
            tie(self)
        before = len(self.joined)
        self.waiting[seq] = Waiting(seq, event)
        touched = relink(self, event.issuer_id, first=seq)
        own = next((one for one in touched if any(leg.seq == seq for leg in one.legs)), None)
        if own is not None:
            self.joined.remove(seq)
        late = touched != [own] or len(self.joined) > before
        cause = Cause(event.occurred_at, event.posted_on, None)
        assessed, changes = self._settle(touched, cause, seq=seq, moved_in=late)
        if changes:
            return Decision(Outcome.POSTED, None, changes)
        if own is None or own.held:
            return Decision(Outcome.WAITING, MISSING_ORIGINAL, [])
        return self._without_transfer(event, own, assessed[own.number])

    def reconsider(
        self, *, seq: int, on: date, failed: Iterable[Waiting] = (), links: Links = UNLINKED
    ) -> list[Change]:
        """Decide every purchase anew with the facts as they are now; `on` is the command's date.

        `failed` are events whose decision broke earlier; they join now, as do events that wait
        and that a review links. All purchases and totals of the account must be loaded.
        """
        for at, waiting in self.waiting.items():
            event = as_linked(waiting.event, links)
            if event is not waiting.event:
                self.waiting[at] = Waiting(at, event)
                self.known[event.issuer_id, event.event_id] = stub_of(event)
        self.waiting.update((found.seq, found) for found in failed)
        for found in failed:
            event = found.event
            self.known[event.issuer_id, event.event_id] = stub_of(event)
        issuers = {found.event.issuer_id for found in self.waiting.values()}
        if concerns(self):
            tie(self)
            link_held(self, links)
            issuers.update(issuer for issuer, _ in links)
        for issuer in sorted(issuers):
            self._join_waiting(issuer)
        touched = sorted(self.purchases.values(), key=lambda found: found.number)
        return self._settle(touched, Cause(0, None, on), seq=seq, moved_in=True)[1]

    def _join(self, event: CardTransaction, stub: Stub, seq: int) -> Purchase | None:
        """Put an event into its purchase, opening it if need be; None when it must wait."""
        issuer = event.issuer_id
        key = own_key(stub)
        if key is None:
            key = purchase_key(stub, lambda named: self.known.get((issuer, named)))
            if key is None:
                return None
        name = (issuer, key)
        purchase = self.purchases.get(name)
        if purchase is None:
            purchase = self.purchases[name] = Purchase(
                self.stream_id, seq, issuer, self.account_id, key, [leg_of(event, seq)], [], True
            )
        else:
            purchase.legs.append(leg_of(event, seq))
            purchase.changed = True
        return purchase

    def _join_waiting(self, issuer_id: str) -> list[Purchase]:
        """Let every waiting event join that now can, in recorded order."""
        if self.tied:
            return relink(self, issuer_id)
        touched: list[Purchase] = []
        for seq, found in sorted(self.waiting.items()):
            if found.event.issuer_id != issuer_id:
                continue
            purchase = self._join(found.event, stub_of(found.event), seq)
            if purchase is None:
                continue
            del self.waiting[seq]
            self.joined.append(seq)
            if purchase not in touched:
                touched.append(purchase)
        return touched

    def _open(self, event: CardTransaction, own: Purchase, seq: int) -> Decision:
        """Decide the first presentment of a purchase: it stands at the end of the recorded order
        and changes nothing but itself. The same as `_settle`, for nearly all there is to decide.
        """
        found = self.assessed.get(seq) if len(own.legs) == 1 else None
        if found is None:
            found = assess(
                own.issuer_id, weigh(own.legs), own.legs, book=self.book, enrolments=self.enrolments
            )
        changes: list[Change] = []
        for claim in found.claims:
            terms, rule = claim.terms, claim.rule
            grant = grant_of(claim, self.account_id, self.enrolments)
            own.grants.append(grant)
            if grant.shares:
                append(grant, rule.totals, self.totals)
            if grant.granted:
                posted = event.posted_on
                on = local_date(terms, event.occurred_at) if posted is None else day_of(posted)
                entry = changes[-1].entry + 1 if changes else 1
                changes += first_changes(own, grant, terms, rule, on=on, entry=entry)
        if changes:
            return Decision(Outcome.POSTED, None, changes)
        return self._without_transfer(event, own, found)

    def _settle(
        self, touched: list[Purchase], cause: Cause, *, seq: int, moved_in: bool
    ) -> tuple[dict[int, Assessment], list[Change]]:
        """Assess the touched purchases, share the totals out anew, and list the differences."""
        assessed: dict[int, Assessment] = {}
        shares = Shares(self.purchases, self.line, self.totals, self.book, complete=self.complete)
        for purchase in touched:
            found = assess(
                purchase.issuer_id, weigh(purchase.counted), purchase.counted, book=self.book,
                enrolments=self.enrolments,
            )  # fmt: skip
            assessed[purchase.number] = found
            shares.replace(
                purchase,
                [grant_of(claim, self.account_id, self.enrolments) for claim in found.claims],
            )
        shares.share_out(seq=seq, moved_in=moved_in)
        changes: list[Change] = []
        for purchase, before in shares.before.values():
            entry = changes[-1].entry + 1 if changes else 1
            found_changes = differences(
                purchase, before, book=self.book, entry=entry,
                effective_on=lambda contract: cause.effective_on(contract, self.book),
            )  # fmt: skip
            if found_changes:
                purchase.changed = True
            changes.extend(found_changes)
        return assessed, changes

    def _without_transfer(
        self, event: CardTransaction, own: Purchase, found: Assessment
    ) -> Decision:
        """The outcome of an event that caused no transfer."""
        if event.kind == Kind.AUTHORIZATION:
            return Decision(Outcome.NO_REWARD, Reason.NO_PRESENTMENT.name, [])
        if found.waits:
            return Decision(Outcome.WAITING, MISSING_POSTING_DATE, [])
        if any(grant.granted for grant in own.grants):
            return Decision(Outcome.NO_REWARD, NO_CHANGE, [])
        reasons = [] if found.reason is None else [found.reason]
        reasons += [
            held_back(
                own, grant, purchases=self._everything, totals=self.totals, book=self.book,
                complete=self.complete,
            )
            for grant in own.grants
        ]  # fmt: skip
        return Decision(Outcome.NO_REWARD, max(reasons).name if reasons else NO_CHANGE, [])

    def _everything(self) -> list[Purchase]:
        """All purchases that are loaded, those in line too."""
        return [*self.purchases.values(), *(self.line.purchases() if self.line else ())]

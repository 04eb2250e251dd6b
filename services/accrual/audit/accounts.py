"""Purchases, totals and waiting events beside the ledger, one account at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.accrual.audit.exact import misplaced
from services.accrual.audit.rows import AuditedGrant, AuditedPurchase, AuditedTotal, AuditedWait
from services.accrual.audit.tally import Marks, Tally
from services.accrual.contracts.book import Book
from services.accrual.contracts.terms import Running
from services.accrual.engine.folding import Part, parts
from services.accrual.engine.reasons import MISSING_ORIGINAL
from services.accrual.engine.totals import TotalKey, key_of
from services.accrual.intake import decode
from services.accrual.lifecycle.matching import purchase_key, stub_of
from services.accrual.lifecycle.purchase import Grant, Purchase, Share, part_of, restore
from services.kernel.calendar import Per, period_of
from services.kernel.errors import Rejected
from services.kernel.identifiers import key64
from services.kernel.transaction import CardTransaction

_NOTHING: dict[Part, int] = {}


class AccountAudit:
    """Checks accounts one after another."""

    def __init__(self, book: Book, tally: Tally, marks: Marks) -> None:
        self._book = book
        self._tally = tally
        self._marks = marks
        tally.add("totals-caps", 0)

    def account(
        self,
        account_id: str,
        rows: Sequence[AuditedPurchase],
        grants: Sequence[AuditedGrant],
        totals: Sequence[AuditedTotal],
        waits: Sequence[AuditedWait],
    ) -> None:
        """Everything of one account in one stream."""
        held: dict[int, dict[Part, int]] = {}
        for grant in grants:
            if grant.amount:
                held.setdefault(grant.purchase, {})[Part(*grant[3:11])] = grant.amount
        own_key = key64(account_id)
        purchases = [found for row in rows if (found := self._purchase(row, own_key)) is not None]
        for purchase in purchases:
            self._grants(purchase, held.pop(purchase.number, _NOTHING))
        self._tally.add("purchase-labels", len(rows))
        self._tally.add("purchase-grants", len(rows))
        self._tally.add("totals-sums", len(totals))
        for number, left in held.items():
            where = f"{account_id}, purchase {number}"
            self._tally.fault("purchase-grants", f"{where}: {_said(left)} without a purchase")
        self._totals(account_id, purchases, totals)
        waiting = self._waits(purchases, waits)
        if any(purchase.ties is not None for purchase in purchases):
            for fault in misplaced(purchases, waiting):
                self._tally.fault("record-placed", f"{account_id}: {fault}")

    def _purchase(self, row: AuditedPurchase, own_key: int) -> Purchase | None:
        """Decode a purchase and check its names and keys."""
        where = f"{row.account_id}, purchase {row.purchase}"
        try:
            purchase = restore(
                stream_id=row.stream_id, number=row.purchase, issuer_id=row.issuer_id,
                account_id=row.account_id, body=row.body,
            )  # fmt: skip
            place = part_of(row.body).place
        except ValueError as error:
            self._tally.fault("purchase-labels", f"{where} cannot be read: {error}")
            return None
        if purchase.label != row.label:
            fault = f"{where} is called {row.label!r}, its name is {purchase.label!r}"
            self._tally.fault("purchase-labels", fault)
        if place != (purchase.place or 0):
            fault = f"{where} says that its place is {place}, it is {purchase.place}"
            self._tally.fault("purchase-labels", fault)
        link_key = key64(row.issuer_id, purchase.key)
        found = (row.account_key, row.link_key, row.exact_keys)
        if found != (own_key, link_key, purchase.hashed_keys()):
            self._tally.fault("purchase-labels", f"{where} is not found under its own keys")
        opened = False
        for leg in purchase.legs:
            opened = opened or leg.seq == row.purchase
            if not self._marks.mark(row.stream_id, leg.seq):
                fault = f"{where} holds {leg.event_id}, seq {leg.seq}, which is not recorded"
                self._tally.fault("record-placed", fault)
        if not opened and purchase.ties is None:
            self._tally.fault("purchase-labels", f"{where} was opened by no event of it")
        return purchase

    def _grants(self, purchase: Purchase, held: dict[Part, int]) -> None:
        """What a purchase says that it has is what the ledger holds, and is never negative."""
        try:
            expected = parts(purchase.grants, self._book)
        except (KeyError, ValueError) as error:
            expected = {}
            fault = f"{_name(purchase)}: its grants are of no approved contract, or below zero"
            self._tally.fault("purchase-grants", f"{fault} ({error})")
        if expected != held:
            fault = f"{_name(purchase)} says {_said(expected)}, the ledger holds {_said(held)}"
            self._tally.fault("purchase-grants", fault)

    def _totals(
        self, account_id: str, purchases: Sequence[Purchase], totals: Sequence[AuditedTotal]
    ) -> None:
        """T is what purchases entered, F(T) what came out of it, in recorded order."""
        counted: dict[TotalKey, list[Share]] = {}
        running: dict[TotalKey, Running] = {}
        for purchase in sorted(purchases, key=lambda found: (found.place or 0, found.number)):
            for grant in purchase.grants:
                passed = self._passed(purchase, grant)
                for share, total in zip(grant.shares, passed, strict=False):
                    key = key_of(grant, share)
                    counted.setdefault(key, []).append(share)
                    running[key] = total
        for row in totals:
            key = TotalKey(*row[2:8])
            found = counted.pop(key, [])
            sums = (sum(s.entered for s in found), sum(s.granted for s in found))
            where = f"{account_id}, {_total_name(key)}"
            if (row.total, row.granted) != sums:
                fault = f"{where} holds {row.total}, {row.granted} granted; its purchases {sums}"
                self._tally.fault("totals-sums", fault)
            if not row.keyed:
                self._tally.fault("totals-sums", f"{where} is not found under its own key")
            if found:
                self._worth(where, found, running[key])
                if row.scope != running[key].scope:
                    fault = f"{where} runs over a {row.scope}, by its terms over another scope"
                    self._tally.fault("totals-sums", fault)
        for key in [key for key, found in counted.items() if any(s.entered for s in found)]:
            self._tally.fault(
                "totals-sums", f"{account_id}, {_total_name(key)} has no running total"
            )

    def _passed(self, purchase: Purchase, grant: Grant) -> tuple[Running, ...]:
        """The totals of a grant. It is positive before the first, each is fed by the one before,
        they are those of its contract, and what comes out of the last one is granted."""
        try:
            passed = self._book.totals(grant.contract, grant.version, grant.rule)
        except KeyError:
            passed = ()
        names = [(total.owner, total.kind.value, total.terms) for total in passed]
        amount, fed = grant.earned, True
        for share in grant.shares:
            fed = fed and share.entered == amount and share.granted >= 0
            amount = share.granted
        if (
            not fed
            or grant.earned <= 0
            or grant.granted != amount
            or names != [(share.owner, share.kind, share.terms) for share in grant.shares]
            or any(map(_misplaced, (grant,) * len(passed), grant.shares, passed))
        ):
            said = ", ".join(
                f"{share.kind} of {share.owner} {share.entered} to {share.granted}"
                for share in grant.shares
            )
            fault = f"{_name(purchase)}: {grant.rule} earns {grant.earned}, granted {grant.granted}"
            self._tally.fault("totals-sums", f"{fault}, through {said or 'no total'}")
        return passed

    def _worth(self, where: str, shares: Sequence[Share], running: Running) -> None:
        """Each share is F(T through it) − F(T before it): no cap is ever exceeded, no step is paid
        before it is reached."""
        self._tally.add("totals-caps", 1)
        total = used = 0
        for share in shares:
            total += share.entered
            through = running.worth(total)
            if share.granted != through - used:
                fault = f"{where}: {share.granted} granted where {through - used} are due"
                self._tally.fault("totals-caps", fault)
                return
            used = through

    def _waits(
        self, purchases: Sequence[Purchase], waits: Sequence[AuditedWait]
    ) -> list[tuple[CardTransaction, bool]]:
        """An event that waits stands nowhere else, and nothing that it could join is there.

        Gives those that can be read, each with whether its decision broke.
        """
        if not waits:
            return []
        events = {row.seq: event for row in waits if (event := self._waiting(row)) is not None}
        known = {(event.issuer_id, event.event_id): stub_of(event) for event in events.values()}
        joined = {(found.issuer_id, leg.event_id) for found in purchases for leg in found.legs}
        for row in waits:
            event = events.get(row.seq)
            if event is None:
                continue
            names = (event.issuer_id, event.original_event_id)
            mates = {name: stub for (issuer, name), stub in known.items() if issuer == names[0]}
            if row.reason == MISSING_ORIGINAL and (
                names in joined or purchase_key(stub_of(event), mates.get) is not None
            ):
                fault = f"{event.event_id} of {row.account_id} waits, and what it names is there"
                self._tally.fault("record-waiting", fault)
        return [
            (events[row.seq], row.reason != MISSING_ORIGINAL) for row in waits if row.seq in events
        ]

    def _waiting(self, row: AuditedWait) -> CardTransaction | None:
        """The event of a row, if it can be read; its place is counted."""
        if not self._marks.mark(row.stream_id, row.seq):
            fault = f"seq {row.seq} of {row.account_id} waits and is not recorded"
            self._tally.fault("record-placed", fault)
        try:
            return decode(row.body, row.exact_keys)
        except Rejected as error:
            fault = f"seq {row.seq} of {row.account_id} waits and cannot be read: {error.reason}"
            self._tally.fault("record-waiting", fault)
            return None


def _name(purchase: Purchase) -> str:
    return f"{purchase.account_id}, purchase {purchase.label or purchase.number}"


def _total_name(key: TotalKey) -> str:
    return f"{key.kind} of {key.contract} {key.owner} over {key.scope_id} in {key.period}"


_BY_ACCOUNT = (Per.MEMBERSHIP_YEAR, Per.BILLING_CYCLE)


def _misplaced(grant: Grant, share: Share, running: Running) -> bool:
    """Whether a share is of another period than that of its grant. Periods that are counted from a
    date of the account follow the facts of their time; only that they hold the day is known."""
    day = grant.governing_on
    if running.per not in _BY_ACCOUNT:
        return share.period != period_of(day, running.per)
    first, _, last = share.period.partition("..")
    return not first <= day.isoformat() <= last


def _said(held: Mapping[Part, int]) -> str:
    said = [
        f"{part.rule} v{part.version} {f'fee of {part.party} ' if part.party else ''}{amount} "
        f"{part.unit}"
        for part, amount in held.items()
    ]
    return ", ".join(said) or "0"

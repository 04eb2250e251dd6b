"""What recorded events come to, all at once: the account, and what the ledger must hold of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from services.accrual.contracts.book import Book
from services.accrual.engine.decide import Account
from services.accrual.engine.eligibility import Enrolments
from services.accrual.engine.waiting import Waiting
from services.accrual.lifecycle.matching import stub_of
from services.accrual.lifecycle.purchase import Grant
from services.kernel.transaction import CardTransaction


class Part(NamedTuple):
    """What the ledger keeps apart of a purchase: one funder's part of one grant, or of the fee that
    `party` takes on it."""

    contract: str
    version: int
    rule: str
    funder: str
    unit: str
    governing_on: date
    available_on: date
    party: str = ""


def fold(
    events: Iterable[Waiting],
    *,
    stream_id: int,
    account_id: str,
    book: Book,
    enrolments: Enrolments,
    broken: Iterable[CardTransaction] = (),
) -> Account:
    """The account that these recorded events make, decided in one go: law 6.

    `broken` are recorded too, but their decision broke: others link through them all the same.
    """
    account = Account(
        stream_id=stream_id, account_id=account_id, book=book, enrolments=enrolments,
        known={(event.issuer_id, event.event_id): stub_of(event) for event in broken},
        complete=True,
    )  # fmt: skip
    account.reconsider(seq=0, on=date.min, failed=events)
    return account


def parts(grants: Iterable[Grant], book: Book) -> dict[Part, int]:
    """What the ledger must hold for these grants; parts of nothing are left out."""
    found: dict[Part, int] = {}
    for grant in grants:
        terms = book.terms(grant.contract, grant.version)
        funding = book.rule(grant.contract, grant.version, grant.rule).funding
        paid = [
            (funder, "", part)
            for funder, part in zip(funding.funders, funding.split(grant.granted), strict=True)
        ]
        paid += [(fee.funder, fee.party, fee.of(grant.granted)) for fee in terms.fees]
        for funder, party, amount in paid:
            part = Part(
                grant.contract, grant.version, grant.rule, funder, grant.unit,
                grant.governing_on, grant.available_on, party,
            )  # fmt: skip
            if amount:
                found[part] = found.get(part, 0) + amount
    return found

"""Why a purchase that earns under some rule was granted nothing by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from services.accrual.contracts.book import Book
from services.accrual.contracts.terms import Kind
from services.accrual.engine.eligibility import nothing_of
from services.accrual.engine.reasons import Reason
from services.accrual.engine.totals import NeedsHistory, Total, TotalKey, key_of
from services.accrual.lifecycle.purchase import Grant, Purchase


def held_back(
    purchase: Purchase,
    grant: Grant,
    *,
    purchases: Callable[[], Iterable[Purchase]],
    totals: Mapping[TotalKey, Total],
    book: Book,
    complete: bool,
) -> Reason:
    """The reason of the first total that let nothing through. CAP_REACHED says of a cap of spend
    that it was full before the purchase.

    Raises NeedsHistory where that cannot be told from what is loaded.
    """
    running = book.totals(grant.contract, grant.version, grant.rule)
    for share, total in zip(grant.shares, running, strict=True):
        if share.granted:
            continue
        if total.kind is Kind.CAP:
            return Reason.CAP_REACHED
        if total.kind is not Kind.SPEND:
            return nothing_of(total)
        key = key_of(grant, share)
        before = totals[key].total - share.entered
        if before >= total.limit and any(leg.seq > (purchase.place or 0) for leg in purchase.legs):
            if not complete:
                raise NeedsHistory  # others may stand between
            before = before_of(purchases(), purchase, grant, key)
        return Reason.CAP_REACHED if before >= total.limit else nothing_of(total)
    return Reason.ROUNDED_TO_ZERO


def before_of(
    purchases: Iterable[Purchase], purchase: Purchase, grant: Grant, key: TotalKey
) -> int:
    """T before one grant of a purchase, in recorded order."""
    before = 0
    for other in sorted(purchases, key=lambda found: (found.place or 0, found.number)):
        for counted in other.grants:
            if counted is grant:
                return before
            for share in counted.shares:
                if share.owner == key.owner and key_of(counted, share) == key:
                    before += share.entered
        if other is purchase:
            break
    return before

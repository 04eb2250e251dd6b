"""What dates the changes of a decision."""

from __future__ import annotations

from datetime import date

import msgspec

from services.accrual.contracts.book import Book, local_date
from services.kernel.calendar import day_of


class Cause(msgspec.Struct, frozen=True, gc=False):
    """What a change is dated by: the event's posting date, else its own; a command's date."""

    occurred_at: int
    posted_on: int | None
    on: date | None

    def effective_on(self, contract: str, book: Book) -> date:
        """The accounting date of a change under a contract."""
        if self.on is not None:
            return self.on
        if self.posted_on is not None:
            return day_of(self.posted_on)
        agreement = book.agreement(contract)
        if agreement is None:
            raise KeyError(contract)
        return local_date(agreement.versions[0], self.occurred_at)

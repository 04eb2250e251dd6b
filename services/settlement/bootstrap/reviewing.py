"""What a person must look at."""

from __future__ import annotations

from datetime import date

from services.runtime.settings import Settings
from services.settlement.adapters.review_store import PostgresReviewStore
from services.settlement.bootstrap.parts import reading
from services.settlement.review import Waiting, overdue, waiting


async def list_waiting(settings: Settings, *, today: date) -> list[Waiting]:
    """Answers that are missing for longer than MILEPOST_ANSWER_DAYS, and changes of account.

    An author, who may see nothing of accounts, is told of the answers only.
    """
    tell = overdue if settings.role == "author" else waiting
    async with reading(settings) as connection:
        return await tell(PostgresReviewStore(connection), today=today, days=settings.answer_days)

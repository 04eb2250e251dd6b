"""What `milepost contract check` asks the record, where there is one that answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.accrual import bootstrap as accrual
from services.accrual.contracts.parse import Signed
from services.accrual.trial.unseen import Named, merchants_named, warning
from services.cli.session import Session
from services.kernel.errors import InvalidInput, Problem, Retryable
from services.runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Asked:
    """What the record says. `silent` is why it was not asked; None when it was, or when there was
    nothing to ask."""

    warnings: tuple[Problem, ...] = ()
    silent: str | None = None


def ask_record(session: Session, signed: Sequence[Signed]) -> Asked:
    """Warn of merchants that the contracts name and that were never seen on record."""
    named = {one.id: list(merchants_named(one.document.content)) for one in signed}
    if not any(named.values()):
        return Asked()
    try:
        settings = session.settings()
        if settings.database_url is None and settings.database_url_file is None:
            return Asked(silent="no database is configured")
        return Asked(asyncio.run(_asked(settings, signed, named)))
    except (InvalidInput, Retryable) as error:
        return Asked(silent=str(error).replace("\n", "; "))


async def _asked(
    settings: Settings, signed: Sequence[Signed], named: dict[str, list[Named]]
) -> tuple[Problem, ...]:
    found: list[Problem] = []
    for one in signed:
        if named[one.id]:
            unseen = await accrual.merchants_unseen(
                settings, one.contract.issuer, named[one.id]
            )  # fmt: skip
            found += [warning(one, merchant) for merchant in unseen]
    return tuple(found)

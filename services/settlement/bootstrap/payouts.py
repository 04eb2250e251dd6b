"""Wires the payout table: who may fill it, and who may open it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from services.kernel.errors import InvalidInput, Problem
from services.runtime.sealing import Opener, Sealer
from services.runtime.settings import Settings
from services.settlement.adapters import payout_store
from services.settlement.adapters.batch_store import PostgresBatchStore
from services.settlement.adapters.review_store import PostgresReviewStore
from services.settlement.adapters.saved_file import content_of
from services.settlement.approve import find
from services.settlement.bootstrap.parts import open_database
from services.settlement.files.account_change import NotApplicable, changed
from services.settlement.files.payout_sheet import PAYEE, Account, read

IMPORT_BYTES_MAX = 1 << 30
NEWEST = (1 << 63) - 1
"""A revision of the facts after every other."""


def opener_of(settings: Settings | None) -> Opener | None:
    """What opens the payout table; None where this machine is not trusted with it."""
    if settings is None or settings.payout_identity_file is None:
        return None
    return Opener.from_file(settings.payout_identity_file, payout_store.IDENTITY)


def payout_sealer(settings: Settings) -> Sealer:
    """What seals accounts to the key of the payout table."""
    return Sealer.from_file(settings.require_payout_key(), "MILEPOST_PAYOUT_KEY_FILE")


async def import_payouts(settings: Settings, path: Path, *, by: str, on: date) -> int:
    """Store the accounts of a file, sealed; gives how many. InvalidInput with every bad row."""
    if not by.strip():
        raise InvalidInput([Problem("say who imports", field="--by", value=by)])
    sealer = payout_sealer(settings)
    accounts = read(content_of(path, "CSV", IMPORT_BYTES_MAX), path.name)
    async with open_database(settings) as database, database.connection() as connection:
        await payout_store.add(connection, accounts, sealer, by=by, on=on)
    return len(accounts)


async def accept_change(settings: Settings, batch: str, line: int, *, by: str, on: date) -> str:
    """Store the account that a bank asks for as the member's; gives the member's account id.

    Raises InvalidInput when nothing waits there, or when what is asked for cannot be used.
    """
    if not by.strip():
        raise InvalidInput([Problem("say who accepts", field="--by", value=by)])
    sealer, opener = payout_sealer(settings), opener_of(settings)
    if opener is None:
        why = "is not set; set it to the private key that the payout table is sealed to"
        raise InvalidInput([Problem(why, field=payout_store.IDENTITY)])
    async with open_database(settings) as database, database.connection() as connection:
        header = await find(batch, PostgresBatchStore(connection, opener))
        asked = await PostgresReviewStore(connection).change(batch, line, opener)
        place = f"{batch}/{line}"
        if asked is None:
            raise InvalidInput([Problem("no change waits there", field="LINE", value=place)])
        change, corrected = asked
        table = await payout_store.book(
            connection, opener, partner=header.partner, facts=NEWEST,
            accounts=[change.account_id],
        )  # fmt: skip
        payee = table.payees.get(change.account_id) if table else None
        if payee is None:
            why = f"{change.account_id} has no payout account any more"
            raise InvalidInput([Problem(why, field="LINE", value=place)])
        try:
            account = Account(PAYEE, change.account_id, changed(payee, change.code, corrected))
        except NotApplicable as error:
            raise InvalidInput([Problem(str(error), field="LINE", value=place)]) from error
        await payout_store.add(connection, [account], sealer, by=by, on=on, accepts=place)
    return change.account_id

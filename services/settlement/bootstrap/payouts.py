"""Wires the payout table: who may fill it, and who may open it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from services.kernel.errors import InvalidInput, Problem
from services.runtime.database import Database
from services.runtime.sealing import Opener, Sealer
from services.runtime.settings import Settings
from services.settlement.adapters import payout_store
from services.settlement.adapters.saved_file import content_of
from services.settlement.files.payout_sheet import read

IMPORT_BYTES_MAX = 1 << 30


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
    async with (
        await Database.connect(
            settings.require_database(), size=1, strict=False,
            application_name="milepost-settlement",
        ) as database,
        database.connection() as connection,
    ):  # fmt: skip
        await payout_store.add(connection, accounts, sealer, by=by, on=on)
    return len(accounts)

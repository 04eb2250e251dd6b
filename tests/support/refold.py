"""Settlement folded again beside the ledger, as `rebuild --check` does it."""

from __future__ import annotations

from services.runtime.database import Database
from services.runtime.migrations import migrate
from services.runtime.settings import Settings
from services.settlement import bootstrap as settlement
from tests.support.settlement import Books


async def resettled(books: Books, settings: Settings | None = None) -> list[str]:
    """What a rebuild finds, given the card streams as they are."""
    schema = "rebuilt"
    await migrate(books.url, schema=schema)
    for table, columns in {
        "stream": "*",
        "member_row": "*",
        "purchase": "*",
        "transfer": "*",
        "contract_version": "contract, version, issuer, program, partner, document, sha256, terms, "
        "author, revision, applied_on",
    }.items():
        names = "" if columns == "*" else f"({columns})"
        only = "WHERE stream_id <= 2" if table == "transfer" else ""
        await books.connection.execute(
            f"INSERT INTO {schema}.{table} {names} SELECT {columns} FROM public.{table} {only}"
        )
    async with (
        await Database.connect(books.url, size=1) as main,
        main.connection() as ledger,
        await Database.connect(books.url, role=None, size=1, schema=schema) as shadow,
        shadow.transaction() as rebuilt,
    ):
        return await settlement.resettle(ledger, rebuilt, settings)

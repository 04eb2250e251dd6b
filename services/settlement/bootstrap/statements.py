"""Wires what people ask of a batch beside its files: statements, and its journal for a ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.kernel.errors import InvalidInput, Problem
from services.runtime.settings import Settings
from services.settlement.adapters.batch_store import PostgresBatchStore
from services.settlement.adapters.saved_file import content_of, save
from services.settlement.approve import find
from services.settlement.billing.chart import read_chart
from services.settlement.billing.journal import journal
from services.settlement.billing.price import by_kind
from services.settlement.bootstrap.parts import reading
from services.settlement.files import fbdi, fbdi_reader
from services.settlement.files.fields import DoesNotFit
from services.settlement.files.file import File
from services.settlement.files.statement import forms
from services.settlement.files.statement.document import Statement
from services.settlement.files.statement.of import of_batch


async def statement_of_batch(settings: Settings, batch: str) -> Statement:
    """What the partner is told of a batch, before it has a form."""
    async with _store(settings) as store:
        header = await find(batch, store)
        sealed = await store.load(header)
        kinds = by_kind(await store.granted(header.batch), sealed.terms)
        return of_batch(sealed, kinds, await store.reasons(header.batch))


def save_statement(statement: Statement, *, form: str, to: Path) -> int:
    """Write a statement in a form; gives its length in bytes."""
    content = forms.write(statement, form)
    save(to, content)
    return len(content)


async def save_journal(settings: Settings, batch: str, *, chart: Path, to: Path) -> File:
    """Write a batch's journal for Oracle's ledger: the archive if the name ends so, else the CSV.

    Raises InvalidInput when the chart lacks an account, or a value has no place in its column.
    """
    booked = read_chart(content_of(chart, "--chart"), str(chart))
    async with _store(settings) as store:
        header = await find(batch, store)
        sealed = await store.load(header)
    try:
        content = fbdi.write(
            journal(sealed.flows, partner=header.partner), chart=booked, batch=header.batch,
            sequence=header.sequence, through=header.through,
        )  # fmt: skip
    except DoesNotFit as error:
        raise InvalidInput([Problem(str(error), file=f"batch {header.batch}")]) from error
    checked = fbdi_reader.read(content, to.name)
    checked.demand_sound(to.name)
    save(to, fbdi.zipped(content) if to.suffix == ".zip" else content)
    return File(to.name, fbdi.LAYOUT, content, checked.records, checked.totals)


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[PostgresBatchStore]:
    async with reading(settings) as connection:
        yield PostgresBatchStore(connection)

"""Every scenario page on a real ledger: what is looked up is what the ledger holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import ledger
from tests.support.ledger import Ledger
from tests.support.pages import Page, read_page

PAGES = sorted((Path(__file__).parents[1] / "scenarios").glob("*.txt"))


async def played(page: Page, book: Ledger) -> None:
    for document in page.approved:
        await book.approve(document)
    await book.enrol(page.members)
    for step in page.steps:
        if step.event is not None:
            await book.send(step.event, role=step.role)
        elif step.member is not None:
            await book.enrol([step.member])
        elif step.document is not None:
            await book.approve(step.document)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
async def test_every_event_of_a_page_is_explained_as_the_ledger_holds_it(
    path: Path, migrated_url: str
) -> None:
    page = read_page(path.read_text())
    async with ledger.opened(migrated_url) as book:
        await played(page, book)
        assert not book.outcomes.errors
        async with book.books() as books:
            for step in page.steps:
                if step.event is None:
                    continue
                found = await books.explain(f"{step.event.issuer_id}/{step.event.event_id}")
                assert found[0]["event_id"] == step.event.event_id
            findings = await books.findings()
    assert [finding for finding in findings if not finding.ok] == []

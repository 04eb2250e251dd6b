"""`milepost contract try` on a real record: what approving would post, and what was paid."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest

from services.accrual import bootstrap as accrual
from services.accrual.trial.tally import Pair, Tally, Window
from tests.support import builders, ledger
from tests.support.dice import SIZE, Dice
from tests.support.histories import Activates, Approves, Arrives, History, Imports
from tests.support.ledger import Ledger
from tests.support.strategies import histories
from tests.support.trials import agreement, draft, filled, history

YEAR = Window(date(2026, 1, 1), date(2026, 12, 31))


async def tried(book: Ledger, text: str, window: Window = YEAR, **how: int) -> Tally:
    trial = await accrual.try_on_record(
        book.settings, draft(text), window, lambda done, total: None, **how
    )
    return trial.tally


async def granted(book: Ledger) -> dict[tuple[str, str], int]:
    """What the ledger holds, by rule and funder; fees are no grants."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    async with book.books() as books:
        async for rows in books.rows("grants", date(2030, 1, 1)):
            for row in rows:
                found = dict(zip(GRANT_COLUMNS, row, strict=True))
                sums[found["rule"], found["funder"]] += found["amount"]
    return dict(sums)


GRANT_COLUMNS = ("account_id", "issuer_id", "purchase", "governing_date", "contract", "version",
                 "rule", "unit", "funder", "amount")  # fmt: skip


def by(held: dict[tuple[str, str], int], place: int) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for key, amount in held.items():
        sums[key[place]] += amount
    return dict(sums)


async def test_a_trial_says_what_approving_posts_and_what_was_paid(migrated_url: str) -> None:
    changed = agreement(2, dining="2", limit="60", first="2020-01-02")
    async with ledger.opened(migrated_url) as book:
        await filled(book)
        before = await granted(book)
        tally = await tried(book, changed)
        assert {name: pair.old for name, pair in tally.rules.items()} == by(before, 0)
        assert {name: pair.old for name, pair in tally.funders.items()} == by(before, 1)
        await book.approve(changed)
        after = await granted(book)
    assert {name: pair.new for name, pair in tally.rules.items()} == by(after, 0)
    assert {name: pair.new for name, pair in tally.funders.items()} == by(after, 1)
    assert tally.total == Pair(sum(before.values()), sum(after.values()))
    assert tally.total.old != tally.total.new
    assert sum(pair.new for pair in tally.members.values()) == tally.total.new
    assert set(tally.members) <= {f"member-A{number}" for number in range(8)}
    assert tally.fees["sky-shop"].new > 0


async def test_what_is_approved_changes_nothing_when_it_is_tried(migrated_url: str) -> None:
    async with ledger.opened(migrated_url) as book:
        await filled(book)
        tally = await tried(book, agreement(1, dining="3", limit="50"))
    assert tally.total.old == tally.total.new > 0
    assert (tally.gained, tally.lost, tally.moved) == (0, 0, [])
    assert all(pair.difference == 0 for pair in tally.sold.values())


async def test_only_rewards_of_the_window_are_compared(migrated_url: str) -> None:
    changed = agreement(1, dining="2", limit="60")
    months = [Window(date(2026, 2, 1), date(2026, 2, 28)), Window(date(2026, 3, 1), YEAR.last)]
    async with ledger.opened(migrated_url) as book:
        await filled(book)
        whole = await tried(book, changed)
        parts = [await tried(book, changed, window) for window in months]
    assert parts[0].total.old and parts[1].total.old
    assert whole.total.old == sum(part.total.old for part in parts)
    assert whole.total.new == sum(part.total.new for part in parts)


async def test_accounts_divided_among_processes_come_to_the_same(migrated_url: str) -> None:
    changed = agreement(1, dining="2", limit="60")
    async with ledger.opened(migrated_url) as book:
        await filled(book)
        alone = await tried(book, changed)
        shared = await tried(book, changed, accounts_max=2, cores=2)
    assert alone.biggest() == shared.biggest()
    for tally in (alone, shared):
        tally.moved = []
    assert alone == shared


async def test_the_file_of_the_same_events_comes_to_the_same(
    migrated_url: str, tmp_path: Path
) -> None:
    changed = agreement(1, dining="2", limit="60")
    columns = list(builders.row())
    rows = [builders.row(f"A{number}") for number in range(8)]
    lines = [columns, *[[one[name] or "" for name in columns] for one in rows]]
    members = tmp_path / "members.csv"
    members.write_text("\n".join(",".join(map(str, one)) for one in lines) + "\n", "utf-8")
    async with ledger.opened(migrated_url) as book:
        await filled(book)
        recorded = await tried(book, changed)
        trial = await accrual.try_on_events(
            book.settings, draft(changed), YEAR, lambda done, total: None, events=history(),
            against=None, members=members,
        )  # fmt: skip
    found = trial.tally
    assert (found.total, found.rules, found.members) == (
        recorded.total, recorded.rules, recorded.members,
    )  # fmt: skip


async def test_a_draft_that_could_not_be_approved_is_not_tried(migrated_url: str) -> None:
    async with ledger.opened(migrated_url) as book:
        await filled(book)
        with pytest.raises(Exception, match="is the first day of version 1"):
            await tried(book, agreement(2, dining="3", limit="50"))


async def played(history: History, book: Ledger) -> list[str]:
    """Play a history; gives the documents that are approved at its end."""
    documents = []
    for step in history.steps:
        match step:
            case Arrives(event, role):
                await book.send(event, role=role)
            case Imports(rows):
                await book.enrol(rows)
            case Activates(rows):
                await book.activate(rows)
            case Approves(document):
                await book.approve(document)
                documents.append(document)
    assert not book.outcomes.errors
    return documents


@pytest.mark.parametrize("seed", range(8))
async def test_what_is_approved_changes_nothing_on_any_history(
    seed: int, migrated_url: str
) -> None:
    found = histories(Dice(random.Random(seed).randbytes(SIZE)))
    async with ledger.opened(migrated_url) as book:
        for text in await played(found, book):
            tally = await tried(book, text, Window(date.min, date.max))
            assert tally.total.old == tally.total.new
            assert tally.moved == []

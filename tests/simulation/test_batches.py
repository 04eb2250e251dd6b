"""How records fall into batches makes no difference to a single row."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.local.stack import Stack
from tests.simulation.staging import Stage

SEED = 11
GROUPS = 25


@pytest.mark.slow
def test_the_books_are_the_same_whatever_the_size_of_batches(stack: Stack, tmp_path: Path) -> None:
    stage = Stage(stack, tmp_path, seed=SEED, groups=GROUPS)
    books = {}
    for size in (1, 2, 17, 250, 8_000):
        stage.environment["MILEPOST_BATCH_RECORDS_MAX"] = str(size)
        url = stage.copy()
        stage.finish(stage.accrual(url), url)
        books[size] = stage.books(url)
        stage.drop(url)
    for size, found in books.items():
        assert found == books[1], f"batches of {size}"
    print(f"seed {SEED}: {stage.size} records, {len(books[1]['transfer'])} transfers")

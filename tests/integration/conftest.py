"""What most tests of settlement begin with.

books     one airline with a contract, one member, one purchase of ten miles that is due
folder    where its files go
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.settlement import Books


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    await books.contract()
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 10)
    yield books
    await books.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"

"""What reaches the table of dead letters is sealed, whoever wrote to the topic."""

from __future__ import annotations

from typing import Any, cast

from services.accrual.deciding import Decider
from services.accrual.handler import AccrualHandler
from services.accrual.ports import LedgerStore
from services.kernel.topics import DEAD_LETTERS
from services.runtime.batch import StreamSlice
from services.runtime.database import Database
from services.runtime.stream_position import Claim
from tests.support.books_run import Sent, Silent

CLAIM = Claim(9, DEAD_LETTERS, 0, 1, 0)


def _letters(*values: bytes | None) -> list[bytes]:
    def seal(plain: bytes) -> bytes:
        return b"age-encryption.org/ of %d" % len(plain)

    handler = AccrualHandler(
        database=cast(Database, None), decider=cast(Decider, None),
        ledger=cast(LedgerStore, None), seal=seal,
        observer=Silent(),
    )  # fmt: skip
    records: Any = [Sent(offset, value, ()) for offset, value in enumerate(values)]
    intake = handler._decode(StreamSlice(CLAIM, records, len(records)))
    return [letter.sealed for letter in intake.letters]


def test_a_sealed_record_is_kept_as_it_came() -> None:
    assert _letters(b"age-encryption.org/v1\n...") == [b"age-encryption.org/v1\n..."]


def test_a_record_in_clear_is_sealed_before_it_is_stored() -> None:
    assert _letters(b"4111 1111", None) == [
        b"age-encryption.org/ of 9",
        b"age-encryption.org/ of 0",
    ]

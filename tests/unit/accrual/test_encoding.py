"""A transfer on the topic `accruals` is what a general encoder writes."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import fastavro
from hypothesis import given, settings
from hypothesis import strategies as st

from services.accrual.encoding import FRAME
from services.accrual.ports import PublishedRow
from services.accrual.publisher import message
from services.kernel.identifiers import derive, derived_text, transfer_id
from services.kernel.transaction import CardTransaction
from tests.support.canonical import events, general, schema

ACCRUAL: Any = schema("accrual.avsc")
STREAM = "card-transactions/3"
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=90)
_days = st.dates(date(1970, 1, 1), date(2999, 12, 31))
rows = st.builds(
    PublishedRow,
    seq=st.integers(1, 2**63 - 1), leg=st.integers(1, 1_000), entry=st.integers(1, 1_000),
    account_id=_texts, contract=_texts, version=st.integers(1, 2**31 - 1), rule=_texts,
    funder=_texts, unit=_texts, debit=_texts, credit=_texts, amount=st.integers(1, 2**63 - 1),
    effective_on=_days, available_on=_days, issuer_id=_texts, purchase=_texts,
    role=st.sampled_from(["books", "command"]), body=events().map(general),
)  # fmt: skip


def days(day: date) -> int:
    return (day - date(1970, 1, 1)).days


@settings(deadline=None)
@given(rows)
def test_a_transfer_is_written_as_a_general_encoder_writes_it(row: PublishedRow) -> None:
    sent = message(STREAM, row)
    assert sent.value is not None
    stream = io.BytesIO(sent.value.removeprefix(FRAME))
    found: Any = fastavro.schemaless_reader(stream, ACCRUAL, None)
    assert stream.read() == b""
    again = io.BytesIO()
    fastavro.schemaless_writer(again, ACCRUAL, found, strict=True)
    assert FRAME + again.getvalue() == sent.value
    assert found == {
        **{name: getattr(row, name) for name in found if hasattr(row, name)},
        "transfer_id": str(transfer_id(STREAM, row.seq, row.leg)),
        "stream": STREAM,
        "entry_id": str(derive("entry", STREAM, row.seq, row.entry)),
        "cause_event_id": None if row.role == "command" else _event(row.body).event_id,
        "effective_on": days(row.effective_on),
        "available_on": days(row.available_on),
    }
    assert sent.key == row.account_id.encode()
    assert list(sent.headers) == [("transfer_id", found["transfer_id"].encode())]


@given(st.lists(_texts | st.integers()))
def test_a_derived_text_is_the_text_of_the_derived_id(parts: list[str | int]) -> None:
    assert derived_text(*parts) == str(derive(*parts))


def _event(body: bytes) -> CardTransaction:
    fields: Any = fastavro.schemaless_reader(
        io.BytesIO(body), schema("card-transaction.avsc"), None
    )
    return CardTransaction(**fields)

"""The ids of an event are read without decoding the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accrual.peek import peek
from services.ingest.feeds.encoding import encode
from tests.support.builders import event

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=90)


@given(TEXT, TEXT)
def test_the_ids_are_those_that_were_encoded(event_id: str, issuer_id: str) -> None:
    assert peek(encode(event(event_id, issuer_id=issuer_id))) == (event_id, issuer_id)


@pytest.mark.parametrize(
    "body", [b"", b"\x7f", b"\x02", b"\x01a", b"\x02a", b"\xff" * 12, b"\x02\xff\x02a"]
)
def test_other_bytes_are_no_event(body: bytes) -> None:
    with pytest.raises(ValueError):
        peek(body)

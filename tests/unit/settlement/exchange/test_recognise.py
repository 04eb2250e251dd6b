"""Whatever bytes come in: they are understood, or refused in words, and never break the reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.hearing import hear

GOLDEN = Path(__file__).parents[3] / "golden"
ANSWERS = {
    path.name: path.read_bytes()
    for path in (*sorted((GOLDEN / "answers").iterdir()),
                 GOLDEN / "settlement/first-bank-nacha-return-000003.ach")
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_what_the_bank_wrote_is_sound(name: str) -> None:
    assert hear(name, ANSWERS[name]) == []


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(ANSWERS)),
    st.integers(0, 2_000),
    st.integers(0, 40),
    st.one_of(st.binary(max_size=12), st.sampled_from([b"<", b">", b"&x;", b"-1", b"99999999999",
              b"../../etc/passwd", b"=1+1", b"\x00", "à".encode(), b"</Ntry>"])),
)  # fmt: skip
def test_a_file_that_was_changed_anywhere_is_understood_or_refused(
    name: str, at: int, gone: int, put: bytes
) -> None:
    content = ANSWERS[name]
    at = at % len(content)
    hear(name, content[:at] + put + content[at + gone :])


@pytest.mark.parametrize("name", ANSWERS)
@given(st.data())
@settings(max_examples=30)
def test_a_file_that_was_cut_off_is_refused(name: str, data: st.DataObject) -> None:
    content = ANSWERS[name]
    cut = data.draw(st.integers(0, len(content.rstrip()) - 1))
    assert hear(name, content[:cut]) != []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is no answer of a layout that we read"),
        (b"PK\x03\x04", "is no answer of a layout that we read"),
        (b"<a/>", "is no message that we read"),
        (b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", "document type"),
        (b"<a>" * 100, "deep in each other"),
    ],
)
def test_what_is_no_answer_is_told(content: bytes, why: str) -> None:
    (problem,) = hear("../../etc/passwd", content)
    assert why in problem

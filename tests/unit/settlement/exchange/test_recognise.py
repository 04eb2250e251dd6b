"""Whatever bytes come in: they are understood, or refused in words, and never break the reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel.errors import Problem
from services.settlement.batches.follow import Following
from services.settlement.batches.outcome import NEXT
from services.settlement.exchange.recognise import claim
from services.settlement.files import catalogue
from tests.support.batches import payout_batch

GOLDEN = Path(__file__).parents[3] / "golden"
ANSWERS = {
    path.name: path.read_bytes()
    for path in (*sorted((GOLDEN / "answers").iterdir()),
                 GOLDEN / "settlement/first-bank-nacha-return-000003.ach")
}  # fmt: skip
SENT = {layout: catalogue.files(payout_batch(layout)) for layout in ("nacha-ppd", "pain.001")}


def hear(name: str, content: bytes) -> list[str]:
    """What is wrong with an answer to the published payouts; nothing moves then."""
    claimed = claim(name, content, "first-bank")
    problems: list[Problem] = list(claimed.problems)
    layout = "nacha-ppd" if claimed.layout == "nacha-return" else "pain.001"
    batch = payout_batch(layout)
    standing = Following(
        batch.header, {line.line: line for line in batch.lines}, {}, {}, {}, batch.terms
    )
    for sequence in claimed.batches:
        if sequence != 3:
            problems.append(Problem("there is no such batch"))
            continue
        files = [file for file in SENT[layout] if claimed.fits(file)]
        heard = claimed.reads(sequence, files)(standing, problems)
        for told in (one for fresh in heard.fresh[:1] for one in fresh):
            assert told.outcome in NEXT[None]
            assert told.line in standing.lines
    return [str(problem) for problem in problems]


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

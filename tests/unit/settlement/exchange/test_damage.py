"""A bank's answer × a way to damage it: refused with line and reason, or harmless by its nature.

Every row of CELLS is one cell: the layout, the damage, and what is said of it. The order of what a
message in XML says means nothing, and the same booking told twice in a camt.054 is told once, as in
two files of which each tells it. The damages of the other layouts stand in test_acknowledge,
test_page_answers, test_layout and test_payout_sheet.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from services.settlement.checking import check
from tests.support.hearing import hear

GOLDEN = Path(__file__).parents[3] / "golden"
FILES = {
    "pain.002": "answers/first-bank-pain.002-000003.xml",
    "camt.054": "answers/first-bank-camt.054-000003.xml",
    "camt.053": "answers/first-bank-camt.053-000003.xml",
    "nacha-return": "settlement/first-bank-nacha-return-000003.ach",
}
REFERENCE = re.compile(rb"000003-[0-9]{8}")
XML = ("pain.002", "camt.054", "camt.053")


def read(layout: str) -> tuple[str, bytes]:
    path = GOLDEN / FILES[layout]
    return path.name, path.read_bytes()


def cut(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


def doubled(content: bytes) -> bytes:
    """The first entry, or the second record, stands there twice."""
    if content[:1] != b"<":
        lines = content.split(b"\n")
        return b"\n".join([*lines[:3], lines[2], *lines[3:]])
    start, end = content.index(b"<Ntry>"), content.index(b"</Ntry>") + len(b"</Ntry>")
    return content[:end] + content[start:end] + content[end:]


def swapped(content: bytes) -> bytes:
    lines = content.split(b"\n")
    return b"\n".join([lines[0], lines[2], lines[1], *lines[3:]])


def binary(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + b"\x00\xff" + content[middle + 2 :]


def entity(content: bytes) -> bytes:
    at = content.index(b"?>") + 2 if content.startswith(b"<?xml") else 0
    kind = b'<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;"><!ENTITY c SYSTEM "file:///x">]>'
    return content[:at] + kind + content[at:]


def deep(content: bytes) -> bytes:
    at = content.rindex(b"</")
    return content[:at] + b"<a>" * 5_000 + b"</a>" * 5_000 + content[at:]


def long(content: bytes) -> bytes:
    return content.replace(b"000003-", b"0" * 20_000 + b"3-", 1)


def other_sequence(content: bytes) -> bytes:
    return content.replace(b"000003", b"000009")


def other_partner(content: bytes) -> bytes:
    return content.replace(b"first-bank-000003", b"other-bank-000003")


def formula(content: bytes) -> bytes:
    return REFERENCE.sub(b"=HYPERLINK(1)  ", content)


def path(content: bytes) -> bytes:
    return REFERENCE.sub(b"../../../passwd", content)


CELLS: list[tuple[str, Callable[[bytes], bytes], str]] = [
    *((layout, cut, ":2: ") for layout in XML),
    *((layout, binary, ":2: not well-formed") for layout in XML),
    *((layout, entity, ":1: has a document type: it is not read") for layout in XML),
    *((layout, deep, "elements stand more than 40 deep") for layout in XML),
    *((layout, long, "has more than 10000 characters") for layout in XML),
    *((layout, other_sequence, "there is no such batch") for layout in (*XML, "nacha-return")),
    ("camt.053", doubled, "NbOfNtries: '1': says 1, there are 2 entries"),
    ("camt.053", doubled, "an entry is missing, doubled or changed"),
    ("pain.002", other_partner, "answers no message of ours to first-bank"),
    ("camt.054", other_partner, "names no payment of ours to first-bank"),
    ("camt.053", other_partner, "names no payment of ours to first-bank"),
    *(("pain.002", harm, ":2: reference: '") for harm in (formula, path)),
    *((layout, harm, "names no payment of ours") for layout in XML[1:] for harm in (formula, path)),
    *(("nacha-return", harm, ":3: individual id (40-54): '") for harm in (formula, path)),
    ("nacha-return", cut, ":7: the file ends inside a record"),
    ("nacha-return", doubled, ":3: says that an addenda follows, and none does"),
    ("nacha-return", swapped, ":2: record type (1-1): '6': records are doubled, missing or out"),
    ("nacha-return", binary, "is a record of no kind that is known"),
]


@pytest.mark.parametrize(
    ("layout", "damage", "why"), CELLS, ids=[f"{c[0]} {c[1].__name__}" for c in CELLS]
)
def test_a_damaged_answer_is_refused_with_line_and_reason(
    layout: str, damage: Callable[[bytes], bytes], why: str
) -> None:
    name, content = read(layout)
    damaged = damage(content)
    assert damaged != content, "the damage found nothing to damage"
    found = hear(name, damaged)
    assert any(why in problem for problem in found), found


@pytest.mark.parametrize("layout", FILES)
def test_batch_check_reads_a_bank_s_answer_and_says_what_is_wrong_with_one(layout: str) -> None:
    name, content = read(layout)
    for called in (name, "download.dat"):
        sound = check(content, called, beside=lambda _: None)
        assert (sound.layout, list(sound.problems)) == (layout, [])
        assert sound.records > 0
        assert check(cut(content), called, beside=lambda _: None).problems

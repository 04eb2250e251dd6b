"""The hash chain over what people did: whatever is changed, the first broken link is named."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement.batches.chain import GENESIS, AuditRow, Link, Walk, canonical, extend

TEXT = st.text(max_size=8)
ROWS = st.builds(AuditRow, st.integers(1, 99), *[TEXT] * 9)


def chain(count: int) -> list[Link]:
    rows = [AuditRow(n, "2026", "Ann", "seal", f"b{n}", "", "", "", "", "{}") for n in range(count)]
    return list(extend(GENESIS, rows))


def fault(links: Sequence[Link]) -> str | None:
    walk = Walk()
    for link in links:
        walk.follow(link)
    return walk.broken


@given(one=ROWS, other=ROWS)
def test_two_rows_that_differ_have_other_bytes(one: AuditRow, other: AuditRow) -> None:
    assert (canonical(one) == canonical(other)) == (one == other)


def test_a_chain_that_nobody_touched_holds() -> None:
    links = chain(5)
    assert fault(links) is None
    assert fault([]) is None
    assert links[0].previous == "0" * 64


def test_the_first_of_several_broken_links_is_named() -> None:
    links = chain(5)
    for place in (3, 1):
        row = links[place].row
        assert row is not None
        links[place] = links[place]._replace(row=row._replace(actor="Eve"))
    assert fault(links) == "link 2 of audit row 1: the row is not what was sealed"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda links: links[:2] + links[3:], "link 4 of audit row 3 stands after link 2"),
        (lambda links: [links[0]._replace(row=None), *links[1:]], "link 1 .*: the row is gone"),
        (lambda links: [*links[:3], links[3]._replace(previous="f" * 64)],
         "link 4 of audit row 3 does not follow link 3"),
        (lambda links: links[1:], "link 2 of audit row 1 stands after link 0"),
    ],
)  # fmt: skip
def test_what_is_missing_or_does_not_follow_is_named(change, told) -> None:  # type: ignore[no-untyped-def]
    assert re.match(told, fault(change(chain(5))) or "")

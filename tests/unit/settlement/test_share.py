"""The parts of a sum, divided among the lines it stands in, lose nothing and gain nothing."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import InvariantViolated
from services.settlement.batches.due import Part
from services.settlement.batches.share import apportion

AMOUNTS = st.integers(-1000, 1000).filter(bool)
PARTS = st.dictionaries(
    st.builds(Part, st.integers(1, 3), st.sampled_from(["a", "b", "c"])), AMOUNTS, max_size=6
)


@given(parts=PARTS, cuts=st.lists(st.integers(0, 5000), max_size=4))
def test_every_piece_holds_its_amount_and_together_they_hold_every_part(
    parts: dict[Part, int], cuts: list[int]
) -> None:
    total = sum(parts.values())
    sign = 1 if total > 0 else -1
    edges = sorted({0, abs(total), *(cut % max(1, abs(total)) for cut in cuts)})
    amounts = [sign * (b - a) for a, b in itertools.pairwise(edges)] or [total]
    divided = apportion(parts, amounts)
    assert [sum(piece.values()) for piece in divided] == amounts
    together: dict[Part, int] = {}
    for piece in divided:
        for part, amount in piece.items():
            together[part] = together.get(part, 0) + amount
    assert {part: amount for part, amount in together.items() if amount} == parts


def test_parts_that_do_not_come_to_the_lines_are_refused() -> None:
    with pytest.raises(InvariantViolated, match="lines of 5 stand for 4 posted"):
        apportion({Part(1, "a"): 4}, [2, 3])


def test_a_part_of_the_other_sign_stays_with_the_last_piece() -> None:
    up, down = Part(1, "a"), Part(2, "a")
    assert apportion({up: 2, down: -14}, [-5, -7]) == [{down: -5}, {up: 2, down: -9}]

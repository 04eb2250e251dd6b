"""Law 4: a purchase that went back whole leaves everything as if it had never been."""

from __future__ import annotations

from hypothesis import given

from tests.support.dice import made_by
from tests.support.laws import what_went_back_never_was
from tests.support.twins import Undone, undone


@given(made_by(undone))
def test_a_purchase_that_went_back_leaves_the_others_what_they_would_have_had(
    case: Undone,
) -> None:
    what_went_back_never_was(case)

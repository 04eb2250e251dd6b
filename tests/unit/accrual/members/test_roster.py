"""What member rows say on a day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accrual.members.account import AccountDates, Activation
from services.accrual.members.roster import MemberRow, Roster

MARCH = date(2026, 3, 1)


def row(
    start: date = MARCH,
    end: date | None = None,
    *,
    token: str = "tok-1",
    program: str = "sky",
    product: str | None = "GOLD",
    revision: int = 1,
) -> MemberRow:
    return MemberRow("A1", token, program, start, end, "M1", product, None, None, revision)


def day(number: int) -> date:
    return MARCH + timedelta(days=number - 1)


def test_both_ends_of_an_enrolment_hold() -> None:
    roster = Roster.of([row(day(5), day(10))])
    held = [number for number in range(1, 15) if roster.enrolled("sky", day(number))]
    assert held == [5, 6, 7, 8, 9, 10]


def test_an_open_enrolment_holds_for_good() -> None:
    assert Roster.of([row()]).enrolled("sky", date(9999, 12, 31))


def test_another_programme_is_another_enrolment() -> None:
    assert not Roster.of([row()]).enrolled("sea", day(5))


def test_any_card_of_the_account_enrols_it() -> None:
    roster = Roster.of([row(day(1), day(2)), row(day(8), token="tok-2")])
    assert [roster.enrolled("sky", day(number)) for number in (2, 3, 8)] == [True, False, True]


def test_no_rows_are_no_enrolment() -> None:
    assert not Roster.of([]).enrolled("sky", day(1))
    assert Roster.of([]).product("tok-1", day(1)) is None


def test_the_latest_revision_of_a_key_replaces_its_values() -> None:
    rows = [row(revision=1), row(end=day(9), product="PLAT", revision=2)]
    for given_rows in (rows, rows[::-1]):
        roster = Roster.of(given_rows)
        assert not roster.enrolled("sky", day(10))
        assert roster.product("tok-1", day(5)) == "PLAT"


def test_a_roster_as_of_a_revision_does_not_see_later_ones() -> None:
    rows = [row(revision=1), row(end=day(9), revision=5)]
    assert Roster.of(rows, upto=4).enrolled("sky", day(10))
    assert not Roster.of(rows, upto=5).enrolled("sky", day(10))
    assert not Roster.of(rows, upto=0).enrolled("sky", day(5))


def test_the_product_is_that_of_the_latest_start_not_after_the_day() -> None:
    roster = Roster.of([row(day(1), product="GOLD"), row(day(10), product="PLAT")])
    found = [roster.product("tok-1", day(number)) for number in (0, 1, 9, 10, 20)]
    assert found == [None, "GOLD", "GOLD", "PLAT", "PLAT"]


def test_the_product_outlives_the_enrolment() -> None:
    assert Roster.of([row(day(1), day(2))]).product("tok-1", day(20)) == "GOLD"


def test_a_row_without_a_product_hides_an_earlier_one() -> None:
    roster = Roster.of([row(day(1)), row(day(10), product=None)])
    assert roster.product("tok-1", day(10)) is None


def test_the_product_is_that_of_its_own_card() -> None:
    roster = Roster.of([row(), row(token="tok-2", product="PLAT")])
    assert roster.product("tok-2", day(1)) == "PLAT"


def test_among_equal_starts_the_latest_revision_names_the_product() -> None:
    rows = [row(revision=2), row(program="sea", product="PLAT", revision=3)]
    assert Roster.of(rows).product("tok-1", day(5)) == "PLAT"
    assert Roster.of(rows, upto=2).product("tok-1", day(5)) == "GOLD"


@pytest.mark.parametrize("reverse", [False, True])
def test_rows_that_are_equal_in_all_decide_in_no_order_of_reading(reverse: bool) -> None:
    rows = [row(product=None), row(program="sea", product="PLAT"), row(program="bay")]
    assert Roster.of(rows[::-1] if reverse else rows).product("tok-1", day(5)) == "GOLD"


def dates(opened: date | None = None, closed: date | None = None, *, cycle_day: int | None = None,
          revision: int = 1) -> AccountDates:  # fmt: skip
    return AccountDates("A1", opened, closed, cycle_day, revision)


def test_a_closed_account_is_enrolled_up_to_the_day_of_its_closing() -> None:
    rows = [row(day(5), day(10)), row(day(8), token="tok-2"), row(day(20))]
    roster = Roster.of(rows, dates=[dates(closed=day(12))])
    held = [number for number in range(1, 25) if roster.enrolled("sky", day(number))]
    assert held == [5, 6, 7, 8, 9, 10, 11, 12]


def test_a_card_keeps_its_product_when_the_account_is_closed() -> None:
    assert Roster.of([row()], dates=[dates(closed=day(2))]).product("tok-1", day(9)) == "GOLD"


def test_an_account_opened_again_by_a_later_revision_is_enrolled_again() -> None:
    known = [dates(closed=day(2), revision=2), dates(revision=5)]
    for order in (known, known[::-1]):
        assert Roster.of([row()], dates=order).enrolled("sky", day(3))
        assert not Roster.of([row()], dates=order, upto=4).enrolled("sky", day(3))


def test_the_latest_revision_replaces_all_dates_of_the_account() -> None:
    known = [dates(day(1), cycle_day=31, revision=2), dates(day(2), revision=3)]
    now, before = Roster.of([], dates=known), Roster.of([], dates=known, upto=2)
    assert (before.opened_on, before.cycle_day) == (day(1), 31)
    assert (now.opened_on, now.cycle_day) == (day(2), None)


def test_dates_that_nobody_told_are_not_known() -> None:
    roster = Roster.of([row()])
    assert (roster.opened_on, roster.cycle_day) == (None, None)
    assert Roster.of([row()], dates=[dates(day(1))], upto=0).opened_on is None


def test_a_code_is_active_in_the_spans_of_its_activations() -> None:
    found = [
        Activation("A1", "Q1", day(5), 1),
        Activation("A1", "Q1", day(3), 4),
        Activation("A1", "Q1", day(7), 6),
        Activation("A1", "Q2", day(1), 1),
    ]
    for order in (found, found[::-1]):
        roster = Roster.of([], activations=order)
        assert roster.activations("Q1") == ((day(3), None), (day(5), None), (day(7), None))
        assert [roster.activations(code) for code in ("Q2", "Q3")] == [((day(1), None),), ()]
        assert Roster.of([], activations=order, upto=3).activations("Q1") == ((day(5), None),)


def test_a_withdrawal_holds_from_its_revision_on_and_may_be_taken_back() -> None:
    found = [
        Activation("A1", "Q1", day(3), 1),
        Activation("A1", "Q1", day(3), 2, day(9)),
        Activation("A1", "Q1", day(12), 3),
        Activation("A1", "Q1", day(3), 4, day(3)),
        Activation("A1", "Q1", day(3), 5),
    ]
    for order in (found, found[::-1]):
        spans = [
            Roster.of([], activations=order, upto=upto).activations("Q1") for upto in range(1, 6)
        ]
        assert spans == [
            ((day(3), None),),
            ((day(3), day(9)),),
            ((day(3), day(9)), (day(12), None)),
            ((day(12), None),),
            ((day(3), None), (day(12), None)),
        ]


ROWS = st.lists(
    st.builds(
        row,
        st.integers(1, 6).map(day),
        st.one_of(st.none(), st.integers(6, 9).map(day)),
        token=st.sampled_from(["tok-1", "tok-2"]),
        program=st.sampled_from(["sky", "sea"]),
        product=st.sampled_from(["GOLD", "PLAT", None]),
    ),
    max_size=8,
).map(
    lambda rows: [
        MemberRow(*(getattr(one, name) for name in one.__slots__[:-1]), revision=at)
        for at, one in enumerate(rows, 1)
    ]
)


CLOSINGS = st.lists(st.one_of(st.none(), st.integers(1, 10).map(day)), max_size=4).map(
    lambda days: [dates(closed=found, revision=at) for at, found in enumerate(days, 1)]
)


@given(
    ROWS,
    CLOSINGS,
    st.integers(0, 10).map(day),
    st.integers(0, 8),
    st.randoms(use_true_random=False),
)
def test_a_roster_is_what_the_rules_of_membership_say(
    rows: list[MemberRow], closings: list[AccountDates], on: date, upto: int, shuffle: object
) -> None:
    """The definition, word for word, beside the precomputed answer."""
    current: dict[tuple[str, str, str, date], MemberRow] = {}
    for one in sorted(rows, key=lambda one: one.revision):
        if one.revision <= upto:
            current[one.key] = one
    seen = [known.closed_on for known in closings if known.revision <= upto]
    closed_on = seen[-1] if seen else None
    enrolled = (closed_on is None or on <= closed_on) and any(
        one.program == "sky" and one.enrolled_from <= on <= (one.enrolled_to or date.max)
        for one in current.values()
    )
    named = [
        one for one in current.values() if one.card_token == "tok-1" and one.enrolled_from <= on
    ]
    product = (
        max(named, key=lambda one: (one.enrolled_from, one.revision)).card_product
        if named
        else None
    )
    mixed = list(rows)
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    roster = Roster.of(mixed, dates=closings, upto=upto)
    assert roster.enrolled("sky", on) == enrolled
    assert roster.product("tok-1", on) == product

"""F(T) of every kind of total: exact, never falling, nothing for nothing."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from services.accrual.contracts import worth
from services.accrual.contracts.clauses import PerBlockEarn, PercentEarn
from services.accrual.contracts.earning import Form, form_of
from services.accrual.contracts.worth import Rounded, Worth
from services.kernel.rates import Rounding

TOTALS = st.integers(0, 10**7)
ROUNDED = st.builds(Rounded, st.sampled_from([1, 10, 100]), st.sampled_from(list(Rounding)))
BEYOND = st.sampled_from([Fraction(0), Fraction(1, 10), Fraction(2, 3)])
LIMITS = st.integers(1, 10**6)
RATES = st.fractions(min_value=0, max_value=3, max_denominator=1000)


@st.composite
def forms(draw: st.DrawFn) -> Form:
    if draw(st.booleans()):
        clause = PercentEarn(percent=str(draw(st.integers(1, 100))))
        return form_of(clause, unit="NOK", spend="NOK")
    block = {"block": str(draw(st.integers(1, 500))), "units": str(draw(st.integers(1, 9)))}
    return form_of(PerBlockEarn.model_validate({"per_block": block}), unit="NOK", spend="NOK")


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[int, Fraction]]:
    """Steps that rise, the first one from 0 on."""
    gaps = draw(st.lists(st.integers(1, 10**5), min_size=1, max_size=5))
    starts = accumulate(gaps[1:], initial=draw(st.sampled_from([0, gaps[0]])))
    return [(start, draw(RATES)) for start in starts]


@st.composite
def rising(draw: st.DrawFn) -> list[tuple[int, Fraction]]:
    """Steps whose rates rise as well."""
    table = draw(steps())
    return [(start, rate) for (start, _), rate in
            zip(table, sorted(rate for _, rate in table), strict=True)]  # fmt: skip


@st.composite
def bonuses(draw: st.DrawFn) -> list[tuple[int, int]]:
    starts = accumulate(draw(st.lists(st.integers(1, 10**5), min_size=1, max_size=5)))
    units = accumulate(draw(st.lists(st.integers(1, 10**5), min_size=5, max_size=5)))
    return list(zip(starts, units, strict=False))


FUNCTIONS = st.one_of(
    st.builds(worth.capped, LIMITS, beyond=BEYOND, rounded=ROUNDED),
    st.builds(worth.capped_spend, LIMITS, beyond=BEYOND, form=forms(), rounded=ROUNDED),
    st.builds(worth.summed, forms(), rounded=ROUNDED),
    st.builds(worth.marginal, steps(), rounded=ROUNDED),
    st.builds(worth.whole, rising(), rounded=ROUNDED),
    st.builds(worth.reached, bonuses()),
    st.builds(worth.counted, st.integers(1, 20), st.integers(1, 1000)),
)


@given(FUNCTIONS, TOTALS, TOTALS)
def test_no_total_ever_falls(function: Worth, one: int, other: int) -> None:
    less, more = sorted((one, other))
    assert function(0) == 0
    assert 0 <= function(less) <= function(more)


@given(steps(), ROUNDED, TOTALS)
def test_marginal_bands_add_up_part_by_part(
    table: list[tuple[int, Fraction]], rounded: Rounded, total: int
) -> None:
    ends = [start for start, _ in table[1:]] + [max(total, table[-1][0])]
    exact = sum(
        (max(0, min(total, end) - start) * rate
         for (start, rate), end in zip(table, ends, strict=True)),
        Fraction(0),
    )  # fmt: skip
    assert worth.marginal(table, rounded=rounded)(total) == rounded.of(
        exact.numerator, exact.denominator
    )


@given(LIMITS, ROUNDED, TOTALS)
def test_a_cap_lets_all_through_up_to_its_limit(limit: int, rounded: Rounded, total: int) -> None:
    function = worth.capped(limit, beyond=Fraction(1, 2), rounded=rounded)
    assert function(min(total, limit)) == min(total, limit)
    assert worth.capped(limit, beyond=Fraction(0), rounded=rounded)(total) == min(total, limit)

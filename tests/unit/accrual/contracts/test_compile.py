"""A contract as the engine runs it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accrual.contracts.clauses import FlatEarn, PerBlockEarn, PercentEarn, PerUnitEarn
from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.conditions import fits, fits_any
from services.accrual.contracts.earning import form_of
from services.accrual.contracts.parse import Signed
from services.accrual.contracts.terms import Eligible, Facts, Governs, round_to_step
from services.kernel.calendar import Per
from services.kernel.rates import Rounding

DINING = Facts(
    mcc="5813", merchant="M1", country="NO", channel="ONLINE", product="SKY-GOLD",
    governing_on=date(2026, 3, 5),
)  # fmt: skip
UNKNOWN = Facts(
    mcc=None, merchant=None, country=None, channel=None, product=None,
    governing_on=date(2026, 3, 5),
)  # fmt: skip
CONDITION = 'when: {mcc: ["5812-5814"]}'


def test_the_full_example_compiles(signed: Callable[..., Signed]) -> None:
    terms = compile_terms(signed().contract)
    assert (terms.contract, terms.version) == ("sky-visa", 3)
    assert (terms.issuer, terms.program, terms.partner) == ("first-bank", "sky-rewards", "sky-air")
    assert (terms.unit, terms.spend_currency) == ("SKY-MILE", "NOK")
    assert (terms.first, terms.last) == (date(2026, 1, 1), date(2026, 12, 31))
    assert (terms.zone, terms.day_ends_minutes) == (ZoneInfo("Europe/Oslo"), 1440)
    assert (terms.governs, terms.eligible) == (Governs.TRANSACTION, Eligible.WITHOUT_CASH)
    assert terms.card_products == {"SKY-GOLD", "SKY-PLAT"}
    assert (terms.release_days, terms.funders) == (14, ("first-bank",))
    assert (terms.shares, terms.remainder) == ((Fraction(1),), 0)
    base, dining = terms.rules
    assert (base.group, base.priority, dining.priority) == ("spend", 0, 10)
    assert base.earn.text == "1 SKY-MILE per whole 10.00 NOK"
    assert [base.earned(spend) for spend in (0, 999, 1000, 31_200)] == [0, 0, 1, 31]
    assert dining.earned(10_000) == 30
    assert base.cap is not None
    assert (base.cap.owner, base.cap.limit, base.cap.per) == ("base", 50, Per.MONTH)


def test_a_shared_cap_is_the_same_object_as_its_owners(signed: Callable[..., Signed]) -> None:
    base, dining = compile_terms(signed().contract).rules
    assert dining.cap is base.cap


def test_amounts_become_minor_units(signed: Callable[..., Signed]) -> None:
    one = signed(("    when:", '    minimum_transaction: "50.5"\n    when:'))
    assert compile_terms(one.contract).rules[1].minimum == 5050
    assert compile_terms(one.contract).rules[1].maximum is None


def test_all_products_are_no_limit(signed: Callable[..., Signed]) -> None:
    one = signed(("applies_to: {card_products: [SKY-GOLD, SKY-PLAT]}", "applies_to: all"))
    assert compile_terms(one.contract).card_products is None


def test_the_terms_of_a_cap_are_what_its_total_depends_on(signed: Callable[..., Signed]) -> None:
    def total(*replacements: tuple[str, str]) -> str:
        cap = compile_terms(signed(*replacements).contract).rules[0].cap
        assert cap is not None
        return cap.terms

    plain = total()
    assert len(plain) == 64
    assert total(('block: "10.00"', 'block: "20.00"')) == plain, "how it earns plays no part"
    assert total(("mode: down", "mode: up")) == plain, "nor does rounding while beyond is 0"
    assert total(('beyond: "0"', 'beyond: "0.00"')) == plain, "one number, written in two ways"
    assert total(('limit: "50"', 'limit: "51"')) != plain
    assert total(("per: month", "per: year")) != plain
    assert total(('beyond: "0"', 'beyond: "0.5"')) != plain
    beyond = ('beyond: "0"', 'beyond: "0.5"')
    assert total(beyond, ("mode: down", "mode: up")) != total(beyond), "beyond is rounded"


def test_a_total_keeps_its_name_over_releases(signed: Callable[..., Signed]) -> None:
    """Stored totals are found by this hash: another text of the same terms would lose them."""
    cap = compile_terms(signed().contract).rules[0].cap
    assert cap is not None
    assert cap.terms == "a0cb40a9f8e7bdbbbc66d322124c6e5181ae5a8a0b6cde3686f70a4887423725"


def test_no_condition_always_holds_and_no_exclusion_never_does() -> None:
    assert fits(None)(UNKNOWN)
    assert not fits_any(None)(DINING)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ('{mcc: ["5812-5814"]}', True),
        ('{mcc: ["5811", "5813"]}', True),
        ('{mcc: ["5814"]}', False),
        ("{merchant: [M1]}", True),
        ("{merchant: [m1]}", False),
        ('{country: [SE, "NO"]}', True),
        ("{country: [SE]}", False),
        ("{channel: [ONLINE]}", True),
        ("{channel: [IN_STORE, PHONE]}", False),
        ("{product: [SKY-GOLD]}", True),
        ("{product: [SKY-PLAT]}", False),
        ("{dates: {from: 2026-03-05, to: 2026-03-05}}", True),
        ("{dates: {from: 2026-03-06, to: 2026-03-31}}", False),
        ("{dates: {from: 2026-01-01, to: 2026-03-04}}", False),
        ('{mcc: ["5813"], channel: [ONLINE], country: ["NO"]}', True),
        ('{mcc: ["5813"], channel: [PHONE]}', False),
    ],
)
def test_every_key_of_a_condition_must_hold(
    signed: Callable[..., Signed], condition: str, holds: bool
) -> None:
    one = signed((CONDITION, f"when: {condition}"))
    assert compile_terms(one.contract).rules[1].when(DINING) is holds


@pytest.mark.parametrize("key", ['mcc: ["0000-9999"]', "merchant: [M1]", 'country: ["NO"]',
                                 "channel: [ONLINE]", "product: [SKY-GOLD]"])  # fmt: skip
def test_an_absent_fact_fulfils_no_condition(signed: Callable[..., Signed], key: str) -> None:
    one = signed((CONDITION, f"when: {{{key}}}"))
    assert not compile_terms(one.contract).rules[1].when(UNKNOWN)


def test_any_exclusion_excludes_and_all_its_keys_must_hold(signed: Callable[..., Signed]) -> None:
    given = '  - {mcc: ["6010", "6011", "6050-6051", "7995"]}'
    one = signed((given, given + '\n  - {mcc: ["5813"], channel: [ONLINE]}'))
    excluded = compile_terms(one.contract).excluded
    assert excluded(DINING)
    assert not excluded(UNKNOWN)


MODES = st.sampled_from(list(Rounding))
RATES = st.decimals("0.0001", "999", places=4).map(str)
SPENDS = st.integers(0, 10**9)
EARNS = st.one_of(
    st.decimals("0.0001", "100", places=4).map(lambda rate: PercentEarn(percent=str(rate))),
    RATES.map(lambda rate: PerUnitEarn.model_validate({"per_unit": {"units": rate}})),
    st.tuples(st.integers(1, 5000), RATES).map(
        lambda pair: PerBlockEarn.model_validate(
            {"per_block": {"block": f"{pair[0]}", "units": pair[1]}}
        )
    ),
    RATES.map(lambda rate: FlatEarn.model_validate({"flat": {"units": rate}})),
)


@given(EARNS, st.sampled_from(["NOK", "JPY", "KWD"]), MODES, st.integers(0, 3), SPENDS)
def test_the_fast_way_to_earn_equals_the_exact_definition(
    clause: PercentEarn | PerUnitEarn | PerBlockEarn | FlatEarn,
    currency: str,
    mode: Rounding,
    coarser: int,
    spend: int,
) -> None:
    form = form_of(clause, unit=currency, spend=currency)
    step = 10**coarser
    exact = form.earn().exact(spend)
    assert form.whole(step=step, rounding=mode)(spend) == round_to_step(
        exact, step=step, rounding=mode
    )


@pytest.mark.parametrize(
    ("clause", "spend", "exact"),
    [
        ({"percent": "1.5"}, 10_001, Fraction(150_015, 1000)),
        ({"per_unit": {"units": "0.5"}}, 101, Fraction(101, 2)),
        ({"per_block": {"block": "10.00", "units": "0.03"}}, 2999, Fraction(6)),
        ({"flat": {"units": "1.25"}}, 1, Fraction(125)),
        ({"flat": {"units": "1.25"}}, 0, Fraction(0)),
    ],
)
def test_each_form_earns_exactly_what_it_says(
    signed: Callable[..., Signed], clause: dict[str, object], spend: int, exact: Fraction
) -> None:
    form = next(iter(clause))
    model = {"percent": PercentEarn, "per_unit": PerUnitEarn, "per_block": PerBlockEarn,
             "flat": FlatEarn}[form]  # fmt: skip
    earn = form_of(model.model_validate(clause), unit="NOK", spend="NOK").earn()  # type: ignore[arg-type]
    assert earn.exact(spend) == exact

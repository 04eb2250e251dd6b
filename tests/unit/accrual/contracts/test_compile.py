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
from services.accrual.contracts.conditions import never
from services.accrual.contracts.earning import form_of
from services.accrual.contracts.model import Contract
from services.accrual.contracts.parse import Signed
from services.accrual.contracts.payers import Fee, Funding
from services.accrual.contracts.terms import (
    After,
    Best,
    Eligible,
    Entry,
    Governs,
    Refunds,
    Release,
    round_to_step,
)
from services.kernel.calendar import Per
from services.kernel.rates import Rounding


def test_the_full_example_compiles(signed: Callable[..., Signed]) -> None:
    terms = compile_terms(signed().contract)
    assert (terms.contract, terms.version) == ("sky-visa", 3)
    assert (terms.issuer, terms.program, terms.partner) == ("first-bank", "sky-rewards", "sky-air")
    assert (terms.unit, terms.spend_currency) == ("SKY-MILE", "NOK")
    assert (terms.first, terms.last) == (date(2026, 1, 1), date(2026, 12, 31))
    assert (terms.zone, terms.day_ends_minutes) == (ZoneInfo("Europe/Oslo"), 1440)
    assert (terms.governs, terms.eligible) == (Governs.TRANSACTION, Eligible.WITHOUT_CASH)
    assert terms.card_products == {"SKY-GOLD", "SKY-PLAT"}
    assert terms.release == Release(After.POSTING, 14)
    assert terms.funding == Funding(("first-bank",), (Fraction(1),), (0,), 0)
    base, dining = terms.rules
    assert (base.group, base.priority, dining.priority) == ("spend", 0, 10)
    assert base.earn.text == "1 SKY-MILE per whole 10.00 NOK"
    assert [base.entered(spend, spend) for spend in (0, 999, 1000, 31_200)] == [0, 0, 1, 31]
    assert dining.entered(10_000, 10_000) == 30
    (cap,) = base.totals
    assert (cap.owner, cap.limit, cap.straight, cap.per) == ("base", 50, 50, Per.MONTH)


def test_a_shared_cap_is_the_same_object_as_its_owners(signed: Callable[..., Signed]) -> None:
    base, dining = compile_terms(signed().contract).rules
    assert dining.totals == base.totals
    assert dining.totals[0] is base.totals[0]


def test_amounts_become_minor_units(signed: Callable[..., Signed]) -> None:
    one = signed(("    when:", '    minimum_transaction: "50.5"\n    when:'))
    assert compile_terms(one.contract).rules[1].minimum == 5050
    assert compile_terms(one.contract).rules[1].maximum is None


def test_all_products_are_no_limit(signed: Callable[..., Signed]) -> None:
    one = signed(("applies_to: {card_products: [SKY-GOLD, SKY-PLAT]}", "applies_to: all"))
    assert compile_terms(one.contract).card_products is None


def test_every_key_of_the_money_terms_is_compiled(read: Callable[[str], Contract]) -> None:
    terms = compile_terms(read("funding-fixed-and-by-rule"))
    assert terms.funding == Funding(
        ("oslo-mall", "first-bank", "sky-air"),
        (Fraction(0), Fraction(2, 5), Fraction(3, 5)), (5, 0, 0), 2,
    )  # fmt: skip
    assert [rule.funding for rule in terms.rules] == [
        terms.funding,
        Funding(("sky-air",), (Fraction(1),), (0,), 0),
    ]
    fees = compile_terms(read("fees")).fees
    assert fees[0] == Fee("processor", Fraction(1, 40), "first-bank", Rounding.HALF_UP, 1)
    assert [fee.of(1000) for fee in fees] == [25, 10]


def test_what_happens_afterwards_is_compiled(read: Callable[[str], Contract]) -> None:
    close = compile_terms(read("release-at-close"))
    assert close.release == Release(After.CYCLE, 5, Per.BILLING_CYCLE)
    policies = [compile_terms(read(f"refunds-{name}")).refunds for name in ("none", "full")]
    assert policies == [Refunds.NONE, Refunds.FULL]
    assert compile_terms(read("refunds-proportional")).refunds is Refunds.PROPORTIONAL


def test_kinds_that_do_not_count_exclude_no_purchase(read: Callable[[str], Contract]) -> None:
    terms = compile_terms(read("kinds-left-out"))
    assert terms.ignored == {"ADJUSTMENT_DEBIT", "ADJUSTMENT_CREDIT"}
    assert terms.excluded is never


def test_a_rule_with_bounds_and_a_best_one(read: Callable[[str], Contract]) -> None:
    (least,) = compile_terms(read("least-and-most-reward")).rules
    assert (least.minimum_reward, least.maximum_reward) == (5, 20)
    assert [least.entered(spend, spend) for spend in (0, 1, 10_000, 20_000, 100_000)] == [
        0, 5, 5, 10, 20,
    ]  # fmt: skip
    flat, block = compile_terms(read("best-of-a-group")).rules
    assert (flat.best, block.best) == (Best.HIGHEST, Best.HIGHEST)


@pytest.mark.parametrize(
    ("name", "rule", "entry", "entered"),
    [
        ("sky-visa", 0, Entry.REWARD, 12),
        ("bands-marginal", 0, Entry.SPEND, 12_345),
        ("spend-cap", 0, Entry.SPEND, 12_345),
        ("threshold", 0, Entry.SPEND, 12_345),
        ("punch-card", 0, Entry.ONE, 1),
        ("rounding-by-period", 0, Entry.PIECES, 12_345),
    ],
)
def test_what_a_purchase_enters_goes_by_the_first_total(
    read: Callable[[str], Contract], name: str, rule: int, entry: Entry, entered: int
) -> None:
    compiled = compile_terms(read(name)).rules[rule]
    assert compiled.entry is entry
    assert compiled.entered(12_345, 12_345) == entered


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

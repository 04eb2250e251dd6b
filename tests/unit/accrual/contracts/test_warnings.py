"""What `contract check` wonders about."""

from __future__ import annotations

from collections.abc import Callable

from services.accrual.contracts.parse import Signed, parse
from services.accrual.contracts.warnings import warnings_of

Read = Callable[..., Signed]
CONDITION = 'when: {mcc: ["5812-5814"]}'
LATER = ("term: {from: 2026-01-01", "term: {from: 2026-03-15")


def told(*signed: Signed) -> list[tuple[str | None, str]]:
    return [(warning.field, warning.why) for warning in warnings_of(signed)]


def test_a_clean_contract_has_no_warning(signed: Read) -> None:
    assert told(signed()) == []


def test_a_unit_that_looks_like_a_currency_is_doubted(signed: Read) -> None:
    assert told(signed(("currency: SKY-MILE", "currency: NKO"))) == [
        ("currency", "is no ISO 4217 code: it is counted as a unit of its own, in whole numbers")
    ]


def test_a_merchant_category_that_does_not_exist_is_doubted(signed: Read) -> None:
    assert told(signed((CONDITION, 'when: {mcc: ["5812", "5815-5816", "0001"]}'))) == [
        ("rules[1].when.mcc[2]", "no such merchant category")
    ]


def test_a_rule_outside_the_term_is_doubted(signed: Read) -> None:
    one = signed((CONDITION, "when: {dates: {from: 2025-01-01, to: 2025-12-31}}"))
    assert told(one) == [("rules[1].when.dates", "lie outside the term: the rule can never apply")]


def test_a_rule_that_never_wins_its_group_is_doubted(signed: Read) -> None:
    one = signed(("priority: 10", "priority: 0"), ("priority: 0\n    earn: {per_block: "
                 '{block: "10.00", units: "1"}}', "priority: 10\n    earn: {per_block: "
                 '{block: "10.00", units: "1"}}'))  # fmt: skip
    assert told(one) == [
        ("rules[1].priority", "can never win: `base` takes every purchase of the group")
    ]


def test_a_rule_of_which_nothing_is_left_is_doubted(signed: Read) -> None:
    left = 'when: {mcc: ["5812-5814"], unless: [{country: ["NO"]}, {mcc: ["5800-5999"]}]}'
    assert told(signed((CONDITION, left))) == [
        ("rules[1].when.unless[1]", "leaves nothing of the rule: it can never apply")
    ]
    some = 'when: {mcc: ["5812-5814"], unless: [{mcc: ["5800-5999"], country: ["NO"]}]}'
    assert told(signed((CONDITION, some))) == []


def test_a_purchase_that_may_not_have_one_block_is_doubted(signed: Read) -> None:
    most = f'{CONDITION}\n    maximum_transaction: "9.99"'
    assert told(signed((CONDITION, most))) == [
        ("rules[1].maximum_transaction", "is less than one block: the rule can never earn")
    ]
    assert told(signed((CONDITION, most.replace("9.99", "10.00")))) == []


def test_days_that_no_version_governs_are_doubted(signed: Read) -> None:
    first = signed(("version: 3", "version: 1"), ("to: 2026-12-31", "to: 2026-03-01"))
    later = signed(("version: 3", "version: 2"), LATER)
    assert told(first, later) == [("term.from", "no version governs 2026-03-02 to 2026-03-14")]


def test_a_restart_that_restarts_nothing_is_doubted(signed: Read) -> None:
    again = signed(("version: 3", "version: 4"), LATER, ('beyond: "0"}',
                   'beyond: "0", mid_period: restart}'))  # fmt: skip
    assert told(signed(), again) == [
        ("rules[0].cap.mid_period", "does not restart: its terms are those of version sky-visa/3")
    ]


def test_a_category_is_looked_for_in_ranges_and_exceptions_too(signed: Read) -> None:
    given = 'when: {mcc: ["0001-0010"], unless: [{mcc: ["0002", "5812"]}]}'
    assert told(signed((CONDITION, given))) == [
        ("rules[1].when.mcc[0]", "holds no merchant category"),
        ("rules[1].when.unless[0].mcc[0]", "no such merchant category"),
    ]


def test_a_rule_whose_categories_are_all_excluded_is_doubted(signed: Read) -> None:
    assert told(signed((CONDITION, 'when: {mcc: ["6010", "7995"]}'))) == [
        ("rules[1].when.mcc", "the contract excludes them all: the rule can never apply")
    ]
    narrower = ('"7995"]}', '"7995"], channel: [ONLINE]}')
    assert told(signed((CONDITION, 'when: {mcc: ["6010"]}'), narrower)) == []


def test_a_rule_for_a_product_that_is_not_covered_is_doubted(signed: Read) -> None:
    assert told(signed((CONDITION, "when: {product: [SEA-GOLD]}"))) == [
        ("rules[1].when.product", "the contract covers none of them: the rule can never apply")
    ]


def test_bands_that_earn_nothing_are_doubted(example: Callable[[str], str]) -> None:
    text = example("bands-whole").replace('"0.01"', '"0"').replace('"0.02"', '"0.00"')
    assert told(parse(text, file="f.yaml")) == [
        ("rules[0].bands.steps", "earn nothing at any step: the rule can never earn")
    ]


def test_a_cap_below_one_grant_is_doubted(signed: Read, example: Callable[[str], str]) -> None:
    assert told(signed(('limit: "50"', 'limit: "2"'))) == [
        ("rules[0].cap.limit", "is below the 3 SKY-MILE that one block gives under `dining`")
    ]
    text = example("promotion-with-targets").replace('limit: "500"', 'limit: "499"')
    assert told(parse(text, file="f.yaml")) == [
        ("rules[1].cap.limit", "is below the 500 SKY-MILE that one purchase gives")
    ]
    beyond = text.replace('beyond: "0"', 'beyond: "0.5"')
    assert told(parse(beyond, file="f.yaml")) == []

"""What `contract check` wonders about."""

from __future__ import annotations

from collections.abc import Callable

from services.accrual.contracts.parse import Signed
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

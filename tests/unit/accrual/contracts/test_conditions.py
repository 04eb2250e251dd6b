"""What a purchase must be: every key of a condition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.conditions import always, fits, fits_any
from services.accrual.contracts.parse import Signed
from services.accrual.contracts.terms import Facts
from services.kernel.calendar import micros

OSLO = ZoneInfo("Europe/Oslo")
CONDITION = 'when: {mcc: ["5812-5814"]}'


@dataclass
class FakeAccount:
    """An account opened on a day, with one activation."""

    opened_on: date | None = None
    cycle_day: int | None = None
    active: date | None = None
    ended: date | None = None

    def activations(self, code: str) -> list[tuple[date, date | None]]:
        return [(self.active, self.ended)] if code == "SPRING" and self.active else []


def at(moment: str) -> int:
    return micros(datetime.fromisoformat(moment))


DINING = Facts(
    mcc="5813", merchant="M1", country="NO", channel="ONLINE", product="SKY-GOLD",
    governing_on=date(2026, 3, 5), merchant_name="Ｓky Air 4711 OSLO", city="TROMSØ",
    currency="EUR", attributes={"type": "FOOD", "wallet": "APPLE"},
    occurred_at=at("2026-03-05T12:30:00+01:00"),
    account=FakeAccount(opened_on=date(2026, 1, 1), active=date(2026, 3, 6)),
)  # fmt: skip
UNKNOWN = Facts(
    mcc=None, merchant=None, country=None, channel=None, product=None,
    governing_on=date(2026, 3, 5), merchant_name=None, city=None, currency=None, attributes={},
    occurred_at=0, account=FakeAccount(),
)  # fmt: skip


def test_no_condition_always_holds_and_no_exclusion_never_does() -> None:
    assert fits(None, OSLO)(UNKNOWN)
    assert not fits_any(None, OSLO)(DINING)


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


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ('{merchant_name: ["sky air*"]}', True),
        ('{merchant_name: ["SKY AIR"]}', False),
        ('{merchant_name: ["SKY AIR", "sky air 4711 oslo"]}', True),
        ("{city: [Bergen, Tromsø]}", True),
        ("{city: [Troms]}", False),
        ("{currency: [USD, EUR]}", True),
        ("{currency: [NOK]}", False),
        ("{attributes: {type: [FOOD, FUEL]}}", True),
        ("{attributes: {type: [FOOD], wallet: [GOOGLE]}}", False),
        ("{attributes: {entry: [CHIP]}}", False),
        ("{weekdays: [THU]}", True),
        ("{weekdays: [MON, FRI]}", False),
        ('{hours: {from: "12:30", to: "12:31"}}', True),
        ('{hours: {from: "11:00", to: "12:30"}}', False),
        ('{hours: {from: "22:00", to: "12:31"}}', True),
        ('{hours: {from: "22:00", to: "02:00"}}', False),
        ('{hours: {from: "00:00", to: "24:00"}}', True),
        ("{first_days: 64}", True),
        ("{first_days: 63}", False),
        ("{activated: {code: SPRING, counts: always}}", True),
        ("{activated: {code: SPRING, counts: from_activation}}", False),
        ("{activated: {code: AUTUMN, counts: always}}", False),
        ("{unless: [{country: [SE]}]}", True),
        ('{unless: [{country: [SE]}, {mcc: ["5813"]}]}', False),
        ('{unless: [{unless: [{mcc: ["5813"]}]}]}', True),
        ("{unless: [{city: [Bergen]}], currency: [EUR]}", True),
    ],
)
def test_the_further_keys_of_a_condition(
    signed: Callable[..., Signed], condition: str, holds: bool
) -> None:
    one = signed((CONDITION, f"when: {condition}"))
    assert compile_terms(one.contract).rules[1].when(DINING) is holds


@pytest.mark.parametrize(
    "key",
    ['merchant_name: ["S*"]', "city: [Oslo]", "currency: [EUR]", "attributes: {type: [FOOD]}",
     "first_days: 999999", "activated: {code: SPRING, counts: always}"],
)  # fmt: skip
def test_an_absent_fact_fulfils_none_of_the_further_keys_and_excludes_nothing(
    signed: Callable[..., Signed], key: str
) -> None:
    one = signed((CONDITION, f"when: {{{key}}}"))
    assert not compile_terms(one.contract).rules[1].when(UNKNOWN)
    unless = signed((CONDITION, f"when: {{unless: [{{{key}}}]}}"))
    assert compile_terms(unless.contract).rules[1].when(UNKNOWN)


def test_an_account_is_new_from_its_opening_day_on(signed: Callable[..., Signed]) -> None:
    new = compile_terms(signed((CONDITION, "when: {first_days: 1}")).contract).rules[1].when
    for opened, holds in ((date(2026, 3, 5), True), (date(2026, 3, 4), False),
                          (date(2026, 3, 6), False)):  # fmt: skip
        facts = msgspec.structs.replace(DINING, account=FakeAccount(opened_on=opened))
        assert new(facts) is holds


def test_an_activation_counts_from_its_day_on(signed: Callable[..., Signed]) -> None:
    given = "when: {activated: {code: SPRING, counts: from_activation}}"
    active = compile_terms(signed((CONDITION, given)).contract).rules[1].when
    facts = msgspec.structs.replace(DINING, governing_on=date(2026, 3, 6))
    assert active(facts)


@pytest.mark.parametrize("counts", ["from_activation", "always"])
def test_a_withdrawn_activation_counts_until_the_day_before(
    signed: Callable[..., Signed], counts: str
) -> None:
    given = f"when: {{activated: {{code: SPRING, counts: {counts}}}}}"
    active = compile_terms(signed((CONDITION, given)).contract).rules[1].when
    account = FakeAccount(active=date(2026, 3, 6), ended=date(2026, 3, 9))
    days = {5: counts == "always", 6: True, 8: True, 9: False, 10: False}
    found = {
        day: active(
            msgspec.structs.replace(DINING, governing_on=date(2026, 3, day), account=account)
        )
        for day in days
    }
    assert found == days


def test_hours_are_those_on_the_wall_in_summer_and_winter(signed: Callable[..., Signed]) -> None:
    lunch = compile_terms(
        signed((CONDITION, 'when: {hours: {from: "11:00", to: "12:00"}}')).contract
    ).rules[1].when  # fmt: skip
    for hour, month, holds in ((10, 1, True), (9, 7, True), (10, 7, False)):
        moment = micros(datetime(2026, month, 5, hour, 59, 59, 999_999, tzinfo=UTC))
        assert lunch(msgspec.structs.replace(DINING, occurred_at=moment)) is holds


@pytest.mark.parametrize(
    ("condition", "steady"),
    [
        ('{mcc: ["5813"], unless: [{country: [SE]}]}', "all"),
        ("{city: [Oslo]}", "none"),
        ('{mcc: ["5813"], city: [Bergen]}', "part"),
        ("{unless: [{country: [SE]}, {weekdays: [MON]}]}", "part"),
        ("{unless: [{country: [SE], weekdays: [MON]}]}", "none"),
    ],
)
def test_the_part_of_a_condition_that_looks_at_codes_only(
    signed: Callable[..., Signed], condition: str, steady: str
) -> None:
    rule = compile_terms(signed((CONDITION, f"when: {condition}")).contract).rules[1]
    found = "none" if rule.steady is None else "all" if rule.steady is rule.when else "part"
    assert found == steady
    if rule.steady is not None:
        assert rule.steady(DINING)


def test_without_a_condition_nothing_is_left_to_ask(signed: Callable[..., Signed]) -> None:
    rule = compile_terms(signed().contract).rules[0]
    assert rule.when is rule.steady is always


def test_every_merchant_that_codes_are_asked_about_is_known(signed: Callable[..., Signed]) -> None:
    given = "when: {merchant: [M1], unless: [{merchant: [M2], unless: [{merchant: [M3]}]}]}"
    assert compile_terms(signed((CONDITION, given)).contract).merchants == {"M1", "M2", "M3"}

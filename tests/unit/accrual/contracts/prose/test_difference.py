"""What differs between two contracts, in the contract's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.accrual.contracts.prose.contract import Spoken, speak
from services.accrual.contracts.prose.difference import difference, instead
from services.accrual.contracts.reading import read
from services.accrual.languages import catalogue

EXAMPLES = Path(__file__).parents[5] / "schemas" / "contracts" / "examples"
SKY_VISA = (EXAMPLES / "sky-visa.yaml").read_text("utf-8")
WORDS = catalogue("en")
DINING = SKY_VISA[SKY_VISA.index("  - id: dining") : SKY_VISA.index("refunds:")]
LATER = ("version: 3 ", "version: 4 "), ("from: 2026-01-01", "from: 2026-04-01")


def spoken(*replacements: tuple[str, str]) -> Spoken:
    text = SKY_VISA
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return speak(read(text, file="test.yaml").content, WORDS)


def told(*replacements: tuple[str, str]) -> list[str]:
    return [change.text for change in difference(spoken(), spoken(*replacements), WORDS)]


def test_a_contract_does_not_differ_from_itself() -> None:
    assert told() == []


def test_a_higher_version_that_begins_later_is_no_difference_by_that_alone() -> None:
    assert told(*LATER) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"10.00"', '"10.0"'),
        ("[SKY-GOLD, SKY-PLAT]", "[SKY-PLAT, SKY-GOLD]"),
        ('"6010", "6011"', '"6011", "6010"'),
        ("# id", "# the contract's id"),
    ],
)
def test_what_says_the_same_otherwise_is_no_difference(old: str, new: str) -> None:
    assert told((old, new)) == []


def test_a_rate_is_told_in_one_sentence() -> None:
    assert told(*LATER, ('units: "3"', 'units: "2"')) == [
        "dining earns 2 instead of 3 SKY-MILE for each whole 10.00 NOK"
    ]


def test_every_change_of_a_version_is_told_once() -> None:
    amended = (EXAMPLES / "sky-visa-amended.yaml").read_text("utf-8")
    after = speak(read(amended, file="test.yaml").content, WORDS)
    assert [change.text for change in difference(spoken(), after, WORDS)] == [
        "first-bank pays 66.67 % of each reward instead of every reward in full",
        "new: sky-air pays 33.33 % of each reward, and what rounding leaves",
        "base earns at most 60 instead of 50 SKY-MILE a calendar month and account",
        "base: new: What counts towards 60 SKY-MILE a calendar month and account starts afresh "
        "with this version, unless its terms are as before",
        "dining earns at most 60 instead of 50 SKY-MILE a calendar month and account together "
        "with rule base",
    ]


@pytest.mark.parametrize(
    ("replacement", "text"),
    [
        (('["5812-5814"]', '["5812-5815"]'),
         "dining earns on purchases at merchants with category 5812 to 5815 instead of 5814"),
        (("    cap: {shared_with: base}\n", ""),
         "dining has no cap any more (before: at most 50 SKY-MILE a calendar month and account "
         "together with rule base)"),
        (("days: 14", "days: 30"),
         "A reward becomes available 30 instead of 14 days after the purchase is posted"),
        (("to: 2026-12-31", "to: 2027-03-31"),
         "it ends with 31 March 2027 instead of 31 December 2026"),
        (('"6050-6051", "7995"', '"6050-6051"'),
         "Nothing is earned on purchases at merchants with category 6010, 6011 or 6050 to 6051 "
         "(before: Nothing is earned on purchases at merchants with category 6010, 6011, 6050 to "
         "6051 or 7995)"),
        (("priority: 10", "priority: 20"),
         "dining: Of the rules of group spend that fit a purchase only one earns, the one with "
         "the highest priority; this one has priority 20 instead of 10"),
    ],
)  # fmt: skip
def test_a_change_is_told_where_it_stands(replacement: tuple[str, str], text: str) -> None:
    assert told(replacement) == [text]


@pytest.mark.parametrize(
    ("was", "now", "text"),
    [
        ("on purchases in country NO or SE", "on purchases in country DK or SE",
         "on purchases in country DK or SE (before: on purchases in country NO or SE)"),
        ("A day ends at midnight.", "A day ends at 22:30: what happens then belongs to the next.",
         "A day ends at 22:30: what happens then belongs to the next (before: A day ends at "
         "midnight)"),
        ("it counts, all of it; others do not", "it counts, without cash; others do not",
         "it counts, without cash; others do not (before: it counts, all of it; others do not)"),
        ("on purchases on 1 May 2026", "on purchases from 1 May 2026 to 2 May 2026",
         "on purchases from 1 May 2026 to 2 May 2026 (before: on purchases on 1 May 2026)"),
    ],
)  # fmt: skip
def test_one_entry_of_a_list_is_not_told_as_if_it_stood_for_all(
    was: str, now: str, text: str
) -> None:
    assert instead(was, now, WORDS) == text


def test_two_fees_of_one_party_are_two_things_that_are_said() -> None:
    fee = "  - {{party: processor, percent: {0}, funder: {1}, rounding: {{mode: up, scale: 0}}}}\n"
    two = "fees:\n" + fee.format('"2"', "first-bank") + fee.format('"3"', "sky-air")
    three = two.replace('percent: "2"', 'percent: "4"')
    before, after = (
        spoken(("settlement:\n", two + "settlement:\n")),
        spoken(("settlement:\n", three + "settlement:\n")),
    )
    assert [change.text for change in difference(before, after, WORDS)] == [
        "first-bank pays processor a fee of 4 instead of 2 % of each reward, rounded up to whole "
        "SKY-MILE"
    ]


def test_who_pays_a_fixed_part_first_is_told() -> None:
    share = '  - {funder: first-bank, share: "100", remainder: true}\n'
    maker, mall = '  - {funder: maker, fixed: "5"}\n', '  - {funder: mall, fixed: "3"}\n'
    before, after = spoken((share, maker + mall + share)), spoken((share, mall + maker + share))
    assert [change.text for change in difference(before, after, WORDS)] == [
        "mall pays the first instead of next 3 SKY-MILE of each reward",
        "maker pays the next instead of first 5 SKY-MILE of each reward",
    ]


def test_a_price_with_other_zeros_is_the_same_price() -> None:
    assert told(('base: "0.09"', 'base: "0.090"')) == []


def test_a_rule_that_is_new_and_one_that_is_gone_are_told_whole() -> None:
    gone = told((DINING, ""))
    assert gone[-1].startswith("rule dining is gone; it said: From 1 January 2026 to 31 December")
    new = [change.text for change in difference(spoken((DINING, "")), spoken(), WORDS)]
    assert new[-1].startswith("rule dining is new: From 1 January 2026 to 31 December 2026 members")


def test_the_order_of_rules_is_told_since_it_decides_who_takes_the_room_first() -> None:
    base = SKY_VISA[SKY_VISA.index("  - id: base") : SKY_VISA.index("  - id: dining")]
    assert told((DINING, ""), (base, DINING + base)) == [
        "the order of the rules is dining, base (before: base, dining)"
    ]


def test_the_same_version_that_begins_on_another_day_differs() -> None:
    assert told(("from: 2026-01-01", "from: 2026-02-01")) == [
        "it begins on 1 February 2026 instead of 1 January 2026"
    ]


def test_texts_that_share_little_are_told_one_after_the_other() -> None:
    assert instead("a b.", "c d.", WORDS) == "c d (before: a b)"

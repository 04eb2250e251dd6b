"""Reading one contract file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.parse import Signed, parse
from services.accrual.contracts.reading import CHARACTERS_MAX
from services.kernel.errors import InvalidInput

WORDS = ["rules", "cap", "earn", "when", "mcc", "{", "}", "[", "]", ": ", "- ", "\n", "\n  ", "&a",
         "*a", "!!int ", "<<", "'", '"', "#", "1", "0.5", "-1", "1e3", "NaN", "per_block", "\x00",
         "\ud800", "\ufeff", "---\n", ", ", "all", "from", "true"]  # fmt: skip


HOUSE = Path(__file__).parents[4]
EXAMPLES = sorted((HOUSE / "schemas" / "contracts" / "examples").glob("*.yaml"))
TEXTS = [path.read_text("utf-8") for path in EXAMPLES]
DEMO = sorted((HOUSE / "services" / "local" / "demo_data" / "contracts").glob("*.yaml"))
SIGNED = [path.read_text("utf-8") for path in DEMO]
STORED = {"4954e8fa", "5adc7af7", "a42f1568", "ada0ee3f", "cecaba5c",
          "12de980f", "4705af56", "78483197", "bc51684d"}  # fmt: skip
"""The beginnings of the names that their totals bear since they were first stored."""


def whys(text: str | bytes) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        parse(text, file="f.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_the_full_example_reads(signed: Callable[..., Signed]) -> None:
    contract = signed().contract
    assert contract.contract == "sky-visa"
    assert contract.version == 3
    assert [rule.id for rule in contract.rules] == ["base", "dining"]


def test_the_text_is_kept_as_it_was_signed(sky_visa: str) -> None:
    one = parse(sky_visa.encode(), file="f.yaml")
    assert one.text == sky_visa
    assert one.sha256 == hashlib.sha256(sky_visa.encode()).hexdigest()
    assert one.id == "sky-visa/3"


def test_numbers_need_no_quotes_and_stay_exact(signed: Callable[..., Signed]) -> None:
    one = signed(('block: "10.00"', "block: 10.10"))
    assert one.contract.rules[0].earn.per_block.block == "10.10"  # type: ignore[union-attr]


def test_a_country_is_never_read_as_false(signed: Callable[..., Signed]) -> None:
    one = signed(('when: {mcc: ["5812-5814"]}', "when: {country: [NO]}"))
    assert one.contract.rules[1].when is not None
    assert one.contract.rules[1].when.country == ("NO",)


def test_a_code_is_never_read_as_an_octal_number(signed: Callable[..., Signed]) -> None:
    one = signed(('when: {mcc: ["5812-5814"]}', "when: {mcc: [0742]}"))
    assert one.contract.rules[1].when is not None
    assert one.contract.rules[1].when.mcc == ("0742",)


def test_a_byte_order_mark_does_no_harm(sky_visa: str) -> None:
    assert parse("\ufeff" + sky_visa, file="f.yaml").contract.version == 3


def test_text_that_is_not_utf8_is_refused_with_its_place() -> None:
    assert whys(b"contract: a\nzone: \xff") == ["f.yaml:2:7: is not UTF-8"]


def test_control_characters_are_refused_with_their_place() -> None:
    assert whys("contract: a\nzone: \x00b") == [
        "f.yaml:2:7: is not YAML: a character that text does not have"
    ]


def test_a_file_of_any_size_is_not_read() -> None:
    assert whys("#" * (CHARACTERS_MAX + 1)) == [
        f"f.yaml:1:1: is longer than {CHARACTERS_MAX} characters"
    ]


def test_deep_nesting_is_refused_without_recursion() -> None:
    assert "nested deeper than 12 levels" in whys("rules: " + "[" * 5000)[0]


def test_a_card_number_is_refused_and_not_repeated(edited: Callable[..., str]) -> None:
    number = "4111 1111 1111 1111"
    found = whys(edited(('when: {mcc: ["5812-5814"]}', f'when: {{merchant: ["{number}"]}}')))
    assert found == ["f.yaml:27: holds what looks like a card number"]


def test_a_card_number_in_a_comment_is_refused_too(sky_visa: str) -> None:
    assert whys("# 4111111111111111\n" + sky_visa) == [
        "f.yaml:1: holds what looks like a card number"
    ]


def test_a_wrong_value_is_shown_masked_and_short(edited: Callable[..., str]) -> None:
    found = whys(edited(("partner: sky-air", "partner: 4111111111111111 " + "x" * 200)))
    assert len(found) == 2
    assert "4111" not in found[1]
    assert len(found[1]) < 300


@given(st.lists(st.sampled_from(WORDS), max_size=60).map("".join))
def test_any_text_gives_a_contract_or_problems(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(text, file="f.yaml")
    assert all(problem.file == "f.yaml" and problem.line for problem in caught.value.problems)


@given(data=st.data())
def test_any_damage_to_a_contract_gives_a_contract_or_problems(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(TEXTS)).splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        start = data.draw(st.integers(0, len(line)))
        end = data.draw(st.integers(start, min(len(line), start + 6)))
        lines[at] = line[:start] + data.draw(st.sampled_from([*WORDS, ""])) + line[end:]
    try:
        contract = parse("\n".join(lines), file="f.yaml").contract
    except InvalidInput as error:
        assert error.problems
        assert all(problem.why for problem in error.problems)
    else:
        assert compile_terms(contract).rules


def test_contracts_that_were_signed_before_are_still_read_and_count_on() -> None:
    """With the names that their totals are stored under."""
    totals = {
        total.terms[:8]
        for text in SIGNED
        for rule in compile_terms(parse(text, file="f.yaml").contract).rules
        for total in rule.totals
    }
    assert totals == STORED

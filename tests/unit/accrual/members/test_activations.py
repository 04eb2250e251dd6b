"""Reading an activation file."""

from __future__ import annotations

from datetime import date

import pytest

from services.accrual.members.account import Activation
from services.accrual.members.activations import read_activations
from services.kernel.errors import InvalidInput

HEAD = "account_id,code,activated_on\n"
UUID = "41111111-1111-1111-a111-111111111111"


def read(text: str) -> list[Activation]:
    return read_activations(text.encode(), file="a.csv").activations


def told(text: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]


def test_each_activation_is_read_once() -> None:
    text = HEAD + "A1,Q1,2026-01-05\nA1,Q1,2026-01-05\nA1,Q1,2026-02-01\nA2,Q1,2026-01-05\n"
    assert read("\ufeff" + text) == [
        Activation("A1", "Q1", date(2026, 1, 5)),
        Activation("A1", "Q1", date(2026, 2, 1)),
        Activation("A2", "Q1", date(2026, 1, 5)),
    ]


def test_every_problem_of_a_file_is_told_at_once() -> None:
    found = told(HEAD + "A1,,2026-01-05\n,Q1,\nA1,Q1\nA1, Q1,2026-02-30\n4111111111111111,Q,1\n")
    assert found == [
        "a.csv:2: code: is required",
        "a.csv:3: account_id: is required",
        "a.csv:3: activated_on: is required",
        "a.csv:4: has 2 values, the header names 3",
        "a.csv:5: code: ' Q1': has blanks around it",
        "a.csv:5: activated_on: '2026-02-30': there is no such date",
        "a.csv:6: account_id: looks like a card number; give its token",
        "a.csv:6: activated_on: '1': must be a date as YYYY-MM-DD",
    ]


def test_a_code_that_no_contract_could_name_is_refused() -> None:
    assert read(HEAD + "A1,q1.dining_2026-a,2026-01-05\n")
    (found,) = told(HEAD + "A1,Q1 DINING,2026-01-05\n")
    assert found.startswith("a.csv:2: code: 'Q1 DINING': must be 1 to 64 letters, digits")


@pytest.mark.parametrize("text", ["", "A1,Q1,2026-01-05\n", "code,account_id,activated_on\n"])
def test_another_header_is_refused(text: str) -> None:
    assert told(text) == [
        "a.csv:1: must be the header account_id,code,activated_on and, if wanted, after it "
        "withdrawn_on"
    ]


def test_a_file_may_say_when_activations_end() -> None:
    head = "account_id,code,activated_on,withdrawn_on\n"
    text = f"{head}A1,Q1,2026-01-05,2026-03-01\nA2,Q1,2026-01-05,\n"
    found = read_activations(text.encode(), file="a.csv")
    assert (found.ends, read_activations(HEAD.encode(), file="a.csv").ends) == (True, False)
    assert found.activations == [
        Activation("A1", "Q1", date(2026, 1, 5), withdrawn_on=date(2026, 3, 1)),
        Activation("A2", "Q1", date(2026, 1, 5)),
    ]


def test_an_end_that_cannot_be_is_told() -> None:
    head = "account_id,code,activated_on,withdrawn_on\n"
    rows = "A1,Q1,2026-01-05,2026-01-04\nA2,Q1,2026-01-05,\nA2,Q1,2026-01-05,2026-02-01\n"
    assert told(head + rows + "A3,Q1,2026-01-05,soon\n") == [
        "a.csv:2: withdrawn_on: '2026-01-04': is before activated_on (2026-01-05)",
        "a.csv:4: withdrawn_on: '2026-02-01': line 3 has another withdrawn_on for the same "
        "account, code and activated_on",
        "a.csv:5: withdrawn_on: 'soon': must be a date as YYYY-MM-DD",
    ]


def test_an_account_in_the_form_of_a_uuid_may_hold_what_passes_for_a_card_number() -> None:
    assert read(f"{HEAD}{UUID},Q1,2026-01-05\n")[0].account_id == UUID
    assert told(f"{HEAD}A1,{UUID},2026-01-05\n") == [
        "a.csv:2: code: looks like a card number; give its token"
    ]

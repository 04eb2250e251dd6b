"""What a bank says, held against what was sent: lines that cancel out, wide words, old news."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import Problem
from services.settlement.batches.follow import Following
from services.settlement.batches.outcome import (
    ACCEPTED,
    NEXT,
    PAID,
    REJECTED,
    UNKNOWN,
    WARNED,
    Latest,
    Told,
)
from services.settlement.batches.payout import owed
from services.settlement.exchange import matching, news
from services.settlement.exchange.answers import BankAnswer, Count, Placed, Said
from services.settlement.files import catalogue
from services.settlement.files.file import Findings
from tests.support.batches import payout_batch

ONE, TWO = "000003-00000001", "000003-00000003"


def standing(layout: str, **more: Any) -> Following:
    batch = payout_batch(layout)
    lines = {line.line: line for line in batch.lines}
    return Following(batch.header, lines, {}, {}, {}, batch.terms, **more)


def match(
    *said: Said, layout: str = "pain.001", counts: tuple[Count, ...] = ()
) -> tuple[list[list[Told]], list[str]]:
    files = [file for file in catalogue.files(payout_batch(layout)) if file.layout == layout]
    kind = "pain.002" if layout == "pain.001" else "nacha-return"
    found = Findings("answer")
    answer = BankAnswer(kind, said, counts=counts)
    matched = matching.match(answer, standing(layout), files, found)
    rounds = [[placed.told for placed in one] for one in matched.rounds]
    return rounds, [str(problem) for problem in found.all()]


def test_a_payment_is_all_lines_of_its_member_and_nothing_goes_the_way_of_the_rest() -> None:
    rounds, problems = match(Said(7, ONE, ACCEPTED), Said(8, TWO, REJECTED, "AC04"))
    assert problems == []
    assert rounds == [[
        Told(1, ACCEPTED), Told(2, ACCEPTED), Told(3, REJECTED, "AC04", came_back=True),
        Told(4, ACCEPTED, "NETTED"), Told(5, ACCEPTED, "NETTED"),
    ]]  # fmt: skip


def test_where_every_payment_is_refused_lines_that_cancel_out_are_told_nothing() -> None:
    for code in ("FF01", "AC04"):  # of a whole file it is the payer's account that is closed
        assert match(Said(7, "", REJECTED, code)) == (
            [[Told(1, REJECTED, code), Told(2, REJECTED, code), Told(3, REJECTED, code)]], [],
        )  # fmt: skip


def test_what_is_said_of_a_currency_comes_before_what_is_said_of_everything() -> None:
    said = Said(4, "", ACCEPTED, currency="EUR"), Said(3, "", REJECTED, "X")
    assert {told.outcome for told in match(*said)[0][0]} == {ACCEPTED}


def test_numbers_and_sums_are_those_that_were_sent() -> None:
    right = Count(2, "OrgnlNbOfTxs", "2"), Count(2, "OrgnlCtrlSum", "16.490", "EUR")
    assert match(Said(1, "", ACCEPTED), counts=right)[1] == []
    wrong = Count(2, "OrgnlNbOfTxs", "-2"), Count(2, "OrgnlCtrlSum", "1e9")
    assert [text.split(":")[2] for text in match(Said(1, "", ACCEPTED), counts=wrong)[1]] == [
        " OrgnlNbOfTxs", " OrgnlCtrlSum",
    ]  # fmt: skip


def test_a_return_names_trace_company_and_bank_as_they_were_sent() -> None:
    right = Said(3, ONE, REJECTED, "R02", 1250, "USD", "091000010000001", "1234567890", "09100001")
    assert match(right, layout="nacha-ppd")[1] == []
    for change in ({"trace": "1"}, {"company": "1"}, {"bank": "1"}, {"amount": 1}):
        (problem,) = match(right._replace(**change), layout="nacha-ppd")[1]
        assert problem.startswith("answer:3: ")
    assert "1234567890" not in repr(right)


def test_the_same_payment_cannot_be_returned_for_two_reasons_at_once() -> None:
    (problem,) = match(Said(3, ONE, REJECTED, "A"), Said(9, ONE, REJECTED, "B"))[1]
    assert problem.startswith("answer:9: reference: '000003-00000001': says otherwise than line 3")


def test_a_payment_and_its_return_are_two_rounds() -> None:
    rounds, problems = match(Said(3, TWO, PAID), Said(9, TWO, REJECTED, "B"))
    assert problems == []
    assert [told[0] for told in rounds] == [Told(3, PAID), Told(3, REJECTED, "B")]


OUTCOMES = st.sampled_from([ACCEPTED, WARNED, UNKNOWN, PAID, REJECTED])


def run(told: list[str], before: Mapping[int, Latest], heard: set[str]) -> tuple[list[str], int]:
    held = standing("pain.001", heard={1: frozenset(heard)})
    held = Following(held.header, held.lines, {}, before, {}, held.terms, held.heard)
    problems: list[Problem] = []
    rounds = [[Placed(nth, Told(1, outcome, "x"))] for nth, outcome in enumerate(told, 1)]
    fresh = news.of_bank(rounds, held, "f", problems)
    return [one.outcome for found in fresh for one in found], len(problems)


@given(st.lists(OUTCOMES, max_size=8))
def test_whatever_a_bank_says_only_legal_steps_follow_and_saying_it_again_is_no_news(
    told: list[str],
) -> None:
    fresh, problems = run(told, {}, set())
    now = None
    for outcome in fresh:
        assert outcome in NEXT[now]
        now = outcome
    if not problems and fresh:
        latest = {1: Latest(len(fresh), fresh[-1], "x", None)}
        assert run(told, latest, set(fresh)) == ([], 0)


def test_sums_of_members_keep_the_order_of_the_lines() -> None:
    found = owed(payout_batch("pain.001").lines, sequence=3)
    assert [(one.reference, one.amount, one.lines) for one in found] == [
        (ONE, 1250, (1, 2)), (TWO, 399, (3,)), ("000003-00000004", 0, (4, 5)),
    ]  # fmt: skip

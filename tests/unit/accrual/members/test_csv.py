"""Reading a member file."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accrual.members.account import AccountDates
from services.accrual.members.csv import DATES, HEADER, read_members
from services.accrual.members.roster import MemberRow
from services.accrual.members.rows import AccountRows
from services.kernel.errors import InvalidInput, Problem

HEAD = ",".join(HEADER) + "\n"
LINE = "M1,A1,tok-1,SKY-GOLD,sky-rewards,2026-01-01,,sky-air,SK123\n"
ROW = MemberRow(
    account_id="A1",
    card_token="tok-1",
    program="sky-rewards",
    enrolled_from=date(2026, 1, 1),
    enrolled_to=None,
    member_id="M1",
    card_product="SKY-GOLD",
    partner="sky-air",
    membership_number="SK123",
)
DATED = ",".join(HEADER + DATES) + "\n"
UUID = "41111111-1111-1111-a111-111111111111"
"""In the form of a processor's token; it holds 4111111111111111."""
CARD = "4111 1111 1111 1111"


def facts(text: str | bytes) -> AccountRows:
    content = text if isinstance(text, bytes) else text.encode()
    return read_members(content, file="m.csv")


def read(text: str | bytes) -> list[MemberRow]:
    return facts(text).members


def dated(*lines: str) -> str:
    """A file with dates: the row, and what each line says of its account's dates."""
    return DATED + "".join(f"{LINE.strip().replace('tok-1', f'tok-{at}')},{line}\n"
                           for at, line in enumerate(lines, 1))  # fmt: skip


def problems(text: str | bytes) -> list[Problem]:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    return list(caught.value.problems)


def told(text: str | bytes) -> list[str]:
    return [str(problem) for problem in problems(text)]


def test_a_row_is_read_with_its_dates() -> None:
    assert read(HEAD + LINE) == [ROW]
    closed = read(HEAD + LINE.replace(",,", ",2026-06-30,"))
    assert closed[0].enrolled_to == date(2026, 6, 30)


def test_what_may_be_empty_may_be_empty() -> None:
    (row,) = read(HEAD + "M1,A1,tok-1,,sky-rewards,2026-01-01,,,\n")
    assert (row.card_product, row.partner, row.membership_number) == (None, None, None)


def test_a_member_without_a_number_may_have_a_partner() -> None:
    (row,) = read(HEAD + "M1,A1,tok-1,,sky-rewards,2026-01-01,,sky-air,\n")
    assert row.partner == "sky-air"


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + HEAD + LINE,
        (HEAD + LINE).replace("\n", "\r\n"),
        HEAD + LINE.rstrip("\n"),
        HEAD + "\n" + LINE + "\n\n",
        HEAD + LINE.replace("M1", '"M1"'),
        HEAD + LINE + LINE,
    ],
    ids=[
        "byte order mark",
        "carriage returns",
        "no last newline",
        "blank lines",
        "quotes",
        "twice",
    ],
)
def test_harmless_differences_of_writing_do_no_harm(text: str) -> None:
    assert read(text) == [ROW]


def test_a_header_alone_holds_no_member() -> None:
    assert read(HEAD) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        LINE,
        HEAD.replace(",", ";"),
        HEAD.upper() + LINE,
        HEAD.strip() + ",opened_on\n",
        ",".join(DATES + HEADER) + "\n",
        ",".join(HEADER + DATES[::-1]) + "\n",
    ],
)
def test_another_header_is_refused(text: str) -> None:
    assert told(text) == [
        f"m.csv:1: must be the header {','.join(HEADER)} and, if wanted, after it "
        "opened_on,closed_on,cycle_day"
    ]


def test_dates_of_an_account_are_read_once_however_many_rows_it_has() -> None:
    found = facts(dated(*["2020-02-29,2026-06-30,31"] * 2))
    assert [row.card_token for row in found.members] == ["tok-1", "tok-2"]
    assert found.dates == [AccountDates("A1", date(2020, 2, 29), date(2026, 6, 30), 31)]


def test_dates_that_are_not_known_are_said_to_be_not_known() -> None:
    assert facts(dated(",,")).dates == [AccountDates("A1")]
    assert facts(dated(",,5")).dates == [AccountDates("A1", cycle_day=5)]


def test_a_file_without_these_columns_says_nothing_about_dates() -> None:
    assert facts(HEAD + LINE).dates == []


def test_wrong_dates_are_told_with_all_else() -> None:
    text = dated("2020-02-30,1.1.2026,0", "2026-01-02,2026-01-01,32", ",,05").replace("M1", "", 1)
    cycle_day = "must be a day of the month, 1 to 31, without a leading zero"
    assert told(text) == [
        "m.csv:2: member_id: is required",
        "m.csv:2: opened_on: '2020-02-30': there is no such date",
        "m.csv:2: closed_on: '1.1.2026': must be a date as YYYY-MM-DD",
        f"m.csv:2: cycle_day: '0': {cycle_day}",
        "m.csv:3: closed_on: '2026-01-01': is before opened_on (2026-01-02)",
        f"m.csv:3: cycle_day: '32': {cycle_day}",
        f"m.csv:4: cycle_day: '05': {cycle_day}",
    ]


def test_rows_of_one_account_must_agree_about_its_dates() -> None:
    found = told(dated("2020-01-01,,5", "2020-01-01,,5", "2020-01-02,,", ",2026-01-01,5"))
    assert found == [
        "m.csv:4: opened_on: '2020-01-02': line 2 has another opened_on for the same account: "
        "2020-01-01",
        "m.csv:4: cycle_day: '': line 2 has another cycle_day for the same account: 5",
        "m.csv:5: opened_on: '': line 2 has another opened_on for the same account: 2020-01-01",
        "m.csv:5: closed_on: '2026-01-01': line 2 has another closed_on for the same account: none",
    ]


def test_rows_that_disagree_are_told_also_where_something_else_is_wrong() -> None:
    found = told(dated("2020-01-01,,5", "2020-01-02,,5").replace("SKY-GOLD", " X", 1))
    assert [line.split(":")[1:3] for line in found] == [["2", " card_product"], ["3", " opened_on"]]


@pytest.mark.parametrize("field", ["member_id", "account_id", "card_token"])
@pytest.mark.parametrize("written", [UUID, UUID.upper()])
def test_an_identifier_in_the_form_of_a_uuid_may_hold_what_passes_for_a_card_number(
    field: str, written: str
) -> None:
    values = dict(zip(HEADER, LINE.strip().split(","), strict=True)) | {field: written}
    (row,) = read(HEAD + ",".join(values.values()) + "\n")
    assert getattr(row, field) == written


@pytest.mark.parametrize(
    "written",
    [UUID[:-1], UUID + "0", UUID.replace("-", ""), "4111111111111111-", f"{UUID} {CARD}"],
)
def test_a_form_that_is_only_like_a_uuid_exempts_nothing(written: str) -> None:
    found = told(HEAD + LINE.replace("A1", written))
    assert found == ["m.csv:2: account_id: looks like a card number; give its token"]


def test_the_form_of_a_uuid_exempts_no_other_field() -> None:
    assert told(HEAD + LINE.replace("SK123", UUID)) == [
        "m.csv:2: membership_number: looks like a card number; give its token"
    ]


def test_every_problem_of_a_file_is_told_at_once() -> None:
    text = HEAD + (
        ",A1,tok-1,,sky-rewards,2026-02-30,,sky-air,SK1\n"
        "M2,,tok-2,,,01.02.2026,2026-13-01,sky-air,SK2\n"
        "M3,A3,tok-3,,sky-rewards,2026-05-01,2026-04-30,,SK3\n"
        "M4,A4,tok-4,,sky-rewards\n"
        "M5, A5,tok-5,,sky-rewards,2026-01-01,,sky-air,S\x00K5\n"
    )
    assert problems(text) == [
        Problem("is required", file="m.csv", line=2, field="member_id"),
        Problem("there is no such date", file="m.csv", line=2, field="enrolled_from",
                value="2026-02-30"),
        Problem("is required", file="m.csv", line=3, field="account_id"),
        Problem("is required", file="m.csv", line=3, field="program"),
        Problem("must be a date as YYYY-MM-DD", file="m.csv", line=3, field="enrolled_from",
                value="01.02.2026"),
        Problem("there is no such date", file="m.csv", line=3, field="enrolled_to",
                value="2026-13-01"),
        Problem("is before enrolled_from (2026-05-01)", file="m.csv", line=4, field="enrolled_to",
                value="2026-04-30"),
        Problem("is required beside membership_number", file="m.csv", line=4, field="partner"),
        Problem("has 5 values, the header names 9", file="m.csv", line=5),
        Problem("has blanks around it", file="m.csv", line=6, field="account_id", value=" A5"),
        Problem("holds a character that cannot be printed", file="m.csv", line=6,
                field="membership_number"),
    ]  # fmt: skip


@pytest.mark.parametrize("field", HEADER)
def test_a_card_number_is_refused_in_every_field_and_never_shown(field: str) -> None:
    values = dict(zip(HEADER, LINE.strip().split(","), strict=True)) | {field: CARD}
    found = told(HEAD + ",".join(values.values()) + "\n")
    assert found == [f"m.csv:2: {field}: looks like a card number; give its token"]


def test_a_key_with_other_values_is_refused_with_the_line_of_the_first() -> None:
    assert told(HEAD + LINE + LINE.replace("SK123", "SK124")) == [
        "m.csv:3: has other values than line 2 for the same account, card, program and "
        "enrolled_from"
    ]


def test_a_card_has_one_product_on_one_day() -> None:
    other = LINE.replace("sky-rewards", "sky-cash").replace("SKY-GOLD", "SKY-PLAT")
    assert told(HEAD + LINE + other) == [
        "m.csv:3: card_product: 'SKY-PLAT': line 2 has another product for the same card and "
        "enrolled_from: SKY-GOLD"
    ]


def test_lines_are_counted_where_a_quoted_value_runs_over_two() -> None:
    found = told(HEAD + LINE.replace("M1", '"M\n1"') + LINE.replace("A1", ""))
    assert [line.split(": ")[0] for line in found] == ["m.csv:2", "m.csv:4"]


def test_broken_quotes_stop_the_reading_and_say_so() -> None:
    assert told(HEAD + LINE + '"M2"x,A2\n' + LINE) == [
        "m.csv:3: is not CSV: ',' expected after '\"'; nothing after it was read"
    ]


def test_text_that_is_not_utf8_is_refused_with_its_line() -> None:
    assert told((HEAD + LINE).encode() + b"M\xff") == ["m.csv:3: is not UTF-8"]


@pytest.mark.parametrize("head", [HEAD, DATED])
@given(st.lists(st.sampled_from([*",\"\n\r;0 \x00\u2028'", HEAD, LINE, "2026-01-01", CARD])))
def test_any_text_gives_rows_or_problems_without_card_numbers(head: str, parts: list[str]) -> None:
    try:
        rows = read(head + "".join(parts))
    except InvalidInput as error:
        assert all(problem.line for problem in error.problems)
        assert "4111" not in str(error)
    else:
        assert all(row.enrolled_to is None or row.enrolled_from <= row.enrolled_to for row in rows)
        assert len({row.key for row in rows}) == len(rows)

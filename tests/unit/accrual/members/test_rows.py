"""What a file brings beyond what holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from services.accrual.members.account import AccountDates, Activation
from services.accrual.members.roster import MemberRow
from services.accrual.members.rows import AccountRows

DAY = date(2026, 3, 1)


def member(account: str = "A1", revision: int = 0) -> MemberRow:
    return MemberRow(account, "tok", "sky", DAY, None, "M", None, None, None, revision)


BROUGHT = AccountRows(
    [member()], [AccountDates("A1", opened_on=DAY)], [Activation("A1", "Q1", DAY)]
)


def test_what_holds_already_is_nothing_new() -> None:
    assert BROUGHT.beyond(BROUGHT.at(7)) == AccountRows()


def test_everything_is_new_where_nothing_holds() -> None:
    assert BROUGHT.beyond(AccountRows()) == BROUGHT


def test_other_values_of_a_key_are_new() -> None:
    held = AccountRows(
        [replace(member(revision=3), card_product="GOLD")],
        [AccountDates("A1", opened_on=DAY, cycle_day=5, revision=3)],
        [Activation("A1", "Q1", date(2026, 3, 2), 3)],
    )
    assert BROUGHT.beyond(held) == BROUGHT


def test_dates_that_are_not_known_are_new_only_where_some_were_known() -> None:
    unknown = AccountRows(dates=[AccountDates("A1")])
    assert unknown.beyond(AccountRows()) == AccountRows()
    assert unknown.beyond(BROUGHT.at(1)) == unknown


def test_parts_hold_all_rows_of_their_accounts_and_of_no_others() -> None:
    rows = AccountRows(
        [member("C"), member("A")],
        [AccountDates("B"), AccountDates("C")],
        [Activation("A", "Q1", DAY)],
    )
    parts = list(rows.parts(2))
    assert [part.accounts for part in parts] == [["A", "B"], ["C"]]
    assert parts[0] == AccountRows([member("A")], [AccountDates("B")], rows.activations)
    assert parts[1] == AccountRows([member("C")], [AccountDates("C")])
    assert list(AccountRows().parts(2)) == []


def test_a_revision_is_written_on_every_row() -> None:
    recorded = BROUGHT.at(9)
    rows = [*recorded.members, *recorded.dates, *recorded.activations]
    assert [row.revision for row in rows] == [9, 9, 9]

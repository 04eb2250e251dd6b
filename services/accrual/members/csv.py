"""The member file: UTF-8 CSV, one row per account, card and programme."""

from __future__ import annotations

import re
from datetime import date

from services.accrual.members.account import AccountDates
from services.accrual.members.roster import MemberRow
from services.accrual.members.rows import AccountRows
from services.accrual.members.sheet import Record, Sheet

HEADER = (
    "member_id",
    "account_id",
    "card_token",
    "card_product",
    "program",
    "enrolled_from",
    "enrolled_to",
    "partner",
    "membership_number",
)
DATES = ("opened_on", "closed_on", "cycle_day")
"""Columns that may follow. A file that has them replaces the dates of its accounts; one without
them says nothing about dates."""
OPTIONAL = frozenset({"card_product", "enrolled_to", "partner", "membership_number", *DATES})
WANTED = f"{','.join(HEADER)} and, if wanted, after it {','.join(DATES)}"
_CYCLE_DAY = re.compile("[1-9]|[12][0-9]|3[01]")


def read_members(content: bytes, *, file: str) -> AccountRows:
    """The rows of a member file, each once, and the dates of its accounts if it has them.

    Raises InvalidInput with every problem of the file. No problem shows a value that looks like a
    card number.
    """
    return _Reading(file).facts(content)


class _Reading:
    """One pass over a file: what is understood, with the line that said it first."""

    def __init__(self, file: str) -> None:
        self._sheet = Sheet(
            file, headers=(HEADER, HEADER + DATES), optional=OPTIONAL, wanted=WANTED
        )
        self._rows: dict[tuple[str, str, str, date], tuple[int, MemberRow]] = {}
        self._products: dict[tuple[str, str, date], tuple[int, str]] = {}
        self._dates: dict[str, tuple[int, AccountDates]] = {}

    def facts(self, content: bytes) -> AccountRows:
        """Read everything that can be read. Raises InvalidInput."""
        for record in self._sheet.records(content):
            self._take(record)
        self._sheet.done()
        return AccountRows(
            [row for _, row in self._rows.values()], [dates for _, dates in self._dates.values()]
        )

    def _take(self, record: Record) -> None:
        line, values, _ = record
        first = self._sheet.day(record, "enrolled_from")
        last = self._sheet.day(record, "enrolled_to")
        if first and last and last < first:
            why = f"is before enrolled_from ({first})"
            self._sheet.report(line, why, "enrolled_to", values["enrolled_to"])
        if values["membership_number"] and not values["partner"]:
            self._sheet.report(line, "is required beside membership_number", "partner")
        if DATES[0] in values:
            self._take_dates(record)
        if first is not None and self._sheet.clean(record):
            self._keep(line, _row(values, first, last))

    def _take_dates(self, record: Record) -> None:
        """The dates of the record's account, kept when they are right whatever the rest is."""
        line, values, sound = record
        before = len(self._sheet.problems)
        opened, closed = self._sheet.day(record, "opened_on"), self._sheet.day(record, "closed_on")
        if opened and closed and closed < opened:
            why = f"is before opened_on ({opened})"
            self._sheet.report(line, why, "closed_on", values["closed_on"])
        cycle_day = values["cycle_day"] if "cycle_day" in sound else ""
        if cycle_day and not _CYCLE_DAY.fullmatch(cycle_day):
            why = "must be a day of the month, 1 to 31, without a leading zero"
            self._sheet.report(line, why, "cycle_day", cycle_day)
        if len(self._sheet.problems) == before and sound.issuperset({"account_id", *DATES}):
            account = values["account_id"]
            self._keep_dates(
                line, AccountDates(account, opened, closed, int(cycle_day or 0) or None)
            )

    def _keep(self, line: int, row: MemberRow) -> None:
        held = self._rows.setdefault(row.key, (line, row))
        if held[1] != row:
            why = f"has other values than line {held[0]} for the same account, card, program and "
            self._sheet.report(line, why + "enrolled_from")
        if row.card_product is None:
            return
        card = (row.account_id, row.card_token, row.enrolled_from)
        at, product = self._products.setdefault(card, (line, row.card_product))
        if product != row.card_product and held[1] == row:
            why = f"line {at} has another product for the same card and enrolled_from: {product}"
            self._sheet.report(line, why, "card_product", row.card_product)

    def _keep_dates(self, line: int, dates: AccountDates) -> None:
        at, held = self._dates.setdefault(dates.account_id, (line, dates))
        for field in DATES:
            value, first = getattr(dates, field), getattr(held, field)
            if value != first:
                said = "none" if first is None else first
                why = f"line {at} has another {field} for the same account: {said}"
                self._sheet.report(line, why, field, "" if value is None else str(value))


def _row(values: dict[str, str], first: date, last: date | None) -> MemberRow:
    return MemberRow(
        account_id=values["account_id"],
        card_token=values["card_token"],
        program=values["program"],
        enrolled_from=first,
        enrolled_to=last,
        member_id=values["member_id"],
        card_product=values["card_product"] or None,
        partner=values["partner"] or None,
        membership_number=values["membership_number"] or None,
    )

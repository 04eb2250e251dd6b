"""The member file: UTF-8 CSV, one row per account, card and programme."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date

from services.accrual.members.roster import MemberRow
from services.kernel.card import contains_card_number
from services.kernel.errors import InvalidInput, Problem

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
OPTIONAL = frozenset({"card_product", "enrolled_to", "partner", "membership_number"})
VALUE_CHARACTERS_MAX = 128
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read_members(content: bytes, *, file: str) -> list[MemberRow]:
    """The rows of a member file, each once. Raises InvalidInput with every problem of the file.

    A byte order mark is left out, as spreadsheets write one. No problem shows a value that looks
    like a card number.
    """
    reading = _Reading(file)
    rows = reading.rows(_text(content, file))
    if reading.problems:
        raise InvalidInput(reading.problems)
    return rows


def _text(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidInput([Problem("is not UTF-8", file=file, line=line)]) from None


class _Reading:
    """One pass over a file: rows as they are understood, and what is wrong."""

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._rows: dict[tuple[str, str, str, date], tuple[int, MemberRow]] = {}
        self._products: dict[tuple[str, str, date], tuple[int, str]] = {}

    def rows(self, text: str) -> list[MemberRow]:
        """Read everything that can be read."""
        records = self._records(text)
        header = next(records, None)
        if header is None or tuple(header[1]) != HEADER:
            why = f"must be the header {','.join(HEADER)}"
            self._report(header[0] if header else 1, why)
            return []
        for line, record in records:
            self._take(line, record)
        return [row for _, row in self._rows.values()]

    def _records(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """Each record with the line that it starts in; blank lines hold none."""
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        started = 1
        try:
            for record in reader:
                if record:
                    yield started, record
                started = reader.line_num + 1
        except csv.Error as error:
            self._report(started, f"is not CSV: {error}; nothing after it was read")

    def _take(self, line: int, record: list[str]) -> None:
        if len(record) != len(HEADER):
            self._report(line, f"has {len(record)} values, the header names {len(HEADER)}")
            return
        values = dict(zip(HEADER, record, strict=True))
        before = len(self.problems)
        sound = {field for field, value in values.items() if self._sound(line, field, value)}
        first = self._day(line, "enrolled_from", values["enrolled_from"], sound)
        last = self._day(line, "enrolled_to", values["enrolled_to"], sound)
        if first and last and last < first:
            why = f"is before enrolled_from ({first})"
            self._report(line, why, "enrolled_to", values["enrolled_to"])
        if values["membership_number"] and not values["partner"]:
            self._report(line, "is required beside membership_number", "partner")
        if first is not None and len(self.problems) == before:
            self._keep(line, _row(values, first, last))

    def _sound(self, line: int, field: str, value: str) -> bool:
        """Whether a value may stand where it does; says why not."""
        if not value and field not in OPTIONAL:
            self._report(line, "is required", field)
        elif contains_card_number(value):
            self._report(line, "looks like a card number; give its token", field)
        elif not value.isprintable():
            self._report(line, "holds a character that cannot be printed", field)
        elif value != value.strip():
            self._report(line, "has blanks around it", field, value)
        elif len(value) > VALUE_CHARACTERS_MAX:
            self._report(line, f"is longer than {VALUE_CHARACTERS_MAX} characters", field)
        else:
            return True
        return False

    def _day(self, line: int, field: str, value: str, sound: set[str]) -> date | None:
        if not value or field not in sound:
            return None
        try:
            if _DATE.fullmatch(value):
                return date.fromisoformat(value)
            self._report(line, "must be a date as YYYY-MM-DD", field, value)
        except ValueError:
            self._report(line, "there is no such date", field, value)
        return None

    def _keep(self, line: int, row: MemberRow) -> None:
        held = self._rows.setdefault(row.key, (line, row))
        if held[1] != row:
            why = f"has other values than line {held[0]} for the same account, card, program and "
            self._report(line, why + "enrolled_from")
        if row.card_product is None:
            return
        card = (row.account_id, row.card_token, row.enrolled_from)
        at, product = self._products.setdefault(card, (line, row.card_product))
        if product != row.card_product and held[1] == row:
            why = f"line {at} has another product for the same card and enrolled_from: {product}"
            self._report(line, why, "card_product", row.card_product)

    def _report(
        self, line: int, why: str, field: str | None = None, value: str | None = None
    ) -> None:
        self.problems.append(Problem(why, file=self._file, line=line, field=field, value=value))


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

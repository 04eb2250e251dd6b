"""A CSV file about accounts, read strictly: its records, and everything that is wrong with it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from services.kernel.card import contains_card_number
from services.kernel.errors import InvalidInput, Problem

VALUE_CHARACTERS_MAX = 128
IDENTIFIERS = frozenset({"member_id", "account_id", "card_token"})
"""Fields of surrogates that a processor makes."""
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
# One in a thousand holds a run of digits that passes for a card number, so in the field of an
# identifier the form itself exempts it, as it does where the transactions come in.
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


class Record(NamedTuple):
    """The values of one record by field, the line it starts in, and the fields that are sound."""

    line: int
    values: dict[str, str]
    sound: set[str]


class Sheet:
    """One pass over a file. `problems` fills as `records` is read and callers report theirs."""

    def __init__(
        self,
        file: str,
        *,
        headers: Sequence[tuple[str, ...]],
        optional: frozenset[str],
        wanted: str,
    ) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._headers = headers
        self._optional = optional
        self._wanted = wanted

    def records(self, content: bytes) -> Iterator[Record]:
        """Every record with as many values as the header has fields, its values judged.

        A byte order mark is left out, as spreadsheets write one. Raises InvalidInput when the file
        is not UTF-8.
        """
        records = self._split(self._text(content))
        line, header = next(records, (1, []))
        if tuple(header) not in self._headers:
            self.report(line, f"must be the header {self._wanted}")
            return
        for line, record in records:
            if len(record) != len(header):
                self.report(line, f"has {len(record)} values, the header names {len(header)}")
                continue
            values = dict(zip(header, record, strict=True))
            sound = {field for field, value in values.items() if self._sound(line, field, value)}
            yield Record(line, values, sound)

    def day(self, record: Record, field: str) -> date | None:
        """The date in a field; None where there is none, or a wrong one that is reported."""
        value = record.values.get(field)
        if not value or field not in record.sound:
            return None
        try:
            if _DATE.fullmatch(value):
                return date.fromisoformat(value)
            self.report(record.line, "must be a date as YYYY-MM-DD", field, value)
        except ValueError:
            self.report(record.line, "there is no such date", field, value)
        return None

    def clean(self, record: Record) -> bool:
        """Whether nothing is wrong with the record that was read last."""
        return not self.problems or self.problems[-1].line != record.line

    def report(
        self, line: int, why: str, field: str | None = None, value: str | None = None
    ) -> None:
        """Something is wrong in a line."""
        self.problems.append(Problem(why, file=self._file, line=line, field=field, value=value))

    def done(self) -> None:
        """Raises InvalidInput with every problem, if there is one."""
        if self.problems:
            raise InvalidInput(self.problems)

    def _text(self, content: bytes) -> str:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise InvalidInput([Problem("is not UTF-8", file=self._file, line=line)]) from None

    def _split(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """Each record with the line that it starts in; blank lines hold none."""
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        started = 1
        try:
            for record in reader:
                if record:
                    yield started, record
                started = reader.line_num + 1
        except csv.Error as error:
            self.report(started, f"is not CSV: {error}; nothing after it was read")

    def _sound(self, line: int, field: str, value: str) -> bool:
        """Whether a value may stand where it does; says why not."""
        if not value and field not in self._optional:
            self.report(line, "is required", field)
        elif contains_card_number(value) and not (field in IDENTIFIERS and _UUID.fullmatch(value)):
            self.report(line, "looks like a card number; give its token", field)
        elif not value.isprintable():
            self.report(line, "holds a character that cannot be printed", field)
        elif value != value.strip():
            self.report(line, "has blanks around it", field, value)
        elif len(value) > VALUE_CHARACTERS_MAX:
            self.report(line, f"is longer than {VALUE_CHARACTERS_MAX} characters", field)
        else:
            return True
        return False

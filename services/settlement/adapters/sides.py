"""The sides of a reconciliation in DuckDB: out of PostgreSQL by COPY, then laid side by side.

`load` reads everything at one instant; the comparisons afterwards ask the database for nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from services.kernel.transaction import Role
from services.runtime.database import Connection
from services.runtime.named_queries import load_queries
from services.settlement.adapters.feed_reader import COLUMNS as FEED_COLUMNS
from services.settlement.adapters.feed_reader import copy_feed
from services.settlement.adapters.matcher import compare
from services.settlement.reconcile.code import Check
from services.settlement.reconcile.coverage import Spans
from services.settlement.reconcile.difference import Difference
from services.settlement.reconcile.judge import Tally
from services.settlement.reconcile.month import Month

_sql = load_queries("services.settlement.adapters", "reconcile_store.sql")

COPY_SECONDS = 3_600
SLACK = timedelta(days=31)
"""Feeds may book an event in another month: so far around the month their events are looked at."""
_LEDGER_KEY = ("batch", "account_id", "of_stream_id", "of_purchase", "contract", "rule", "unit")
_TABLES = {
    "sealed": {
        "batch": "VARCHAR", "account_id": "VARCHAR", "of_stream_id": "SMALLINT",
        "of_purchase": "BIGINT", "contract": "VARCHAR", "rule": "VARCHAR", "unit": "VARCHAR",
        "amount": "BIGINT", "partner": "VARCHAR", "purchase": "VARCHAR",
    },
    "lines": {
        "batch": "VARCHAR", "line": "INTEGER", "account_id": "VARCHAR", "of_stream_id": "SMALLINT",
        "of_purchase": "BIGINT", "contract": "VARCHAR", "rule": "VARCHAR", "unit": "VARCHAR",
        "amount": "BIGINT", "partner": "VARCHAR", "purchase": "VARCHAR",
        "membership_number": "VARCHAR", "layout": "VARCHAR",
    },
    "answers": {
        "batch": "VARCHAR", "line": "INTEGER", "outcome": "VARCHAR", "times": "INTEGER",
        "said": "VARCHAR",
    },
}  # fmt: skip
"""Query → the columns that it gives."""
_FILED = {
    "batch": "VARCHAR", "carrier": "VARCHAR", "line": "HUGEINT", "member": "VARCHAR",
    "unit": "VARCHAR", "amount": "HUGEINT", "file": "VARCHAR",
}  # fmt: skip
"""A changed file may hold larger numbers than any line of ours."""
_LEVELS = (("arn", "''"), ("reference", "day"), ("event_id", "''"))
"""What events are matched by, best first, with the day that belongs to it (Mastercard's reference
is unique together with its date)."""


class DuckSides:
    """Sides over one DuckDB in memory, with a folder for what is copied."""

    def __init__(self, duck: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self._duck = duck
        self._folder = folder
        self.compares = False
        """Whether there is a compare feed of one of the partner's issuers."""
        self.spans: Mapping[str, Spans] = {}
        """Role → issuer → what the feed covers."""

    async def load(self, connection: Connection, partner: str, month: Month) -> None:
        """Copy what is compared, inside a transaction that sees one instant."""
        for name, columns in _TABLES.items():
            path = self._folder / f"{name}.csv"
            await connection.copy_from_query(
                _sql[name], partner, month.first, month.last,
                output=path, format="csv", timeout=COPY_SECONDS,
            )  # fmt: skip
            self._table(name, columns, path)
        self.compares = await connection.fetchval(_sql.compares, timeout=COPY_SECONDS)
        if self.compares:
            await self._load_feeds(connection, partner, month)

    async def _load_feeds(self, connection: Connection, partner: str, month: Month) -> None:
        """Only issuers that have a compare feed: the books of another stand by themselves."""
        spans: dict[str, Spans] = {}
        issuers = frozenset(row["issuer"] for row in await connection.fetch(_sql.issuers, partner))
        for role in (Role.COMPARE, Role.BOOKS):
            path = self._folder / f"{role}.csv"
            spans[role] = await copy_feed(
                connection, _sql.feed, role, path, issuers=issuers,
                first=month.first - SLACK, last=month.last + SLACK,
            )  # fmt: skip
            self._table(f"{role}_0", FEED_COLUMNS, path)
            if role is Role.COMPARE:
                issuers = frozenset(spans[role])
        self.spans = spans
        self.compares = bool(issuers)

    def _table(self, name: str, columns: dict[str, str], path: Path) -> None:
        self._duck.execute(
            f"CREATE TABLE {name} AS SELECT * FROM read_csv($path, header = false, delim = ',', "
            "quote = '\"', escape = '\"', nullstr = '\\N', auto_detect = false, "
            "columns = $columns)",
            {"path": str(path), "columns": columns},
        )

    def feeds(self) -> list[Difference]:
        """The compare feed beside the books, level by level: what only one side has goes on to
        the next level, what agrees or differs at this one does not.
        """
        found: list[Difference] = []
        for nth, (by, day) in enumerate(_LEVELS):
            left, right = (self._level(f"{role}_{nth}", by, day) for role in ("compare", "books"))
            compared = compare(
                self._duck, left, right, key=("issuer", "kind", "means", "value", "day"),
                values=("amount", "currency"), told=("booked", "event_id", "account_id", "arn"),
            )  # fmt: skip
            last = nth == len(_LEVELS) - 1
            found += [
                one for one in compared.differences
                if last or (one.left_times and one.right_times)
            ]  # fmt: skip
            if not last:
                self._go_on(nth, by, day)
        return found

    def _level(self, table: str, by: str, day: str) -> str:
        return (
            f"(SELECT * EXCLUDE (day), '{by}' AS means, {by} AS value, {day} AS day FROM {table} "
            f"WHERE {by} <> '')"
        )

    def _go_on(self, nth: int, by: str, day: str) -> None:
        """The events that the other side does not have at this level."""
        also = " AND l.day = r.day" if day == "day" else ""
        for here, there in (("compare", "books"), ("books", "compare")):
            self._duck.execute(
                f"CREATE TABLE {here}_{nth + 1} AS SELECT l.* FROM {here}_{nth} AS l "
                f"WHERE l.{by} = '' OR NOT EXISTS (SELECT 1 FROM {there}_{nth} AS r "
                f"WHERE r.{by} = l.{by} AND r.issuer = l.issuer AND r.kind = l.kind{also})"
            )

    def feed_tallies(self, month: Month) -> list[Tally]:
        """What each feed books in the month, by currency."""
        booked = f"WHERE booked BETWEEN DATE '{month.first}' AND DATE '{month.last}'"
        return self._tallies(
            Check.FEEDS,
            *(
                f"(SELECT currency AS unit, amount FROM {role}_0 {booked})"
                for role in ("compare", "books")
            ),
        )

    def ledger(self) -> list[Difference]:
        """The sealed transfers beside the lines, both as sums of account, purchase and rule."""
        key = ", ".join(_LEDGER_KEY)
        left = (
            f"(SELECT {key}, sum(s.amount)::BIGINT AS amount, count(*) AS times, "
            "coalesce(min(s.partner) FILTER (s.partner <> b.partner), min(s.partner)) AS partner, "
            "min(s.purchase) AS purchase FROM sealed AS s "
            "LEFT JOIN (SELECT DISTINCT batch, partner FROM lines) AS b USING (batch) GROUP BY ALL)"
        )
        right = (
            f"(SELECT {key}, sum(amount)::BIGINT AS amount, count(*) AS times, "
            "min(partner) AS partner, min(purchase) AS purchase FROM lines GROUP BY ALL)"
        )
        return list(
            compare(
                self._duck, left, right, key=_LEDGER_KEY, values=("amount", "partner"),
                told=("times", "purchase"),
            ).differences
        )  # fmt: skip

    def ledger_tallies(self) -> list[Tally]:
        """The sealed transfers and the lines, by unit."""
        return self._tallies(Check.LEDGER, "sealed", "lines")

    def file(self, rows: Iterable[Sequence[Any]], carriers: Iterable[Sequence[Any]]) -> None:
        """Take in the lines of files, as _FILED has them, and for each carrier the lines that it
        should have: (batch, layout, carrier, whether it goes by number, whether a record is the sum
        of a member's lines, unit if it names none).
        """
        path = self._folder / "filed.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        self._table("filed", _FILED, path)
        self._duck.execute(
            "CREATE TABLE carriers (batch VARCHAR, layout VARCHAR, carrier VARCHAR, "
            "by_number BOOLEAN, summed BOOLEAN, unit VARCHAR)"
        )
        for carrier in carriers:
            self._duck.execute("INSERT INTO carriers VALUES (?, ?, ?, ?, ?, ?)", list(carrier))
        self._duck.execute(
            "CREATE TABLE wanted AS SELECT batch, carrier, line, "
            "CASE WHEN regexp_full_match(named, '[0-9]+') THEN ltrim(named, '0') ELSE named END "
            "AS member, unit, amount, '' AS file FROM (SELECT l.*, c.carrier, "
            "CASE WHEN c.by_number THEN l.membership_number ELSE l.account_id END AS named "
            "FROM lines AS l JOIN carriers AS c USING (batch, layout) "
            "WHERE l.line >= 1 AND NOT c.summed) UNION ALL "
            "SELECT batch, carrier, min(line), '', l.unit, sum(amount)::BIGINT, '' "
            "FROM lines AS l JOIN carriers AS c USING (batch, layout) "
            "WHERE l.line >= 1 AND c.summed GROUP BY batch, carrier, account_id, l.unit "
            "HAVING sum(amount) <> 0"
        )
        self._duck.execute(
            "UPDATE filed SET unit = c.unit FROM (SELECT DISTINCT batch, carrier, unit "
            "FROM carriers) AS c WHERE filed.unit = '' AND c.unit <> '' "
            "AND (c.batch, c.carrier) = (filed.batch, filed.carrier)"
        )

    def files(self) -> list[Difference]:
        """The lines beside the files."""
        return list(
            compare(
                self._duck, "wanted", "filed", key=("batch", "carrier", "line"),
                values=("member", "unit", "amount"), told=("file",),
            ).differences
        )  # fmt: skip

    def file_tallies(self) -> list[Tally]:
        """The lines, once for each carrier, and the records of files, by unit."""
        return self._tallies(Check.FILES, "wanted", "filed")

    def answers(self, sent: Iterable[str]) -> list[Difference]:
        """The lines of batches that were sent beside what was definitely said of lines."""
        self._duck.execute("CREATE TABLE sent (batch VARCHAR)")
        for batch in sent:
            self._duck.execute("INSERT INTO sent VALUES (?)", [batch])
        self._duck.execute(
            "CREATE TABLE asked AS SELECT batch, line, unit, amount, layout FROM lines "
            "SEMI JOIN sent USING (batch) WHERE line >= 1"
        )
        self._duck.execute(
            "CREATE TABLE answered AS SELECT a.batch, a.line, coalesce(l.unit, '') AS unit, "
            "coalesce(l.amount, 0) AS amount, coalesce(l.layout, '') AS layout, a.outcome "
            "FROM answers AS a LEFT JOIN lines AS l USING (batch, line) "
            "WHERE a.outcome <> 'UNKNOWN'"
        )
        return list(
            compare(
                self._duck, "asked", "answered", key=("batch", "line"), values=(),
                told=("unit", "amount", "layout"),
            ).differences
        )  # fmt: skip

    def answer_tallies(self) -> list[Tally]:
        """The lines sent and the lines answered, by unit."""
        return self._tallies(Check.ANSWERS, "asked", "answered")

    def outcomes(self) -> list[tuple[str, int]]:
        """Outcome → lines that it was last said of."""
        return self._duck.execute(
            "SELECT outcome, count(*) FROM answers GROUP BY outcome ORDER BY outcome"
        ).fetchall()

    def answered_twice(self) -> list[tuple[Any, ...]]:
        """(batch, line, unit, amount, what was said) of lines that were answered more than once."""
        return self._duck.execute(
            "SELECT a.batch, a.line, coalesce(l.unit, ''), coalesce(l.amount, 0), a.said "
            "FROM answers AS a LEFT JOIN lines AS l USING (batch, line) WHERE a.times > 1 "
            "ORDER BY a.batch, a.line"
        ).fetchall()

    def _tallies(self, check: Check, left: str, right: str) -> list[Tally]:
        rows = self._duck.execute(
            "SELECT unit, sum(l), sum(l * amount)::HUGEINT, sum(r), sum(r * amount)::HUGEINT FROM ("
            f"SELECT unit, amount, 1 AS l, 0 AS r FROM {left} UNION ALL "
            f"SELECT unit, amount, 0, 1 FROM {right}) GROUP BY unit ORDER BY unit"
        ).fetchall()
        return [Tally(check, str(row[0]), *(int(n) for n in row[1:])) for row in rows]

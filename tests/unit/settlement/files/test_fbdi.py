"""The journal for Oracle's general ledger: cells in the places that two public sources agree on."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest

from services.kernel.errors import InvalidInput
from services.settlement.batches.batch import Sealed
from services.settlement.billing.chart import Chart, read_chart
from services.settlement.billing.journal import journal
from services.settlement.checking import check
from services.settlement.files import catalogue, fbdi
from services.settlement.files.fields import DoesNotFit
from tests.support.batches import CHART, cash_batch, fbdi_of, miles_batch
from tests.support.settlement import MARCH_END

NAME = "first-bank-gl-fbdi-000003.csv"


def chart(old: str = "", new: str = "") -> Chart:
    return read_chart(CHART.replace(old, new, 1).encode(), "chart.yaml")


def rows(batch: Sealed) -> list[list[str]]:
    return list(csv.reader(io.StringIO(fbdi_of(batch).decode("ascii"))))


def test_the_cells_stand_where_the_ledger_looks_for_them() -> None:
    first = rows(cash_batch())[0]
    assert len(first) == 149
    told = {place: cell for place, cell in enumerate(first, 1) if cell}
    assert told == {
        1: "NEW", 2: "300000046975980", 3: "2026/03/31", 4: "Milepost", 5: "Rewards", 6: "JPY",
        7: "2026/03/31", 8: "A", 9: "101", 10: "10", 11: "62520", 39: "70",
        43: "first-bank-000003", 44: "through 2026-03-31", 46: "first-bank-000003 JPY",
        48: "first-bank-000003", 52: "rewards", 53: "yen", 54: "first-bank",
        55: "reward-cost/first-bank", 56: "JPY", 64: "Corporate", 65: "2026/03/31",
        67: "42000003", 92: "Demo ledger", 94: "first-bank-000003-1",
    }  # fmt: skip


def test_debits_are_credits_in_every_currency_and_come_to_the_journal() -> None:
    checked = catalogue.check(fbdi_of(cash_batch()), NAME)
    assert checked.problems == ()
    assert (checked.batch, checked.sequence) == ("first-bank-000003", 3)
    (own,) = [file for file in catalogue.files(cash_batch()) if file.layout == "gl-journal"]
    assert dict(checked.totals) == dict(own.totals)


def test_miles_are_statistical_amounts_and_the_ledgers_own_money_needs_no_rate() -> None:
    assert {(row[5], row[55], row[63]) for row in rows(miles_batch())} == {("STAT", "SKY-MILE", "")}
    assert {row[63] for row in rows(cash_batch()) if row[5] == "NOK"} == {""}


def test_the_archive_is_the_same_whenever_it_is_made() -> None:
    content = fbdi_of(cash_batch())
    archive = fbdi.zipped(content)
    sound = check(archive, "journal.zip", beside=lambda _: None)
    assert (sound.layout, sound.problems) == ("gl-fbdi", ())
    assert sound.records == content.count(b"\n")
    assert archive == fbdi.zipped(content)
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        assert file.namelist() == ["GlInterface.csv"]
        assert file.read("GlInterface.csv") == content


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b",12.34,", b",12.35,", ":16: entered debit: debits and credits of NOK differ"),
        (b",12.34,", b",12.3,", "entered debit: '12.3': must have 2 decimals"),
        (b"NEW,3", b"OLD,3", ":1: status: 'OLD': must be `NEW`"),
        (b",A,101", b",A,=1", ":1: segment 1: '=1': must be of the account"),
        (b"000003-2\x2c", b"000003-3\x2c", ":2: reconciliation reference: 'first-bank-000003-3'"),
        (b",42000003,", b",42000003,,", ":1: has 150 cells, a record has 149"),
        (b"2026/03/31", b"2026/02/31", ":1: accounting date: '2026/02/31': is no date"),
    ],
)
def test_a_journal_that_was_changed_is_told(old: bytes, new: bytes, told: str) -> None:
    content = fbdi_of(cash_batch())
    assert old in content
    problems = catalogue.check(content.replace(old, new, 1), NAME).problems
    assert told in "\n".join(str(problem) for problem in problems)


def test_accounts_that_the_chart_does_not_have_are_all_named() -> None:
    small = chart('  member: ["101", "10", "21100"]\n', "")
    entries = journal(cash_batch().flows, partner="first-bank")
    with pytest.raises(InvalidInput, match="the chart: member: has no segments"):
        fbdi.write(entries, chart=small, batch="b-000001", sequence=1, through=MARCH_END)


def test_a_value_without_a_place_stops_the_journal() -> None:
    entries = journal(cash_batch().flows, partner="first-bank")
    with pytest.raises(DoesNotFit, match="line 1: source: 'a,b' is not journal source"):
        fbdi.write(
            entries, chart=chart("Milepost", "a,b"), batch="b-000001", sequence=1,
            through=MARCH_END,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('group: "42"', "group: x", "group: 'x': must be digits"),
        ('"101", "10", "62520"', '"101"', "as many segments as the others"),
        ("ledger:", "legder:", "unknown field `legder`"),
        ("source: Milepost\n", "", "missing required field `source`"),
    ],
)
def test_a_chart_with_a_fault_is_told(old: str, new: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        chart(old, new)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"../GlInterface.csv": b""}, "must hold GlInterface.csv and nothing else"),
        ({"GlInterface.csv": b"", "more.csv": b""}, "must hold GlInterface.csv and nothing else"),
        ({}, "must hold GlInterface.csv and nothing else"),
        ({"GlInterface.csv": b"\0" * (257 << 20)}, "unpacks to more than 256 MiB"),
    ],
)
def test_an_archive_of_something_else_is_refused_and_no_more_is_unpacked(
    members: dict[str, bytes], why: str
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    (problem,) = check(packed.getvalue(), "journal.zip", beside=lambda _: None).problems
    assert why in str(problem)
    cut = check(packed.getvalue()[:-9], "journal.zip", beside=lambda _: None).problems
    assert "is no whole archive" in str(cut[0])


def test_an_archive_that_is_encrypted_or_packed_in_an_unknown_way_is_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("GlInterface.csv", "x")
    whole = packed.getvalue()
    central = whole.index(b"PK\x01\x02")
    for at, word, value in ((6, 8, b"\x01\x00"), (8, 10, b"\x63\x00")):  # flags; the method
        damaged = bytearray(whole)
        damaged[at : at + 2] = damaged[central + word : central + word + 2] = value
        (problem,) = check(bytes(damaged), "journal.zip", beside=lambda _: None).problems
        assert "journal.zip:1: is no whole archive" in str(problem)

"""Files of records: read one by one, checked without being sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.ingest.adapters.files import read_records
from services.ingest.bootstrap import check_file
from services.ingest.feeds.formats import Framing
from services.kernel.errors import InvalidInput
from services.runtime.settings import Settings, load_settings
from tests.support.feeds import frame, line, lithic_event, webhook

FEEDS = """\
feeds:
  - {name: json, issuer: first-bank, role: books, topic: card-feed.json, format: milepost-json}
  - {name: avro, issuer: first-bank, role: books, topic: card-feed.avro, format: milepost-avro}
  - {name: lithic, issuer: first-bank, role: books, topic: card-feed.l, format: lithic-events}
"""
PAN = "4111111111111111"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "feeds.yaml").write_text(FEEDS)
    return load_settings({"MILEPOST_FEEDS_FILE": str(tmp_path / "feeds.yaml")})


def lengths(*records: bytes) -> bytes:
    return b"".join(len(record).to_bytes(4, "big") + record for record in records)


def test_the_last_line_may_end_without_a_line_feed(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    for content, expected in (
        (b"", []), (b"a\nb\n", [b"a", b"b"]), (b"a\n\nb", [b"a", b"", b"b"]), (b"a\r\n", [b"a\r"]),
    ):  # fmt: skip
        file.write_bytes(content)
        assert list(read_records(file, Framing.LINES)) == expected


def test_records_with_lengths_are_read_as_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "frames"
    file.write_bytes(lengths(b"a\n", b"", b"\x00" * 300))
    assert list(read_records(file, Framing.LENGTHS)) == [b"a\n", b"", b"\x00" * 300]


@pytest.mark.parametrize("rest", [b"\x00", b"\x00\x00\x00", b"\x00\x00\x00\x05abcd", b"\xff" * 9])
def test_a_file_that_ends_inside_a_record_is_refused(tmp_path: Path, rest: bytes) -> None:
    file = tmp_path / "frames"
    file.write_bytes(lengths(b"a") + rest)
    with pytest.raises(InvalidInput, match="record 2 does not end inside the file"):
        list(read_records(file, Framing.LENGTHS))


def test_every_bad_line_is_listed_with_its_reason(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "records"
    records = [line(), line(mcc="x"), b"{", line(event_id="e2"), line(merchant_name=PAN)]
    file.write_bytes(b"\n".join(records) + b"\n")
    report = check_file(settings, file, "json")
    assert (report.records, report.valid, report.events) == (5, 2, 2)
    found = [(bad.line, bad.reason, bad.field) for bad in report.problems]
    assert found == [
        (2, "BAD_VALUE", "mcc"), (3, "NOT_JSON", None), (5, "CARD_NUMBER", "merchant_name"),
    ]  # fmt: skip
    assert PAN not in repr(report)


def test_files_of_the_other_formats_are_checked_too(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "records"
    file.write_bytes(lengths(frame(), frame()[:-1]))
    report = check_file(settings, file, "avro")
    assert [(bad.line, bad.reason) for bad in report.problems] == [(2, "NOT_AVRO")]
    file.write_bytes(webhook(lithic_event(1), lithic_event(2)) + b"\n")
    report = check_file(settings, file, "lithic")
    assert (report.records, report.valid, report.events) == (1, 1, 2)


def test_a_feed_or_file_that_is_not_there_is_said(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="none of the feeds: json, avro, lithic"):
        check_file(settings, tmp_path / "feeds.yaml", "xml")
    with pytest.raises(InvalidInput, match="cannot be read: No such file"):
        check_file(settings, tmp_path / "missing", "json")

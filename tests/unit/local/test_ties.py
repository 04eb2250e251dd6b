"""A planted discrepancy ties only when it was found as planted, and somebody explained it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from services.local import airline, ties
from services.local.generator.network import Planted
from services.settlement.reconcile.discrepancy import (
    OPEN,
    PROPOSED,
    RESOLVED,
    Discrepancy,
    damaged_name,
)

LOST = Planted("lost", "MISSING_IN_COMPARE", -4_500, "NOK", "fb-1")
FOUND = Discrepancy(
    id="a", partner="sky-air", period="2026-04", check="feeds", code="MISSING_IN_COMPARE",
    subject="first-bank PRESENTMENT event_id fb-1", amount=-4_500, unit="NOK", owner="network",
    detail="", first_seen=date(2026, 5, 8), second_eyes=False, state=OPEN, who=None, reason=None,
    approver=None,
)  # fmt: skip
SAID = replace(FOUND, state=RESOLVED, who="frida", reason="because")


def _ties(before: list[Discrepancy], after: list[Discrepancy]) -> list[ties.Tie]:
    return ties.ties([(LOST, ("sky-air",))], before, {one.id: one for one in after})


def test_what_was_found_and_resolved_ties() -> None:
    (row,) = _ties([FOUND], [SAID])
    assert (row.expected, row.found, row.wrong) == (1, 1, False)
    assert row.came == "resolved by frida"
    (row,) = _ties([FOUND], [replace(SAID, approver="david")])
    assert row.came == "resolved by frida, approved by david"


def test_what_is_gone_ties_too() -> None:
    (row,) = _ties([FOUND], [])
    assert not row.wrong
    assert row.came.startswith("gone")


@pytest.mark.parametrize("state", [OPEN, PROPOSED])
def test_what_nobody_or_no_second_person_explained_does_not_tie(state: str) -> None:
    (row,) = _ties([FOUND], [replace(FOUND, state=state)])
    assert row.wrong


def test_what_was_planted_and_not_found_does_not_tie() -> None:
    (row,) = _ties([], [])
    assert (row.found, row.wrong) == (0, True)


@pytest.mark.parametrize(
    "other", [{"amount": -4_501}, {"code": "MISSING_IN_BOOKS"}, {"unit": "SEK"},
              {"subject": "first-bank PRESENTMENT event_id fb-2"}, {"partner": "first-bank"}],
)  # fmt: skip
def test_another_discrepancy_is_not_the_planted_one(other: dict[str, str]) -> None:
    found = replace(FOUND, **other)  # type: ignore[arg-type]
    rows = _ties([found], [replace(found, state=RESOLVED)])
    assert [(row.planted.what, row.wrong) for row in rows] == [
        ("lost", True), (ties.NOT_PLANTED, True),
    ]  # fmt: skip


def test_what_only_the_last_run_finds_was_not_planted() -> None:
    rows = _ties([FOUND], [SAID, replace(SAID, id="b")])
    assert [row.wrong for row in rows] == [False, True]


def test_only_the_copy_of_a_file_loses_its_middle_line(tmp_path: Path) -> None:
    name = "sky-air-air-miles-rewards-000001.txt"
    outgoing = tmp_path / "files/sky-air/outgoing"
    outgoing.mkdir(parents=True)
    records = [" " * 73 + f"0000000{nth}{'{'}".ljust(20) for nth in range(4)]
    content = "".join(f"{record}\r" for record in records).encode()
    (outgoing / name).write_bytes(content)
    line, whole = ties.damage(tmp_path / "files", tmp_path / "copy")
    assert (outgoing / name).read_bytes() == content
    lost = (tmp_path / "copy/sky-air/outgoing" / name).read_bytes()
    assert lost == "".join(f"{record}\r" for record in (*records[:2], records[3])).encode()
    assert line.mark == "sky-air-000001 line 2 in air-miles-rewards.txt"
    assert (line.code, line.amount) == ("MISSING_LINE", airline.miles(records[2])) == (
        "MISSING_LINE", 20,
    )  # fmt: skip
    assert (whole.code, whole.amount, whole.mark) == (
        "CHANGED_FILE", 0, damaged_name(name, lost),
    )  # fmt: skip

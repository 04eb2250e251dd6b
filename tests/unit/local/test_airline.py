"""The simulated airline answers what was delivered as the published page says, and nothing else."""

from __future__ import annotations

from services.local import airline
from services.settlement.batches.outcome import ACCEPTED, MERGED, REJECTED, WARNED
from services.settlement.exchange import air_miles_audit
from services.settlement.files import catalogue
from tests.support.batches import miles_batch

NUMBERS = {1: "70000900011", 2: "70000900012", 3: "70000900019", 4: "70000900025"}


def _sent(numbers: dict[int, str]) -> tuple[str, bytes]:
    """The rewards file of a batch whose members have other numbers."""
    (file,) = [f for f in catalogue.files(miles_batch()) if f.name.endswith(".txt")]
    head, *details = file.content.decode().split("\r")[:-1]
    for nth, detail in enumerate(details):
        if number := numbers.get(nth + 1):
            details[nth] = detail[:17] + number + detail[28:]
    return file.name, "".join(record + "\r" for record in (head, *details)).encode()


def test_its_answer_is_read_line_by_line_and_its_sums_fit() -> None:
    name, content = _sent(NUMBERS)
    lines = {line.line: line for line in miles_batch().lines}
    read = air_miles_audit.read(airline.answer(content), name, sent=content, lines=lines)
    assert read.problems == ()
    assert [(told.outcome, told.code) for told in read.told[:4]] == [
        (REJECTED, "CLOSED_ACCOUNT"), (REJECTED, "BAD_ACCOUNT"), (MERGED, ""),
        (WARNED, "OFFER_EXPIRED"),
    ]  # fmt: skip
    assert read.told[2].number == "71000900019"


def test_whom_it_knows_nothing_of_is_accepted() -> None:
    name, content = _sent({})
    lines = {line.line: line for line in miles_batch().lines}
    read = air_miles_audit.read(airline.answer(content), name, sent=content, lines=lines)
    assert {told.outcome for told in read.told} == {ACCEPTED}

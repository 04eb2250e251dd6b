"""`batch check`: a file of any published layout, judged by reading it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from services.kernel.errors import InvalidInput, Problem
from services.settlement.batches.batch import Written
from services.settlement.exchange import nacha_return
from services.settlement.exchange.answers import BankAnswer
from services.settlement.exchange.recognise import message_of_bank
from services.settlement.files import catalogue, fbdi, fbdi_reader, manifest, payout
from services.settlement.files.file import Checked, File

BEGINNING = 2_000
"""Bytes in which a message says of which layout it is."""
_ANSWER = re.compile(rb"urn:iso:std:iso:20022:tech:xsd:(?:pain\.002|camt\.05[34])\.")

Beside = Callable[[str], bytes | None]
"""The content of a file beside the one that is checked; None if it is not there."""


def check(content: bytes, name: str, *, beside: Beside) -> Checked:
    """Read a file. A manifest brings the files that it names with it.

    Raises InvalidInput when the file is of no published layout.
    """
    checked = _read(content, name)
    if checked.layout != manifest.LAYOUT:
        return checked
    problems = list(checked.problems)
    for written in manifest.read(content, name)[0]:
        problems += _check_named(written, checked, name, beside(written.name))
    return replace(checked, problems=tuple(problems))


def _read(content: bytes, name: str) -> Checked:
    if _ANSWER.search(content[:BEGINNING]):
        return _checked(message_of_bank(content, name))
    if nacha_return.begins(content) and not payout.reader_of(content, name):
        return _checked(nacha_return.read(content, name))
    if content.startswith(b"PK"):
        journal, problems = fbdi_reader.unzipped(content, name)
        return Checked(fbdi.LAYOUT, problems=problems) if journal is None else (
            fbdi_reader.read(journal, name)
        )  # fmt: skip
    return catalogue.check(content, name)


def _checked(answer: BankAnswer) -> Checked:
    """A bank's answer: how many payments of ours it is about, and what they come to."""
    totals: dict[str, int] = {}
    for one in answer.said:
        if one.amount is not None:
            totals[one.currency] = totals.get(one.currency, 0) + one.amount
    layout = answer.layout or "a bank's message"
    return Checked(layout, len(answer.said), totals, answer.problems)


def _check_named(
    written: Written, named_by: Checked, manifest_name: str, content: bytes | None
) -> list[Problem]:
    """What is wrong with one file that a manifest names, or with what it says of it."""
    if content is None:
        return [Problem("is not beside its manifest", file=written.name)]
    try:
        checked = catalogue.check(content, written.name)
    except InvalidInput as error:
        return list(error.problems)
    found = File(written.name, checked.layout, content, checked.records, checked.totals).written
    said = {
        "layout": (written.layout, found.layout),
        "bytes": (written.bytes, found.bytes),
        "sha256": (written.sha256, found.sha256),
        "records": (written.records, found.records),
        # The mile file does not name its unit.
        "totals": (sorted(written.totals.values()), sorted(found.totals.values())),
        "sequence": (named_by.sequence, checked.sequence),
        "batch": (named_by.batch, checked.batch or named_by.batch),
    }
    problems = [
        Problem(
            f"the manifest says {one}, the file has {other}",
            file=manifest_name,
            field=f"{field} of {written.name}",
        )
        for field, (one, other) in said.items()
        if one != other
    ]
    return [*problems, *checked.problems]

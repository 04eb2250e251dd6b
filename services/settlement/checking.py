"""`batch check`: a file of any published layout, judged by reading it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from services.kernel.errors import InvalidInput, Problem
from services.settlement.batches.batch import Written
from services.settlement.files import catalogue, manifest
from services.settlement.files.file import Checked, File

Beside = Callable[[str], bytes | None]
"""The content of a file beside the one that is checked; None if it is not there."""


def check(content: bytes, name: str, *, beside: Beside) -> Checked:
    """Read a file. A manifest brings the files that it names with it.

    Raises InvalidInput when the file is of no published layout.
    """
    checked = catalogue.check(content, name)
    if checked.layout != manifest.LAYOUT:
        return checked
    problems = list(checked.problems)
    for written in manifest.read(content, name)[0]:
        problems += _check_named(written, checked, name, beside(written.name))
    return replace(checked, problems=tuple(problems))


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

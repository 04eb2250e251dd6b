"""The manifest names every file with what it is, and so does whoever checks it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.settlement.batches.batch import SEALED
from services.settlement.checking import check
from services.settlement.files import catalogue, manifest
from tests.support.batches import miles_batch

BATCH = miles_batch()
FILES = {file.name: file.content for file in catalogue.files(BATCH)}
NAME = manifest.name(BATCH.header)
CONTENT = manifest.write(
    BATCH.header, [file.written for file in catalogue.files(BATCH)], state=SEALED
)


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(CONTENT), **changes}).encode()


def why(content: bytes, beside: dict[str, bytes] | None = None) -> str:
    found = check(content, NAME, beside=(FILES if beside is None else beside).get)
    return "\n".join(str(problem) for problem in found.problems)


def test_a_manifest_beside_its_files_is_sound() -> None:
    assert why(CONTENT) == ""


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (changed(batch="sky-air-000012"), "must be sky-air-000011"),
        (changed(sequence=0), "sequence: '0': must be a whole number from 1"),
        (changed(sequence=True), "sequence: 'True': must be a whole number from 1"),
        (changed(state="LOST"), "state: 'LOST': must be one of SEALED, APPROVED, SENT, WITHDRAWN"),
        (changed(rerun=-1), "rerun: '-1': must be a whole number from 0"),
        (changed(audit={"nth": 1}), "must hold nth and link of the audit chain"),
        (changed(through="31.3.2026"), "through: '31.3.2026': must be a date"),
        (changed(revision="0"), "revision: '0': must be a whole number"),
        (changed(files=[]), "files: must be a list of files"),
        (changed(files=[7]), r"files[0]: must be an object"),
        (changed(extra=1), "extra: is not a field of a manifest"),
        (changed(partner="../etc"), "partner: '../etc': must be a partner's id"),
        (CONTENT[:-20], "is not JSON"),
        (b'{"batch": 1, "batch": 2}', "a key stands twice"),
        (b"{" * 100_000, "JSON"),
        (b"{}", "must be an object"),
    ],
)
def test_what_is_wrong_with_a_manifest_is_named(content: bytes, told: str) -> None:
    assert told in why(content)


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "../../etc/passwd"), ("sha256", "0"), ("bytes", -1), ("totals", {"SKY-MILE": "1"}),
     ("records", 1.5), ("layout", None)],
)  # fmt: skip
def test_what_is_wrong_with_an_entry_is_named(field: str, value: object) -> None:
    files = json.loads(CONTENT)["files"]
    files[0][field] = value
    assert f"files[0].{field}: " in why(changed(files=files))


def test_a_file_that_was_changed_or_is_missing_is_told() -> None:
    name = next(name for name in FILES if name.endswith(".txt"))
    other = {**FILES, name: FILES[name].replace(b"B001", b"B002")}
    assert f"sha256 of {name}: the manifest says" in why(CONTENT, other)
    assert f"{name}: is not beside its manifest" in why(
        CONTENT, {key: value for key, value in FILES.items() if key != name}
    )


def test_a_file_of_another_batch_under_a_right_name_is_told() -> None:
    name = next(name for name in FILES if name.endswith("journal-000011.csv"))
    other = {**FILES, name: FILES[name].replace(b"sky-air-000011,11", b"sky-air-000012,12")}
    assert f"sequence of {name}: the manifest says 11, the file has 12" in why(CONTENT, other)

"""The manifest: which files a batch has, how long each is, what it adds up to, and its sha256.

It is written last, so whoever sees it finds every file that it names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services.settlement.batches.batch import APPROVED, SEALED, SENT, WITHDRAWN, Header, Written
from services.settlement.batches.line import batch_id
from services.settlement.files.fields import TEXT, UNIT, shown
from services.settlement.files.file import Checked, Findings

LAYOUT = "manifest"
FIELDS = ("batch", "partner", "through", "sequence", "revision", "state", "files")
MORE_FIELDS = ("rerun", "audit")
"""Which delivery it is, and the audit chain's head: only where there is something to say."""
STATES = (SEALED, APPROVED, SENT, WITHDRAWN)
FILE_FIELDS = ("name", "layout", "bytes", "sha256", "records", "totals")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", re.ASCII)


def name(header: Header) -> str:
    """The manifest's file name, such as `sky-air-000001.manifest.json`."""
    return f"{header.batch}.manifest.json"


def write(
    header: Header, files: Sequence[Written], *, state: str, more: Mapping[str, Any] | None = None
) -> bytes:
    """The manifest's bytes. `state` is that of the folder it lies in, `more` of MORE_FIELDS."""
    document = {
        "batch": header.batch,
        "partner": header.partner,
        "through": header.through.isoformat(),
        "sequence": header.sequence,
        "revision": header.revision,
        "state": state,
        "files": [_file(written) for written in sorted(files)],
        **(more or {}),
    }
    return (json.dumps(document, indent=2, ensure_ascii=True) + "\n").encode("ascii")


def _file(written: Written) -> dict[str, Any]:
    return {**written._asdict(), "totals": dict(sorted(written.totals.items()))}


def read(content: bytes, file: str) -> tuple[list[Written], Checked]:
    """The files that a manifest names, and everything that is wrong with it by itself."""
    found = Findings(file)
    document = _document(content, found)
    files = [
        written
        for nth, entry in enumerate(document.get("files") or [])
        if (written := _written(entry, f"files[{nth}]", found)) is not None
    ] if isinstance(document.get("files"), list) else []  # fmt: skip
    if document:
        _check(document, found)
    names = [written.name for written in files]
    if len(set(names)) < len(names):
        found.add("two files have one name", field="files")
    sequence, batch = document.get("sequence"), document.get("batch")
    return files, Checked(
        LAYOUT, len(files), {}, found.all(),
        sequence=sequence if type(sequence) is int else None,
        batch=batch if isinstance(batch, str) else None,
    )  # fmt: skip


def _document(content: bytes, found: Findings) -> dict[str, Any]:
    try:
        document = json.loads(content.decode("ascii"), object_pairs_hook=_once)
    except (UnicodeDecodeError, RecursionError):
        found.add("is not ASCII JSON")
        return {}
    except json.JSONDecodeError as error:
        found.add(f"is not JSON: {error.msg}", line=error.lineno)
        return {}
    except ValueError as error:
        found.add(str(error))
        return {}
    if not isinstance(document, dict) or not document:
        found.add("must be an object")
        return {}
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return dict(pairs)


def _keys(
    given: Mapping[str, Any], wanted: Sequence[str], place: str, found: Findings,
    more: Sequence[str] = (),
) -> bool:  # fmt: skip
    for key in wanted:
        if key not in given:
            found.add("is missing", field=f"{place}{key}")
    for key in given:
        if key not in wanted and key not in more:
            found.add("is not a field of a manifest", field=f"{place}{shown(key)}")
    return set(given) - set(more) == set(wanted)


def _check(document: Mapping[str, Any], found: Findings) -> None:
    if not _keys(document, FIELDS, "", found, MORE_FIELDS):
        return
    partner, sequence = document["partner"], document["sequence"]
    if not isinstance(partner, str) or not re.fullmatch(TEXT, partner, re.ASCII):
        found.add("must be a partner's id", field="partner", value=shown(str(partner)))
    elif type(sequence) is not int or sequence < 1:
        found.add("must be a whole number from 1", field="sequence", value=shown(str(sequence)))
    elif document["batch"] != batch_id(partner, sequence):
        found.add(f"must be {batch_id(partner, sequence)}, from partner and sequence",
                  field="batch", value=shown(str(document["batch"])))  # fmt: skip
    if document["state"] not in STATES:
        found.add(f"must be one of {', '.join(STATES)}", field="state",
                  value=shown(str(document["state"])))  # fmt: skip
    if type(document["revision"]) is not int or document["revision"] < 0:
        found.add("must be a whole number from 0", field="revision",
                  value=shown(str(document["revision"])))  # fmt: skip
    if not _whole(document.get("rerun", 0)):
        found.add("must be a whole number from 0", field="rerun",
                  value=shown(str(document["rerun"])))  # fmt: skip
    if not _head(document.get("audit")):
        found.add("must hold nth and link of the audit chain", field="audit",
                  value=shown(str(document["audit"])))  # fmt: skip
    if not isinstance(document["files"], list) or not document["files"]:
        found.add("must be a list of files", field="files")
    try:
        date.fromisoformat(document["through"])
    except (TypeError, ValueError):
        found.add("must be a date as 2026-03-31", field="through",
                  value=shown(str(document["through"])))  # fmt: skip


def _written(entry: Any, place: str, found: Findings) -> Written | None:
    if not isinstance(entry, dict):
        found.add("must be an object", field=place)
        return None
    if not _keys(entry, FILE_FIELDS, f"{place}.", found):
        return None
    sound = {
        "name": isinstance(entry["name"], str) and bool(_NAME.fullmatch(entry["name"])),
        "layout": isinstance(entry["layout"], str),
        "bytes": _whole(entry["bytes"]),
        "sha256": bool(re.fullmatch(r"[0-9a-f]{64}", str(entry["sha256"]), re.ASCII)),
        "records": _whole(entry["records"]),
        "totals": isinstance(entry["totals"], dict) and all(
            re.fullmatch(UNIT, unit, re.ASCII) and type(amount) is int
            for unit, amount in entry["totals"].items()
        ),
    }  # fmt: skip
    for field, good in sound.items():
        if not good:
            found.add(f"is no {field} of a file", field=f"{place}.{field}",
                      value=shown(str(entry[field])))  # fmt: skip
    return Written(**entry) if all(sound.values()) else None


def _head(value: object) -> bool:
    """Whether it is a head of the audit chain; None stands for a chain without links."""
    if value is None:
        return True
    if not isinstance(value, dict) or set(value) != {"nth", "link"}:
        return False
    link = isinstance(value["link"], str) and re.fullmatch(r"[0-9a-f]{64}", value["link"])
    return _whole(value["nth"]) and bool(link)


def _whole(value: object) -> bool:
    return type(value) is int and value >= 0

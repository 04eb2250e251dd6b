"""Which segments of the general ledger an account of milepost's chart is booked under."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import msgspec
import yaml

from services.kernel.errors import InvalidInput, Problem

SEGMENTS_MAX = 30


class Chart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A ledger of finance, as its YAML file says it. `segments` goes by account; `*` stands for any
    letters, and the first that matches holds. `group` and the batch's sequence make the load's id.
    """

    ledger: str
    ledger_name: str = ""
    currency: str
    source: str
    category: str
    group: str
    conversion: str = "Corporate"
    segments: dict[str, list[str]]

    def of(self, account: str) -> list[str] | None:
        """The segments of an account; None if the chart does not have it."""
        for pattern, segments in self.segments.items():
            if fnmatchcase(account, pattern):
                return segments
        return None


def read_chart(text: bytes, file: str) -> Chart:
    """The chart that a YAML document says. InvalidInput names what is wrong with it."""
    try:
        document: Any = yaml.load(text, Loader=yaml.CBaseLoader)
        chart = msgspec.convert(document, Chart, strict=False)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise InvalidInput([Problem(str(error), file=file)]) from error
    problems = [
        Problem(why, file=file, field=field, value=value)
        for field, value, why in _faults(chart)
    ]  # fmt: skip
    if problems:
        raise InvalidInput(problems)
    return chart


def _faults(chart: Chart) -> list[tuple[str, str, str]]:
    found = []
    if not (chart.group.isascii() and chart.group.isdigit()):
        found.append(("group", chart.group, "must be digits: a load's id is a number"))
    lengths: Mapping[str, int] = {name: len(parts) for name, parts in chart.segments.items()}
    for name, length in lengths.items():
        if not 1 <= length <= SEGMENTS_MAX:
            found.append((f"segments.{name}", "", f"must have 1 to {SEGMENTS_MAX} segments"))
    if len(set(lengths.values())) > 1:
        found.append(("segments", "", "all accounts must have as many segments as the others"))
    return found

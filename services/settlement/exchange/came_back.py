"""Which codes say that a member cannot be reached where a line went. Pure.

They are `schemas/answers/came-back.yaml`, by the layout of the answer. Which code counted is
recorded with the answer, so the list may grow: what came back before is not judged anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

import msgspec
import yaml


class Codes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The codes of one layout, each in words, and where they are published."""

    source: str
    codes: Mapping[str, str]


@cache
def known() -> Mapping[str, Codes]:
    """The codes by the layout of the answer. ValueError if the file has a fault."""
    text = resources.files("schemas").joinpath("answers/came-back.yaml").read_text("utf-8")
    return msgspec.convert(yaml.load(text, Loader=yaml.CBaseLoader), dict[str, Codes])


def holds(layout: str, codes: Iterable[str]) -> bool:
    """Whether one of these codes, as an answer of the layout says them, holds the member."""
    own = known().get(layout)
    return own is not None and any(code in own.codes for code in codes)

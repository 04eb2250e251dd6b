"""The layouts that a contract may name, as far as a contract needs to know them.

A layout is a page of `schemas/files`; those of money that need more than a page say are listed
here. What a file of a layout holds is settlement's affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Annotated, Any

import yaml
from pydantic import JsonValue, WithJsonSchema

UNITS, MONEY = "units", "money"
PAYOUTS: Mapping[str, str | None] = {"nacha-ccd": "USD", "nacha-ppd": "USD", "pain.001": None}
"""Layouts that pay members through a bank → the one currency that they pay, None for any."""
PAYOUT_PARTNER: Mapping[str, str] = {"pain.001": r"[A-Za-z0-9.-]{1,28}"}
"""Layout → what a partner may be called whose batches it names as messages."""
_WRITTEN_BY_HAND = dict.fromkeys(("statement-credit", *PAYOUTS), MONEY)


@cache
def layouts() -> Mapping[str, str]:
    """Layout → what it settles, units or money, in the order of their names."""
    found = dict(_WRITTEN_BY_HAND)
    for file in resources.files("schemas").joinpath("files").iterdir():
        if file.name.endswith(".yaml"):
            page: dict[str, Any] = yaml.load(file.read_text("utf-8"), Loader=yaml.CBaseLoader)
            if page["direction"] == "out":
                found[page["layout"]] = page.get("earns", UNITS)
    return dict(sorted(found.items()))


def settling(what: str) -> list[JsonValue]:
    """The layouts that settle units, or money."""
    return [name for name, earns in layouts().items() if earns == what]


Layout = Annotated[str, WithJsonSchema({"type": "string", "enum": list(layouts())})]
"""The name of a layout. Whether there is one is asked of authors only: pages come and go."""

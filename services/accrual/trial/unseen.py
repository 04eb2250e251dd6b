"""Merchants that a contract names and that no purchase on record was made at."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import NamedTuple

from services.accrual.contracts.document import Path, Plain
from services.accrual.contracts.parse import Signed
from services.accrual.lifecycle.purchase import Leg
from services.kernel.errors import Problem

ID, NAME = "merchant", "merchant_name"


class Named(NamedTuple):
    """A merchant as a contract names it, and where: by its id, or by its name with `*` at the end
    for any ending."""

    path: Path
    key: str
    value: str


def merchants_named(content: Plain | None, path: Path = ()) -> Iterator[Named]:
    """Every merchant that a contract names, wherever it stands."""
    if isinstance(content, list):
        for at, one in enumerate(content):
            yield from merchants_named(one, (*path, at))
    if not isinstance(content, dict):
        return
    for key, value in content.items():
        if key in (ID, NAME) and isinstance(value, list):
            for at, one in enumerate(value):
                if isinstance(one, str):
                    yield Named((*path, key, at), key, one)
        else:
            yield from merchants_named(value, (*path, key))


async def unseen(named: Sequence[Named], pieces: AsyncIterator[list[Leg]]) -> list[Named]:
    """Those that none of the legs was made at; stops reading once there are none."""
    ids = {one.value for one in named if one.key == ID}
    names = {one.value for one in named if one.key == NAME}
    known: set[str] = set()
    async for legs in pieces:
        ids -= {leg.merchant for leg in legs}
        fresh = {leg.merchant_name for leg in legs if leg.merchant_name} - known
        known |= fresh
        spelled = [_spelled(name) for name in fresh]
        names = {name for name in names if not any(_fits(name, one) for one in spelled)}
        if not ids and not names:
            break
    return [one for one in named if one.value in (ids if one.key == ID else names)]


def warning(signed: Signed, one: Named) -> Problem:
    """What a contract's author is told of such a merchant."""
    what = "no merchant of this name" if one.key == NAME else "no such merchant"
    why = f"{what} was ever seen on record of {signed.contract.issuer}"
    return signed.document.problem(one.path, why)


def _fits(name: str, spelled: str) -> bool:
    if name.endswith("*"):
        return spelled.startswith(_spelled(name[:-1]))
    return spelled == _spelled(name)


def _spelled(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()

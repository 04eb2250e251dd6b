"""Why a line changes an earlier one: in words, from what is behind its transfers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

_COMMANDS = {
    "activation-import": "activation imported",
    "contract-approve": "contract approved",
    "member-import": "member imported",
    "reconsider-account": "reconsidered",
    "reconsider-contract": "reconsidered",
    "review-resolve": "linked by a person",
}


class Cause(NamedTuple):
    """What posted one transfer of a line's sum: a card event of a kind or a command; `moved` says
    REJECTED or WITHDRAWN where the transfer gave back an earlier line."""

    kind: str | None = None
    command: str | None = None
    moved: str | None = None


def reason(causes: Iterable[Cause]) -> str:
    """The causes in words, each once, such as "refund" or "chargeback, reconsidered"."""
    return ", ".join(sorted({_words(cause) for cause in causes}))


def _words(cause: Cause) -> str:
    if cause.moved is None and cause.command is not None:
        return _COMMANDS.get(cause.command, cause.command)
    return (cause.moved or cause.kind or "").lower().replace("_", " ")

"""Which command is for which role. The database enforces it; this says it before, in words.

A command that is named nowhere here asks nothing of the database, or is for everyone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import wraps
from typing import Any

import typer
from typer.models import CommandInfo

from services.kernel.errors import InvalidInput, Problem

AUTHOR, APPROVER, OPERATOR, AUDITOR, PARTNER = (
    "author", "approver", "operator", "auditor", "partner",
)  # fmt: skip
SERVICES = "app"
"""The role that is taken where MILEPOST_ROLE says none: the services, and who looks after them."""
HOUSE = (AUTHOR, APPROVER, OPERATOR, AUDITOR)

MAY: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys((
        "balance", "statement", "explain", "trial-balance", "export",
        "contract list", "contract show", "contract explain", "contract diff", "contract try",
        "member show", "activation list", "review list", "period list", "audit list",
        "batch show", "batch statement", "batch journal", "batch reproduce",
        "dead-letters list", "dead-letters show",
    ), HOUSE),
    **dict.fromkeys(("verify", "answer list", "answer save"), (APPROVER, OPERATOR, AUDITOR)),
    **dict.fromkeys(("batch list", "discrepancy list"), (*HOUSE, PARTNER)),
    "contract apply": (AUTHOR,),
    **dict.fromkeys(("contract approve", "batch approve", "discrepancy approve"), (APPROVER,)),
    **dict.fromkeys((
        "member import", "activation import", "review resolve", "reconsider account",
        "reconsider contract", "settle", "batch withdraw", "batch deliver", "batch pay",
        "acknowledge", "payout import", "payout accept", "period close", "reconcile",
        "discrepancy resolve", "dead-letters replay",
    ), (OPERATOR,)),
    **dict.fromkeys(("migrate", "rebuild", "topics create", "run"), ()),
}  # fmt: skip
"""Command → the roles that it is for; of none: it wants the login that owns the database, or that
of the services, without a role."""


_present: ContextVar[str] = ContextVar("present command", default="")


def refuse(role: str, command: str) -> None:
    """Raises InvalidInput, which names the role and who may, where a command is not for it."""
    may = MAY.get(command)
    if role == SERVICES or may is None or role in may:
        return
    who = " and ".join(may) or "the owner of the database and the services, without a role"
    why = f"permission denied: `{command}` is for {who}"
    raise InvalidInput([Problem(why, field="MILEPOST_ROLE", value=role)])


def present_command() -> str:
    """The command that runs, as it is typed behind `milepost`; empty outside of one."""
    return _present.get()


def name_commands(app: typer.Typer) -> list[str]:
    """Let every command know what it is called; gives the names."""
    names = []
    for name, command in _commands(app, ()):
        names.append(name)
        if command.callback is not None:
            command.callback = _named(name, command.callback)
    return names


def _named(name: str, callback: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(callback)
    def run(*arguments: Any, **options: Any) -> Any:
        token = _present.set(name)
        try:
            return callback(*arguments, **options)
        finally:
            _present.reset(token)

    return run


def _commands(app: typer.Typer, above: tuple[str, ...]) -> Iterator[tuple[str, CommandInfo]]:
    for command in app.registered_commands:
        yield " ".join((*above, command.name or "")), command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from _commands(group.typer_instance, (*above, group.name or ""))

"""The file that the payout table is filled from: UTF-8 CSV, a row for each member and each payer.

No problem shows a name or an account.
"""

from __future__ import annotations

import csv
import io
from typing import NamedTuple

from services.kernel.errors import InvalidInput, Problem
from services.settlement.batches.payout import CHECKING, SAVINGS, Payee, Payer
from services.settlement.files import nacha, pain
from services.settlement.files.fields import shown
from services.settlement.files.nacha_records import is_routing

PAYEE, PAYER = "payee", "payer"
HEADER = ("role", "owner", "name", "bank", "account", "kind", "identifier", "bank_name")


class Account(NamedTuple):
    """One row: `owner` is the account id of a payee, the partner of a payer."""

    role: str
    owner: str
    holder: Payee | Payer


def read(content: bytes, file: str) -> list[Account]:
    """The rows of a file. InvalidInput with everything that is wrong with it."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise InvalidInput([Problem("is no CSV in UTF-8", file=file)]) from None
    if not rows or tuple(rows[0]) != HEADER:
        raise InvalidInput([Problem(f"must be the header {','.join(HEADER)}", file=file, line=1)])
    problems: list[Problem] = []
    found: dict[tuple[str, str], Account] = {}
    for line, cells in enumerate(rows[1:], 2):
        if len(cells) != len(HEADER):
            why = f"has {len(cells)} cells, a row has {len(HEADER)}"
            problems.append(Problem(why, file=file, line=line))
            continue
        given = dict(zip(HEADER, cells, strict=True))
        account, faults = _account(given)
        if (account.role, account.owner) in found:
            faults.append(("owner", "is named twice"))
        problems += [Problem(why, file=file, line=line, field=name) for name, why in faults]
        found[account.role, account.owner] = account
    if problems:
        raise InvalidInput(problems)
    return list(found.values())


def _account(given: dict[str, str]) -> tuple[Account, list[tuple[str, str]]]:
    faults: list[tuple[str, str]] = []
    role, owner = given["role"], given["owner"]
    if not owner.strip():
        faults.append(("owner", "is required"))
    if role == PAYER:
        payer = Payer(
            given["name"], given["identifier"], given["bank"], given["bank_name"], given["account"]
        )
        return Account(role, owner, payer), faults + _payer_faults(payer)
    payee = Payee(given["name"], given["bank"], given["account"], given["kind"] or CHECKING)
    if role != PAYEE:
        faults.append(("role", f"must be {PAYEE} or {PAYER}, not {shown(role)!r}"))
    if payee.kind not in (CHECKING, SAVINGS):
        faults.append(("kind", f"must be {CHECKING} or {SAVINGS}"))
    why = nacha.refusal(payee) if payee.bank.isdigit() else pain.refusal(payee)
    if why is not None:
        faults.append(("account", why))
    return Account(role, owner, payee), faults


def _payer_faults(payer: Payer) -> list[tuple[str, str]]:
    if payer.bank.isdigit():
        faults = []
        if not is_routing(payer.bank):
            faults.append(("bank", "fails its check digit"))
        if len(payer.identifier) != 10 or not payer.identifier.isalnum():
            faults.append(("identifier", "must be the ten letters and digits that the bank gave"))
        for name, text, room in (("name", payer.name, 16), ("bank_name", payer.bank_name, 23)):
            if not text or not text.isascii() or not text.isprintable() or len(text) > room:
                faults.append((name, f"must have 1 to {room} characters of ASCII"))
        return faults
    why = pain.refusal(Payee(payer.name, payer.bank, payer.account))
    return [("account", why)] if why is not None else []

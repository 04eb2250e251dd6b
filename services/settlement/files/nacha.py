"""nacha-ppd and nacha-ccd: cashback in dollars paid to members' accounts through the ACH.

One batch of credits. Nothing is charged: what members owe waits until rewards cover it.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from services.settlement.batches.payout import CHECKING, Payee, Payer, Payment
from services.settlement.files.fields import DoesNotFit, shown
from services.settlement.files.layout.codec import Value, encode
from services.settlement.files.layout.page import Field
from services.settlement.files.nacha_records import (
    ALLOWED,
    BATCH_CONTROL,
    BATCH_HEADER,
    ENTRY,
    FILE_CONTROL,
    FILE_HEADER,
    FILLER,
    HASH_DIGITS,
    LINES_IN_BLOCK,
    is_routing,
)

PPD, CCD = "nacha-ppd", "nacha-ccd"
CURRENCY = "USD"
ENDING = "ach"
CREDITS_ONLY = "220"
DESCRIPTION = "CASHBACK"
_CODES = {CHECKING: "22"}
_SAVINGS = "32"
_MODIFIERS = string.ascii_uppercase + string.digits
_ABOUT_PAYEE = {"routing number", "account", "name"}


def refusal(payee: Payee) -> str | None:
    """Why an account cannot be paid through the ACH, without saying the account; None if it can."""
    if not is_routing(payee.bank):
        return "the routing number of the payout account fails its check digit"
    values = _payee(payee)
    for field in ENTRY:
        if field.name in _ABOUT_PAYEE:
            try:
                encode(field, values[field.name], allowed=ALLOWED)
            except DoesNotFit:
                return f"the payout account has a {field.name} that the ACH does not allow"
    return None


def write(
    paid: Sequence[Payment],
    *,
    layout: str,
    payer: Payer,
    batch: str,
    sequence: int,
    through: date,
    pays_on: date,
) -> bytes:
    """The file's bytes. DoesNotFit, naming line and field, if a value has no room."""
    if not is_routing(payer.bank):
        raise DoesNotFit(f"routing number {shown(payer.bank)!r} of the payer fails its check digit")
    odfi = payer.bank[:8]
    company: dict[str, Value] = {
        "service class": CREDITS_ONLY,
        "company name": payer.name,
        "company id": payer.identifier,
        "odfi": odfi,
        "batch number": 1,
    }
    totals = _totals(paid)
    head: dict[str, Value] = {
        "destination": payer.bank,
        "origin": payer.identifier,
        "creation date": through,
        "creation time": "0000",
        "file id modifier": _MODIFIERS[(sequence - 1) % len(_MODIFIERS)],
        "destination name": payer.bank_name,
        "origin name": payer.name,
        "reference": f"{sequence:06d}",
    }
    opened = company | {
        "entry class": "PPD" if layout == PPD else "CCD",
        "description": DESCRIPTION,
        "descriptive date": f"{through:%y%m%d}",
        "effective date": pays_on,
        "discretionary": batch if len(batch) <= 20 else "",
    }
    lines = [_line(1, FILE_HEADER, head), _line(2, BATCH_HEADER, opened)]
    lines += [
        _line(nth + 2, ENTRY, _entry(payment, odfi, nth)) for nth, payment in enumerate(paid, 1)
    ]
    lines.append(_line(len(lines) + 1, BATCH_CONTROL, company | totals))
    blocks = -(-(len(lines) + 1) // LINES_IN_BLOCK)
    closed = totals | {"batches": 1, "blocks": blocks}
    lines.append(_line(len(lines) + 1, FILE_CONTROL, closed))
    lines += [FILLER] * (blocks * LINES_IN_BLOCK - len(lines))
    return "".join(line + "\n" for line in lines).encode("ascii")


def _totals(paid: Sequence[Payment]) -> dict[str, Value]:
    return {
        "entries and addenda": len(paid),
        "entry hash": entry_hash(payment.payee.bank for payment in paid),
        "debits": 0,
        "credits": sum(payment.amount for payment in paid),
    }


def entry_hash(routing: Iterable[str]) -> int:
    """The sum of the banks' first eight digits, its low ten digits."""
    return int(sum(int(number[:8]) for number in routing) % 10**HASH_DIGITS)


def _entry(payment: Payment, odfi: str, nth: int) -> dict[str, Value]:
    return _payee(payment.payee) | {
        "amount": payment.amount,
        "individual id": payment.reference,
        "addenda": "0",
        "trace": f"{odfi}{nth:07d}",
    }


def _payee(payee: Payee) -> dict[str, Value]:
    return {
        "transaction code": _CODES.get(payee.kind, _SAVINGS),
        "routing number": payee.bank,
        "account": payee.account,
        "name": payee.name,
    }


def _line(nth: int, fields: Sequence[Field], values: Mapping[str, Value]) -> str:
    cells = []
    for field in fields:
        try:
            cells.append(encode(field, values.get(field.source), allowed=ALLOWED))
        except DoesNotFit as error:
            said = f"{field.name}: the payout account does not fit"
            why = said if field.name in _ABOUT_PAYEE else str(error)
            raise DoesNotFit(f"line {nth}: {why}") from None
    return "".join(cells)

"""Notifications of change: the account that comes of what a bank asks for (NACHA C codes).

Positions in the corrected data are those of the rules for each code, from 1.
"""

from __future__ import annotations

from services.settlement.batches.payout import CHECKING, SAVINGS, Payee
from services.settlement.files import nacha

_ACCOUNT, _BANK, _KIND = "account", "bank", "kind"
_PLACES = {
    "C01": {_ACCOUNT: (1, 17)},
    "C02": {_BANK: (1, 9)},
    "C03": {_BANK: (1, 9), _ACCOUNT: (13, 29)},
    "C05": {_KIND: (1, 2)},
    "C06": {_ACCOUNT: (1, 17), _KIND: (21, 22)},
    "C07": {_BANK: (1, 9), _ACCOUNT: (10, 26), _KIND: (27, 28)},
}
_KINDS = {"22": CHECKING, "23": CHECKING, "32": SAVINGS, "33": SAVINGS}


class NotApplicable(ValueError):
    """Why a change cannot be made; says nothing of the account."""


def changed(payee: Payee, code: str, corrected: str) -> Payee:
    """The account as a bank wants it from now on. NotApplicable says why it cannot be used."""
    places = _PLACES.get(code)
    if places is None:
        raise NotApplicable(f"{code} is changed by hand: look at the bank's file and import it")
    found = {name: corrected[first - 1 : last].strip() for name, (first, last) in places.items()}
    if not all(found.values()):
        raise NotApplicable(f"what the bank asks for is not as {code} has it")
    kind = payee.kind
    if _KIND in found:
        if found[_KIND] not in _KINDS:
            raise NotApplicable(f"the transaction code of {code} is that of no account of ours")
        kind = _KINDS[found[_KIND]]
    new = Payee(payee.name, found.get(_BANK, payee.bank), found.get(_ACCOUNT, payee.account), kind)
    why = nacha.refusal(new)
    if why is not None:
        raise NotApplicable(f"the bank asks for what cannot be used: {why}")
    return new

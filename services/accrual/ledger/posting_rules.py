"""From a change of what was granted to transfers: who pays, who receives."""

from __future__ import annotations

from datetime import date

import msgspec

from services.accrual.ledger import chart
from services.accrual.ledger.transfer import Transfer, audited


class Change(msgspec.Struct, frozen=True, gc=False):
    """One funder's part of a difference of one grant. Positive: accrual, negative: clawback.

    With a `party` it is of the fee that the party takes on the grant. Changes of one `entry` belong
    to one grant, and follow each other.
    """

    entry: int
    of_stream_id: int
    of_purchase: int
    contract: str
    version: int
    rule: str
    funder: str
    unit: str
    amount: int
    governing_on: date
    effective_on: date
    available_on: date
    party: str = ""


_new = tuple.__new__  # the class itself takes its arguments through Python, for every transfer


def post(
    changes: list[Change], *, stream_id: int, seq: int, account_id: str, first_leg: int = 1
) -> list[Transfer]:
    """The transfers of one event's changes: cost → member for a grant, cost → party for a fee, back
    for a clawback."""
    member = chart.member(account_id)
    transfers: list[Transfer] = []
    entry = first = 0
    for leg, change in enumerate(changes, start=first_leg):
        cost = chart.reward_cost(change.funder)
        taker = chart.fee(change.party) if change.party else member
        amount = change.amount
        debit, credit = (cost, taker) if amount > 0 else (taker, cost)
        if change.entry != entry:
            entry, first = change.entry, leg
        transfers.append(
            audited(
                _new(Transfer, (
                    stream_id, seq, leg, first, account_id,
                    change.of_stream_id, change.of_purchase, change.contract, change.version,
                    change.rule, change.funder, change.unit, debit, credit, abs(amount),
                    change.governing_on, change.effective_on, change.available_on,
                ))
            )
        )  # fmt: skip
    return transfers

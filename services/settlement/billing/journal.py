"""The journal of a batch: its rewards as a cost, and what sealing made of them.

For each unit, contract and funder: cost to member (the rewards that this batch settles), member to
partner or payout (the seal). What is not sealed yet is in no journal; the trial balance shows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from services.accrual.ledger import chart
from services.settlement.batches.batch import Flow
from services.settlement.batches.posting import payable

MEMBERS = "member"
"""All members' accounts as one control account: journals name no member."""


class JournalEntry(NamedTuple):
    """One leg. Exactly one of `debit` and `credit` is not zero; both are minor units."""

    account: str
    unit: str
    debit: int
    credit: int
    contract: str
    funder: str
    text: str


def journal(flows: Iterable[Flow], *, partner: str) -> list[JournalEntry]:
    """The legs in a fixed order. Debits equal credits within each unit."""
    entries: list[JournalEntry] = []
    for flow in sorted(flows):
        cost, owed = chart.reward_cost(flow.funder), payable(partner, flow.unit)
        back = "" if flow.amount > 0 else " taken back"
        entries += _transfer(flow, debit=cost, credit=MEMBERS, text="rewards" + back)
        entries += _transfer(flow, debit=MEMBERS, credit=owed, text="settlement" + back)
    return entries


def _transfer(flow: Flow, *, debit: str, credit: str, text: str) -> list[JournalEntry]:
    """Two legs; an amount below zero goes the other way round."""
    if flow.amount < 0:
        debit, credit = credit, debit
    amount = abs(flow.amount)
    rest = (flow.contract, flow.funder, text)
    return [
        JournalEntry(debit, flow.unit, amount, 0, *rest),
        JournalEntry(credit, flow.unit, 0, amount, *rest),
    ]

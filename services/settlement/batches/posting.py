"""Sealing in the ledger: what a line says leaves the member and is owed to the partner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from services.accrual.ledger import chart
from services.accrual.ledger.transfer import Transfer, audited
from services.kernel.units import is_currency
from services.settlement.batches.number import Numbered

LINES_IN_EVENT_MAX = 5_000
"""A large batch is several events of the partner's stream, so that its readers work in pieces."""


def events(numbered: Sequence[Numbered], *, lines_max: int) -> list[list[Numbered]]:
    """The batch cut into events of at most `lines_max` lines; a sum is never divided."""
    cut: list[list[Numbered]] = []
    room = 0
    for found in numbered:
        if len(found.lines) > room:
            cut.append([])
            room = max(lines_max, len(found.lines))
        cut[-1].append(found)
        room -= len(found.lines)
    return cut


def payable(partner: str, unit: str) -> str:
    """Where a sealed sum goes: money to the payout, units to the partner."""
    return chart.PAYOUT_CLEARING if is_currency(unit) else chart.partner_payable(partner)


def post(
    numbered: Iterable[Numbered], *, stream_id: int, seq: int, partner: str, through: date
) -> list[Transfer]:
    """One event's transfers: for each sum, version and funder the whole of its amount.

    A part below zero goes the other way round. All are dated by the day sealed through.
    """
    transfers: list[Transfer] = []
    for found in numbered:
        key = found.sum.key
        member, owed = chart.member(key.account_id), payable(partner, key.unit)
        entry = len(transfers) + 1
        for (version, funder), amount in sorted(found.sum.parts.items()):
            if not amount:
                continue
            debit, credit = (member, owed) if amount > 0 else (owed, member)
            transfers.append(
                audited(
                    Transfer(
                        stream_id, seq, len(transfers) + 1, entry, key.account_id,
                        key.of_stream_id, key.of_purchase, key.contract, version, key.rule,
                        funder, key.unit, debit, credit, abs(amount), through, through, through,
                    )
                )
            )  # fmt: skip
    return transfers

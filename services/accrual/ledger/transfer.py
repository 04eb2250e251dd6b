"""A transfer: one debit, one credit, one amount. What does not balance cannot be built."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from services.accrual.ledger import chart
from services.kernel.errors import InvariantViolated


class Transfer(NamedTuple):
    """One row of the ledger, in the order of the table's columns. `amount` is positive."""

    stream_id: int
    seq: int
    leg: int
    entry: int
    account_id: str
    of_stream_id: int
    of_purchase: int
    contract: str
    version: int
    rule: str
    funder: str
    unit: str
    debit: str
    credit: str
    amount: int
    governing_on: date
    effective_on: date
    available_on: date


COLUMNS: tuple[str, ...] = Transfer._fields


def audited(transfer: Transfer) -> Transfer:
    """The transfer, if both accounts are declared, they differ, and the amount is positive."""
    debit, credit, amount = transfer.debit, transfer.credit, transfer.amount
    if type(amount) is not int or amount <= 0:
        raise InvariantViolated(f"a transfer of {amount!r} cannot be posted")
    if not (chart.declared(debit) and chart.declared(credit)):
        raise InvariantViolated(f"account {debit!r} or {credit!r} is not in the chart")
    if debit == credit:
        raise InvariantViolated(f"a transfer from {debit!r} to itself")
    return transfer


def deltas(transfers: Iterable[Transfer]) -> dict[tuple[str, str], int]:
    """(account, unit) → credits less debits. The values of one unit add up to zero."""
    sums: dict[tuple[str, str], int] = {}
    for transfer in transfers:
        debit, credit = (transfer.debit, transfer.unit), (transfer.credit, transfer.unit)
        sums[debit] = sums.get(debit, 0) - transfer.amount
        sums[credit] = sums.get(credit, 0) + transfer.amount
    return sums

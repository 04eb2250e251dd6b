"""What two engines are compared by when they saw the same events in other ways."""

from __future__ import annotations

from typing import Any

from services.accrual.lifecycle.net import weigh
from tests.support.audit import key_of
from tests.support.engine import EngineBook, is_fee, signed
from tests.support.lifecycles import Key


def nets(book: EngineBook) -> dict[Key, tuple[Any, ...]]:
    """Net and facts of every purchase."""
    found = {}
    for purchase in book.purchases():
        if not purchase.legs:
            continue
        net = weigh(purchase.counted)
        facts = net.first.event_id if net.first is not None else None
        found[key_of(purchase)] = (net.currency, net.net, net.over_refunded, facts)
    return found


def balances(book: EngineBook) -> dict[tuple[str, str], int]:
    """What every member has, by unit."""
    sums: dict[tuple[str, str], int] = {}
    for line in book.transfers:
        if not is_fee(line):
            key = (line.account_id, line.unit)
            sums[key] = sums.get(key, 0) + signed(line)
    return {key: amount for key, amount in sums.items() if amount}


def pure_grants(book: EngineBook) -> dict[tuple[Any, ...], int]:
    """What rules without any total granted, purchase by purchase."""
    return {
        (key_of(purchase), grant.contract, grant.version, grant.rule): grant.granted
        for purchase in book.purchases()
        for grant in purchase.grants
        if not grant.shares
    }


def stored(book: EngineBook) -> tuple[Any, ...]:
    """Every row: ledger, purchases, totals, what waits, outcomes."""
    memory = book.memory
    lines = sorted(book.transfers, key=lambda line: line[:3])
    return (lines, memory.purchases, memory.totals, memory.waits, book.outcomes)

"""What must be true of the engine's books after every event, beside the naive model's picture."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from services.accrual.ledger.transfer import Transfer, deltas
from services.accrual.lifecycle.net import weigh
from services.accrual.lifecycle.purchase import Purchase
from services.kernel.transaction import CardTransaction
from tests.support import dates
from tests.support.engine import COMMAND_ON, EngineBook, signed
from tests.support.lifecycles import Key
from tests.support.picture import Picture

LedgerKey = tuple[Any, ...]
"""purchase, contract, version, rule, unit, funder, governing date, release date"""


class Auditor:
    """Follows an engine's ledger line by line, and looks at all of it after every step."""

    def __init__(self, engine: EngineBook) -> None:
        self._engine = engine
        self._read = 0
        self._ledger: dict[LedgerKey, int] = defaultdict(int)
        self._purchases: dict[tuple[int, int], Purchase] = {}

    def look(self, picture: Picture, event: CardTransaction | None) -> None:
        """Compare everything after a step; `event` is what was recorded, None after a command."""
        self._purchases = {
            (found.stream_id, found.number): found for found in self._engine.purchases()
        }
        fresh = self._engine.transfers[self._read :]
        self._read = len(self._engine.transfers)
        for line in fresh:
            self._follow(line)
            assert line.effective_on == _effective_on(line, event, picture)
        assert {key: amount for key, amount in self._ledger.items() if amount} == picture.posted
        for found in self._purchases.values():
            _compare_purchase(found, picture)
        self._compare_totals(picture)
        sums: dict[str, int] = defaultdict(int)
        for (_, unit), amount in deltas(self._engine.transfers).items():
            sums[unit] += amount
        assert not any(sums.values()), "the ledger is out of balance"

    def _follow(self, line: Transfer) -> None:
        """Never is more taken back than was given, whatever it is counted by."""
        purchase = self._purchases[line.of_stream_id, line.of_purchase]
        key = (
            key_of(purchase), line.contract, line.version, line.rule, line.unit, line.funder,
            line.governing_on, line.available_on,
        )  # fmt: skip
        self._ledger[key] += signed(line)
        assert self._ledger[key] >= 0, f"taken below zero: {key}"

    def _compare_totals(self, picture: Picture) -> None:
        """Caps hold, each total is what its purchases add up to, and the model's."""
        sums: dict[tuple[str, Any], list[int]] = defaultdict(lambda: [0, 0])
        for purchase in self._purchases.values():
            for grant in purchase.grants:
                if grant.owner:
                    key = (grant.contract, grant.owner, grant.terms, grant.period)
                    sums[purchase.account_id, key][0] += grant.earned
                    sums[purchase.account_id, key][1] += grant.granted
        kept = {
            (account, tuple(key)): [total, granted]
            for (account, key), (_, total, granted) in self._engine.memory.totals.items()
            if total
        }
        assert kept == dict(sums)
        for (_, _, (limit, _, _, beyond, _), *_), (_, granted) in picture.worth.items():
            assert beyond or granted <= limit
        assert self._engine.totals() == {
            name: sorted(worth) for name, worth in picture.totals.items()
        }


def _compare_purchase(found: Purchase, picture: Picture) -> None:
    """Members, net, facts, and what every rule earned and granted."""
    theirs = picture.purchases[key_of(found)]
    assert {leg.event_id for leg in found.legs} == {event.event_id for event in theirs.events}
    assert found.label == theirs.label
    net = weigh(found.legs)
    if theirs.facts is None or theirs.net is None:
        assert net.first is None
        return
    assert net.first is not None
    assert net.first.event_id == theirs.facts.event_id
    assert (net.currency, net.net, net.gross) == (
        theirs.net.currency, theirs.net.net, theirs.net.gross,
    )  # fmt: skip
    assert net.over_refunded == theirs.net.over_refunded
    earned = {
        (decided.contract, int(decided.document["version"]), verdict.rule): (
            verdict.earned, verdict.granted,
        )
        for decided in picture.decided[theirs.key]
        for verdict in decided.verdicts
        if decided.document is not None and verdict.earned
    }  # fmt: skip
    assert earned == {
        (grant.contract, grant.version, grant.rule): (grant.earned, grant.granted)
        for grant in found.grants
    }


def key_of(purchase: Purchase) -> Key:
    """The engine's purchase under the model's key."""
    kind, _, name = purchase.key.partition(":")
    rooted = {"L": "lifecycle", "E": "event"}[kind]
    return (purchase.issuer_id, purchase.account_id, rooted, name)


def _effective_on(line: Transfer, event: CardTransaction | None, picture: Picture) -> date:
    """The accounting date: the event's posting date, else its own date; a command's date."""
    if event is None:
        return COMMAND_ON
    posted = dates.posting_date(event)
    if posted is not None:
        return posted
    document = next(one for one in picture.contracts if one["contract"] == line.contract)
    day = dates.governing_date({**document, "governing_date": "transaction"}, event)
    assert day is not None
    return day

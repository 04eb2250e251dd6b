"""What must be true of the engine's books after every event, beside the naive model's picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from services.accrual.engine.totals import key_of as key_of_total
from services.accrual.ledger.transfer import Transfer, deltas
from services.accrual.lifecycle.net import weigh
from services.accrual.lifecycle.purchase import Purchase
from services.kernel.transaction import CardTransaction
from tests.support import dates
from tests.support.chains import CAP
from tests.support.engine import COMMAND_ON, EngineBook, is_fee, signed
from tests.support.lifecycles import Key
from tests.support.picture import Decided, Picture

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
        if is_fee(line):
            return
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
                for share in grant.shares:
                    found = sums[purchase.account_id, tuple(key_of_total(grant, share))]
                    found[0] += share.entered
                    found[1] += share.granted
        kept = {
            (account, tuple(key)): [total, granted]
            for (account, key), (_, total, granted) in self._engine.memory.totals.items()
            if total
        }
        assert kept == {key: found for key, found in sums.items() if found[0]}
        for worth in picture.worth.values():
            if worth.link.kind == CAP and not worth.link.beyond:
                assert worth.granted <= worth.link.limit
        assert self._engine.totals() == {
            name: sorted(worth) for name, worth in picture.totals.items()
        }


def _compare_purchase(found: Purchase, picture: Picture) -> None:
    """Members, net, facts, and what every rule earned and granted."""
    if found.held or not found.legs:
        waits = {(found.issuer_id, leg.event_id) for leg in found.legs}
        assert waits <= picture.linked.waiting.keys()
        assert not found.grants
        return
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
    assert _passes(picture.decided[theirs.key]) == {
        (grant.contract, grant.version, grant.rule): (
            grant.granted,
            [(one.kind, one.owner, one.scope_id, one.period, one.granted) for one in grant.shares],
        )
        for grant in found.grants
    }


def _passes(decided: Sequence[Decided]) -> dict[tuple[str, int, str], tuple[Any, ...]]:
    """What every rule granted, and what came out of each total that it went through."""
    return {
        (one.contract, int(one.document["version"]), verdict.rule): (
            verdict.granted,
            [(p.link.kind, p.link.owner, p.scope_id, p.period, p.out) for p in verdict.passes],
        )
        for one in decided
        for verdict in one.verdicts
        if one.document is not None and verdict.entered
    }


def key_of(purchase: Purchase) -> Key:
    """The engine's purchase under the model's key."""
    kind, _, name = purchase.key.partition(":")
    rooted = {"L": "lifecycle", "E": "event", "K": "exact"}[kind]
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

"""The one place where tests drive the real engine: its own orchestration over stores in memory.

`EngineBook` records events in batches as the consumer does (repeats taken out, purchases loaded by
link, an account loaded whole when a bent total needs it), keeps what it would have stored as the
bytes it would have stored, and reconsiders accounts as a command does.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Sequence
from datetime import date
from typing import Any, TypeVar, cast

from services.accrual.adapters.event_store import declaration
from services.accrual.deciding import Decider, Sources, repeats
from services.accrual.intake import Recorded, decode
from services.accrual.ledger.transfer import Transfer
from services.accrual.lifecycle.purchase import Purchase, restore
from services.ingest.feeds.encoding import encode
from services.kernel.identifiers import identity
from services.kernel.transaction import CardTransaction
from tests.support.books import Outcome
from tests.support.dates import Row
from tests.support.memory import Memory, Place
from tests.support.picture import DueKey, FeeKey, GrantKey
from tests.support.picture import TotalKey as TotalName

COMMAND_ON = date(2026, 6, 30)
"""The recorded date of every command that a test gives."""

FEE = "fee/"
"""What the accounts of those who take a commission begin with."""
Answer = TypeVar("Answer")


class EngineBook:
    """The engine as a `Book`. Streams are partitions: `partition_of` gives an account's."""

    def __init__(self, *, partitions: int = 1) -> None:
        self.memory = Memory()
        self.partitions = partitions
        self.transfers: list[Transfer] = []
        self.outcomes: dict[Place, Outcome] = {}
        self._next_seq = dict.fromkeys(range(partitions), 1)
        self._stream_of: dict[str, int] = {}
        memory: Any = self.memory
        self._decider = Decider(memory, memory, memory)
        self._sources = Sources(memory, memory)

    def record(self, event: CardTransaction, role: str = "books") -> Outcome:
        """Record one event as a batch of its own."""
        return self.record_batch([(event, role)])[0]

    def record_batch(self, batch: Sequence[tuple[CardTransaction, str]]) -> list[Outcome]:
        """Record events in one batch, as the consumer's handler does."""
        recorded = [self._take_place(event, role) for event, role in batch]
        held = _drive(self.memory.by_identity(None, [found.identity for found in recorded]))
        fresh, repeated = repeats(recorded, held)
        for found in fresh:
            exact = declaration(found.event)
            self.memory.identities[found.identity] = (
                found.stream_id, found.seq, found.body, exact
            )  # fmt: skip
        decided, _ = _drive(self._decider.decide(self._sources, fresh, revision=0))
        assert not decided.failed, decided.failed
        decided.outcomes.update(repeated)
        self.memory.save(decided, {(found.stream_id, found.seq): found for found in recorded})
        self.transfers.extend(decided.transfers)
        self.outcomes.update(decided.outcomes)
        return [decided.outcomes[found.stream_id, found.seq] for found in recorded]

    def import_members(self, rows: Sequence[Row]) -> None:
        """Import member rows and reconsider their accounts."""
        self.memory.imports.append(rows)
        self._reconsider({str(row["account_id"]) for row in rows})

    def activate(self, rows: Sequence[Row]) -> None:
        """Import activations and reconsider their accounts."""
        self.memory.activations.append(rows)
        self._reconsider({str(row["account_id"]) for row in rows})

    def approve(self, document: str) -> None:
        """Approve a contract file and reconsider every account."""
        self.memory.approve(document)
        self._reconsider(self._stream_of)

    def purchases(self) -> list[Purchase]:
        """Every purchase, as stored."""
        return [
            restore(
                stream_id=stream, number=number, issuer_id=issuer, account_id=account, body=body
            )
            for (stream, number), (account, issuer, _, body) in self.memory.purchases.items()
        ]

    def grants(self) -> dict[GrantKey, int]:
        """What the ledger's transfers come to, purchase by purchase; no zeros."""
        sums: dict[GrantKey, int] = {}
        for (*grant, _), amount in self.due().items():
            key = cast(GrantKey, tuple(grant))
            sums[key] = sums.get(key, 0) + amount
        return {key: amount for key, amount in sums.items() if amount}

    def due(self) -> dict[DueKey, int]:
        """The same by the date on which it becomes available; no zeros."""
        found = {(one.stream_id, one.number): one for one in self.purchases()}
        sums: dict[DueKey, int] = {}
        for line in self.transfers:
            if is_fee(line):
                continue
            purchase = found[line.of_stream_id, line.of_purchase]
            key = (
                line.account_id, purchase.issuer_id, purchase.label, line.contract, line.version,
                line.rule, line.unit, line.funder, line.available_on,
            )  # fmt: skip
            sums[key] = sums.get(key, 0) + signed(line)
        return {key: amount for key, amount in sums.items() if amount}

    def fees(self) -> dict[FeeKey, int]:
        """The commission on every grant, by party and funder; no zeros."""
        found = {(one.stream_id, one.number): one for one in self.purchases()}
        sums: dict[FeeKey, int] = {}
        for line in self.transfers:
            if not is_fee(line):
                continue
            paid = line.credit.startswith(FEE)
            purchase = found[line.of_stream_id, line.of_purchase]
            party = (line.credit if paid else line.debit).removeprefix(FEE)
            key = (
                line.account_id, purchase.issuer_id, purchase.label, line.contract, line.version,
                line.rule, line.unit, party, line.funder,
            )  # fmt: skip
            sums[key] = sums.get(key, 0) + (line.amount if paid else -line.amount)
        return {key: amount for key, amount in sums.items() if amount}

    def totals(self) -> dict[TotalName, list[int]]:
        """F(T) of every total, sorted; no zeros."""
        found: dict[TotalName, list[int]] = {}
        for (account, key), (unit, _, granted) in self.memory.totals.items():
            if granted:
                scope = self.memory.scopes[account, key]
                name = (key.contract, key.owner, key.kind, scope, key.scope_id, key.period, unit)
                found.setdefault(name, []).append(granted)
        return {name: sorted(worth) for name, worth in found.items()}

    def waiting(self) -> dict[tuple[str, str], str]:
        """What waits for an original."""
        events = [decode(*held) for held in self.memory.waits.values()]
        found = {(event.issuer_id, event.event_id) for event in events}
        for one in self.purchases():
            found |= {(one.issuer_id, leg.event_id) for leg in one.legs if one.held}
        return dict.fromkeys(found, "MISSING_ORIGINAL")

    def _take_place(self, event: CardTransaction, role: str) -> Recorded:
        stream = self._stream_of.setdefault(
            event.account_id, len(self._stream_of) % self.partitions
        )
        seq = self._draw(stream)
        key = identity(role, event.issuer_id, event.event_id)
        return Recorded(stream, seq, seq - 1, 0, None, role, encode(event), key, event)

    def _draw(self, stream: int) -> int:
        seq = self._next_seq[stream]
        self._next_seq[stream] = seq + 1
        return seq

    def _reconsider(self, accounts: Iterable[str]) -> None:
        """Append one command to each stream concerned, and decide its accounts anew."""
        by_stream: dict[int, list[str]] = {}
        for account in sorted(set(accounts) & self._stream_of.keys()):
            by_stream.setdefault(self._stream_of[account], []).append(account)
        for stream, names in sorted(by_stream.items()):
            decided, _ = _drive(
                self._decider.reconsider(
                    self._sources, names, stream_id=stream, seq=self._draw(stream), on=COMMAND_ON,
                    revision=0,
                )
            )  # fmt: skip
            self.memory.save(decided, {})
            self.transfers.extend(decided.transfers)


def is_fee(line: Transfer) -> bool:
    """Whether it is of a commission on a grant, and not of the grant."""
    return line.credit.startswith(FEE) or line.debit.startswith(FEE)


def signed(line: Transfer) -> int:
    """A transfer's amount from the member's side."""
    return line.amount if line.credit.startswith("member/") else -line.amount


def _drive(coroutine: Coroutine[Any, Any, Answer]) -> Answer:
    """Run a coroutine that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        answer: Answer = done.value
        return answer
    raise AssertionError("a store in memory does not wait")

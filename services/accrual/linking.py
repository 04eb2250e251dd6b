"""`review resolve`: a person links an event that waits to a purchase of its account.

From then on it counts as if it had named the event that it is linked to. The link is the event of
the command, in the account's stream and with its inputs; the account is decided anew, and only
differences are posted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.accrual.batch import Loaded
from services.accrual.deciding import Sources
from services.accrual.facts import STATEMENT_SECONDS, Facts
from services.accrual.intake import decode
from services.accrual.links import COMMAND, link_identity, links_of
from services.accrual.reconsider import Difference, lock_streams
from services.kernel.errors import InvalidInput, Problem
from services.kernel.identifiers import identity
from services.kernel.transaction import CardTransaction, Role
from services.runtime.database import Connection
from services.runtime.stream_position import draw

EVENT, PURCHASE = "ISSUER/EVENT_ID", "--purchase"
"""How the command names what it is given."""


@dataclass(frozen=True, slots=True)
class Found:
    """A recorded event that the command names."""

    field: str
    name: str
    stream_id: int
    seq: int
    event: CardTransaction

    def refused(self, why: str) -> InvalidInput:
        """What is wrong with it."""
        return InvalidInput([Problem(why, field=self.field, value=self.name)])


@dataclass(frozen=True, slots=True)
class Resolved:
    """A link that was recorded, the purchase that it leads to, and what that posted."""

    account_id: str
    purchase: str
    difference: Difference


@dataclass(frozen=True, slots=True)
class Linking:
    """Links events, with the stores of the commands over facts."""

    facts: Facts

    async def resolve(self, event: str, purchase: str, *, by: str, on: date) -> Resolved:
        """Link the event `issuer/id` to the purchase that the event of the other name is in.

        Raises InvalidInput, which names the field and why, when that cannot be; then nothing is
        recorded.
        """
        if not by.strip():
            raise InvalidInput([Problem("is no name", field="--by", value=by)])
        database = self.facts.database
        async with database.connection() as connection:
            stream_id = (await self._find(connection, EVENT, event)).stream_id
        async with database.transaction(
            statement_seconds=STATEMENT_SECONDS, lock_seconds=STATEMENT_SECONDS
        ) as connection:
            await lock_streams(connection, [stream_id])
            found = await self._find(connection, EVENT, event)
            to = await self._find(connection, PURCHASE, purchase)
            _demand_fit(found, to)
            await self._demand_waiting(connection, found, to)
            return await self._record(connection, found, to, by=by, on=on)

    async def _find(self, connection: Connection, field: str, name: str) -> Found:
        issuer_id, _, event_id = name.partition("/")
        if not issuer_id or not event_id:
            why = "is not ISSUER/EVENT_ID, such as first-bank/R1"
            raise InvalidInput([Problem(why, field=field, value=name)])
        books, compare = (
            identity(role, issuer_id, event_id) for role in (Role.BOOKS, Role.COMPARE)
        )
        events = self.facts.reconsideration.decider.events
        held = await events.by_identity(connection, [books, compare])
        if books in held:
            stream_id, seq, body, _ = held[books]
            return Found(field, name, stream_id, seq, decode(body))
        why = "is not recorded: `milepost review list` shows what waits"
        if compare in held:
            why = "came from a feed for comparison: it enters no purchase"
        raise InvalidInput([Problem(why, field=field, value=name)])

    async def _demand_waiting(self, connection: Connection, found: Found, to: Found) -> None:
        """The event waits, and what it is linked to does not."""
        decider = self.facts.reconsideration.decider
        loaded = {found.event.account_id: Loaded()}
        await decider.state.load_waiting(connection, loaded)
        account = loaded[found.event.account_id]
        failed = {waiting.seq for waiting in account.failed}
        for one in (found, to):
            if one.seq in failed:
                again = f"milepost reconsider account {one.event.account_id}"
                raise one.refused(f"broke its decision: `{again}` comes first")
        await decider.state.load_accounts(connection, loaded)
        waits = {waiting.seq for waiting in account.waiting}
        for purchase in account.restored(found.event.account_id):
            waits |= {leg.seq for leg in purchase.legs} if purchase.held else set()
        if found.seq not in waits:
            key = link_identity(found.event.issuer_id, found.event.event_id)
            held = await decider.events.by_identity(connection, [key])
            linked = "is linked already" if held else "is in a purchase already"
            raise found.refused(f"{linked}: `milepost explain {found.name}` shows it")
        if to.seq in waits:
            raise to.refused("is in no purchase: it waits itself, so the link would lead nowhere")

    async def _record(
        self, connection: Connection, found: Found, to: Found, *, by: str, on: date
    ) -> Resolved:
        """Append the command's event, decide the account anew, and save what that changes."""
        reconsideration = self.facts.reconsideration
        decider, account_id = reconsideration.decider, found.event.account_id
        inputs = {
            "command": COMMAND, "issuer": found.event.issuer_id, "event": found.event.event_id,
            "linked_to": to.event.event_id, "by": by, "on": on.isoformat(),
            "accounts": [account_id],
        }  # fmt: skip
        revision = await decider.facts.revision(connection)
        seq = await draw(connection, found.stream_id, 1)
        decided, loaded = await decider.reconsider(
            Sources(connection, connection), [account_id], stream_id=found.stream_id, seq=seq,
            on=on, revision=revision, links=links_of(inputs),
        )  # fmt: skip
        await decider.state.save(connection, decided, {}, loaded)
        await reconsideration.ledger.save_transfers(connection, decided.transfers)
        await reconsideration.commands.save_command(
            connection, stream_id=found.stream_id, seq=seq, on=on, inputs=inputs, revision=revision
        )
        key = link_identity(found.event.issuer_id, found.event.event_id)
        await decider.events.save_link(connection, key, stream_id=found.stream_id, seq=seq)
        difference = Difference()
        difference.absorb(decided)
        label = next(
            purchase.label
            for account in decided.accounts
            for purchase in account.purchases.values()
            if any(leg.seq == found.seq for leg in purchase.legs)
        )
        return Resolved(account_id, label, difference)


def _demand_fit(found: Found, to: Found) -> None:
    """Both are events of one issuer and account, and a reversal names what it reverses."""
    event, other = found.event, to.event
    if event.issuer_id != other.issuer_id:
        raise to.refused(f"is of another issuer than {found.name}")
    if event.account_id != other.account_id or found.stream_id != to.stream_id:
        raise to.refused(f"is an event of another account than {found.name}")
    if event.event_id == other.event_id:
        raise to.refused("is the event itself: name one of the purchase that it belongs to")
    reversed_kind, is_reversal, _ = event.kind.rpartition("_REVERSAL")
    if is_reversal and other.kind != reversed_kind:
        wanted = reversed_kind.lower().replace("_", " ")
        raise to.refused(f"is no {wanted}: name the {wanted} that {found.name} reverses")

"""Load what a batch's decisions need, decide, and hand back what changed. One orchestration for
the consumer, the commands and the rebuild.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.accrual.batch import (
    Decided,
    LinkKey,
    Loaded,
    by_account,
    compare_outcome,
    decide_account,
    exact_keys,
    link_keys,
    reconsider_account,
)
from services.accrual.contracts.book import Book
from services.accrual.engine.eligibility import Enrolments
from services.accrual.engine.reasons import Outcome
from services.accrual.engine.totals import NeedsHistory
from services.accrual.intake import Recorded, decode
from services.accrual.lifecycle.matching import UNLINKED, Links, as_linked, stub_of
from services.accrual.links import Found, link_identity, links_among
from services.accrual.ports import EventStore, FactStore, StateStore
from services.accrual.reach import total_keys
from services.kernel.identifiers import identity
from services.kernel.transaction import COMPARE, CardTransaction, Role
from services.runtime.database import Connection
from services.runtime.failpoint import failpoint

Named = tuple[str, str, str]
"""Account, issuer and id of an event that another one names."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where events and facts are read, and where state is: a rebuild has another place for it."""

    events: Connection
    state: Connection


@dataclass(frozen=True, slots=True)
class Decider:
    """The stores that a decision reads."""

    events: EventStore
    state: StateStore
    facts: FactStore

    async def decide(
        self, sources: Sources, recorded: Sequence[Recorded], *, revision: int
    ) -> tuple[Decided, dict[str, Loaded]]:
        """Decide events that are new (no duplicates among them), in recorded order."""
        decided = Decided()
        for event in recorded:
            if event.role == COMPARE:
                decided.outcomes[event.stream_id, event.seq] = compare_outcome()
        grouped = by_account(recorded)
        book = await self.facts.book(sources.events, revision)
        failpoint("deciding: contracts")
        rosters = await self.facts.rosters(sources.events, list(grouped), revision)
        failpoint("deciding: enrolments")
        loaded = {account_id: Loaded() for account_id in grouped}
        await self._load(sources, grouped, loaded, book=book, rosters=rosters)
        deep = _decide_each(grouped, loaded, book, rosters, decided)
        if deep:
            chosen = {name: grouped[name] for name in deep}
            for name in deep:
                loaded[name].linked = frozenset(loaded[name].purchases)
            await self._complete(sources, chosen, loaded, book=book, rosters=rosters)
            _decide_each(chosen, loaded, book, rosters, decided)
        return decided, loaded

    async def reconsider(
        self,
        sources: Sources,
        accounts: Sequence[str],
        *,
        stream_id: int,
        seq: int,
        on: date,
        revision: int,
        links: Links = UNLINKED,
    ) -> tuple[Decided, dict[str, Loaded]]:
        """Decide all purchases of these accounts anew, as part of the command under `seq`.

        `links` are those that this very command records.
        """
        decided = Decided()
        book = await self.facts.book(sources.events, revision)
        rosters = await self.facts.rosters(sources.events, accounts, revision)
        loaded = {account_id: Loaded() for account_id in accounts}
        await self.state.load_waiting(sources.state, loaded)
        named = _named(
            as_linked(waiting.event, links)
            for found in loaded.values()
            for waiting in (*found.failed, *(found.waiting if links else ()))
        )
        before = dict.fromkeys(accounts, (stream_id, seq))
        await self._load_originals(sources, named, loaded, before=before)
        nothing: dict[str, list[Recorded]] = {name: [] for name in accounts}
        await self._complete(sources, nothing, loaded, book=book, rosters=rosters)
        for account_id in sorted(accounts):
            decided.absorb(
                reconsider_account(
                    account_id, loaded[account_id], stream_id=stream_id, seq=seq,
                    first_leg=len(decided.transfers) + 1, on=on, book=book,
                    enrolments=rosters[account_id], links=links,
                )
            )  # fmt: skip
        return decided, loaded

    async def _load(
        self,
        sources: Sources,
        grouped: Mapping[str, list[Recorded]],
        loaded: dict[str, Loaded],
        *,
        book: Book,
        rosters: Mapping[str, Enrolments],
    ) -> None:
        await self.state.load_waiting(sources.state, loaded)
        failpoint("deciding: waiting events")
        named = _named(found.event for events in grouped.values() for found in events)
        before = {
            account_id: (grouped[account_id][0].stream_id, grouped[account_id][0].seq)
            for account_id, _, _ in named
        }
        await self._load_originals(sources, named, loaded, before=before)
        await self.state.load_links(sources.state, link_keys(grouped, loaded), loaded)
        failpoint("deciding: purchases")
        await self._load_tied(sources, grouped, loaded)
        await self._load_totals(sources, grouped, loaded, book=book, rosters=rosters)

    async def _load_tied(
        self,
        sources: Sources,
        grouped: Mapping[str, list[Recorded]],
        loaded: Mapping[str, Loaded],
    ) -> None:
        """Read the purchases that exact keys of a batch lead to, and those that these lead to."""
        tied = [name for name, events in grouped.items() if _is_tied(events, loaded[name])]
        asked: set[LinkKey] = set()
        while tied:
            wanted = {
                key for name in tied for key in exact_keys(name, grouped[name], loaded[name])
            } - asked  # fmt: skip
            if not wanted:
                break
            asked |= wanted
            await self.state.load_exact(sources.state, sorted(wanted), loaded)
            failpoint("deciding: exact keys")
        for name in tied:
            loaded[name].tied = True

    async def _complete(
        self,
        sources: Sources,
        grouped: Mapping[str, list[Recorded]],
        loaded: dict[str, Loaded],
        *,
        book: Book,
        rosters: Mapping[str, Enrolments],
    ) -> None:
        """Load all of these accounts."""
        chosen = {account_id: loaded[account_id] for account_id in grouped}
        await self.state.load_accounts(sources.state, chosen)
        failpoint("deciding: whole accounts")
        await self._load_totals(sources, grouped, loaded, book=book, rosters=rosters)

    async def _load_totals(
        self,
        sources: Sources,
        grouped: Mapping[str, list[Recorded]],
        loaded: dict[str, Loaded],
        *,
        book: Book,
        rosters: Mapping[str, Enrolments],
    ) -> None:
        wanted = {
            account_id: total_keys(
                account_id,
                events,
                loaded[account_id],
                book=book,
                enrolments=rosters[account_id],
            )
            for account_id, events in grouped.items()
        }
        await self.state.load_totals(sources.state, wanted, loaded)
        failpoint("deciding: totals")

    async def _load_originals(
        self,
        sources: Sources,
        named: set[Named],
        loaded: Mapping[str, Loaded],
        *,
        before: Mapping[str, tuple[int, int]],
    ) -> None:
        """Read recorded events that others name, and those that these name, as far as needed.

        Only events, and links, of the same account and stream recorded before `before` count.
        """
        asked: set[Named] = set()
        while named:
            asked |= named
            wanted = {identity(Role.BOOKS, issuer, event_id) for _, issuer, event_id in named}
            linking = {link_identity(issuer, event_id) for _, issuer, event_id in named}
            found = await self.events.by_identity(sources.events, [*wanted, *linking])
            failpoint("deciding: originals")
            links = links_among(found, linking, before)
            named = set()
            for stream_id, seq, body, exact in (found[key] for key in wanted if key in found):
                event = as_linked(decode(body, exact), links)
                account_id = event.account_id
                if (account_id, event.issuer_id, event.event_id) not in asked:
                    continue  # Named by other accounts only, to whom it is not there.
                limit = before[account_id]
                if stream_id != limit[0] or seq >= limit[1]:
                    continue
                loaded[account_id].known[event.issuer_id, event.event_id] = stub_of(event)
                named |= _named([event]) - asked


def _named(events: Iterable[CardTransaction]) -> set[Named]:
    """What linking must look up for events: an original, where no lifecycle id says it all."""
    return {
        (event.account_id, event.issuer_id, event.original_event_id)
        for event in events
        if event.lifecycle_id is None and event.original_event_id is not None
    }


def _is_tied(events: Iterable[Recorded], loaded: Loaded) -> bool:
    """Whether anything that a batch knows of an account has exact keys."""
    return (
        any(found.event.exact for found in events)
        or any(stub.keys for stub in loaded.known.values())
        or any(found.event.exact for found in (*loaded.waiting, *loaded.failed))
    )


def _decide_each(
    grouped: Mapping[str, list[Recorded]],
    loaded: Mapping[str, Loaded],
    book: Book,
    rosters: Mapping[str, Enrolments],
    decided: Decided,
) -> list[str]:
    """Decide account by account; gives those that need all of their purchases first."""
    deep: list[str] = []
    for account_id, events in grouped.items():
        try:
            decided.absorb(
                decide_account(
                    account_id, events, loaded[account_id], book=book,
                    enrolments=rosters[account_id],
                )
            )  # fmt: skip
        except NeedsHistory:
            deep.append(account_id)
    return deep


def repeats(
    recorded: Iterable[Recorded], held: Found
) -> tuple[list[Recorded], dict[tuple[int, int], tuple[str, str | None]]]:
    """Divide events into new ones and repeats of one that is recorded, in `held` or before it.

    The same canonical bytes again are a DUPLICATE, other bytes a CONFLICT.
    """
    first: dict[bytes, bytes] = {key: body for key, (_, _, body, _) in held.items()}
    fresh: list[Recorded] = []
    outcomes: dict[tuple[int, int], tuple[str, str | None]] = {}
    for event in recorded:
        body = first.get(event.identity)
        if body is None:
            first[event.identity] = event.body
            fresh.append(event)
        else:
            same = body == event.body
            outcome = Outcome.DUPLICATE if same else Outcome.CONFLICT
            outcomes[event.stream_id, event.seq] = (outcome, None)
    return fresh, outcomes

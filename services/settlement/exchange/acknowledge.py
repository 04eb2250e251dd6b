"""Takes in an answer: every line's outcome, or everything that is wrong and nothing moves.

The same file again changes nothing, nor does a line that is told the same twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.kernel.errors import InvalidInput, Problem
from services.settlement.batches.follow import ACKNOWLEDGE, FollowUp
from services.settlement.exchange.recognise import Expected, Heard
from services.settlement.following import apply
from services.settlement.ports import ChangeStore, LifeStore


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file as it came. `name` is only shown."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Hex."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What came of an answer; `fresh` is how many times a line was told something new.

    `changes` counts the accounts that a bank asks to have changed: each waits for a person.
    """

    batches: tuple[str, ...]
    outcomes: Mapping[str, int]
    fresh: int
    changes: int = 0

    @property
    def batch(self) -> str:
        """The first batch that is answered, nearly always the only one."""
        return self.batches[0]


async def acknowledge(
    incoming: Incoming,
    expected: Sequence[Expected],
    *,
    by: str,
    on: date,
    store: LifeStore,
    changes: ChangeStore,
) -> Acknowledged:
    """Record what the answer says of each line, and post what follows.

    A rejected line is given back to its member and due at once; a merge becomes the partner's new
    number of the member; another account that a bank asks for is kept for a person, who decides.
    Raises InvalidInput with every problem; then nothing has moved.
    """
    if not by.strip():
        raise InvalidInput([Problem("say who brings it in", field="--by", value=by)])
    problems: list[Problem] = []
    heard: list[tuple[Expected, Heard]] = []
    for one in expected:
        standing = await store.standing(one.header)
        heard.append((one, one.read(standing, problems)))
    if problems:
        raise InvalidInput(problems)
    repeated = await store.answer(expected[0].header.partner, incoming.sha256) is not None
    outcomes: dict[str, int] = {}
    fresh = asked = 0
    for one, found in heard:
        for told in found.told:
            outcomes[told.outcome] = outcomes.get(told.outcome, 0) + 1
        if not repeated:
            fresh += sum(len(told) for told in found.fresh)
            await _apply(incoming, one, found, by=by, on=on, store=store)
            asked += await changes.propose(one.header, found.changes, by=by, on=on)
    batches = tuple(one.header.batch for one in expected)
    return Acknowledged(batches, dict(sorted(outcomes.items())), fresh, asked)


async def _apply(
    incoming: Incoming, expected: Expected, heard: Heard, *, by: str, on: date, store: LifeStore
) -> None:
    because = {"file": incoming.name, "sha256": incoming.sha256, "layout": expected.layout,
               "bytes": str(len(incoming.content))}  # fmt: skip
    for nth, fresh in enumerate(heard.fresh or [()]):
        if nth and not fresh:
            continue
        # A round stands on what the one before it has posted.
        standing = await store.standing(expected.header)
        facts = await store.facts(new=any(one.number for one in fresh))
        header = standing.header
        command = FollowUp(
            ACKNOWLEDGE, header.batch, header.partner, by, on, facts, because, tuple(fresh)
        )
        await apply(command, standing, store)

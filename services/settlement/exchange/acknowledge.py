"""Takes in a partner's answer: every line's outcome, or everything that is wrong and nothing moves.

The same file again changes nothing, nor does a line that is told the same twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.kernel.errors import InvalidInput, Problem
from services.settlement.batches.batch import ANSWERED, SENT, Header
from services.settlement.batches.follow import ACKNOWLEDGE, Following, FollowUp
from services.settlement.batches.line import batch_id
from services.settlement.batches.outcome import UNKNOWN, Told
from services.settlement.exchange import air_miles_audit, page_answer
from services.settlement.files.file import File
from services.settlement.following import apply
from services.settlement.ports import BatchStore, LifeStore
from services.settlement.seal import recompute

TWIN_ENDING = {air_miles_audit.SENT_AS: ".csv"}
"""Layouts whose batches have a second file, which nobody answers."""


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
    """What came of an answer; `fresh` is how many lines were told something new."""

    batch: str
    outcomes: Mapping[str, int]
    fresh: int


async def expected(
    incoming: Incoming, partner: str, store: BatchStore
) -> tuple[Header, list[File]]:
    """The batch that a file says it answers, with the files that were sent of it.

    Raises InvalidInput when it is no answer, or answers nothing that was sent to this partner.
    """
    by_page = page_answer.is_answer(incoming.content)
    kind = page_answer if by_page else air_miles_audit
    sequence = kind.sequence_of(incoming.content)
    if sequence is None:
        why = (
            "is no answer of a layout that we read: it does not begin with a TH "
            "record, nor with HDR;MILEAGE-ANSWER"
        )
        raise InvalidInput([Problem(why, file=incoming.name, line=1)])
    name = batch_id(partner, sequence)
    found = await store.headers(batch=name)
    if not found or found[0].state not in (SENT, ANSWERED):
        state = f"{name} is {found[0].state}" if found else f"there is no {name}"
        raise InvalidInput([
            Problem(f"{state}: it was never sent to {partner}", file=incoming.name, line=1,
                    field="transmission sequence (13-18)", value=str(sequence))
        ])  # fmt: skip
    files = [
        file
        for file in await recompute(name, store)
        if file.layout in kind.ANSWERS and not file.name.endswith(TWIN_ENDING.get(file.layout, "-"))
    ]
    if not files:
        why = f"{name} went out in no layout that is answered like this"
        raise InvalidInput([Problem(why, file=incoming.name, line=1)])
    return found[0], files


async def acknowledge(
    incoming: Incoming, header: Header, sent: Sequence[File], *, by: str, on: date, store: LifeStore
) -> Acknowledged:
    """Record what the answer says of each line, and post what follows.

    A rejected line is given back to its member and due at once; a merge becomes the partner's new
    number of the member. Raises InvalidInput with every problem; then nothing has moved.
    """
    if not by.strip():
        raise InvalidInput([Problem("say who brings it in", field="--by", value=by)])
    standing = await store.standing(header)
    told = _read(incoming, sent, standing)
    fresh = _news(told, standing, incoming.name)
    outcomes: dict[str, int] = {}
    for one in told:
        outcomes[one.outcome] = outcomes.get(one.outcome, 0) + 1
    repeated = await store.answer(header.partner, incoming.sha256) is not None
    if not repeated:
        because = {"file": incoming.name, "sha256": incoming.sha256,
                   "layout": _layout_of(incoming),
                   "bytes": str(len(incoming.content))}  # fmt: skip
        facts = await store.facts(new=any(one.number for one in fresh))
        command = FollowUp(
            ACKNOWLEDGE, header.batch, header.partner, by, on, facts, because, tuple(fresh)
        )
        await apply(command, standing, store)
    return Acknowledged(header.batch, dict(sorted(outcomes.items())), 0 if repeated else len(fresh))


def _read(incoming: Incoming, sent: Sequence[File], standing: Following) -> tuple[Told, ...]:
    """The lines of the answer. A batch has a file for each unit and provider: one must fit."""
    if page_answer.is_answer(incoming.content):
        lines = {
            number: line
            for number, line in standing.lines.items()
            if standing.layout_of(line) in page_answer.ANSWERS
        }
        answers = [
            page_answer.read(
                incoming.content, incoming.name, batch=standing.header.batch, lines=lines
            )
        ]
    else:
        answers = _audits(incoming, sent, standing)
    best = min(answers, key=lambda answer: len(answer.problems))
    if best.problems:
        raise InvalidInput(best.problems)
    return best.told


def _audits(
    incoming: Incoming, sent: Sequence[File], standing: Following
) -> list[air_miles_audit.Answer]:
    return [
        air_miles_audit.read(
            incoming.content, incoming.name, sent=file.content, lines=standing.lines
        )
        for file in sent
    ]


def _layout_of(incoming: Incoming) -> str:
    by_page = page_answer.is_answer(incoming.content)
    return page_answer.LAYOUT if by_page else air_miles_audit.LAYOUT


def _news(told: Sequence[Told], standing: Following, file: str) -> list[Told]:
    """The lines that are told something new. One that was told otherwise before is a problem."""
    fresh: list[Told] = []
    problems: list[Problem] = []
    for number, one in enumerate(told, 2):
        before = standing.said.get(one.line) or standing.latest.get(one.line)
        if before is None or before.outcome == UNKNOWN:
            fresh.append(one)
        elif not before.repeats(one):
            why = f"line {one.line} was answered {before.outcome} before, now {one.outcome}"
            problems.append(Problem(why, file=file, line=number, field="status (126)"))
    if problems:
        raise InvalidInput(problems)
    return fresh

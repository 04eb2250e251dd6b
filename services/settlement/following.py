"""Withdraw a batch, or pay it: commands on what was sealed, inside one database transaction."""

from __future__ import annotations

from datetime import date

from services.kernel.errors import InvalidInput, Problem
from services.settlement.batches.batch import ANSWERED, APPROVED, SEALED, SENT, WITHDRAWN, Header
from services.settlement.batches.follow import (
    PAY,
    WITHDRAW,
    Following,
    FollowUp,
    post,
)
from services.settlement.batches.outcome import (
    GIVEN_BACK,
    PAID,
    REJECTED,
    UNKNOWN,
    Told,
)
from services.settlement.exchange.answers import BY_LINE
from services.settlement.ports import LifeStore


async def apply(command: FollowUp, standing: Following, store: LifeStore) -> None:
    """Record a command, event by event, and post and store what follows from each."""
    for event in command.events():
        place = await store.record(event, standing.header.stream_id)
        transfers, moves = post(event, standing, place)
        await store.save(event, standing, place, transfers, moves)


async def withdraw(header: Header, *, by: str, on: date, reason: str, store: LifeStore) -> bool:
    """Give everything that was sealed back to the members; False if that was done before.

    The batch's number stays in the sequence; what it held is due at once, and is sealed anew in
    lines that name the old. Raises InvalidInput for a batch that was sent.
    """
    _demand(by, "--by", "say who withdraws")
    _demand(reason, "--reason", "say why")
    standing = await store.standing(header)
    header = standing.header
    if header.state == WITHDRAWN:
        return False
    if header.state not in (SEALED, APPROVED):
        why = f"{header.batch} is {header.state}: what the partner has seen cannot be withdrawn"
        raise InvalidInput([Problem(why, field="ID", value=header.batch)])
    told = tuple(Told(line, GIVEN_BACK) for line in standing.lines if standing.shares[line])
    facts = await store.facts(new=False)
    command = FollowUp(
        WITHDRAW, header.batch, header.partner, by, on, facts, {"reason": reason}, told
    )
    await apply(command, standing, store)
    return True


async def pay(header: Header, *, by: str, on: date, reference: str, store: LifeStore) -> int:
    """Record that what the partner took has been paid: payable → bank. Gives the lines paid.

    Lines that were rejected or paid before are left out; 0 when this reference is recorded, or
    nothing is left. Raises InvalidInput for a batch that was not sent, and for lines that wait
    for an answer where the layout has one.
    """
    _demand(by, "--by", "say who pays")
    _demand(reference, "--reference", "say by which payment, as the bank names it")
    standing = await store.standing(header)
    header = standing.header
    if await store.payment(header.batch, reference):
        return 0
    if header.state not in (SENT, ANSWERED):
        why = f"{header.batch} is {header.state}: it must be sent first"
        raise InvalidInput([Problem(why, field="ID", value=header.batch)])
    told = tuple(Told(line, PAID) for line in _payable(standing))
    if told:
        facts = await store.facts(new=False)
        command = FollowUp(
            PAY, header.batch, header.partner, by, on, facts, {"reference": reference}, told
        )
        await apply(command, standing, store)
    return len(told)


def _payable(standing: Following) -> list[int]:
    found, waiting = [], []
    for number, line in standing.lines.items():
        if number < 1:
            continue
        latest = standing.latest.get(number)
        outcome = latest.outcome if latest else None
        if outcome in (PAID, REJECTED):
            continue
        layout = standing.layout_of(line)
        if outcome == UNKNOWN or (outcome is None and layout in BY_LINE):
            waiting.append(number)
        found.append(number)
    if waiting:
        shown = ", ".join(map(str, waiting[:10])) + (" and more" if len(waiting) > 10 else "")
        why = f"the partner has not answered line {shown} yet"
        raise InvalidInput([Problem(why, field="ID", value=standing.header.batch)])
    return found


def _demand(text: str, field: str, why: str) -> None:
    if not text.strip():
        raise InvalidInput([Problem(why, field=field, value=text)])

"""The demo from the first topic to the last proof. Between two acts the stream runs empty, so
that every seed ends the same whatever the machine is doing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from services.accrual.reconsider import Difference
from services.ingest.bootstrap import GROUP
from services.kernel.errors import InvariantViolated
from services.local import acts, cases, evidence, month, ties
from services.local.acts import Batch, Proof
from services.local.amounts import shown_totals
from services.local.crew import Crew
from services.local.flow import Flow
from services.local.generator import network
from services.local.generator.people import FIRST_BANK, SECOND_BANK
from services.local.generator.plan import Plan
from services.local.generator.rubbish import CARD_NUMBER
from services.local.narrator import Narrator
from services.local.premises import Premises
from services.local.summary import Speed, Summary, summarize
from services.local.ties import Tie
from services.runtime.settings import Settings
from services.settlement.batches.line import batch_id
from services.settlement.billing.price import due
from services.settlement.bootstrap import Sent

SERVICES = ("ingest", "accrual", "publisher", "settlement")
TOPICS = tuple(f"card-feed.{feed}" for feed in (FIRST_BANK, SECOND_BANK, network.FEED))
FIRST_BATCHES = tuple(batch_id(partner, 1) for partner in acts.PARTNERS)
PAYMENT = "SB-2026-05-0093"
"""How the second bank names the day on which it credited its members' statements."""
READY_SECONDS_MAX = 60


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a demo plays: its settings, its folder, its services, and who tells of it."""

    settings: Settings
    premises: Premises
    crew: Crew
    narrator: Narrator


async def perform(stage: Stage, play: Plan, *, seed: int) -> Summary:
    """All acts. Raises InvariantViolated when the books do not hold what they must."""
    await _open(stage)
    async with await Flow.open(stage.settings, group=GROUP, topics=TOPICS) as flow:
        speed = await _stream(stage, flow, play)
        await _belated(stage)
        await _settle(stage)
        await _exchange(stage)
        tied = await _reconcile(stage, flow, play)
        await _close(stage)
        await _afterwards(stage, flow, play)
        return await _prove(stage, flow, play, tied, seed=seed, speed=speed)


async def reopen(stage: Stage) -> Proof:
    """The services of an earlier demo, running again over what it left; and its proof."""
    for name in SERVICES:
        stage.crew.start(name)
    await _ready(stage)
    stage.narrator.did("started", f"{', '.join(SERVICES)}; nothing is sent anew")
    proof = await acts.prove(stage.settings, through=acts.PROVEN_THROUGH)
    _tell_proof(stage, proof)
    return proof


async def _open(stage: Stage) -> None:
    topics = await acts.prepare(stage.settings)
    for name in SERVICES:
        stage.crew.start(name)
    seeded = await acts.seed(stage.settings, stage.premises)
    activations = await acts.register(stage.settings, stage.premises)
    stage.narrator.did(
        "seeded",
        f"{topics} topics, {seeded.members} members, {activations} activations, "
        f"{len(seeded.contracts)} contracts signed by {acts.AUTHOR} and approved by "
        f"{acts.APPROVER}",
    )
    await _ready(stage)
    stage.narrator.did("started", f"{', '.join(SERVICES)}: a process each")


async def _ready(stage: Stage) -> None:
    try:
        async with asyncio.timeout(READY_SECONDS_MAX):
            while not stage.crew.is_ready():
                await asyncio.sleep(0.05)
    except TimeoutError:
        why = f"the services are not ready after {READY_SECONDS_MAX} s: see {stage.premises.logs}"
        raise acts.Unfinished(why) from None


async def _stream(stage: Stage, flow: Flow, play: Plan) -> Speed:
    """Send everything, and wait until it is recorded."""
    records = len(play.main)
    stage.narrator.did("sending", f"{records:,} records of two banks, keyed by account")
    started = time.monotonic()
    with stage.narrator.watching(records) as watch:
        await flow.send(play.main, watch)
        await flow.drain(watch, stage.crew.demand_running)
    speed = Speed(records, time.monotonic() - started)
    now = await flow.progress()
    stage.narrator.did(
        "recorded",
        f"{now.recorded:,} events and rejections; {speed.per_second:,} transactions a second",
    )
    return speed


async def _belated(stage: Stage) -> None:
    """What comes late changes what was decided, and only by differences."""
    imported = await acts.import_late(stage.settings, stage.premises)
    stage.narrator.did(
        "imported",
        f"{imported.added} rows of members after their purchases: {_changed(imported.difference)}",
    )
    activated = await acts.activate_late(stage.settings, stage.premises)
    stage.narrator.did(
        "activated",
        f"{activated.added} members had opted in before we were told: "
        f"{_changed(activated.difference)}",
    )
    difference = await acts.amend(stage.settings)
    stage.narrator.did(
        "amended", f"{acts.AMENDMENT} from 16 March, approved in April: {_changed(difference)}"
    )


async def _settle(stage: Stage) -> None:
    for partner in acts.PARTNERS:
        batch = await acts.settle(stage.settings, partner, through=acts.THROUGH, on=acts.SETTLED_ON)
        await _tell_batch(stage, batch)


async def _exchange(stage: Stage) -> None:
    """What was approved goes out; the airline and a bank answer, the other bank has paid."""
    month.hire(stage.crew, stage.premises)
    sent = [
        await month.deliver(stage.settings, batch, on=month.DELIVERED_ON) for batch in FIRST_BATCHES
    ]
    stage.narrator.did(
        "delivered",
        f"{len(sent)} batches by {acts.OPERATOR}: {month.files(sent)} files in the partners' "
        "sent/, which a simulated airline and a simulated bank read",
    )
    for one in sent:
        if one.header.partner in month.PARTNERS:
            await _answer(stage, one, on=month.ANSWERED_ON)
    paid = await month.pay(stage.settings, batch_id(SECOND_BANK, 1), PAYMENT)
    stage.narrator.did(
        "paid",
        f"{paid.shown.header.batch} by {paid.reference}: {paid.lines:,} lines, "
        f"{shown_totals(dict(paid.shown.header.totals))}",
    )


async def _answer(stage: Stage, sent: Sent, *, on: date) -> None:
    """The partner, a process of its own, has read what was delivered."""
    for answered in await month.answers(
        stage.settings, stage.premises, sent, on=on, check=stage.crew.demand_running
    ):
        said = sorted(answered.outcomes.items(), key=lambda item: -item[1])
        lines = ", ".join(f"{count:,} {outcome.lower()}" for outcome, count in said)
        stage.narrator.did("answered", f"{answered.batch} by {answered.file}: {lines}")


async def _reconcile(stage: Stage, flow: Flow, play: Plan) -> list[Tie]:
    await flow.send(play.network, lambda now: None)
    await flow.drain(lambda now: None, stage.crew.demand_running)
    stage.narrator.did(
        "sent",
        f"{len(play.network):,} records of a network, its view of what {FIRST_BANK} booked in "
        f"April: {len(play.planted)} discrepancies are planted in it",
    )
    return await ties.reconcile(stage.settings, stage.premises, play.planted, stage.narrator)


async def _close(stage: Stage) -> None:
    closed = await month.close(stage.settings)
    stage.narrator.did(
        "closed",
        f"{month.MONTH} and all before it, by {month.CLOSER}: "
        f"the first open day is {closed.closing.opens_on}",
    )


async def _afterwards(stage: Stage, flow: Flow, play: Plan) -> None:
    """Refunds of what is settled, members with other numbers and accounts, and the batches that
    tell it."""
    numbers = await month.renumber(stage.settings, stage.premises)
    accounts = await month.readdress(stage.settings, stage.premises, play.people)
    stage.narrator.did(
        "repaired",
        f"{numbers.added} membership numbers that the airline refused, "
        f"{accounts} accounts that could not be paid",
    )
    await flow.send([*play.afterwards, *play.network_later], lambda now: None)
    await flow.drain(lambda now: None, stage.crew.demand_running)
    stage.narrator.did("sent", f"{len(play.afterwards)} refunds of settled purchases, in May")
    for partner in month.PARTNERS:
        again = await acts.settle(
            stage.settings, partner, through=acts.AGAIN_THROUGH, on=acts.AGAIN_ON
        )
        await _tell_batch(stage, again)
        sent = await month.deliver(stage.settings, again.id, on=month.DELIVERED_AGAIN_ON)
        await _answer(stage, sent, on=month.ANSWERED_AGAIN_ON)


async def _prove(
    stage: Stage, flow: Flow, play: Plan, tied: list[Tie], *, seed: int, speed: Speed
) -> Summary:
    settings, premises = stage.settings, stage.premises
    proof = await acts.prove(settings, through=acts.PROVEN_THROUGH)
    _tell_proof(stage, proof)
    await acts.export(settings, premises.exports, as_of=acts.PROVEN_THROUGH)
    found = await asyncio.to_thread(evidence.read, premises.exports)
    await flow.published(len(found.transfers), stage.crew.demand_running)
    stage.narrator.did("published", f"{len(found.transfers):,} transfers to the topic accruals")
    copies = evidence.clear_copies((premises.files, premises.exports, premises.logs), CARD_NUMBER)
    if copies:
        raise InvariantViolated(f"a card number stands in clear in {', '.join(copies)}")
    return summarize(
        found,
        seed=seed,
        speed=speed,
        cases=cases.found(found, play.scenes, play.late_accounts),
        ties=tied,
        batches=await acts.shown(settings),
        files=premises.files,
        proof=proof,
    )


async def _tell_batch(stage: Stage, batch: Batch) -> None:
    header, draft = batch.approved.header, batch.sealed.draft
    shown = await acts.show(stage.settings, batch.id)
    parts = [f"{batch.sealed.lines:,} lines", shown_totals(dict(header.totals))]
    if price := due(shown.kinds):
        parts.append(f"costs {shown_totals(price)}")
    if draft.held:
        parts.append(f"{len(draft.held)} members held")
    stage.narrator.did(
        "settled",
        f"{batch.id} through {header.through}: {', '.join(parts)}",
        f"sealed by {header.sealed_by}, approved by {header.approver}",
    )


def _tell_proof(stage: Stage, proof: Proof) -> None:
    if proof.broken:
        raise InvariantViolated("; ".join(proof.broken))
    checked = sum(one.checked for one in proof.findings)
    stage.narrator.did(
        "verified", f"{len(proof.findings)} invariants hold, {checked:,} rows checked"
    )


def _changed(difference: Difference) -> str:
    units: Iterable[str] = sorted({*difference.granted, *difference.taken_back}, reverse=True)
    net = {
        unit: difference.granted.get(unit, 0) - difference.taken_back.get(unit, 0) for unit in units
    }
    return f"{len(difference.purchases):,} purchases decided anew, {shown_totals(net, sign=True)}"

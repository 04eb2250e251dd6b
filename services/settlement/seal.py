"""Seals what is due to a partner into an immutable batch, inside one database transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial

from services.kernel.errors import InvalidInput, InvariantViolated, Problem
from services.settlement.batches.calendar import cycle_end
from services.settlement.batches.draft import Draft, draft
from services.settlement.batches.due import gather
from services.settlement.batches.number import given, number
from services.settlement.batches.order import Order, Seal, cut
from services.settlement.batches.terms import PartnerTerms, TermsBook
from services.settlement.files import catalogue
from services.settlement.files.file import File
from services.settlement.ports import BatchStore, SealStore


@dataclass(frozen=True, slots=True)
class Sealing:
    """What came of the order: the batch, if anything was due, and the members that wait."""

    seal: Seal | None
    draft: Draft


async def seal(order: Order, store: SealStore) -> Sealing:
    """Lock the partner's stream, look once, decide, and store.

    Nothing is stored when no line would stand in a file. Raises InvalidInput for a partner
    without a contract and for contracts whose file cannot be written.
    """
    if not order.by.strip():
        raise InvalidInput([Problem("say who seals", field="--by", value=order.by)])
    terms = await store.terms(order.partner)
    if not terms:
        why = "no contract is signed with this partner; see `milepost contract list`"
        raise InvalidInput([Problem(why, field="--partner", value=order.partner)])
    place = await store.open_stream(order.partner)
    sight = await store.look(order.partner, order.through, place)
    sums = gather(sight.due, terms)
    concerned = {(s.terms.contract, s.terms.version): s.terms for s in sums}.values()
    if problems := [problem for signed in concerned for problem in catalogue.problems(signed)]:
        raise InvalidInput(problems)
    drafted = draft(
        sums,
        numbers=sight.numbers,
        by_number=catalogue.BY_NUMBER,
        refusal=partial(catalogue.refusal, payouts=sight.payouts, returns=sight.returns),
    )
    if drafted.worthless:
        return Sealing(None, drafted)
    purchases = {(found.key.of_stream_id, found.key.of_purchase) for found in drafted.ready}
    earlier = given(await store.earlier(order.partner, purchases))
    numbered = number(drafted.ready, earlier=earlier)
    sealed = Seal(
        order=order,
        sequence=place.sequence,
        revision=sight.revision,
        stream_id=place.stream_id,
        seq=place.seq,
        vector=sight.vector,
        facts=sight.facts,
        events=cut(numbered),
        held=drafted.held,
        carried=drafted.carried,
    )
    await store.save(sealed)
    return Sealing(sealed, drafted)


def cycle_of(terms: TermsBook, partner: str, month: date) -> date:
    """The last day of the cycle that a month is, by the newest version of each contract.

    Raises InvalidInput when the contracts of the partner roll it to different days.
    """
    newest: dict[str, PartnerTerms] = {}
    for (contract, _), signed in sorted(terms.items(), key=lambda item: item[0]):
        newest[contract] = signed
    ends = {cycle_end(month.year, month.month, signed.calendar) for signed in newest.values()}
    if len(ends) != 1:
        told = " or ".join(str(day) for day in sorted(ends))
        why = f"the partner's contracts end this cycle on {told}: say --through" if ends else (
            "no contract is signed with this partner; see `milepost contract list`"
        )  # fmt: skip
        field = "--cycle" if ends else "--partner"
        raise InvalidInput([Problem(why, field=field, value=f"{month:%Y-%m}" if ends else partner)])
    return ends.pop()


async def write_files(batch: str, store: BatchStore) -> list[File]:
    """Write a new batch's files from what was stored of it, and store what they are."""
    header = (await store.headers(batch=batch))[0]
    files = catalogue.files(await store.load(header))
    await store.save_files(batch, [file.written for file in files])
    return files


async def recompute(batch: str, store: BatchStore) -> list[File]:
    """The files of a sealed batch once more, byte for byte.

    Raises InvariantViolated, naming the file, if they are not what was stored.
    """
    header = (await store.headers(batch=batch))[0]
    files = catalogue.files(await store.load(header))
    stored = {written.name: written for written in await store.files(batch)}
    for file in files:
        if stored.pop(file.name, None) != file.written:
            raise InvariantViolated(
                f"{file.name} comes out otherwise than when {batch} was sealed: nothing is written"
            )
    if stored:
        raise InvariantViolated(f"{batch} has lost its files {', '.join(sorted(stored))}")
    return files

"""Delivers an approved batch: what is sent is recorded before its first byte leaves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from services.kernel.errors import InvalidInput, Problem
from services.settlement.batches.batch import ANSWERED, APPROVED, SENT, Header
from services.settlement.exchange import outbox
from services.settlement.files import manifest
from services.settlement.files.file import File
from services.settlement.ports import DeliveryStore, Run


async def begin(
    header: Header, store: DeliveryStore, *, by: str, on: date, place: str, resend: bool
) -> Run | None:
    """The delivery to go on with: a new one, or the one that was interrupted; None if there is
    nothing to do, because the batch was delivered and nobody asks for it again.

    Inside one database transaction. Raises InvalidInput for a batch that is not approved.
    """
    if not by.strip():
        raise InvalidInput([Problem("say who delivers", field="--by", value=by)])
    if header.state not in (APPROVED, SENT, ANSWERED):
        why = f"{header.batch} is {header.state}: only what a second person approved is delivered"
        raise InvalidInput([Problem(why, field="ID", value=header.batch)])
    runs = await store.runs(header.batch)
    last = runs[-1] if runs else None
    if last is not None and not last.ended:
        if last.place != place:
            why = f"run {last.run} of {header.batch} to {last.place} has not ended: finish it first"
            raise InvalidInput([Problem(why, field="--to", value=place)])
        return last
    if last is not None and not resend:
        return None
    await store.start(header, len(runs), by=by, on=on, place=place)
    return (await store.runs(header.batch))[-1]


async def send(
    header: Header,
    files: Sequence[File],
    run: Run,
    destination: outbox.Destination,
    *,
    envelope: outbox.Envelope | None,
    kept: outbox.Kept,
) -> list[outbox.Parcel]:
    """Put every file where the partner finds it, the manifest last.

    Interrupted anywhere, the same call goes on where it stopped: the bytes are always the same.
    """
    content = manifest.write(header, [file.written for file in files], state=SENT, more=_more(run))
    letters = [(file.name, file.content) for file in files]
    letters.append((manifest_name(header, run.run), content))
    return await outbox.send(letters, destination, envelope=envelope, kept=kept)


def manifest_name(header: Header, run: int) -> str:
    """The manifest's name at the partner's: each run has its own, so nothing is overwritten."""
    if run == 0:
        return manifest.name(header)
    return f"{header.batch}.rerun-{run}.manifest.json"


def _more(run: Run) -> dict[str, object]:
    more: dict[str, object] = {"rerun": run.run}
    if run.head is not None:
        more["audit"] = run.head._asdict()
    return more

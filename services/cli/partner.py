"""What goes out to a partner and what comes back: commands on batches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli import settle as sealing
from services.cli.batches import header_document
from services.cli.session import OnDate, Session, day_or_today
from services.settlement import bootstrap as settlement
from services.settlement.batches.batch import Header

Batch = sealing.Batch


def register(app: typer.Typer) -> None:
    """Hang the commands on `milepost`; those on `milepost batch` hang there already."""
    app.command("acknowledge")(acknowledge)


@sealing.batch.command("withdraw")
def withdraw(
    context: typer.Context,
    identifier: Batch,
    by: Annotated[str, typer.Option(help="Who withdraws it.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    on: OnDate = None,
) -> None:
    """Withdraw a batch that was not sent: its number stays, what it held is due at once."""
    session: Session = context.obj

    async def work() -> settlement.Followed:
        return await settlement.withdraw_batch(
            session.settings(), identifier, by=by, reason=reason, on=day_or_today(on)
        )

    found = session.run(work())
    _print(session, found.header, {"fresh": found.fresh})
    session.say(f"{identifier} {'is' if found.fresh else 'was already'} withdrawn")


@sealing.batch.command("deliver")
def deliver(
    context: typer.Context,
    identifier: Batch,
    by: Annotated[str, typer.Option(help="Who delivers it.")],
    to: Annotated[
        Path | None, typer.Option(help="A folder, instead of what MILEPOST_DELIVERIES_FILE says.")
    ] = None,
    resend: Annotated[
        bool, typer.Option("--resend", help="Once more: the same bytes, the next rerun number.")
    ] = False,
    on: OnDate = None,
) -> None:
    """Deliver an approved batch, the manifest last; one that was cut off goes on where it was.

    MILEPOST_DELIVERIES_FILE says where each partner receives files and how they are sealed for
    the way; a partner that is not in it has the folder `sent/` beside `outgoing/`.
    """
    session: Session = context.obj

    async def work() -> settlement.Sent:
        return await settlement.deliver_batch(
            session.settings(), identifier, by=by, on=day_or_today(on), to=to, resend=resend
        )

    sent = session.run(work())
    files = [{"path": f.path, "bytes": f.bytes, "sha256": f.sha256} for f in sent.files]
    if not _print(session, sent.header, {"rerun": sent.run, "files": files}) and files:
        rows = [[file["path"], file["bytes"], file["sha256"]] for file in files]
        session.table(["file", "bytes", "sha256"], rows)
    if sent.run is None:
        session.say(f"{identifier} was delivered before; say --resend to send the same bytes again")
    else:
        session.say(f"{identifier} is delivered, rerun {sent.run}")


def acknowledge(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="FILE")],
    partner: Annotated[str, typer.Option(help="Who answers.")],
    by: Annotated[str, typer.Option(help="Who brings it in.")],
    on: OnDate = None,
) -> None:
    """Read a partner's or a bank's answer. What is not sound, or not to us, moves nothing: exit 2.

    The layout is told by the file: air-miles-audit, mileage-answer, returns and changes of the
    ACH, pain.002, camt.054, camt.053.
    """
    session: Session = context.obj

    async def work() -> tuple[Header, settlement.Acknowledged]:
        return await settlement.acknowledge_file(
            session.settings(), path, partner=partner, by=by, on=day_or_today(on)
        )

    header, found = session.run(work())
    outcomes = dict(found.outcomes)
    more = {"outcomes": outcomes, "fresh": found.fresh, "batches": list(found.batches),
            "changes": found.changes}  # fmt: skip
    if not _print(session, header, more):
        session.table(["outcome", "lines"], [[name, lines] for name, lines in outcomes.items()])
    session.say(f"{header.batch} is {header.state}; lines told something new: {found.fresh}")
    if len(found.batches) > 1:
        session.say(f"also answered: {', '.join(found.batches[1:])}")
    if found.changes:
        session.say(f"accounts to be changed: {found.changes}; see `milepost review list`")


@sealing.batch.command("pay")
def pay(
    context: typer.Context,
    identifier: Batch,
    by: Annotated[str, typer.Option(help="Who records it.")],
    reference: Annotated[str, typer.Option(help="The payment, as the bank names it.")],
    on: OnDate = None,
) -> None:
    """Record that a batch was paid: payable → bank. The same reference again changes nothing."""
    session: Session = context.obj

    async def work() -> tuple[Header, int]:
        return await settlement.pay_batch(
            session.settings(), identifier, by=by, reference=reference, on=day_or_today(on)
        )

    header, lines = session.run(work())
    _print(session, header, {"reference": reference, "paid": lines})
    session.say(f"{identifier}: lines paid by {reference}: {lines}")


def _print(session: Session, header: Header, more: Mapping[str, Any]) -> bool:
    return session.document({**header_document(header), **more})

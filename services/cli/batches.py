"""Batches as commands print them: documents for machines, tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from services.cli.session import Output, Session
from services.kernel.units import is_currency, major
from services.settlement.batches.batch import Header
from services.settlement.batches.draft import Entry
from services.settlement.batches.order import Order
from services.settlement.billing.price import Kind, due, plain
from services.settlement.bootstrap import Approved, Settled
from services.settlement.emission import Emitted
from services.settlement.files.file import Checked
from services.settlement.show import Opened, Shown


def print_settled(session: Session, order: Order, settled: Settled) -> None:
    """What came of `settle`."""
    header, draft = settled.header, settled.draft
    held = len({entry.account_id for entry in draft.held})
    carried = len({entry.account_id for entry in draft.carried})
    for repaired in settled.repaired:
        session.say(f"the files of {repaired} were missing and have been written again")
    document = {
        "batch": header.batch if header else None,
        "partner": order.partner,
        "through": order.through,
        "sequence": header.sequence if header else None,
        "revision": header.revision if header else None,
        "lines": settled.lines,
        "totals": dict(header.totals) if header else {},
        "held": held,
        "carried": carried,
        "files": [_emitted(file) for file in settled.files],
    }
    if session.document(document):
        return
    if header is None:
        session.say(
            f"nothing is due to {order.partner} through {order.through}: no batch "
            f"(members held: {held}, carried: {carried})"
        )
        _print_entries(session, draft.held, "held")
        _print_entries(session, draft.carried, "carried")
        return
    _print_files(session, settled.files, title=f"{_named(header)} through {header.through}")
    session.say(f"lines: {settled.lines}, {_amounts(header.totals)}")
    session.say(f"members held: {held}, carried: {carried}")
    session.say(f"now somebody else: milepost batch approve {header.batch} --approver WHO")


def print_list(session: Session, headers: Sequence[Header]) -> None:
    """Every batch on a line."""
    if session.document({"batches": [header_document(header) for header in headers]}):
        return
    columns = ["batch", "revision", "through", "state", "totals", "held", "carried", "sealed by",
               "approved by"]  # fmt: skip
    rows = [
        [
            header.batch,
            header.revision,
            header.through,
            header.state,
            _amounts(header.totals),
            len(header.held),
            len(header.carried),
            header.sealed_by,
            header.approver,
        ]
        for header in headers
    ]
    session.table(columns, rows)


def print_batch(session: Session, found: Shown) -> None:
    """A batch with its price, its files, and who waits."""
    header = found.header
    document = {
        **header_document(header),
        "lines": found.lines,
        "kinds": [_kind(kind) for kind in found.kinds],
        "amount_due": due(found.kinds),
        "held": [entry._asdict() for entry in header.held],
        "carried": [entry._asdict() for entry in header.carried],
        "files": [{**file._asdict(), "totals": dict(file.totals)} for file in found.files],
    }
    if session.document(document):
        return
    session.table(
        ["unit", "kind", "amount", "price", "currency", "amount due"],
        [_kind_row(kind) for kind in found.kinds],
        title=f"{_named(header)} through {header.through}, {header.state}",
    )
    if session.output is Output.CSV:
        return
    session.say(f"lines: {found.lines}, {_amounts(header.totals)}")
    if amounts := due(found.kinds):
        session.say(f"amount due {_amounts(amounts)}")
    approval = f"approved by {header.approver} on {header.approved_on}"
    session.say(f"sealed by {header.sealed_by}, {approval if header.approver else 'not approved'}")
    _print_entries(session, header.held, "held")
    _print_entries(session, header.carried, "carried")
    session.table(
        ["file", "bytes", "records", "totals", "sha256"],
        [[f.name, f.bytes, f.records, _amounts(f.totals), f.sha256] for f in found.files],
    )


def print_line(session: Session, opened: Opened) -> None:
    """A line, the other pieces of its sum, and the events behind it."""
    document = {
        "batch": opened.header.batch,
        "line": opened.line,
        "pieces": opened.pieces,
        "transfers": opened.transfers,
    }
    if session.document(document):
        return
    unit = opened.pieces[0]["unit"]
    if session.output is not Output.CSV:
        _print_pieces(session, opened.pieces, unit)
    columns = ["stream", "seq", "event", "kind", "amount", "debit", "credit", unit]
    session.table(columns, [_source_row(source) for source in opened.transfers])


def _print_pieces(session: Session, pieces: Sequence[Mapping[str, Any]], unit: str) -> None:
    names = ["line", "account_id", "membership_number", "purchase", "rule", "award", "activity_on",
             "amount", "original_batch", "original_line", "reason", "outcome", "code"]  # fmt: skip
    rows = [
        [major(piece[name], unit) if name == "amount" else piece[name] for name in names]
        for piece in pieces
    ]
    session.table([name.replace("_", " ") for name in names], rows)


def print_approved(session: Session, approved: Approved) -> None:
    """What came of `batch approve`."""
    header = approved.header
    document = {**header_document(header), "fresh": approved.fresh,
                "files": [_emitted(file) for file in approved.files]}  # fmt: skip
    if session.document(document):
        return
    when = f"by {header.approver} on {header.approved_on}"
    session.say(f"{header.batch} {'is' if approved.fresh else 'was already'} approved {when}")
    rows = [[file.path, file.bytes, file.sha256] for file in approved.files]
    if rows:
        session.table(["file", "bytes", "sha256"], rows)


def print_reproduced(session: Session, header: Header, files: Sequence[Emitted]) -> None:
    """The same bytes again."""
    if session.document({**header_document(header), "files": [_emitted(file) for file in files]}):
        return
    _print_files(session, files, title=f"{header.batch}: the same bytes as when it was sealed")


def print_checked(session: Session, path: Path, checked: Checked) -> None:
    """What reading a file found."""
    problems = [
        {"line": found.line, "field": found.field, "value": found.value, "why": found.why,
         "file": found.file}
        for found in checked.problems
    ]  # fmt: skip
    document = {
        "file": str(path),
        "layout": checked.layout,
        "records": checked.records,
        "totals": dict(checked.totals),
        "problems": problems,
    }
    if session.document(document):
        return
    if problems:
        columns = ["file", "line", "field", "value", "why"]
        session.table(columns, [[found[name] for name in columns] for found in problems])
    says = [checked.layout, f"records: {checked.records}", _amounts(checked.totals)]
    verdict = f"problems: {len(problems)}" if problems else "sound"
    session.say(f"{path}: {verdict} ({', '.join(filter(None, says))})")


def header_document(header: Header) -> dict[str, Any]:
    """A batch as documents of commands begin."""
    return {
        "batch": header.batch,
        "partner": header.partner,
        "sequence": header.sequence,
        "revision": header.revision,
        "state": header.state,
        "through": header.through,
        "totals": dict(header.totals),
        "sealed_by": header.sealed_by,
        "approved_by": header.approver,
        "approved_on": header.approved_on,
        "vector": dict(header.vector),
        "held": len({entry.account_id for entry in header.held}),
        "carried": len({entry.account_id for entry in header.carried}),
    }


def _named(header: Header) -> str:
    """A batch as titles call it; its revision only where it restates another one."""
    return f"{header.batch}, revision {header.revision}," if header.revision else header.batch


def _emitted(file: Emitted) -> dict[str, Any]:
    return {"path": file.path, "bytes": file.bytes, "sha256": file.sha256}


def _print_files(session: Session, files: Iterable[Emitted], *, title: str) -> None:
    rows = [
        [file.path, file.bytes, file.sha256, "written" if file.fresh else "was there"]
        for file in files
    ]
    if rows:
        session.table(["file", "bytes", "sha256", ""], rows, title=title)


def _print_entries(session: Session, entries: Sequence[Entry], name: str) -> None:
    if entries:
        session.table(
            [name, "amount", "unit", "why"],
            [[e.account_id, major(e.amount, e.unit), e.unit, e.why] for e in entries],
        )


def _kind(kind: Kind) -> dict[str, Any]:
    price = plain(kind.price) if kind.price is not None else None
    return {**kind._asdict(), "price": price}


def _kind_row(kind: Kind) -> list[object]:
    price = plain(kind.price) if kind.price is not None else None
    owed = None
    if kind.amount_due is not None and kind.currency is not None:
        owed = major(kind.amount_due, kind.currency)
    return [kind.unit, kind.award, major(kind.amount, kind.unit), price, kind.currency, owed]


def _source_row(source: Mapping[str, Any]) -> list[object]:
    event = source["event"]
    spent = ""
    if "currency" in event:
        spent = f"{major(event['amount'], event['currency'])} {event['currency']}"
    return [
        source["stream"],
        source["seq"],
        event.get("event_id") or event.get("command"),
        event.get("kind") or "command",
        spent,
        source["debit"],
        source["credit"],
        major(source["amount"], source["unit"]),
    ]


def _amounts(totals: Mapping[str, int]) -> str:
    return ", ".join(f"{_amount(amount, unit)} {unit}" for unit, amount in totals.items())


def _amount(amount: int, unit: str) -> str:
    return major(amount, unit) if is_currency(unit) else str(amount)

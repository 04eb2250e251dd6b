"""What a statement is about: a batch, or an account over a period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from services.settlement.batches.batch import Sealed
from services.settlement.batches.line import Line
from services.settlement.billing.price import Kind, plain
from services.settlement.files.statement.document import (
    DATE,
    NUMBER,
    TEXT,
    Column,
    Row,
    Section,
    Statement,
    Worth,
)

BATCH_COLUMNS = (
    Column("line", NUMBER), Column("date", DATE), Column("member", TEXT), Column("purchase", TEXT),
    Column("contract", TEXT), Column("rule", TEXT), Column("award", TEXT), Column("changes", TEXT),
    Column("reason", TEXT),
)  # fmt: skip
"""`member` is the partner's number, or the account where there is none; `changes` names the line
that this one takes from or adds to, `reason` says why.
"""
ACCOUNT_COLUMNS = (
    Column("date", DATE), Column("kind", TEXT), Column("merchant", TEXT), Column("purchase", TEXT),
    Column("contract", TEXT), Column("rule", TEXT), Column("cause", TEXT),
)  # fmt: skip


def of_batch(
    sealed: Sealed, kinds: Iterable[Kind], reasons: Mapping[tuple[str, int], str]
) -> Statement:
    """What a partner is told of a batch. Nothing in it changes when the batch moves on.

    `reasons` say, by batch and line, why lines change earlier ones.
    """
    header = sealed.header
    units = dict.fromkeys(line.unit for line in sealed.lines)
    return Statement(
        name=header.batch,
        title=f"Settlement with {header.partner}",
        facts=(
            ("Batch", header.batch),
            ("Partner", header.partner),
            ("Sealed through", header.through.isoformat()),
            ("Sealed by", header.sealed_by),
            ("Waiting", f"{len(header.held)} held, {len(header.carried)} carried"),
        ),
        first=header.through,
        last=header.through,
        columns=BATCH_COLUMNS,
        by="award",
        sections=tuple(
            Section(
                unit,
                tuple(
                    _row(line, reasons.get((header.batch, line.line), ""))
                    for line in sealed.lines
                    if line.unit == unit
                ),
            )
            for unit in sorted(units)
        ),
        worth=tuple(_worth(kind) for kind in kinds if kind.price is not None),
    )


def _row(line: Line, reason: str) -> Row:
    changes = f"{line.original_batch}/{line.original_line}" if line.original_batch else ""
    member = line.membership_number or line.account_id
    cells = (line.line, line.activity_on, member, line.purchase, line.contract, line.rule,
             line.award, changes, reason)  # fmt: skip
    return Row(cells, line.amount)


def _worth(kind: Kind) -> Worth:
    price = plain(kind.price) if kind.price is not None else ""
    return Worth(
        kind.unit, kind.award, kind.amount, price, kind.currency or "", kind.amount_due or 0
    )


def of_account(
    account: str, first: date, last: date, units: Sequence[Section], *, zone: str
) -> Statement:
    """What a member is told of an account; the sections' rows have ACCOUNT_COLUMNS."""
    return Statement(
        name=account,
        title="Statement of rewards",
        facts=(
            ("Account", account),
            ("Period", f"{first.isoformat()} to {last.isoformat()}"),
            ("Days", zone),
            ("Balance", "pending or available; what is settled has left it"),
        ),
        first=first,
        last=last,
        columns=ACCOUNT_COLUMNS,
        by="kind",
        sections=tuple(units),
    )

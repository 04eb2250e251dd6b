"""A scenario page: contracts in short words, dated lines with what each must do, sums to check.

    2026-03-02 23:30  presentment P1  MCC 5411  312.00      -> P1 +31        (a comment)
    2026-03-02        the same again                        -> nothing, DUPLICATE
    2026-03-09        refund P1 as R1  40.00                -> P1 -4
    2026-03-10        refund reversal R1  lifecycle L1  40.00 EUR
    2026-03-11        member A1  from 2026-01-01  product GOLD  -> P1 +31
    2026-03-11        member A1  opened 2026-02-11  closed 2026-12-31  cycle 15
    2026-03-11        activation A1 Q1-DINING               (of that day, or `on DATE`)
    2026-03-12        approve sky-visa v2                   -> nothing
    March: P1 0, P2 18, total 18. The five lines in any of their 120 orders end there.

The word after the kind is the event's own id for presentments and authorizations, else the event
that it names (`original_event_id`); `-` names nothing. `ARN` and `reference` are keys that the
feed declares exact. `as ID` gives the others an id. Times are
local to the first contract's zone unless an offset stands behind them; noon if none. The posting
date is the line's unless `posted DATE` or `unposted` says otherwise. Accounts are enrolled long
since, unless a `member` line speaks of them. What an effect may say stands in `effects`. All
changes must be named. A sum to check has any word in front; `total` is of all purchases.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from services.kernel.transaction import CardTransaction
from tests.support import builders
from tests.support.clauses import exponent
from tests.support.dates import Row
from tests.support.effects import Change, change, effects_of
from tests.support.phrases import read_contract

_LINE = re.compile(
    r"(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d)(Z|[+-]\d\d:\d\d)?)?\s+(.*?)(?:\s+->\s+(.*))?$"
)
_CHECK = re.compile(r"(\w[\w -]*): (.*?\d)\.(?:\s+(.*))?$")
_KINDS = {
    "authorization reversal": "AUTHORIZATION_REVERSAL",
    "authorization": "AUTHORIZATION",
    "presentment reversal": "PRESENTMENT_REVERSAL",
    "presentment": "PRESENTMENT",
    "refund reversal": "REFUND_REVERSAL",
    "refund": "REFUND",
    "chargeback reversal": "CHARGEBACK_REVERSAL",
    "chargeback": "CHARGEBACK",
    "credit": "ADJUSTMENT_CREDIT",
    "debit": "ADJUSTMENT_DEBIT",
}
_TEXTS = {
    "lifecycle": "lifecycle_id",
    "names": "original_event_id",
    "account": "account_id",
    "card": "card_token",
    "product": "card_product",
    "MCC": "mcc",
    "merchant": "merchant_id",
    "brand": "merchant_name",
    "city": "merchant_city",
    "country": "merchant_country",
    "channel": "channel",
    "issuer": "issuer_id",
}
_EXACT = {"ARN": "arn", "reference": "scheme_reference"}
_PARTS = {
    "cash": "cash_amount",
    "tip": "tip_amount",
    "fee": "fee_amount",
    "tax": "tax_amount",
}


@dataclass
class Step:
    """One line of the page: exactly one of event, member, activation, document or check."""

    line: int
    event: CardTransaction | None = None
    role: str = "books"
    member: Row | None = None
    activation: Row | None = None
    document: str | None = None
    check: str | None = None
    orders: int = 0
    """How many orders of the events so far must end in this check; 0: only this one."""
    changes: list[Change] = field(default_factory=list)
    nothing: bool = False
    outcome: tuple[str, ...] = ()


@dataclass
class Page:
    """A page as read: the documents that are approved from the start, and the lines."""

    approved: list[str]
    steps: list[Step]

    @property
    def members(self) -> list[Row]:
        """Rows of every account and programme that no member line of the page speaks of."""
        documents = [builders.as_read(text) for text in self.approved]
        documents += [builders.as_read(step.document) for step in self.steps if step.document]
        spoken_of = {step.member["account_id"] for step in self.steps if step.member}
        accounts = {step.event.account_id for step in self.steps if step.event} - spoken_of
        programs = sorted({document["program"] for document in documents})
        return [builders.row(a, program=p) for a in sorted(accounts) for p in programs]


def read_page(text: str) -> Page:
    """Read a page; a line that is not understood fails with its number."""
    reader = _Reader()
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        plain = re.sub(r"\s+\([^()]*\)\s*$", "", line.replace("\N{MINUS SIGN}", "-")).rstrip()
        if not plain.strip() or plain.startswith("#"):
            continue
        if plain.startswith("contract "):
            block = [plain]
            for following in lines[number:]:
                if not following.startswith(" "):
                    break
                block.append(following.rstrip())
            reader.contract(block)
        elif not plain.startswith(" "):
            reader.line(number, plain)
    return Page(reader.approved, reader.steps)


class _Reader:
    def __init__(self) -> None:
        self.approved: list[str] = []
        self.late: dict[str, str] = {}
        self.steps: list[Step] = []
        self.zone = ZoneInfo("UTC")
        self.currency = "NOK"

    def contract(self, block: list[str]) -> None:
        document, late = read_contract(block)
        if not self.approved:
            self.zone = ZoneInfo(document["zone"])
            self.currency = document["amount"]["currency"]
        text = builders.as_text(document)
        if late:
            self.late[f"{document['contract']} v{document['version']}"] = text
        else:
            self.approved.append(text)

    def line(self, number: int, text: str) -> None:
        step = Step(number)
        self.steps.append(step)
        dated = _LINE.match(text)
        if dated is None:
            found = _CHECK.match(text)
            assert found, f"line {number} is not understood: {text}"
            step.check = found[1]
            orders = re.search(r"in any of their (\d+) orders", found[3] or "")
            step.orders = int(orders[1]) if orders else 0
            step.changes = [change(part.strip()) for part in found[2].split(",")]
            return
        day, time, offset, words, effects = dated.groups()
        said = effects_of(effects or "")
        step.changes, step.nothing, step.outcome = said.changes, said.nothing, said.outcome
        tokens = shlex.split(words)
        if tokens[0] == "member":
            step.member = _member(tokens[1:])
        elif tokens[0] == "activation":
            on = tokens[4] if tokens[3:4] == ["on"] else day
            step.activation = {"account_id": tokens[1], "code": tokens[2], "activated_on": on}
        elif tokens[0] == "approve":
            step.document = self.late.pop(f"{tokens[1]} {tokens[2]}")
        elif tokens[:3] == ["the", "same", "again"]:
            before = next(past.event for past in reversed(self.steps[:-1]) if past.event)
            changed = {"billing_amount": self._minor(tokens[4])} if tokens[3:4] == ["but"] else {}
            fields = {name: getattr(before, name) for name in before.__struct_fields__}
            step.event = CardTransaction(**(fields | changed))
        else:
            self._event(step, self._instant(day, time, offset), tokens)

    def _instant(self, day: str, time: str | None, offset: str | None) -> datetime:
        moment = datetime.fromisoformat(f"{day}T{time or '12:00'}:00{offset or ''}")
        return moment if offset else moment.replace(tzinfo=self.zone)

    def _event(self, step: Step, at: datetime, tokens: list[str]) -> None:
        size = 2 if " ".join(tokens[:2]) in _KINDS else 1
        kind = _KINDS[" ".join(tokens[:size])]
        name, *rest = tokens[size:]
        fields: dict[str, Any] = {"at": at.astimezone(UTC), "posted": at.date()}
        if kind in ("PRESENTMENT", "AUTHORIZATION"):
            identifier = name
        else:
            identifier = f"{tokens[0]}-{step.line}"
            fields["original_event_id"] = None if name == "-" else name
        while rest:
            word = rest.pop(0)
            if word == "as":
                identifier = rest.pop(0)
            elif word in _TEXTS:
                fields[_TEXTS[word]] = rest.pop(0)
            elif word in _EXACT:
                fields[_EXACT[word]] = rest.pop(0)
                fields["exact"] = (*fields.get("exact", ()), _EXACT[word])
            elif word in _PARTS:
                fields[_PARTS[word]] = self._minor(rest.pop(0))
            elif word == "unposted":
                fields["posted"] = None
            elif word == "posted":
                fields["posted"] = date.fromisoformat(rest.pop(0))
            elif word == "paid":
                amount, currency = rest.pop(0), rest.pop(0)
                fields["transaction_amount"] = self._minor(amount, currency)
                fields["transaction_currency"] = currency
            elif word == "attribute":
                attribute = rest.pop(0)
                fields.setdefault("attributes", {})[attribute] = rest.pop(0)
            elif word == "compare":
                step.role = "compare"
            else:
                currency = rest.pop(0) if rest and rest[0].isupper() and len(rest[0]) == 3 else ""
                fields["billing_currency"] = currency or self.currency
                fields["billing_amount"] = self._minor(word, currency)
        step.event = builders.event(identifier, kind, **fields)

    def _minor(self, text: str, currency: str = "") -> int:
        exact = Fraction(text) * 10 ** exponent(currency or self.currency)
        assert exact.denominator == 1, f"not an amount: {text}"
        return int(exact.numerator)


def _member(tokens: list[str]) -> Row:
    names = {"from": "enrolled_from", "to": "enrolled_to", "card": "card_token"}
    names |= {"product": "card_product", "program": "program"}
    names |= {"opened": "opened_on", "closed": "closed_on", "cycle": "cycle_day"}
    said = dict(zip(tokens[1::2], tokens[2::2], strict=True))
    return builders.row(tokens[0], **{names[word]: value for word, value in said.items()})

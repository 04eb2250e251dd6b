"""pain.002: what a bank makes of a pain.001, as a whole, by currency, or by payment. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from services.settlement.batches.outcome import ACCEPTED, REJECTED, UNKNOWN, WARNED
from services.settlement.exchange.answers import BankAnswer, Count, Said
from services.settlement.files.fields import shown
from services.settlement.files.file import Findings
from services.settlement.files.xml import Node

LAYOUT = "pain.002"
NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:pain\.002\.001\.[0-9]{2}", re.ASCII)
CODE = re.compile(r"[A-Za-z0-9_-]{1,35}", re.ASCII)
NO_REASON = "NO_REASON"
PART = "PART"
"""Some of each: only what is said of each payment counts."""
_OUTCOMES: Mapping[str, str] = {
    "ACTC": ACCEPTED, "ACCP": ACCEPTED, "ACSP": ACCEPTED, "ACSC": ACCEPTED, "ACCC": ACCEPTED,
    "ACFC": ACCEPTED, "ACWC": WARNED, "RCVD": UNKNOWN, "PDNG": UNKNOWN, "PATC": UNKNOWN,
    "RJCT": REJECTED, "CANC": REJECTED,
}  # fmt: skip
_INFORMATION = re.compile(r"[0-9]{6}-([A-Z]{3})", re.ASCII)


def read(root: Node, file: str) -> BankAnswer:
    """Every status of a report. It is about the message that it names, and no other."""
    found = Findings(file)
    report = root.one("CstmrPmtStsRpt") or Node("CstmrPmtStsRpt", root.line)
    group = report.one("OrgnlGrpInfAndSts")
    if group is None or not group.said("OrgnlMsgId"):
        found.add("does not say which message it answers", line=report.line, field="OrgnlMsgId")
        return BankAnswer(LAYOUT, problems=found.all())
    named = group.said("OrgnlMsgNmId")
    if not named.startswith("pain.001"):
        found.add("must be a pain.001: it is about nothing that we send", line=group.line,
                  field="OrgnlMsgNmId", value=shown(named))  # fmt: skip
    said: list[Said] = []
    counts: list[Count] = []
    for information in report.all("OrgnlPmtInfAndSts"):
        said += _information(information, counts, found)
    _count(group, "", counts)
    if group.said("GrpSts"):
        said += _status(group, "GrpSts", "", found)
    elif not said:
        found.add("holds no status", line=report.line)
    return BankAnswer(
        LAYOUT, said=tuple(said), problems=found.all(), message=group.said("OrgnlMsgId"),
        counts=tuple(counts),
    )  # fmt: skip


def _information(node: Node, counts: list[Count], found: Findings) -> Iterator[Said]:
    """What is said of one payment information, which is one currency of ours."""
    name = node.said("OrgnlPmtInfId")
    ours = _INFORMATION.fullmatch(name)
    if ours is None:
        found.add("is no payment information of ours", line=node.line, field="OrgnlPmtInfId",
                  value=shown(name))  # fmt: skip
        return
    currency = ours[1]
    _count(node, currency, counts)
    for payment in node.all("TxInfAndSts"):
        reference = payment.said("OrgnlEndToEndId")
        if not reference:
            found.add("is required", line=payment.line, field="OrgnlEndToEndId")
            continue
        for one in _status(payment, "TxSts", currency, found):
            yield one._replace(reference=reference)
    if node.said("PmtInfSts"):
        yield from _status(node, "PmtInfSts", currency, found)


def _count(node: Node, currency: str, counts: list[Count]) -> None:
    for name in ("OrgnlNbOfTxs", "OrgnlCtrlSum"):
        if place := node.one(name):
            counts.append(Count(place.line, name, place.text, currency))


def _status(node: Node, name: str, currency: str, found: Findings) -> Iterator[Said]:
    status = node.said(name)
    if status == PART and name != "TxSts":
        return
    outcome = _OUTCOMES.get(status)
    if outcome is None:
        found.add(f"must be one of {', '.join(_OUTCOMES)}", line=node.line, field=name,
                  value=shown(status))  # fmt: skip
        return
    code = reason_of(node, "StsRsnInf", found)
    if outcome == REJECTED:
        code = code or NO_REASON
    yield Said(node.line, "", outcome, code, currency=currency)


def reason_of(node: Node, name: str, found: Findings) -> str:
    """The first reason that stands there, as a code; empty if there is none."""
    code = node.said(f"{name}/Rsn/Cd") or node.said(f"{name}/Rsn/Prtry")
    if code and not CODE.fullmatch(code):
        found.add("is no code of a reason", line=node.line, field=f"{name}/Rsn", value=shown(code))
        return ""
    return code

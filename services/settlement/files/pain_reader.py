"""Reads a pain.001.001.09 of ours, or of anybody's who writes it alike."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from services.kernel.rates import parse_exact
from services.settlement.files.fields import read_date, shown
from services.settlement.files.file import Checked, Findings
from services.settlement.files.pain import BIC, ID, LAYOUT, NAMESPACE, SEPA, is_iban, plain_sum
from services.settlement.files.sheet import minor_units
from services.settlement.files.xml import BadXml, Node, parse

_BATCH = re.compile(r".+-([0-9]{6})", re.ASCII)
_CURRENCY = re.compile("[A-Z]{3}", re.ASCII)
_SHAPES: Mapping[str, str] = {
    "Document": "CstmrCdtTrfInitn",
    "CstmrCdtTrfInitn": "GrpHdr PmtInf*",
    "GrpHdr": "MsgId CreDtTm NbOfTxs CtrlSum InitgPty",
    "PmtInf": "PmtInfId PmtMtd NbOfTxs CtrlSum PmtTpInf? ReqdExctnDt Dbtr DbtrAcct DbtrAgt ChrgBr "
              "CdtTrfTxInf*",
    "CdtTrfTxInf": "PmtId Amt CdtrAgt Cdtr CdtrAcct RmtInf",
}  # fmt: skip
"""Element → its children in order: `?` may be missing, `*` stands once or more."""
Paid = list[tuple[int, str]]
"""Amounts in minor units with their currencies."""


def read(content: bytes, file: str) -> Checked:
    """Everything that is wrong with a file, and its totals by currency."""
    found = Findings(file)
    try:
        root = parse(content)
    except BadXml as error:
        found.add(error.why, line=error.line)
        return Checked(LAYOUT, problems=found.all())
    if not content.startswith(b"<?xml ") or not content.endswith(b">\n"):
        found.add("must begin with its declaration and end with a line end: it was cut off", line=1)
    start = root.one("CstmrCdtTrfInitn")
    if root.name != "Document" or root.namespace != NAMESPACE or start is None:
        found.add(f"is no {NAMESPACE.rpartition(':')[2]}", line=root.line,
                  value=shown(root.namespace or root.name))  # fmt: skip
        return Checked(LAYOUT, problems=found.all())
    _check_shape(root, found)
    everything: Paid = []
    seen: set[str] = set()
    before = ""
    for information in start.all("PmtInf"):
        paid = _information(information, seen, found)
        everything += paid
        named = information.said("PmtInfId")
        if named <= before:
            found.add("payment informations are doubled or out of order", line=information.line,
                      field="PmtInfId", value=shown(named))  # fmt: skip
        before = max(before, named)
    header = start.one("GrpHdr") or Node("GrpHdr", start.line)
    _compare(header, everything, found)
    batch = header.said("MsgId")
    if not ID.fullmatch(batch):
        found.add("must name the message", line=header.line, field="MsgId", value=shown(batch))
    totals: dict[str, int] = {}
    for amount, currency in everything:
        totals[currency] = totals.get(currency, 0) + amount
    numbered = _BATCH.fullmatch(batch)
    return Checked(
        LAYOUT, len(everything), dict(sorted(totals.items())), found.all(),
        sequence=int(numbered[1]) if numbered else None, batch=batch if numbered else None,
    )  # fmt: skip


def _check_shape(node: Node, found: Findings) -> None:
    """Note what stands in an element that should not, and what is missing, doubled or misplaced."""
    shape = _SHAPES.get(node.name)
    if shape is None:
        return
    names = "".join(child.name + " " for child in node.children)
    wanted = "".join(_ONCE[word[-1:]].format(word.rstrip("?*")) for word in shape.split())
    if not re.fullmatch(wanted, names, re.ASCII):
        found.add(f"must hold {shape}, in this order", line=node.line, field=node.name,
                  value=shown(names.strip()))  # fmt: skip
    for child in node.children:
        _check_shape(child, found)


_ONCE = defaultdict(lambda: "{} ", {"?": "(?:{} )?", "*": "(?:{} )+"})


def _information(node: Node, seen: set[str], found: Findings) -> Paid:
    if node.said("PmtMtd") != "TRF":
        found.add("must be TRF", line=node.line, field="PmtMtd", value=shown(node.said("PmtMtd")))
    day = node.said("ReqdExctnDt/Dt")
    try:
        read_date(day)
    except ValueError as error:
        found.add(str(error), line=node.line, field="ReqdExctnDt/Dt", value=shown(day))
    _account(node, "Dbtr", found)
    paid: Paid = []
    before = ""
    for transfer in node.all("CdtTrfTxInf"):
        reference = transfer.said("PmtId/EndToEndId")
        if not ID.fullmatch(reference) or reference in seen or reference <= before:
            found.add("must name the payment, and grow: payments are doubled or out of order",
                      line=transfer.line, field="EndToEndId", value=shown(reference))  # fmt: skip
        seen.add(reference)
        before = max(before, reference)
        paid += _amount(transfer, found)
        _account(transfer, "Cdtr", found)
        if not transfer.said("Cdtr/Nm"):
            found.add("is required", line=transfer.line, field="Cdtr/Nm")
    _compare(node, paid, found)
    sepa = node.said("PmtTpInf/SvcLvl/Cd") == "SEPA"
    if sepa != ({currency for _, currency in paid} == {SEPA}):
        found.add("is SEPA for euros, and only for them", line=node.line, field="PmtTpInf")
    return paid


def _amount(node: Node, found: Findings) -> Paid:
    amount = node.one("Amt/InstdAmt")
    currency = amount.attributes.get("Ccy", "") if amount else ""
    if amount is None or not _CURRENCY.fullmatch(currency):
        found.add("must be an amount with its currency", line=node.line, field="InstdAmt",
                  value=shown(currency))  # fmt: skip
        return []
    minor = minor_units(amount.text, currency, name="InstdAmt", line=amount.line, found=found)
    if not minor:
        found.add("must be above zero", line=amount.line, field="InstdAmt")
        return []
    return [(minor, currency)]


def _account(node: Node, whose: str, found: Findings) -> None:
    """The account and bank of a side; no error shows the account."""
    if not is_iban(node.said(f"{whose}Acct/Id/IBAN")):
        found.add("is no IBAN, or its check digits are wrong", line=node.line, field=f"{whose}Acct")
    if not BIC.fullmatch(node.said(f"{whose}Agt/FinInstnId/BICFI")):
        found.add("is no BIC", line=node.line, field=f"{whose}Agt")


def _compare(node: Node, paid: Paid, found: Findings) -> None:
    """Number and sum, as the group header and each payment information state them."""
    for name, comes_to in (("NbOfTxs", str(len(paid))), ("CtrlSum", plain_sum(paid))):
        said = node.said(name)
        try:
            same = parse_exact(said) == parse_exact(comes_to)
        except ValueError:
            same = False
        if not same:
            place = node.one(name)
            found.add(f"says {shown(said)}, the payments come to {comes_to}",
                      line=place.line if place else node.line, field=name,
                      value=shown(said))  # fmt: skip

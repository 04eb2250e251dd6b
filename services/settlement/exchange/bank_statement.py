"""camt.054 and camt.053: what a bank booked. A debit of ours was paid, a return came back. Pure.

Other business of the account is left alone. A statement whose balances do not foot has a hole in
it and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from services.kernel.rates import parse_exact
from services.kernel.units import exponent_of
from services.settlement.batches.outcome import PAID, REJECTED
from services.settlement.exchange.answers import REFERENCE, BankAnswer, Said
from services.settlement.exchange.status_report import reason_of
from services.settlement.files.fields import shown
from services.settlement.files.file import Findings
from services.settlement.files.xml import Node

NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:(camt\.05[34])\.001\.[0-9]{2}", re.ASCII)
_PARTS = {"camt.054": "BkToCstmrDbtCdtNtfctn/Ntfctn", "camt.053": "BkToCstmrStmt/Stmt"}
DEBIT, CREDIT = "DBIT", "CRDT"
BOOKED = "BOOK"
RETURNED = "RETURNED"
"""The code of a return that the bank gives no reason for."""


def read(root: Node, file: str, *, ours: re.Pattern[str]) -> BankAnswer:
    """Every payment of ours that was booked. `ours` is the form of our messages' names."""
    found = Findings(file)
    layout = (NAMESPACE.fullmatch(root.namespace) or ["", "camt.054"])[1]
    parts = list(root.all(_PARTS[layout]))
    if not parts:
        found.add(f"holds no {_PARTS[layout].rpartition('/')[2]}", line=root.line)
    said: list[Said] = []
    accounts: list[tuple[int, str]] = []
    for part in parts:
        entries = list(part.all("Ntry"))
        before = len(said)
        for entry in entries:
            if _booked(entry):
                said += _payments(entry, ours, found)
        if len(said) > before:
            accounts.append((part.line, part.said("Acct/Id/IBAN")))
        _check_summary(part, entries, found)
        if layout == "camt.053":
            _check_balances(part, [entry for entry in entries if _booked(entry)], found)
    return BankAnswer(layout, tuple(said), found.all(), accounts=tuple(accounts))


def _booked(entry: Node) -> bool:
    """Whether an entry is final; a pending one may still go away."""
    return (entry.said("Sts/Cd") or entry.said("Sts")) == BOOKED


def _payments(entry: Node, ours: re.Pattern[str], found: Findings) -> Iterator[Said]:
    details = list(entry.all("NtryDtls/TxDtls"))
    amounts = []
    for detail in details:
        amount = detail.one("Amt") or detail.one("AmtDtls/TxAmt/Amt")
        if amount is None and len(details) == 1:
            amount = entry.one("Amt")
        amounts.append(_minor(amount, detail, found) if amount is not None else None)
        reference = detail.said("Refs/EndToEndId")
        message = detail.said("Refs/MsgId")
        if not REFERENCE.fullmatch(reference) or (message and not ours.fullmatch(message)):
            continue
        if amounts[-1] is None:
            found.add("has no amount", line=detail.line, field="Amt")
            continue
        one = _booking(entry, detail, found)
        if one is not None:
            minor, currency = amounts[-1]
            yield one._replace(at=detail.line, reference=reference, amount=minor, currency=currency)
    _check_parts(entry, [amount for amount in amounts if amount is not None], len(details), found)


def _booking(entry: Node, detail: Node, found: Findings) -> Said | None:
    side = detail.said("CdtDbtInd") or entry.said("CdtDbtInd")
    back = detail.one("RtrInf") is not None or entry.said("RvslInd") in ("true", "1")
    if (side, back) == (DEBIT, False):
        return Said(0, "", PAID)
    if (side, back) == (CREDIT, True):
        return Said(0, "", REJECTED, reason_of(detail, "RtrInf", found) or RETURNED)
    why = "must be a debit, or a credit that says it is a return"
    found.add(why, line=detail.line, field="CdtDbtInd", value=shown(side))
    return None


def _check_parts(
    entry: Node, amounts: Sequence[tuple[int, str]], details: int, found: Findings
) -> None:
    """An entry of several payments comes to what they come to."""
    whole = entry.one("Amt")
    if whole is None or details < 2 or len(amounts) != details:
        return
    minor, currency = _minor(whole, entry, found) or (0, "")
    if {name for _, name in amounts} == {currency} and sum(n for n, _ in amounts) != minor:
        found.add(f"says {minor} minor units, its payments come to {sum(n for n, _ in amounts)}",
                  line=entry.line, field="Ntry/Amt", value=shown(whole.text))  # fmt: skip


def _check_summary(part: Node, entries: Sequence[Node], found: Findings) -> None:
    said = part.one("TxsSummry/TtlNtries/NbOfNtries")
    if said is not None and said.text != str(len(entries)):
        found.add(f"says {shown(said.text)}, there are {len(entries)} entries", line=said.line,
                  field="NbOfNtries", value=shown(said.text))  # fmt: skip


def _check_balances(part: Node, entries: Sequence[Node], found: Findings) -> None:
    """Opening balance and booked entries come to the closing balance."""
    balances: dict[str, int] = {}
    for balance in part.all("Bal"):
        signed = _signed(balance, found)
        if signed is not None:
            balances[balance.said("Tp/CdOrPrtry/Cd")] = signed
    opening = balances.get("OPBD", balances.get("PRCD"))
    closing = balances.get("CLBD")
    if opening is None or closing is None:
        found.add("must have an opening and a closing balance", line=part.line, field="Bal")
        return
    moved = [_signed(entry, found) for entry in entries]
    comes_to = opening + sum(amount for amount in moved if amount is not None)
    if comes_to != closing:
        found.add(f"the closing balance says {closing} minor units, opening balance and entries "
                  f"come to {comes_to}: an entry is missing, doubled or changed", line=part.line,
                  field="Bal")  # fmt: skip


def _signed(node: Node, found: Findings) -> int | None:
    amount = node.one("Amt")
    side = node.said("CdtDbtInd")
    if amount is None or side not in (DEBIT, CREDIT):
        found.add(f"must have an amount, and {DEBIT} or {CREDIT}", line=node.line, field=node.name)
        return None
    minor = _minor(amount, node, found)
    return None if minor is None else minor[0] if side == CREDIT else -minor[0]


def _minor(amount: Node, node: Node, found: Findings) -> tuple[int, str] | None:
    """An amount in minor units, with its currency."""
    currency = amount.attributes.get("Ccy", "")
    try:
        exact = parse_exact(amount.text) * 10 ** exponent_of(currency)
    except ValueError as error:
        found.add(str(error), line=amount.line, field=f"{node.name}/Amt", value=shown(amount.text))
        return None
    if exact.denominator != 1:
        found.add(f"has more decimals than {currency}", line=amount.line, field=f"{node.name}/Amt",
                  value=shown(amount.text))  # fmt: skip
        return None
    return exact.numerator, currency

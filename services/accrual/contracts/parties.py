"""Checks across keys: who pays, and how it is settled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from services.accrual.contracts.clauses.money import AIR_MILES, STATEMENT_CREDIT
from services.accrual.contracts.document import Document, Path, dotted
from services.accrual.contracts.layouts import MONEY, PAYOUT_PARTNER, PAYOUTS, layouts
from services.kernel.units import is_currency

FILE = ("settlement", "file")
PRICE = ("settlement", "miles_price")


def check_funding(document: Document) -> None:
    """Note a funder named twice, shares that are not the whole, and a rest nobody takes."""
    for path in _fundings(document):
        if document.size(*path):
            _check_funders(document, path)


def check_fees(document: Document) -> None:
    """Note fees that nobody pays, and a party that is paid twice by one funder."""
    paths = list(_fundings(document))
    funders = {
        document.text(*path, index, "funder")
        for path in paths
        for index in range(document.size(*path))
    }
    first: dict[tuple[str, str], int] = {}
    for index in range(document.size("fees")):
        party, funder = (
            document.text("fees", index, "party"),
            document.text("fees", index, "funder"),
        )
        if funder is None:
            continue
        if funder not in funders and None not in funders:
            document.report(("fees", index, "funder"), "no funding names this funder")
        if party is not None and first.setdefault((party, funder), index) != index:
            why = f"is paid by {funder} already, in fees[{first[party, funder]}]"
            document.report(("fees", index, "party"), why)


def _fundings(document: Document) -> Iterator[Path]:
    yield ("funding",)
    for index in range(document.size("rules")):
        yield ("rules", index, "funding")


def _check_funders(document: Document, path: Path) -> None:
    size, name = document.size(*path), dotted(path)
    first: dict[str, int] = {}
    known: list[Fraction] = []
    takers: list[int] = []
    for index in range(size):
        given = document.names(*path, index)
        funder, share = document.text(*path, index, "funder"), document.text(*path, index, "share")
        if funder is not None and first.setdefault(funder, index) != index:
            why = f"is named twice, first in {name}[{first[funder]}]"
            document.report((*path, index, "funder"), why)
        if share is not None:
            known.append(Fraction(share))
        elif given and "share" not in given and "fixed" in given:
            known.append(Fraction(0))
        elif given and "share" not in given:
            document.report((*path, index, "share"), "is required, or `fixed`")
        if "remainder" in given:
            takers.append(index)
    if len(known) == size and sum(known) != 100:
        document.report(path, f"the shares add up to {_plain(sum(known))}, not to 100")
    if not takers:
        document.report(path, "one funder must say `remainder: true`")
    for index in takers[1:]:
        why = f"{name}[{takers[0]}] takes the remainder already"
        document.report((*path, index, "remainder"), why)


def check_layout(document: Document) -> None:
    """Note a file layout that nobody has published."""
    layout = document.text(*FILE, "layout")
    if layout is not None and layout not in layouts():
        why = f"must be one of: {', '.join(layouts())}" if layout else "has no value"
        document.report((*FILE, "layout"), why)


def check_settlement(document: Document) -> None:
    """Note a file layout that does not fit what is earned, and codes or prices it lacks."""
    layout, unit = document.text(*FILE, "layout"), document.text("currency")
    if layout is None or unit is None or layout not in layouts():
        return
    money = layouts()[layout] == MONEY
    if is_currency(unit) and not money:
        document.report((*FILE, "layout"), f"{unit} is money: use {STATEMENT_CREDIT}")
    elif money and not is_currency(unit):
        document.report((*FILE, "layout"), f"{unit} is no money: use {AIR_MILES}")
    elif not money:
        _check_mile_file(document, layout)
    else:
        for path in ((*FILE, "provider_code"), (*FILE, "offer_codes"), PRICE):
            if path[-1] in document.names(*path[:-1]):
                document.report(path, f"has no place beside {layout}", at_key=True)
        if layout in PAYOUTS:
            _check_payout(document, layout, unit)


def _check_payout(document: Document, layout: str, unit: str) -> None:
    if document.text("settlement", "adjustments") == "send":
        why = f"{layout} cannot charge a member: say `carry`"
        document.report(("settlement", "adjustments"), why)
    only = PAYOUTS[layout]
    if only is not None and unit != only:
        document.report((*FILE, "layout"), f"pays {only} only, not {unit}")
    partner = document.text("partner")
    names = PAYOUT_PARTNER.get(layout)
    if partner is not None and names is not None and not re.fullmatch(names, partner, re.ASCII):
        why = (
            f"is too long for a message of {layout}, or has an underscore: at most 28 letters, "
            "digits, dots and hyphens"
        )
        document.report(("partner",), why)


def _check_mile_file(document: Document, layout: str) -> None:
    for key in ("provider_code", "offer_codes"):
        if key not in document.names(*FILE):
            document.report((*FILE, key), f"is required for {layout}")
    if PRICE[-1] not in document.names("settlement"):
        document.report(PRICE, f"is required for {layout}")
    rules = range(document.size("rules"))
    ids = [document.text("rules", index, "id") for index in rules]
    if document.find(*FILE, "offer_codes") is not None:
        codes = document.names(*FILE, "offer_codes")
        for rule in sorted({found for found in ids if found is not None} - set(codes)):
            document.report((*FILE, "offer_codes", rule), "this rule has no offer code")
        for code in codes if None not in ids else ():
            if code not in ids:
                path = (*FILE, "offer_codes", code)
                document.report(path, "there is no rule with this id", at_key=True)
    if document.find(*PRICE) is not None:
        _check_prices(document)


def _check_prices(document: Document) -> None:
    priced = document.names(*PRICE)
    rules = range(document.size("rules"))
    awards = [document.text("rules", index, "award") for index in rules]
    for award in ("base", "bonus"):
        if award in awards and award not in priced:
            why = f"is required: rules[{awards.index(award)}] earns this award"
            document.report((*PRICE, award), why)


def _plain(value: Fraction | int) -> str:
    """An exact decimal value as text; shares have at most twelve decimals."""
    whole, rest = divmod(Fraction(value) * 10**12, 10**12)
    decimals = f"{rest.numerator:012d}".rstrip("0")
    return f"{whole}.{decimals}" if decimals else str(whole)

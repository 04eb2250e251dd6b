"""Checks across keys: who pays, and how it is settled."""

from __future__ import annotations

from fractions import Fraction

from services.accrual.contracts.document import Document
from services.accrual.contracts.layouts import MONEY, layouts
from services.accrual.contracts.paying import AIR_MILES, STATEMENT_CREDIT
from services.kernel.units import is_currency

FILE = ("settlement", "file")
PRICE = ("settlement", "miles_price")


def check_funding(document: Document) -> None:
    """Note a funder named twice, shares that are not the whole, and a rest nobody takes."""
    size = document.size("funding")
    if not size:
        return
    first: dict[str, int] = {}
    for index in range(size):
        funder = document.text("funding", index, "funder")
        if funder is not None and first.setdefault(funder, index) != index:
            why = f"is named twice, first in funding[{first[funder]}]"
            document.report(("funding", index, "funder"), why)
    shares = [document.text("funding", index, "share") for index in range(size)]
    known = [Fraction(share) for share in shares if share is not None]
    if len(known) == size and sum(known) != 100:
        document.report(("funding",), f"the shares add up to {_plain(sum(known))}, not to 100")
    takers = [i for i in range(size) if "remainder" in document.names("funding", i)]
    if not takers:
        document.report(("funding",), "one funder must say `remainder: true`")
    for index in takers[1:]:
        why = f"funding[{takers[0]}] takes the remainder already"
        document.report(("funding", index, "remainder"), why)


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

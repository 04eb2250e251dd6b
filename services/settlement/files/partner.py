"""Partners' files by the pages of `schemas/files`: which values of a batch a page may name.

One file for each unit and provider code, which is one for nearly every partner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from services.kernel.errors import InvariantViolated
from services.settlement.batches.batch import Sealed
from services.settlement.batches.due import Sum
from services.settlement.batches.line import Line
from services.settlement.batches.terms import PartnerTerms
from services.settlement.files import air_miles_sheet
from services.settlement.files.file import File
from services.settlement.files.layout import writer
from services.settlement.files.layout.codec import Value
from services.settlement.files.layout.page import DETAIL_VALUES, Page
from services.settlement.files.layout.pages import outgoing

TWINS = frozenset({air_miles_sheet.LAYOUT.name})
"""Layouts whose records have no room for what finance asks for: a CSV twin has it."""


def refusal(page: Page, found: Sum) -> str | None:
    """Why a sum cannot be written on a page; None if it can."""
    row: dict[str, Value] = {
        "membership_number": found.membership_number,
        "account_id": found.key.account_id,
        "issuer_id": found.issuer_id,
        "purchase": found.purchase,
        "contract": found.key.contract,
        "rule": found.key.rule,
        "offer_code": found.terms.offer_codes.get(found.key.rule, ""),
        "unit": found.key.unit,
    }
    if found.amount:  # a sum of nothing stands in no file
        row |= {"amount": found.amount, "activity_on": found.activity_on}
        row |= _by_award(found.key.award, found.amount)
    return writer.refusal(page, row)


def files(sealed: Sealed) -> Iterator[File]:
    """A file for each page, unit and provider code of a batch, with its twin."""
    sets: dict[tuple[str, str, str], list[Line]] = {}
    for line in sealed.lines:
        terms = sealed.terms_of(line)
        if terms.layout in outgoing():
            sets.setdefault((terms.layout, line.unit, terms.provider_code), []).append(line)
    layouts = [layout for layout, _, _ in sets]
    for (layout, unit, provider), lines in sorted(sets.items()):
        mark = f"-{unit}-{provider}".lower() if layouts.count(layout) > 1 else ""
        page = outgoing()[layout]
        yield _file(sealed, page, lines, provider, unit, mark)
        if layout in TWINS:
            yield _twin(sealed, lines, provider, unit, mark)


def name_of(sealed: Sealed, layout: str, ending: str) -> str:
    """How a file of a batch is called."""
    return f"{sealed.header.partner}-{layout}-{sealed.header.sequence:06d}.{ending}"


def sums(lines: Sequence[Line]) -> Mapping[str, int]:
    """Unit → signed sum of lines."""
    found: dict[str, int] = {}
    for line in lines:
        found[line.unit] = found.get(line.unit, 0) + line.amount
    return found


def demand_totals(name: str, said: Mapping[str, int], totals: Mapping[str, int]) -> None:
    """Raise InvariantViolated if a file adds up otherwise than the lines it was written from."""
    if dict(said) != dict(totals):
        raise InvariantViolated(f"{name} adds up to {dict(said)}, not {dict(totals)}")


def _file(
    sealed: Sealed, page: Page, lines: Sequence[Line], provider: str, unit: str, mark: str
) -> File:
    header = sealed.header
    name = name_of(sealed, page.name + mark, page.ending)
    head: dict[str, Value] = {
        "partner": header.partner,
        "batch": header.batch,
        "sequence": header.sequence,
        "through": header.through,
        "provider_code": provider,
        "unit": unit,
    }
    rows = [_row(line, sealed.terms_of(line)) for line in lines]
    content, checked = writer.write(page, head, rows, file=name)
    totals = sums(lines)
    if sorted(checked.totals.values()) != sorted(totals.values()):  # a page may not name the unit
        demand_totals(name, checked.totals, totals)
    return File(name, page.name, content, len(lines), totals)


def _row(line: Line, terms: PartnerTerms) -> dict[str, Value]:
    row: dict[str, Value] = {name: getattr(line, name) for name in _OF_LINE}
    row["offer_code"] = terms.offer_codes.get(line.rule, "")
    return row | _by_award(line.award, line.amount)


_OF_LINE = tuple(name for name in DETAIL_VALUES if name in Line._fields)


def _by_award(award: str, amount: int) -> dict[str, Value]:
    base = amount if award == "base" else 0
    return {"base": base, "bonus": amount - base}


def _twin(sealed: Sealed, lines: Sequence[Line], provider: str, unit: str, mark: str) -> File:
    header, layout = sealed.header, air_miles_sheet.LAYOUT.name
    content = air_miles_sheet.write(
        [
            air_miles_sheet.Row(line, sealed.terms_of(line).offer_codes.get(line.rule, ""))
            for line in lines
        ],
        partner=header.partner, batch=header.batch, sequence=header.sequence,
        through=header.through, provider=provider, unit=unit,
    )  # fmt: skip
    name = name_of(sealed, layout + mark, "csv")
    checked = air_miles_sheet.read(content, name)
    checked.demand_sound(name)
    demand_totals(name, checked.totals, sums(lines))
    return File(name, layout, content, checked.records, sums(lines))

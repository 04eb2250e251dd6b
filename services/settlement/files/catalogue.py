"""Which files a batch has, and which layout a file is of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from services.kernel.errors import InvalidInput, InvariantViolated, Problem
from services.kernel.units import is_currency
from services.settlement.batches.batch import Sealed
from services.settlement.batches.due import Sum
from services.settlement.batches.payout import Payouts
from services.settlement.batches.returns import NOTHING, CameBack, Returns
from services.settlement.batches.terms import PartnerTerms
from services.settlement.billing.journal import journal
from services.settlement.files import (
    air_miles_sheet,
    fbdi,
    fbdi_reader,
    gl_journal,
    manifest,
    partner,
    payout,
    statement_credit,
)
from services.settlement.files.fields import DoesNotFit
from services.settlement.files.file import Checked, File
from services.settlement.files.layout import reader
from services.settlement.files.layout.page import Page
from services.settlement.files.layout.pages import outgoing, pages
from services.settlement.files.statement import delimited

CREDIT = statement_credit.LAYOUT.name
NAMED_BY_CONTRACTS = (*outgoing(), CREDIT, *payout.ENDINGS)
"""What a contract's `settlement.file.layout` may say."""
BY_NUMBER = frozenset(name for name, page in outgoing().items() if page.by_number)
"""Layouts that name a member by the partner's number; the others go by account."""
PUBLISHED = (
    *pages(),
    CREDIT,
    *payout.ENDINGS,
    gl_journal.LAYOUT.name,
    fbdi.LAYOUT,
    delimited.LAYOUT,
    manifest.LAYOUT,
)


def refusal(found: Sum, payouts: Payouts | None = None, returns: Returns = NOTHING) -> str | None:
    """Why a sum's layout cannot write it, or would send it where the last one came back from;
    None if nothing speaks against it.
    """
    if found.terms.layout in payout.ENDINGS:
        return payout.refusal(found, payouts) or _unreachable(
            returns.of_payout(found), "the payout account", "import other payout details"
        )
    page = outgoing().get(found.terms.layout)
    if page is None:
        return statement_credit.refusal(found)
    return partner.refusal(page, found) or _unreachable(
        returns.of_number(found), "the membership number", "import another number"
    )


def _unreachable(back: CameBack | None, where: str, remedy: str) -> str | None:
    if back is None:
        return None
    return (
        f"{where} came back with {back.code} on {back.recorded_on} ({back.batch}/{back.line}): "
        f"{remedy}"
    )


def problems(terms: PartnerTerms) -> list[Problem]:
    """Why no file can be written under these clauses."""
    where = f"contract {terms.contract}/{terms.version}"
    page = outgoing().get(terms.layout)
    if terms.layout not in NAMED_BY_CONTRACTS:
        why = f"no such layout is published; there are {' and '.join(sorted(NAMED_BY_CONTRACTS))}"
        return [Problem(why, file=where, field="settlement.file.layout", value=terms.layout)]
    money = is_currency(terms.unit)
    if money != (page is None or page.earns == "money"):
        why = f"cannot hold {'money' if money else 'units'} such as {terms.unit}"
        return [Problem(why, file=where, field="settlement.file.layout", value=terms.layout)]
    if page is not None and not terms.provider_code and _names_provider(page):
        why = f"{terms.layout} needs the provider code that the partner gave"
        return [Problem(why, file=where, field="settlement.file.provider_code")]
    return payout.problems(terms, where) if terms.layout in payout.ENDINGS else []


def _names_provider(page: Page) -> bool:
    return "provider_code" in {field.source for field in (*page.header, *page.trailer)}


def files(sealed: Sealed) -> list[File]:
    """Every file of a batch but the manifest, each read back after it was written.

    Raises InvalidInput when a value has no room in its layout; then there is none of them.
    """
    header = sealed.header
    # A unit of which every sum is nothing has a total, and no line in a file.
    told = {unit: amount for unit, amount in header.totals.items() if amount}
    found = {unit: amount for unit, amount in partner.sums(sealed.lines).items() if amount}
    if found != told:
        raise InvariantViolated(
            f"the lines of {header.batch} come to {found}, its totals are {told}"
        )
    try:
        _demand_pages(sealed)
        return [*partner.files(sealed), *_credits(sealed), *payout.files(sealed), _journal(sealed)]
    except DoesNotFit as error:
        raise InvalidInput([Problem(str(error), file=f"batch {header.batch}")]) from error


def _demand_pages(sealed: Sealed) -> None:
    layouts = {sealed.terms_of(line).layout for line in sealed.lines}
    if missing := sorted(layouts - set(NAMED_BY_CONTRACTS)):
        raise DoesNotFit(f"{', '.join(missing)}: there is no such page in schemas/files; what "
                         "started before the page came must be started again")  # fmt: skip


def _credits(sealed: Sealed) -> Iterator[File]:
    """One file for all currencies."""
    header = sealed.header
    lines = [line for line in sealed.lines if sealed.terms_of(line).layout == CREDIT]
    if lines:
        content = statement_credit.write(
            lines, partner=header.partner, batch=header.batch, sequence=header.sequence,
            through=header.through,
        )  # fmt: skip
        name = partner.name_of(sealed, CREDIT, "csv")
        checked = statement_credit.read(content, name)
        yield _read_back(name, content, checked, partner.sums(lines))


def _journal(sealed: Sealed) -> File:
    header = sealed.header
    entries = journal(sealed.flows, partner=header.partner)
    content = gl_journal.write(
        entries, partner=header.partner, batch=header.batch, sequence=header.sequence,
        through=header.through,
    )  # fmt: skip
    debits: dict[str, int] = {}
    for entry in entries:
        debits[entry.unit] = debits.get(entry.unit, 0) + entry.debit
    name = partner.name_of(sealed, gl_journal.LAYOUT.name, "csv")
    return _read_back(name, content, gl_journal.read(content, name), debits)


def _read_back(name: str, content: bytes, read: Checked, totals: Mapping[str, int]) -> File:
    read.demand_sound(name)
    partner.demand_totals(name, read.totals, totals)
    return File(name, read.layout, content, read.records, totals)


def check(content: bytes, file: str) -> Checked:
    """Read a file of any published layout, and say everything that is wrong with it.

    The layout is told by how the file starts, or else by its name.
    Raises InvalidInput when it is of none of them.
    """
    if content.startswith(b"{") or file.endswith(".json"):
        return manifest.read(content, file)[1]
    first = content[:200].split(b"\n")[0].decode("latin-1").split(",")
    sheet = _SHEETS.get(first[1]) if len(first) > 1 and first[0] == "H" else None
    page = None if sheet else page_of(content, file)
    if page is not None:
        return reader.read(page, content, file)[1]
    if fbdi.LAYOUT in file or content.startswith(b"NEW,"):
        return fbdi_reader.read(content, file)
    if sheet is None and payout.reader_of(content, file):
        return payout.read(content, file)
    by_name = [read for name, read in _SHEETS.items() if f"-{name}-" in file]
    sheet = sheet or (by_name[0] if by_name else None)
    if sheet is None:
        why = f"is of no published layout; there are {', '.join(PUBLISHED)}"
        raise InvalidInput([Problem(why, file=file)])
    return sheet(content, file)


def page_of(content: bytes, file: str) -> Page | None:
    """The page that a file is of, by its name or by the constants that it starts with."""
    for name, page in pages().items():
        if re.search(rf"(?:^|-){re.escape(name)}-.*\.{page.ending}$", file):
            return page
    for page in pages().values():
        begins = page.begins.encode(page.encoding)
        if len(begins) > 1 and content.startswith(begins):
            return page
    return None


_SHEETS: Mapping[str, Callable[[bytes, str], Checked]] = {
    air_miles_sheet.LAYOUT.name: air_miles_sheet.read,
    CREDIT: statement_credit.read,
    gl_journal.LAYOUT.name: gl_journal.read,
    delimited.LAYOUT: delimited.read,
}

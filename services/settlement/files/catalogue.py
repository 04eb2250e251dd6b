"""Which files a batch has, and which layout a file is of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from services.kernel.errors import InvalidInput, InvariantViolated, Problem
from services.kernel.units import is_currency
from services.settlement.batches.batch import Sealed
from services.settlement.batches.due import Sum
from services.settlement.batches.line import Line
from services.settlement.batches.terms import PartnerTerms
from services.settlement.billing.journal import journal
from services.settlement.files import (
    air_miles,
    air_miles_sheet,
    gl_journal,
    manifest,
    statement_credit,
)
from services.settlement.files.fields import DoesNotFit
from services.settlement.files.file import Checked, File

BY_NUMBER = frozenset({air_miles.LAYOUT})
"""Layouts that name a member by the partner's number; the others go by account."""
PUBLISHED = (air_miles.LAYOUT, statement_credit.LAYOUT.name, gl_journal.LAYOUT.name,
             manifest.LAYOUT)  # fmt: skip
_REFUSAL = {air_miles.LAYOUT: air_miles.refusal,
            statement_credit.LAYOUT.name: statement_credit.refusal}  # fmt: skip


def refusal(found: Sum) -> str | None:
    """Why a sum's layout cannot write it; None if it can."""
    return _REFUSAL[found.terms.layout](found)


def problems(terms: PartnerTerms) -> list[Problem]:
    """Why no file can be written under these clauses."""
    where = f"contract {terms.contract}/{terms.version}"
    if terms.layout not in _REFUSAL:
        why = f"no such layout is published; there are {' and '.join(sorted(_REFUSAL))}"
        return [Problem(why, file=where, field="settlement.file.layout", value=terms.layout)]
    money = is_currency(terms.unit)
    if money != (terms.layout == statement_credit.LAYOUT.name):
        why = f"cannot hold {'money' if money else 'units'} such as {terms.unit}"
        return [Problem(why, file=where, field="settlement.file.layout", value=terms.layout)]
    if terms.layout == air_miles.LAYOUT and not terms.provider_code:
        why = f"{air_miles.LAYOUT} needs the provider code that the partner gave"
        return [Problem(why, file=where, field="settlement.file.provider_code")]
    return []


def files(sealed: Sealed) -> list[File]:
    """Every file of a batch but the manifest, each read back after it was written.

    Raises InvalidInput when a value has no room in its layout; then there is none of them.
    """
    header = sealed.header
    # A unit of which every sum is nothing has a total, and no line in a file.
    told = {unit: amount for unit, amount in header.totals.items() if amount}
    found = {unit: amount for unit, amount in _totals(sealed.lines).items() if amount}
    if found != told:
        raise InvariantViolated(
            f"the lines of {header.batch} come to {found}, its totals are {told}"
        )
    try:
        return [*_miles(sealed), *_credits(sealed), _journal(sealed)]
    except DoesNotFit as error:
        raise InvalidInput([Problem(str(error), file=f"batch {header.batch}")]) from error


def _totals(lines: Iterable[Line]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.unit] = sums.get(line.unit, 0) + line.amount
    return sums


def _miles(sealed: Sealed) -> Iterator[File]:
    """Two files for each unit and provider code, which is one pair for nearly every partner."""
    sets: dict[tuple[str, str], list[Line]] = {}
    for line in sealed.lines:
        terms = sealed.terms_of(line)
        if terms.layout == air_miles.LAYOUT:
            sets.setdefault((line.unit, terms.provider_code), []).append(line)
    for (unit, provider), lines in sorted(sets.items()):
        mark = f"-{unit}-{provider}".lower() if len(sets) > 1 else ""
        yield _miles_file(sealed, lines, provider, mark)
        yield _miles_twin(sealed, lines, provider, unit, mark)


def _miles_file(sealed: Sealed, lines: Sequence[Line], provider: str, mark: str) -> File:
    header = sealed.header
    name = _name(sealed, air_miles.LAYOUT + mark, "txt")
    rewards = [
        air_miles.Reward(
            line.membership_number.rjust(11, "0"), line.line, _offer_code(sealed, line), line.amount
        )
        for line in lines
    ]
    sent = air_miles.Transmission(provider, header.sequence, header.through, rewards)
    content = air_miles.write(sent)
    again, checked = air_miles.read(content, name)
    if again != sent:
        checked.demand_sound(name)
        raise InvariantViolated(f"{name} does not read back as written")
    return File(name, air_miles.LAYOUT, content, len(lines), _totals(lines))


def _miles_twin(sealed: Sealed, lines: Sequence[Line], provider: str, unit: str, mark: str) -> File:
    header = sealed.header
    content = air_miles_sheet.write(
        [air_miles_sheet.Row(line, _offer_code(sealed, line)) for line in lines],
        partner=header.partner, batch=header.batch, sequence=header.sequence,
        through=header.through, provider=provider, unit=unit,
    )  # fmt: skip
    name = _name(sealed, air_miles.LAYOUT + mark, "csv")
    return _read_back(name, content, air_miles_sheet.read(content, name), _totals(lines))


def _credits(sealed: Sealed) -> Iterator[File]:
    """One file for all currencies."""
    header, layout = sealed.header, statement_credit.LAYOUT.name
    lines = [line for line in sealed.lines if sealed.terms_of(line).layout == layout]
    if lines:
        content = statement_credit.write(
            lines, partner=header.partner, batch=header.batch, sequence=header.sequence,
            through=header.through,
        )  # fmt: skip
        name = _name(sealed, layout, "csv")
        yield _read_back(name, content, statement_credit.read(content, name), _totals(lines))


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
    name = _name(sealed, gl_journal.LAYOUT.name, "csv")
    return _read_back(name, content, gl_journal.read(content, name), debits)


def _offer_code(sealed: Sealed, line: Line) -> str:
    return sealed.terms_of(line).offer_codes.get(line.rule, "")


def _name(sealed: Sealed, layout: str, ending: str) -> str:
    return f"{sealed.header.partner}-{layout}-{sealed.header.sequence:06d}.{ending}"


def _read_back(name: str, content: bytes, read: Checked, totals: Mapping[str, int]) -> File:
    read.demand_sound(name)
    if dict(read.totals) != dict(totals):
        raise InvariantViolated(f"{name} adds up to {dict(read.totals)}, not {dict(totals)}")
    return File(name, read.layout, content, read.records, totals)


def check(content: bytes, file: str) -> Checked:
    """Read a file of any published layout, and say everything that is wrong with it.

    The layout is told by how the file starts, or else by its name.
    Raises InvalidInput when it is of none of them.
    """
    if content.startswith(b"{") or file.endswith(".json"):
        return manifest.read(content, file)[1]
    first = content[:200].split(b"\n")[0].decode("latin-1").split(",")
    by_start = _SHEETS.get(first[1]) if len(first) > 1 and first[0] == "H" else None
    if by_start is None and (content.startswith((b"TH", b"TD")) or file.endswith(".txt")):
        return air_miles.read(content, file)[1]
    by_name = [read for name, read in _SHEETS.items() if f"-{name}-" in file]
    reader = by_start or (by_name[0] if by_name else None)
    if reader is None:
        why = f"is of no published layout; there are {', '.join(PUBLISHED)}"
        raise InvalidInput([Problem(why, file=file)])
    return reader(content, file)


_SHEETS: Mapping[str, Callable[[bytes, str], Checked]] = {
    air_miles_sheet.LAYOUT.name: air_miles_sheet.read,
    statement_credit.LAYOUT.name: statement_credit.read,
    gl_journal.LAYOUT.name: gl_journal.read,
}

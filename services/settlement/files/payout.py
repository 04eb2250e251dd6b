"""Files that pay members through a bank: NACHA and ISO 20022, one for each layout of a batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from services.kernel.errors import Problem
from services.settlement.batches.batch import Sealed
from services.settlement.batches.calendar import WEEKDAYS, next_working
from services.settlement.batches.due import Sum
from services.settlement.batches.line import Line
from services.settlement.batches.payout import Payment, Payouts, payments
from services.settlement.batches.terms import PartnerTerms
from services.settlement.files import nacha, nacha_reader, pain, pain_reader
from services.settlement.files.fields import DoesNotFit
from services.settlement.files.file import Checked, File
from services.settlement.files.partner import demand_totals, name_of, sums

ENDINGS: Mapping[str, str] = {
    nacha.CCD: nacha.ENDING, nacha.PPD: nacha.ENDING, pain.LAYOUT: pain.ENDING,
}  # fmt: skip
"""Layout → how its files end."""


def refusal(found: Sum, payouts: Payouts | None) -> str | None:
    """Why a member cannot be paid; None if nothing speaks against it. Says nothing of accounts."""
    payee = payouts.payees.get(found.key.account_id) if payouts else None
    if payee is None:
        return "the member has no payout account"
    if found.terms.layout == pain.LAYOUT:
        return pain.refusal(payee)
    return nacha.refusal(payee)


def problems(terms: PartnerTerms, where: str) -> list[Problem]:
    """Why no payout can be made under these clauses."""
    found = []
    if not terms.carries:
        why = f"{terms.layout} cannot charge a member: say `carry`"
        found.append(Problem(why, file=where, field="settlement.adjustments"))
    if terms.layout != pain.LAYOUT and terms.unit != nacha.CURRENCY:
        why = f"pays {nacha.CURRENCY} only, not {terms.unit}"
        found.append(Problem(why, file=where, field="settlement.file.layout", value=terms.layout))
    return found


def files(sealed: Sealed) -> Iterator[File]:
    """The payout files of a batch. A batch whose lines cancel out pays nothing and has none."""
    sets: dict[str, list[Line]] = {}
    for line in sealed.lines:
        layout = sealed.terms_of(line).layout
        if layout in ENDINGS:
            sets.setdefault(layout, []).append(line)
    for layout, lines in sorted(sets.items()):
        if sealed.payouts is None:
            raise DoesNotFit(f"{layout}: nobody has said who pays and to which accounts, or "
                             "MILEPOST_PAYOUT_IDENTITY_FILE is not set here")  # fmt: skip
        try:
            paid = payments(lines, sequence=sealed.header.sequence, payouts=sealed.payouts)
        except ValueError as error:
            raise DoesNotFit(str(error)) from error
        if paid:
            yield _file(sealed, layout, lines, paid, sealed.payouts)


def _file(
    sealed: Sealed, layout: str, lines: Sequence[Line], paid: Sequence[Payment], payouts: Payouts
) -> File:
    header = sealed.header
    calendars = {sealed.terms_of(line).calendar or WEEKDAYS for line in lines}
    try:
        pays_on = next_working(header.through, calendars)
    except ValueError as error:
        raise DoesNotFit(f"{layout}: {error}") from error
    if layout == pain.LAYOUT:
        content = pain.write(
            paid, payer=payouts.payer, batch=header.batch, sequence=header.sequence,
            through=header.through, pays_on=pays_on,
        )  # fmt: skip
    else:
        content = nacha.write(
            paid, layout=layout, payer=payouts.payer, batch=header.batch,
            sequence=header.sequence, through=header.through, pays_on=pays_on,
        )  # fmt: skip
    name = name_of(sealed, layout, ENDINGS[layout])
    checked = read(content, name)
    checked.demand_sound(name)
    totals = {unit: amount for unit, amount in sums(lines).items() if amount}
    demand_totals(name, checked.totals, totals)
    return File(name, layout, content, len(paid), totals)


def reader_of(content: bytes, file: str) -> bool:
    """Whether a file is a payout, by its name or by how it starts."""
    named = any(f"-{layout}-" in file for layout in ENDINGS)
    return named or content.startswith((b"101 ", b"<?xml", b"<Document"))


def read(content: bytes, file: str) -> Checked:
    """Everything that is wrong with a payout file."""
    if pain.LAYOUT in file or content.lstrip()[:1] == b"<":
        return pain_reader.read(content, file)
    return nacha_reader.read(content, file)[1]

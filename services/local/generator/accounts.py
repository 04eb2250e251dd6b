"""Where the first bank's members are paid: made-up accounts whose check digits are right."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from services.local.generator.people import FIRST_BANK, OSLO, Person
from services.settlement.files.payout_sheet import HEADER, PAYEE, PAYER

BIC = "FIRSNOKK"
BANK = 9_990
"""Four digits of a bank that there is not; another account of the same person is at the next."""
_FIRST = ("Kari", "Ola", "Ingrid", "Lars", "Astri", "Jonas", "Sunniva", "Henrik", "Tuva", "Even")
_LAST = ("Aas", "Berg", "Dahl", "Eide", "Foss", "Haug", "Lie", "Moen", "Nygård", "Strand")
_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def payout_file(people: Iterable[Person], *, new: bool = False) -> str:
    """The CSV that `milepost payout import` reads; with `new`, other accounts of these members."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    if not new:
        writer.writerow((PAYER, FIRST_BANK, "First Bank", BIC, iban(999_999), "", "", ""))
    for person in people:
        if OSLO in person.programs:
            number = int(person.member_id[1:])
            name = f"{_FIRST[number % 10]} {_LAST[number // 10 % 10]}"
            account = iban(number, bank=BANK + 3 if new else BANK)
            writer.writerow((PAYEE, person.account_id, name, BIC, account, "", "", ""))
    return text.getvalue()


def iban(number: int, *, bank: int = BANK) -> str:
    """A Norwegian account: eleven digits, the last a check of the others modulo 11."""
    digits = f"{bank}{number:06d}"
    check = -sum(int(d) * w for d, w in zip(digits, _WEIGHTS, strict=True)) % 11
    if check == 10:  # such a number is never given out
        return iban(number, bank=bank + 1)
    country = int(f"{digits}{check}232400")
    return f"NO{98 - country % 97:02d}{digits}{check}"

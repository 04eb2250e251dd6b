"""Every command of milepost, as somebody types it in the house of `tests.support.house`."""

from __future__ import annotations

from hashlib import sha256

from services.cli.__main__ import COMMANDS
from services.cli.people import APPROVER, AUDITOR, AUTHOR, HOUSE, MAY, OPERATOR, PARTNER
from tests.support import builders
from tests.support.batches import CHART
from tests.support.house import (
    ANSWERED,
    APPROVED,
    LETTER,
    PENDING,
    ROLES,
    SENT,
    UNWANTED,
    House,
)
from tests.support.trials import agreement

ON = ("--date", "2026-05-25")
EVERYONE = ROLES
NOBODY: tuple[str, ...] = ()
"""The login that owns the database, and that of the services."""

FOR: dict[str, tuple[str, ...]] = {
    "balance A1": HOUSE,
    "statement A1 --period 2026-03": HOUSE,
    "explain first-bank/P1": HOUSE,
    "trial-balance --through 2026-03-31": HOUSE,
    "verify": (APPROVER, OPERATOR, AUDITOR),
    "contract check {draft}": EVERYONE,
    "contract schema": EVERYONE,
    "contract list": HOUSE,
    "contract show sky-visa/1": HOUSE,
    "contract explain sky-visa/1": HOUSE,
    "contract diff sky-visa/1 {draft}": HOUSE,
    "contract try {draft} --from 2026-02-01 --to 2026-04-30": HOUSE,
    "contract apply {draft} --author Ann": (AUTHOR,),
    "contract approve sky-visa/2 --approver Bo": (APPROVER,),
    "member show A1": HOUSE,
    "member import {members}": (OPERATOR,),
    "activation list A1": HOUSE,
    "activation import {codes}": (OPERATOR,),
    "review list": HOUSE,
    "review resolve first-bank/R1 --purchase first-bank/P1 --by Cy": (OPERATOR,),
    "reconsider account A1": (OPERATOR,),
    "reconsider contract sky-visa": (OPERATOR,),
    "settle --partner sky-air --by Ann --through 2026-04-30": (OPERATOR,),
    "batch list": (*HOUSE, PARTNER),
    f"batch show {ANSWERED}": HOUSE,
    f"batch show {ANSWERED} --line 1": HOUSE,
    f"batch statement {ANSWERED} --to {{folder}}/statement.csv": HOUSE,
    f"batch journal {ANSWERED} --chart {{chart}} --to {{folder}}/journal.csv": HOUSE,
    f"batch reproduce {ANSWERED}": HOUSE,
    "batch check {sent}": EVERYONE,
    f"batch approve {PENDING} --approver Bo": (APPROVER,),
    f"batch withdraw {UNWANTED} --by Dee --reason wrong": (OPERATOR,),
    f"batch deliver {APPROVED} --by Dee": (OPERATOR,),
    f"acknowledge {{folder}}/{SENT}.txt --partner sky-air --by Dee": (OPERATOR,),
    "answer list": (APPROVER, OPERATOR, AUDITOR),
    "answer save {answer} --to {folder}/kept.txt": (APPROVER, OPERATOR, AUDITOR),
    f"batch pay {ANSWERED} --by Dee --reference R-1": (OPERATOR,),
    f"payout accept {ANSWERED}/1 --by Ann": (OPERATOR,),
    "payout import {folder}/payouts.csv --by Ann": (OPERATOR,),
    "period list": HOUSE,
    "period close 2026-01 --by Ann": (OPERATOR,),
    "reconcile --partner sky-air --period 2026-02 --by Cy": (OPERATOR,),
    "discrepancy list": (*HOUSE, PARTNER),
    "discrepancy resolve {open} --by Cy --reason asked": (OPERATOR,),
    "discrepancy approve {explained} --approver Bo": (APPROVER,),
    "audit list": HOUSE,
    **{f"export {what} --to {{folder}}/{what}.csv": HOUSE
       for what in ("events", "grants", "totals", "transfers", "balances", "batches")},
    "dead-letters list": HOUSE,
    f"dead-letters show {LETTER}": HOUSE,
    f"dead-letters replay {LETTER} --by Dee": (OPERATOR,),
    "feed list": EVERYONE,
    "feed check {records} --feed first-bank": EVERYONE,
    "topics check": EVERYONE,
    "topics create": NOBODY,
    "migrate": NOBODY,
    "rebuild --check": NOBODY,
    "run settlement": NOBODY,
    "run publisher": NOBODY,
    "run accrual": NOBODY,
}  # fmt: skip
"""Command → whom it is for. What nobody else reads or moves comes before what would change it."""
UNTRIED = {"demo", "bench", "keys create", "feed send"}
"""They ask nothing of the database, and start servers, write keys or fill a topic."""
FOUND = {"contract diff": 1}
"""Commands that end with another exit code than 0 when all is well."""


def typed(house: House, line: str) -> list[str]:
    """The words of a command, its files made."""
    given = {
        "folder": str(house.folder),
        "draft": house.file("v2.yaml", agreement(2, dining="3", limit="60", first="2027-01-01")),
        "members": house.file("members.csv", _members()),
        "codes": house.file("codes.csv", "account_id,code,activated_on\nA1,SPRING,2026-02-01\n"),
        "chart": house.file("chart.yaml", CHART),
        "records": house.file("records.jsonl", ""),
        "sent": str(next((house.files / "sky-air/sent").glob("*-rewards-*.txt"))),
        "answer": sha256((house.folder / f"{ANSWERED}.txt").read_bytes()).hexdigest(),
        "explained": house.discrepancies[0],
        "open": house.discrepancies[1],
    }
    words = line.format(**given).split()
    writes = MAY.get(name_of(line)) in ((AUTHOR,), (APPROVER,), (OPERATOR,))
    return [*words, *ON] if writes else words


def name_of(line: str) -> str:
    """What the command is called, without what it is given."""
    words = line.split()
    return max((name for name in COMMANDS if words[: len(name.split())] == name.split()), key=len)


def _members() -> str:
    row = builders.row("A2", partner="sky-air", membership_number="22222")
    return f"{','.join(row)}\n{','.join(value or '' for value in row.values())}\n"

"""The partner's side in tests: a simulated airline that answers what it was sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

from services.settlement import bootstrap as settlement
from services.settlement.bootstrap import Sent
from tests.support.settlement import Books, settings_for

APRIL_3 = date(2026, 4, 3)
BATCH = "sky-air-000001"
_PLUS, _MINUS = "{ABCDEFGHI", "}JKLMNOPQR"


class Verdict(NamedTuple):
    """What the airline says of one record."""

    status: str = " "
    merge_to: str = ""
    flags: str = ""


async def approved(books: Books, folder: Path, batch: str = BATCH) -> None:
    settings = settings_for(books.url, folder)
    await settlement.approve_batch(settings, batch, approver="Bo", on=date(2026, 4, 2))


async def delivered(
    books: Books, folder: Path, batch: str = BATCH, *, to: Path | None = None, resend: bool = False
) -> Sent:
    settings = settings_for(books.url, folder)
    return await settlement.deliver_batch(
        settings, batch, by="Dee", on=APRIL_3, to=to, resend=resend
    )


async def sent(books: Books, folder: Path, batch: str = BATCH) -> bytes:
    """Approve and deliver a batch; the bytes of its rewards file at the airline's."""
    await approved(books, folder, batch)
    found = await delivered(books, folder, batch)
    (path,) = [file.path for file in found.files if file.path.endswith(".txt")]
    return Path(path).read_bytes()


def answered(content: bytes, verdicts: Mapping[int, Verdict] | None = None) -> bytes:
    """The audit file of a rewards file: by line number, blank for the rest."""
    head, *details = content.decode("ascii").split("\r")[:-1]
    sums = {True: [0, 0], False: [0, 0]}
    records = []
    for detail in details:
        verdict = (verdicts or {}).get(int(detail[28:48]), Verdict())
        own = sums[verdict.status == "E"]
        own[0] += 1
        own[1] += signed(detail[73:82])
        audit = "202604042026040420260405" + verdict.merge_to.rjust(11) + verdict.status
        records.append((detail[:90] + audit + " " * 19 + verdict.flags).ljust(250))
    area = "".join(f"{count:08d}{overpunched(miles)}" for count, miles in (sums[True], sums[False]))
    return "".join(r + "\r" for r in [head[:79] + area + head[121:], *records]).encode("ascii")


def signed(text: str) -> int:
    letters = _PLUS if text[-1] in _PLUS else _MINUS
    size = int(text[:-1] + str(letters.index(text[-1])))
    return size if letters is _PLUS else -size


def overpunched(miles: int) -> str:
    digits = f"{abs(miles):013d}"
    return digits[:-1] + (_MINUS if miles < 0 else _PLUS)[int(digits[-1])]


async def acknowledge(
    books: Books,
    folder: Path,
    content: bytes,
    *,
    partner: str = "sky-air",
    name: str = "answer.txt",
) -> tuple[str, dict[str, int], int]:
    """(state of the batch, lines by outcome, lines told something new)."""
    path = folder.parent / name
    path.write_bytes(content)
    header, found = await settlement.acknowledge_file(
        settings_for(books.url, folder), path, partner=partner, by="Dee", on=date(2026, 4, 5)
    )
    return header.state, dict(found.outcomes), found.fresh


async def owed(books: Books) -> dict[str, int]:
    """Balances of the chart that are not zero, members together."""
    rows = await books.connection.fetch("SELECT account, unit, amount FROM ledger_balance")
    found: dict[str, int] = {}
    for row in rows:
        account = "member" if row["account"].startswith("member/") else row["account"]
        found[account] = found.get(account, 0) + int(row["amount"])
    return {account: amount for account, amount in found.items() if amount}

"""A bank of somebody else's (mock-bank) on this machine: it takes payouts and answers them."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from mockbank.server import Config, make_server

from services.runtime.sealing import create_keys
from services.runtime.settings import Settings, load_settings
from services.settlement import bootstrap as settlement
from services.settlement.batches.payout import Payouts
from services.settlement.bootstrap import payouts
from services.settlement.files.payout_sheet import HEADER
from tests.support.settlement import Books

APRIL_3 = date(2026, 4, 3)


class Bank:
    """Its clock stands on the first of April 2026, in the morning."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, method: str, path: str, content: bytes | dict[str, Any] = b"") -> Any:
        body = json.dumps(content).encode() if isinstance(content, dict) else content
        line = HTTPConnection("127.0.0.1", self._port, timeout=20)
        with closing(line):
            line.request(method, path, body=body)
            answer = line.getresponse()
            found = json.loads(answer.read())
        assert answer.status < 300 or path == "/payments", found
        return found

    def account(self, name: str, iban: str, **more: Any) -> None:
        given = {"id": name, "name": name, "iban": iban, "balance": 10_000_000, **more}
        self.ask("POST", "/_mock/accounts", given)

    def take(self, content: bytes) -> None:
        """A payment file comes in."""
        self.ask("POST", "/payments", content)

    def until(self, day: str) -> None:
        """Bank time passes."""
        self.ask("POST", f"/_mock/advance?to={day}")

    def says(self, kind: str) -> list[bytes]:
        """What it has sent of a kind and nobody has collected, oldest first."""
        found = self.ask("GET", f"/_mock/mailbox?type={kind}")
        rows = found["messages"] if isinstance(found, dict) else found
        return [row["body"].strip().encode() + b"\n" for row in rows]


@contextmanager
def open_bank() -> Iterator[Bank]:
    server = make_server(Config(port=0, quiet=True, clock="2026-04-01T08:00:00"))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Bank(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def trusted(books: Books, folder: Path) -> Settings:
    """Settings of a machine that may open the payout table."""
    keys = folder.parent / "payout-keys"
    if not keys.exists():
        create_keys(keys)
    return load_settings({
        "MILEPOST_DATABASE_URL": books.url,
        "MILEPOST_FILES_DIR": str(folder),
        "MILEPOST_PAYOUT_KEY_FILE": str(keys / "quarantine.pub"),
        "MILEPOST_PAYOUT_IDENTITY_FILE": str(keys / "quarantine.key"),
    })  # fmt: skip


async def import_payouts(settings: Settings, folder: Path, partner: str, table: Payouts) -> None:
    text = io.StringIO()
    sheet = csv.writer(text)
    sheet.writerow(HEADER)
    payer = table.payer
    sheet.writerow(["payer", partner, payer.name, payer.bank, payer.account, "", payer.identifier,
                    payer.bank_name])  # fmt: skip
    for owner, payee in table.payees.items():
        sheet.writerow(["payee", owner, payee.name, payee.bank, payee.account, payee.kind, "", ""])
    path = folder.parent / "payouts.csv"
    path.write_text(text.getvalue())
    await payouts.import_payouts(settings, path, by="Ann", on=date(2026, 3, 1))


async def acknowledged(
    settings: Settings, content: bytes, folder: Path, *, partner: str = "first-bank"
) -> tuple[str, dict[str, int], int]:
    """(state of the batch, lines by outcome, lines told something new)."""
    path = folder.parent / "answer.dat"
    path.write_bytes(content)
    header, found = await settlement.acknowledge_file(
        settings, path, partner=partner, by="Dee", on=APRIL_3
    )
    return header.state, dict(found.outcomes), found.fresh

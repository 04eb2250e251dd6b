"""`milepost batch deliver` into a bucket, sealed with age."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pyrage
import pytest
from typer.testing import CliRunner, Result

from services.cli.__main__ import app
from services.settlement.exchange.destinations import Bucket
from tests.support.bucket import make_bucket, object_server, objects
from tests.support.partner import BATCH, approved
from tests.support.settlement import Books, settle

DELIVER = ("batch", "deliver", BATCH, "--by", "Dee", "--date", "2026-04-03")


@pytest.fixture
async def books(database_url: str, tmp_path: Path) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    await books.contract()
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 10)
    await settle(books, tmp_path / "files")
    await approved(books, tmp_path / "files")
    yield books
    await books.close()


async def test_a_batch_arrives_in_a_bucket_and_opens_with_the_partner_s_age_key_only(
    books: Books, tmp_path: Path
) -> None:
    theirs = pyrage.x25519.Identity.generate()
    (tmp_path / "sky-air.age").write_text(f"# sky-air\n{theirs.to_public()}\n")
    (tmp_path / "id").write_text("milepost\n")
    (tmp_path / "secret").write_text("not so secret\n")
    with object_server() as address:
        where = Bucket(
            bucket="sky-air-commands", prefix="incoming", region="eu-north-1", endpoint=address,
            key_id_file=str(tmp_path / "id"), secret_key_file=str(tmp_path / "secret"),
        )  # fmt: skip
        make_bucket(address, where.bucket)
        to = where.model_dump_json()
        (tmp_path / "deliveries.yaml").write_text(
            f"deliveries:\n  - partner: sky-air\n    to: {{bucket: {to}}}\n"
            "    seal: {age: {recipients_file: sky-air.age}}\n"
        )
        done = await run(books, tmp_path, *DELIVER)
        assert done.exit_code == 0, (done.output, done.exception)
        assert f"{BATCH} is delivered, rerun 0" in done.stderr
        arrived = objects(where, address)
        again = await run(books, tmp_path, *DELIVER)
        assert "was delivered before" in again.stderr
        assert objects(where, address) == arrived
    assert {name.rpartition(".")[2] for name in arrived} == {"age"}
    outgoing = {
        path.name: path.read_bytes() for path in (tmp_path / "files/sky-air/outgoing").iterdir()
    }
    assert len(arrived) == len(outgoing) > 1
    for name, sealed in arrived.items():
        plain = pyrage.decrypt(sealed, [theirs])
        own = name.removeprefix("incoming/").removesuffix(".age")
        assert own.endswith(".manifest.json") or plain == outgoing[own]
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(sealed, [pyrage.x25519.Identity.generate()])


async def run(books: Books, folder: Path, *words: str) -> Result:
    environment = {
        "MILEPOST_DATABASE_URL": books.url, "MILEPOST_FILES_DIR": str(folder / "files"),
        "MILEPOST_DELIVERIES_FILE": str(folder / "deliveries.yaml"),
    }  # fmt: skip
    return await asyncio.to_thread(CliRunner().invoke, app, [*words], env=environment)

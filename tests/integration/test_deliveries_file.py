"""A batch goes where the deliveries file says, sealed once, however often the line is cut."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pysequoia
import pytest

from services.kernel.errors import InvalidInput, Unreachable
from services.runtime.settings import Settings, load_settings
from services.settlement import bootstrap as settlement
from services.settlement.bootstrap import Sent
from services.settlement.bootstrap.delivering import check_deliveries
from services.settlement.exchange.destinations import Sftp
from tests.support.partner import APRIL_3, BATCH, approved
from tests.support.settlement import Books, broken, settle
from tests.support.sftp import make_keys, pgp_keys, serving


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


def configured(books: Books, tmp_path: Path, where: Sftp) -> Settings:
    """The partner's server in a deliveries file."""
    path = tmp_path / "deliveries.yaml"
    to = where.model_dump_json()
    path.write_text(
        f"deliveries:\n  - partner: sky-air\n    to: {{sftp: {to}}}\n"
        "    seal: {pgp: {recipient_file: sky-air.asc, signer_file: ours.key}}\n"
    )
    return load_settings({
        "MILEPOST_DATABASE_URL": books.url,
        "MILEPOST_FILES_DIR": str(tmp_path / "files"),
        "MILEPOST_DELIVERIES_FILE": str(path),
    })  # fmt: skip


async def deliver(settings: Settings, *, resend: bool = False) -> Sent:
    return await settlement.deliver_batch(
        settings, BATCH, by="Dee", on=APRIL_3, to=None, resend=resend
    )


def there(tmp_path: Path) -> dict[str, bytes]:
    """What the partner takes for a file."""
    folder = tmp_path / "partner/in"
    return {path.name: path.read_bytes() for path in folder.glob("[!.]*")}


async def test_a_sealed_batch_cut_off_in_the_middle_arrives_whole_by_a_second_call(
    books: Books, tmp_path: Path
) -> None:
    _, theirs, ours = pgp_keys(tmp_path)
    keys, root = make_keys(tmp_path / "keys"), tmp_path / "partner"
    async with serving(keys, root, cut_at=12) as where:
        with pytest.raises(Unreachable, match="Deliver again"):
            await deliver(configured(books, tmp_path, where))
        before = there(tmp_path)
        port = where.port
    assert before, "the line was cut between two files"
    assert not any("manifest" in name for name in before)
    async with serving(keys, root, port=port) as where:
        settings = configured(books, tmp_path, where)
        sent = await deliver(settings)
        after = there(tmp_path)
        assert (sent.header.state, sent.run) == ("SENT", 0)
        assert {name: after[name] for name in before} == before, "sealed once, sent as it was"
        assert not [name for name in after if not name.endswith(".pgp")]
        assert {file.fresh for file in sent.files} == {True, False}

        assert (await deliver(settings)).run is None
        name = next(name for name in after if name.endswith(".txt.pgp"))
        (root / "in" / name).unlink()  # the partner has taken it away
        again = await deliver(settings, resend=True)
        assert again.run == 1
        assert there(tmp_path)[name] == after[name]

    signer = ours.extract_certificate()
    opened = {}
    for name, content in there(tmp_path).items():
        found = pysequoia.decrypt(content, decryptor=theirs.decryptor(), store=lambda _: [signer])
        assert [sig.certificate for sig in found.valid_sigs] == [signer.fingerprint]
        opened[name.removesuffix(".pgp")] = bytes(found.bytes)
    outgoing = tmp_path / "files/sky-air/outgoing"
    for path in outgoing.iterdir():
        if not path.name.endswith(".manifest.json"):
            assert opened[path.name] == path.read_bytes()
    assert [
        json.loads(content)["rerun"]
        for name, content in sorted(opened.items()) if name.endswith(".manifest.json")
    ] == [0, 1]  # fmt: skip
    assert await broken(books, tmp_path / "files") == []


async def test_every_key_that_is_none_is_told_before_anything_is_sent(
    books: Books, tmp_path: Path
) -> None:
    for name in ("user", "hosts", "sky-air.asc", "ours.key"):
        (tmp_path / name).write_text("no key\n")
    where = Sftp(host="127.0.0.1", port=1, user="u", key_file=str(tmp_path / "user"),
                 host_keys_file=str(tmp_path / "hosts"), folder="/in")  # fmt: skip
    settings = configured(books, tmp_path, where)
    with pytest.raises(InvalidInput) as refused:
        check_deliveries(settings)
    told = [str(problem) for problem in refused.value.problems]
    assert [("to.sftp.key_file" in text, "seal.pgp" in text) for text in told] == [
        (True, False),
        (False, True),
    ]
    assert all("deliveries.yaml" in text and "sky-air" in text for text in told)
    with pytest.raises(InvalidInput):
        await deliver(settings)
    assert [header.state for header in await settlement.list_batches(settings)] == ["APPROVED"]

"""Files reach a partner whole or not at all, over real SFTP and S3, whenever the line is cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, nullcontext
from itertools import count
from pathlib import Path

import pyrage
import pysequoia
import pytest

from services.kernel.errors import InvariantViolated, Unreachable
from services.settlement.adapters.bucket_destination import BucketDestination
from services.settlement.adapters.directory import Directory
from services.settlement.adapters.envelopes import envelope
from services.settlement.adapters.file_drop import FolderDrop
from services.settlement.adapters.kept_files import KeptFiles
from services.settlement.adapters.sftp_destination import SftpDestination
from services.settlement.exchange.destinations import Age, Bucket, Seal
from services.settlement.exchange.outbox import Destination, send
from tests.support.bucket import make_bucket, object_server, objects
from tests.support.sftp import make_keys, pgp_keys, serving

NAME = "sky-air-air-miles-rewards-000001.txt"
_number = count(1)
CONTENT = b"TH0001" + bytes(range(256)) * 400


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return make_keys(tmp_path / "keys")


async def test_a_file_lies_there_whole_under_its_name(keys: Path, tmp_path: Path) -> None:
    async with serving(keys, tmp_path / "partner") as where:
        destination = SftpDestination(where)
        assert await destination.put(NAME, CONTENT)
        assert not await destination.put(NAME, CONTENT), "the same again changes nothing"
    assert [path.name for path in (tmp_path / "partner/in").iterdir()] == [NAME]
    assert (tmp_path / "partner/in" / NAME).read_bytes() == CONTENT


async def test_other_bytes_under_the_name_are_never_overwritten(keys: Path, tmp_path: Path) -> None:
    async with serving(keys, tmp_path / "partner") as where:
        (tmp_path / "partner/in" / NAME).write_bytes(b"what the partner keeps")
        with pytest.raises(InvariantViolated, match="holds other bytes"):
            await SftpDestination(where).put(NAME, CONTENT)
    assert (tmp_path / "partner/in" / NAME).read_bytes() == b"what the partner keeps"


async def test_a_line_cut_at_any_request_leaves_nothing_or_the_whole_file(
    keys: Path, tmp_path: Path
) -> None:
    cuts = 0
    for cut_at in range(100):
        root = tmp_path / f"partner-{cut_at}"
        async with serving(keys, root, cut_at=cut_at) as where:
            try:
                await SftpDestination(where).put(NAME, CONTENT)
            except Unreachable as error:
                assert "Deliver again" in str(error)
            else:
                break
        there = root / "in" / NAME
        assert not there.exists() or there.read_bytes() == CONTENT
        cuts += 1
        async with serving(keys, root) as where:
            await SftpDestination(where).put(NAME, CONTENT)
        assert there.read_bytes() == CONTENT
        assert [path.name for path in (root / "in").iterdir()] == [NAME]
    assert cuts >= 6, "open, write, sync, close, stat and rename were each cut"


async def test_a_server_with_another_host_key_is_refused(keys: Path, tmp_path: Path) -> None:
    async with serving(keys, tmp_path / "partner") as where:
        known = Path(where.host_keys_file)
        known.write_text(f"[127.0.0.1]:{where.port} {(keys / 'other.pub').read_text()}")
        with pytest.raises(Unreachable, match="host key"):
            await SftpDestination(where).put(NAME, CONTENT)
        known.write_text("")
        with pytest.raises(Unreachable, match="host key"):
            await SftpDestination(where).put(NAME, CONTENT)
    assert not list((tmp_path / "partner/in").iterdir())


async def test_a_stranger_s_key_is_refused_and_no_password_is_tried(
    keys: Path, tmp_path: Path
) -> None:
    async with serving(keys, tmp_path / "partner") as where:
        stranger = where.model_copy(update={"key_file": str(keys / "stranger")})
        with pytest.raises(Unreachable, match="refuses the user milepost"):
            await SftpDestination(stranger).put(NAME, CONTENT)


async def test_a_server_that_is_away_is_told(keys: Path, tmp_path: Path) -> None:
    async with serving(keys, tmp_path / "partner") as where:
        pass
    with pytest.raises(Unreachable, match="SFTP server"):
        await SftpDestination(where).put(NAME, CONTENT)


@pytest.fixture
def object_store() -> Iterator[str]:
    with object_server() as address:
        yield address


@pytest.fixture
def bucket(object_store: str, tmp_path: Path) -> Bucket:
    (tmp_path / "id").write_text("milepost\n")
    (tmp_path / "secret").write_text("not so secret\n")
    where = Bucket(
        bucket=f"sky-air-{next(_number)}", prefix="incoming", region="eu-north-1",
        endpoint=object_store, key_id_file=str(tmp_path / "id"),
        secret_key_file=str(tmp_path / "secret"),
    )  # fmt: skip
    make_bucket(object_store, where.bucket)
    return where


async def test_an_object_is_created_once_and_never_overwritten(
    bucket: Bucket, object_store: str
) -> None:
    destination = BucketDestination(bucket)
    assert await destination.put(NAME, CONTENT)
    assert not await destination.put(NAME, CONTENT)
    with pytest.raises(InvariantViolated, match="holds other bytes"):
        await destination.put(NAME, b"something else")
    assert objects(bucket, object_store) == {f"incoming/{NAME}": CONTENT}


async def test_a_bucket_that_is_not_there_is_told(bucket: Bucket) -> None:
    with pytest.raises(Unreachable, match="bucket"):
        await BucketDestination(bucket.model_copy(update={"bucket": "nobody"})).put(NAME, CONTENT)


@asynccontextmanager
async def short_line(endpoint: str, bytes_max: int) -> AsyncIterator[str]:
    """Passes so many bytes of a request on, then hangs up."""
    host, _, port = endpoint.removeprefix("http://").partition(":")

    async def serve(client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        _, to_server = await asyncio.open_connection(host, int(port))
        left = bytes_max
        while left > 0 and (data := await client.read(min(left, 65_536))):
            left -= len(data)
            to_server.write(data)
            await to_server.drain()
            if data.endswith(CONTENT[-64:]):  # all of it came; the answer is lost
                await asyncio.sleep(0.2)
                break
        to_server.close()
        answer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()


@pytest.mark.parametrize("passed", [0, 200, 5_000, 60_000, 10_000_000])
async def test_an_upload_cut_after_some_bytes_leaves_nothing_or_the_whole_object(
    bucket: Bucket, object_store: str, passed: int
) -> None:
    async with short_line(object_store, passed) as endpoint:
        with pytest.raises(Unreachable):
            await asyncio.wait_for(
                BucketDestination(bucket.model_copy(update={"endpoint": endpoint})).put(
                    NAME, CONTENT
                ),
                60,
            )
    assert objects(bucket, object_store) in ({}, {f"incoming/{NAME}": CONTENT})
    await BucketDestination(bucket).put(NAME, CONTENT)
    assert objects(bucket, object_store) == {f"incoming/{NAME}": CONTENT}


async def test_a_sealed_file_opens_with_the_partner_s_key_and_shows_who_signed(
    tmp_path: Path,
) -> None:
    seal, theirs, ours = pgp_keys(tmp_path)
    closed = envelope(seal)
    assert closed is not None
    message = closed.close(CONTENT)
    assert CONTENT[:100] not in message
    signer = ours.extract_certificate()
    opened = pysequoia.decrypt(message, decryptor=theirs.decryptor(), store=lambda _: [signer])
    assert opened.bytes == CONTENT
    assert [sig.certificate for sig in opened.valid_sigs] == [signer.fingerprint]


async def test_a_file_sealed_with_age_opens_with_each_of_the_partner_s_keys(
    tmp_path: Path,
) -> None:
    identities = [pyrage.x25519.Identity.generate() for _ in range(2)]
    lines = [str(identity.to_public()) for identity in identities]
    (tmp_path / "keys.txt").write_text("# Sky Air\n" + "\n".join(lines) + "\n")
    closed = envelope(Seal(age=Age(recipients_file=str(tmp_path / "keys.txt"))))
    assert closed is not None
    message = closed.close(CONTENT)
    assert [pyrage.decrypt(message, [one]) for one in identities] == [CONTENT, CONTENT]


class Fragile:
    """A destination that breaks before its n-th file."""

    def __init__(self, within: Destination, breaks_at: int) -> None:
        self._within, self._left = within, breaks_at

    def place(self, name: str) -> str:
        return self._within.place(name)

    async def put(self, name: str, content: bytes) -> bool:
        if not self._left:
            raise Unreachable("The partner", name, "cut")
        self._left -= 1
        return await self._within.put(name, content)


@pytest.mark.parametrize("breaks_at", [0, 1, 2])
async def test_what_is_sent_again_is_sealed_in_the_same_bytes(
    tmp_path: Path, breaks_at: int
) -> None:
    seal, theirs, _ = pgp_keys(tmp_path)
    there = Directory(tmp_path / "partner")
    kept = KeptFiles(FolderDrop(tmp_path / "files"), "sky-air")
    files = [(NAME, CONTENT), ("sky-air-000001.manifest.json", b"{}")]
    with pytest.raises(Unreachable) if breaks_at < 2 else nullcontext():
        await send(files, Fragile(there, breaks_at), envelope=envelope(seal), kept=kept)
    before = {path.name: path.read_bytes() for path in (tmp_path / "partner").glob("*")}
    parcels = await send(files, there, envelope=envelope(seal), kept=kept)
    after = {path.name: path.read_bytes() for path in (tmp_path / "partner").glob("*")}
    assert [parcel.fresh for parcel in parcels] == [index >= breaks_at for index in range(2)]
    assert sorted(after) == ["sky-air-000001.manifest.json.pgp", f"{NAME}.pgp"]
    assert {name: after[name] for name in before} == before
    opened = pysequoia.decrypt(after[f"{NAME}.pgp"], decryptor=theirs.decryptor())
    assert opened.bytes == CONTENT

"""A bucket of an object store that speaks S3: an object is there whole, or not at all."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import S3Store

from services.kernel.errors import InvariantViolated, Unreachable
from services.settlement.exchange.destinations import Bucket

if TYPE_CHECKING:
    from obstore.store import S3Config

ANSWER = timedelta(seconds=30)


class BucketDestination:
    """Destination in a bucket. The store itself refuses to overwrite (If-None-Match)."""

    def __init__(self, where: Bucket) -> None:
        self._where = where
        self._prefix = where.prefix.strip("/")
        keys: S3Config = {"conditional_put": "etag"}
        if where.key_id_file is not None and where.secret_key_file is not None:
            keys["access_key_id"] = _secret(where.key_id_file)
            keys["secret_access_key"] = _secret(where.secret_key_file)
        if where.endpoint is not None:
            keys["endpoint"] = where.endpoint
        # An endpoint without TLS is for tests and for stores on the same machine.
        plain = where.endpoint is not None and where.endpoint.startswith("http://127.0.0.1:")
        self._store = S3Store(
            where.bucket,
            region=where.region,
            config=keys,
            client_options={"timeout": ANSWER, "connect_timeout": ANSWER, "allow_http": plain},
            retry_config={"max_retries": 2, "retry_timeout": ANSWER},
        )

    def place(self, name: str) -> str:
        """`s3://bucket/prefix/name`."""
        return f"s3://{self._where.bucket}/{self._key(name)}"

    async def put(self, name: str, content: bytes) -> bool:
        """Create the object; the same bytes again change nothing."""
        key = self._key(name)
        try:
            try:
                await obstore.put_async(
                    self._store, key, content, mode="create", use_multipart=False
                )
            except AlreadyExistsError:
                there = await (await obstore.get_async(self._store, key)).bytes_async()
                if bytes(there) != content:
                    raise InvariantViolated(
                        f"{self.place(name)} holds other bytes than were sealed: nothing is "
                        "overwritten there; ask the partner what it is"
                    ) from None
                return False
        except NotFoundError as error:
            hint = f"There is no bucket {self._where.bucket} there, or it is not ours."
            raise Unreachable("The partner's bucket", self.place(name), hint) from error
        except (BaseError, OSError) as error:
            first = str(error).strip().splitlines()[0] if str(error).strip() else ""
            hint = f"{first[:200]} Deliver again: it goes on where it stopped."
            raise Unreachable("The partner's bucket", self.place(name), hint) from error
        return True

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name


def _secret(file: str) -> str:
    return Path(file).read_text(encoding="utf-8").strip()

"""An object store of this machine, and what lies in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection

import obstore
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from services.settlement.exchange.destinations import Bucket


@contextmanager
def object_server() -> Iterator[str]:
    """Its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def make_bucket(endpoint: str, name: str) -> None:
    """An anonymous PUT: the store of the tests asks nobody who he is."""
    place = "<CreateBucketConfiguration><LocationConstraint>eu-north-1</LocationConstraint>"
    line = HTTPConnection(endpoint.removeprefix("http://"))
    with closing(line):
        line.request("PUT", f"/{name}", body=f"{place}</CreateBucketConfiguration>", headers={
            "Authorization": "AWS4-HMAC-SHA256 Credential=milepost/20260101/eu-north-1/s3/"
            "aws4_request, SignedHeaders=host, Signature=0",
        })  # fmt: skip
        assert line.getresponse().status == 200


def objects(where: Bucket, endpoint: str) -> dict[str, bytes]:
    """Every object by its name."""
    store = S3Store(
        where.bucket, region=where.region, endpoint=endpoint, access_key_id="milepost",
        secret_access_key="not so secret", client_options={"allow_http": True},
    )  # fmt: skip
    found = [entry["path"] for page in obstore.list(store) for entry in page]
    return {path: bytes(obstore.get(store, path).bytes()) for path in found}

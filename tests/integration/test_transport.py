"""Kafka over SASL_SSL: works with the right authority and name, and with nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.kernel.errors import InvalidInput, Unreachable
from services.local import stack as local_stack
from services.local.kafka import KafkaListener
from services.runtime.producer import BatchProducer, OutgoingRecord
from services.runtime.settings import Settings, load_settings
from services.runtime.topics import TopicAdmin, TopicSpecification
from tests.support.certificates import Authority

pytestmark = pytest.mark.skipif(
    any(os.environ.get(name) for name in ("MILEPOST_STACK", "MILEPOST_KAFKA_BOOTSTRAP_SERVERS")),
    reason="SASL_SSL is tested on a local broker, and another stack was asked for",
)
PASSWORD = "right-word"


@dataclass(frozen=True)
class Secure:
    """The broker's ports, and the files of those who may talk to it."""

    port: str
    plain: str
    ca: Path
    other_ca: Path
    folder: Path

    def settings(
        self, *, host: str = "127.0.0.1", ca: Path | None = None, password: str = PASSWORD
    ) -> Settings:
        secret = self.folder / f"{password}.txt"
        secret.write_text(password)
        return load_settings(
            {
                "MILEPOST_KAFKA_BOOTSTRAP_SERVERS": f"{host}:{self.port}",
                "MILEPOST_KAFKA_SASL_USERNAME": "ann",
                "MILEPOST_KAFKA_SASL_PASSWORD_FILE": str(secret),
                "MILEPOST_KAFKA_SSL_CAFILE": str(ca or self.ca),
            }
        )


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    folder = tmp_path_factory.mktemp("tls")
    authority, other = Authority(folder), Authority(folder, name="other")
    # The certificate is for the address alone: by its name the broker is somebody else.
    listener = KafkaListener(authority.issue("127.0.0.1"), {"ann": PASSWORD})
    with local_stack.start(secure=listener) as stack:
        assert stack.kafka.sasl_ssl_bootstrap is not None
        port = stack.kafka.sasl_ssl_bootstrap.rpartition(":")[2]
        yield Secure(port, stack.kafka_bootstrap, authority.ca, other.ca, folder)


async def refusal(settings: Settings) -> str:
    with pytest.raises(Unreachable) as by_producer:
        await BatchProducer.connect(settings, client="test")
    with pytest.raises(Unreachable) as by_admin:
        await TopicAdmin.connect(settings)
    assert by_admin.value.hint == by_producer.value.hint
    return str(by_producer.value)


async def test_records_go_through_with_scram_and_a_checked_certificate(secure: Secure) -> None:
    settings = secure.settings()
    assert settings.kafka.security_protocol == "SASL_SSL"
    async with await TopicAdmin.connect(settings) as admin:
        assert await admin.create([TopicSpecification("feed", 2)]) == ["feed"]
    async with await BatchProducer.connect(settings, client="test") as producer:
        assert await producer.produce("feed", [OutgoingRecord(b"k", b"v")]) == 1


async def test_another_authority_is_refused(secure: Secure) -> None:
    said = await refusal(secure.settings(ca=secure.other_ca))
    assert "certificate is not trusted" in said
    assert "MILEPOST_KAFKA_SSL_CAFILE" in said


async def test_another_host_name_is_refused(secure: Secure) -> None:
    said = await refusal(secure.settings(host="localhost"))
    assert "certificate is not trusted (Hostname mismatch" in said


async def test_a_wrong_password_is_refused_and_not_shown(secure: Secure) -> None:
    said = await refusal(secure.settings(password="wrong-word"))
    assert "lets us not in" in said
    assert "wrong-word" not in said


async def test_tls_to_a_plain_listener_is_refused(secure: Secure) -> None:
    port = secure.plain.rpartition(":")[2]
    plain = Secure(port, secure.plain, secure.ca, secure.other_ca, secure.folder)
    assert "speaks no TLS" in await refusal(plain.settings())


async def test_a_file_that_is_no_authority_is_named(secure: Secure) -> None:
    nonsense = secure.folder / "nonsense.pem"
    nonsense.write_text("nothing\n")
    with pytest.raises(InvalidInput, match=r"MILEPOST_KAFKA_SSL_CAFILE.*no certificate authority"):
        await BatchProducer.connect(secure.settings(ca=nonsense), client="test")


async def test_nobody_at_the_address_is_said_plainly() -> None:
    settings = load_settings({"MILEPOST_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    assert "Nothing listens at 127.0.0.1:1: start it or correct" in await refusal(settings)

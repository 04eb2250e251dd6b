"""How a Kafka client proves who it is and checks whom it talks to."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import Any

from aiokafka.helpers import create_ssl_context

from services.kernel.errors import InvalidInput, Problem, Unreachable
from services.runtime.settings import KafkaSettings

PROBE_SECONDS = 3.0


def kafka_arguments(kafka: KafkaSettings) -> dict[str, Any]:
    """The keyword arguments that every client of aiokafka takes to reach the brokers.

    Raises InvalidInput when a certificate or key file cannot be used.
    """
    arguments: dict[str, Any] = {
        "bootstrap_servers": list(kafka.bootstrap_servers),
        "security_protocol": kafka.security_protocol,
    }
    if kafka.security_protocol in ("SSL", "SASL_SSL"):
        arguments["ssl_context"] = _ssl_context(kafka)
    if kafka.security_protocol.startswith("SASL") and kafka.sasl_password is not None:
        arguments |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.sasl_username,
            "sasl_plain_password": kafka.sasl_password.get_secret_value(),
        }
    return arguments


async def unreachable(kafka: KafkaSettings, error: BaseException) -> Unreachable:
    """Why Kafka cannot be reached, found out by asking each server once more.

    The client itself only says that it could not bootstrap.
    """
    where = ", ".join(kafka.bootstrap_servers)
    hints = [await _probe(kafka, server) for server in kafka.bootstrap_servers]
    hint = next((found for found in hints if found), None)
    if hint is None:
        text = str(error) or type(error).__name__
        hint = f"It answers, but lets us not in ({text}): check protocol, user and password."
    return Unreachable("Kafka", where, hint)


def _ssl_context(kafka: KafkaSettings) -> ssl.SSLContext:
    """A context that checks the certificate and the host name; there is no way to turn it off."""
    try:
        context: ssl.SSLContext = create_ssl_context(
            cafile=kafka.ssl_cafile and str(kafka.ssl_cafile)
        )
    except (OSError, ssl.SSLError) as error:
        why = f"holds no certificate authority ({error})"
        raise InvalidInput([_problem("CAFILE", why, str(kafka.ssl_cafile))]) from error
    if kafka.ssl_certfile is not None:
        try:
            context.load_cert_chain(kafka.ssl_certfile, kafka.ssl_keyfile, _no_password)
        except (OSError, ssl.SSLError) as error:
            why = f"and its key cannot be used ({error})"
            raise InvalidInput([_problem("CERTFILE", why, str(kafka.ssl_certfile))]) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _no_password() -> str:
    """A key with a password would otherwise be asked for on the terminal."""
    return ""


def _problem(name: str, why: str, value: str) -> Problem:
    return Problem(why, field=f"MILEPOST_KAFKA_SSL_{name}", value=value)


async def _probe(kafka: KafkaSettings, server: str) -> str | None:
    """What is wrong with the way to one server; None when a connection can be made."""
    host, _, port = server.rpartition(":")
    host = host.strip("[]")
    tls = kafka.security_protocol in ("SSL", "SASL_SSL")
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection(
                host,
                int(port),
                ssl=_ssl_context(kafka) if tls else None,
                server_hostname=host if tls else None,
            )
    except ssl.SSLCertVerificationError as error:
        return (
            f"Its certificate is not trusted ({error.verify_message}): name its authority in "
            "MILEPOST_KAFKA_SSL_CAFILE, and the host as in the certificate."
        )
    except (ssl.SSLError, ConnectionResetError) as error:
        said = getattr(error, "reason", "connection reset")
        return f"It speaks no TLS there ({said}): check MILEPOST_KAFKA_SECURITY_PROTOCOL."
    except ConnectionRefusedError:
        return f"Nothing listens at {server}: start it or correct MILEPOST_KAFKA_BOOTSTRAP_SERVERS."
    except TimeoutError:
        return f"{server} does not answer within {PROBE_SECONDS:.0f} s."
    except OSError as error:
        said = error.strerror or type(error).__name__
        return f"{server}: {said}. Correct MILEPOST_KAFKA_BOOTSTRAP_SERVERS."
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return None

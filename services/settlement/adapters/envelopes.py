"""Seals files for the way to a partner: OpenPGP (encrypted and signed) or age (encrypted)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyrage
import pysequoia

from services.kernel.errors import InvalidInput, Problem
from services.settlement.exchange.destinations import Age, Pgp, Seal
from services.settlement.exchange.outbox import Envelope


class PgpEnvelope:
    """Encrypted to the partner's key and signed with ours; binary."""

    suffix = ".pgp"

    def __init__(self, pgp: Pgp) -> None:
        self._recipient = _read("seal.pgp.recipient_file", pgp.recipient_file, pysequoia.Cert)
        signer = _read("seal.pgp.signer_file", pgp.signer_file, pysequoia.Tsk)
        try:
            self._signer = signer.signer()
        except Exception as error:  # the library has one type for everything
            raise _wrong("seal.pgp.signer_file", pgp.signer_file, str(error)) from error

    def close(self, content: bytes) -> bytes:
        """The message, which only the partner can open."""
        return bytes(
            pysequoia.encrypt(content, [self._recipient], signer=self._signer, armor=False)
        )


class AgeEnvelope:
    """Encrypted to each of the partner's public keys."""

    suffix = ".age"

    def __init__(self, age: Age) -> None:
        path = Path(age.recipients_file)
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        texts = [line for line in lines if line and not line.startswith("#")]
        try:
            self._recipients = [pyrage.x25519.Recipient.from_str(text) for text in texts]
        except pyrage.RecipientError as error:
            raise _wrong("seal.age.recipients_file", age.recipients_file, str(error)) from error
        if not self._recipients:
            raise _wrong("seal.age.recipients_file", age.recipients_file, "holds no public key")

    def close(self, content: bytes) -> bytes:
        """The message, which each holder of a private key can open."""
        return bytes(pyrage.encrypt(content, self._recipients))


def envelope(seal: Seal | None) -> Envelope | None:
    """The envelope that the deliveries file asks for; InvalidInput when a key is none."""
    if seal is None:
        return None
    if seal.pgp is not None:
        return PgpEnvelope(seal.pgp)
    return None if seal.age is None else AgeEnvelope(seal.age)


def _read(field: str, file: str, kind: Any) -> Any:
    try:
        return kind.from_bytes(Path(file).read_bytes())
    except Exception as error:  # the library has one type for everything
        raise _wrong(field, file, str(error)) from error


def _wrong(field: str, file: str, why: str) -> InvalidInput:
    return InvalidInput([Problem(f"is no key that can be used: {why}", field=field, value=file)])

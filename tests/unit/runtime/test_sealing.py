"""Rejected bytes are sealed to a key; the keys are made once and guarded."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import InvalidInput
from services.runtime.sealing import (
    IDENTITY,
    PUBLIC_KEY,
    TOKEN_KEY,
    Opener,
    Sealer,
    TokenKey,
    create_keys,
    load_token_keys,
)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    create_keys(folder)
    return folder


def test_the_private_files_are_for_their_owner_only(keys: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in keys.iterdir()}
    assert modes == {PUBLIC_KEY: 0o644, IDENTITY: 0o600, TOKEN_KEY: 0o600}


def test_no_key_is_overwritten(keys: Path) -> None:
    before = (keys / IDENTITY).read_bytes()
    with pytest.raises(InvalidInput) as caught:
        create_keys(keys)
    assert len(caught.value.problems) == 3
    assert (keys / IDENTITY).read_bytes() == before


@given(plain=st.binary(max_size=300))
def test_what_is_sealed_can_be_opened_and_shows_nothing(keys: Path, plain: bytes) -> None:
    sealed = Sealer.from_file(keys / PUBLIC_KEY).seal(plain)
    assert Opener.from_file(keys / IDENTITY).open(sealed) == plain
    _, _, payload = sealed.partition(b"\n--- ")  # in front of it stands who can open it
    assert payload
    assert len(plain) < 8 or plain not in payload


def test_another_identity_opens_nothing(keys: Path, tmp_path: Path) -> None:
    create_keys(tmp_path)
    sealed = Sealer.from_file(keys / PUBLIC_KEY).seal(b"garbage")
    with pytest.raises(InvalidInput, match="another key"):
        Opener.from_file(tmp_path / IDENTITY).open(sealed)


def test_a_file_that_holds_no_key_is_refused_without_showing_it(keys: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no age1… public key") as caught:
        Sealer.from_file(keys / IDENTITY)
    assert "AGE-SECRET-KEY" not in str(caught.value)
    with pytest.raises(InvalidInput, match="private key"):
        Opener.from_file(keys / PUBLIC_KEY)
    with pytest.raises(InvalidInput):
        Sealer.from_file(keys / "missing")


def test_the_token_key_has_a_version_and_prints_no_secret(keys: Path) -> None:
    (key,) = load_token_keys(keys / TOKEN_KEY)
    assert key.version == 1
    assert len(key.secret) == 32
    assert repr(key) == "TokenKey(version=1)"


def test_keys_are_rotated_by_adding_a_line(tmp_path: Path) -> None:
    path = tmp_path / "token.key"
    path.write_text(f"1:{'0a' * 32}\n2:{'0b' * 32}\n")
    assert load_token_keys(path) == (TokenKey(1, b"\x0a" * 32), TokenKey(2, b"\x0b" * 32))


def test_every_bad_line_of_a_token_key_is_named_without_its_value(tmp_path: Path) -> None:
    path = tmp_path / "token.key"
    path.write_text(f"1:abcd\nx:{'0a' * 32}\n3:{'0a' * 32}\n3:{'0b' * 32}\n")
    with pytest.raises(InvalidInput) as caught:
        load_token_keys(path)
    assert [problem.line for problem in caught.value.problems] == [1, 2, 4]
    assert "0a0a" not in str(caught.value)
    path.write_text("")
    with pytest.raises(InvalidInput, match="holds no key"):
        load_token_keys(path)

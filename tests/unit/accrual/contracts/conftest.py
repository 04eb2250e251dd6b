"""Contract texts to start from, and ways to read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from services.accrual.contracts.model import Contract
from services.accrual.contracts.parse import Signed, parse

SCHEMAS = Path(__file__).parents[4] / "schemas" / "contracts"


@pytest.fixture
def example() -> Callable[[str], str]:
    """The text of an example: `example("pool")`."""
    return lambda name: (SCHEMAS / "examples" / f"{name}.yaml").read_text(encoding="utf-8")


@pytest.fixture
def read(example: Callable[[str], str]) -> Callable[[str], Contract]:
    """An example as a contract: `read("pool")`."""
    return lambda name: parse(example(name), file=f"{name}.yaml").contract


@pytest.fixture
def sky_visa() -> str:
    """The full example: miles, two rules of one group, a shared monthly cap."""
    return (SCHEMAS / "examples" / "sky-visa.yaml").read_text(encoding="utf-8")


@pytest.fixture
def edited(sky_visa: str) -> Callable[..., str]:
    """The full example with texts replaced: `edited(("limit: \\"50\\"", "limit: \\"60\\""))`."""

    def edit(*replacements: tuple[str, str]) -> str:
        text = sky_visa
        for old, new in replacements:
            assert old in text, f"{old!r} is not in the example"
            text = text.replace(old, new)
        return text

    return edit


@pytest.fixture
def signed(edited: Callable[..., str]) -> Callable[..., Signed]:
    """The full example with texts replaced, read; its file is named after its version."""

    def read(*replacements: tuple[str, str], file: str = "sky-visa.yaml") -> Signed:
        return parse(edited(*replacements), file=file)

    return read

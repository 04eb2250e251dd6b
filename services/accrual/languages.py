"""The languages that a contract can be told in: one catalogue a file, `contracts/prose/*.yaml`."""

from __future__ import annotations

from importlib import resources

from services.accrual.contracts.prose.catalogue import Catalogue, read_catalogue
from services.kernel.errors import InvalidInput, Problem

DEFAULT = "en"
_FOLDER = resources.files("services.accrual.contracts.prose")


def languages() -> list[str]:
    """The codes of the languages there are."""
    names = (entry.name for entry in _FOLDER.iterdir())
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def catalogue(language: str) -> Catalogue:
    """The messages of a language. Raises InvalidInput when there is no such catalogue."""
    if language not in languages():
        why = f"there is no catalogue for it; there is: {', '.join(languages())}"
        raise InvalidInput([Problem(why, field="--language", value=language)])
    return read_catalogue(_FOLDER.joinpath(f"{language}.yaml").read_text(encoding="utf-8"))

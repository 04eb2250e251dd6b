"""The published pages: every YAML file of `schemas/files`, under the name that it says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from services.settlement.files.layout.page import Page, read_page


@cache
def pages() -> Mapping[str, Page]:
    """Every page by its name. ValueError, naming the file, if one of them has a fault."""
    found: dict[str, Page] = {}
    folder = resources.files("schemas").joinpath("files")
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".yaml"):
            continue
        try:
            page = read_page(file.read_text("utf-8"))
        except ValueError as error:
            raise ValueError(f"schemas/files/{file.name}: {error}") from error
        if file.name != f"{page.name}.yaml":
            raise ValueError(f"schemas/files/{file.name}: its layout is {page.name}")
        found[page.name] = page
    return found


def outgoing() -> Mapping[str, Page]:
    """The pages of files that partners receive: what a contract may name."""
    return {name: page for name, page in pages().items() if page.direction == "out"}

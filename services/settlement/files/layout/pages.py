"""The published pages: every YAML file of `schemas/files`, under the name that it says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from services.kernel.errors import InvalidInput, Problem
from services.settlement.files.layout.declared import read_page
from services.settlement.files.layout.page import Page


@cache
def pages() -> Mapping[str, Page]:
    """Every page by its name. InvalidInput says everything that is wrong with any of them."""
    found: dict[str, Page] = {}
    problems: list[Problem] = []
    folder = resources.files("schemas").joinpath("files")
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".yaml"):
            continue
        name = f"schemas/files/{file.name}"
        try:
            page = read_page(file.read_text("utf-8"))
        except ValueError as error:
            problems += [Problem(why, file=name) for why in str(error).splitlines()]
            continue
        if file.name != f"{page.name}.yaml":
            problems.append(Problem(f"its layout is {page.name}", file=name))
        found[page.name] = page
    if problems:
        raise InvalidInput(problems)
    return found


def outgoing() -> Mapping[str, Page]:
    """The pages of files that partners receive: what a contract may name."""
    return {name: page for name, page in pages().items() if page.direction == "out"}

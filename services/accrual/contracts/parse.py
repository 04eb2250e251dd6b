"""From the text of a contract file to a `Signed` version, or to every problem it has."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from services.accrual.contracts.amounts import check_amounts
from services.accrual.contracts.chains import check_chains
from services.accrual.contracts.document import Document, Place
from services.accrual.contracts.forms import check_forms
from services.accrual.contracts.groups import check_groups
from services.accrual.contracts.model import Contract
from services.accrual.contracts.parties import (
    check_fees,
    check_funding,
    check_layout,
    check_settlement,
)
from services.accrual.contracts.reading import read
from services.accrual.contracts.spans import check_release, check_spans
from services.accrual.contracts.steps import check_steps
from services.accrual.contracts.wording import report_shape
from services.kernel.card import contains_card_number
from services.kernel.errors import InvalidInput, Problem

Check = Callable[[Document], None]

CHECKS: tuple[Check, ...] = (
    check_amounts,
    check_spans,
    check_release,
    check_forms,
    check_steps,
    check_groups,
    check_chains,
    check_fees,
    check_funding,
    check_settlement,
)
"""Across keys; each goes on with what the ones before have not found wrong."""
OF_AUTHORS: tuple[Check, ...] = (check_layout, *CHECKS)
"""Beside them what depends on the installation: whoever signs a version needs to know it, whoever
reads one that is recorded does not."""


@dataclass(frozen=True, slots=True)
class Signed:
    """One contract version as its file says it, with the file behind it."""

    contract: Contract
    text: str
    sha256: str
    """Of the text in UTF-8, hex."""
    document: Document

    @property
    def id(self) -> str:
        """`contract/version`, as commands name it."""
        return f"{self.contract.contract}/{self.contract.version}"


def parse(source: str | bytes, *, file: str) -> Signed:
    """Read and check an author's file. Raises InvalidInput with every problem of it."""
    return _demand(*examine(source, file=file))


def recorded(source: str | bytes, *, file: str) -> Signed:
    """A version as it was recorded, whatever pages of layouts this installation has.

    Settling says which page is missing, to the partner concerned. Raises InvalidInput with
    everything else that is wrong.
    """
    return _demand(*examine(source, file=file, checks=CHECKS))


def _demand(signed: Signed | None, document: Document) -> Signed:
    if signed is None:
        raise InvalidInput(sorted(document.problems, key=_place))
    return signed


def examine(
    source: str | bytes, *, file: str, checks: Sequence[Check] = OF_AUTHORS
) -> tuple[Signed | None, Document]:
    """Read and check one file: what it says, or None, and the document with all its problems."""
    text = source if isinstance(source, str) else _decoded(source)
    if isinstance(text, Place):
        document = Document(file)
        document.stop("is not UTF-8", place=text)
        return None, document
    document = read(text, file=file)
    document.problems.extend(_card_numbers(text, file))
    contract: Contract | None = None
    if document.whole:
        try:
            contract = Contract.model_validate(document.content)
        except ValidationError as error:
            report_shape(document, error)
        for check in checks:
            check(document)
    if document.problems or contract is None:
        return None, document
    return Signed(contract, text, hashlib.sha256(text.encode()).hexdigest(), document), document


def _decoded(source: bytes) -> str | Place:
    """The text, or where it is not UTF-8."""
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        before = source[: error.start]
        return Place(before.count(b"\n") + 1, error.start - before.rfind(b"\n"))


def _card_numbers(text: str, file: str) -> Iterator[Problem]:
    """Contracts are stored as they were signed, comments too: none may hold a card number."""
    for number, line in enumerate(text.splitlines(), 1):
        if contains_card_number(line):
            yield Problem("holds what looks like a card number", file=file, line=number)


def _place(problem: Problem) -> tuple[int, int, str]:
    return problem.line or 0, problem.column or 0, problem.field or ""

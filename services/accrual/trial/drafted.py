"""The two books that a trial compares: what is approved, and the same with a draft in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from services.accrual.contracts.book import Book
from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.parse import Signed, parse, recorded
from services.accrual.contracts.settlement import settlement_terms
from services.accrual.contracts.versions import check_versions
from services.accrual.trial.tally import Window
from services.kernel.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Documents:
    """The texts of a trial, as other processes are told of them: (name, text) each."""

    approved: tuple[tuple[str, str], ...]
    """Approved versions of the draft's contract; where one is the draft's own, the draft stands
    in its place."""
    draft: tuple[str, str]
    window: Window


@dataclass(frozen=True, slots=True)
class Drafted:
    """Both books, ready to decide by. Only versions of the draft's contract are in them."""

    contract: str
    issuer: str
    unit: str
    partner: str
    version: int
    window: Window
    old: Book
    new: Book
    old_sales: dict[int, dict[str, Any]]
    """What settlement is told of each version, by version."""
    new_sales: dict[int, dict[str, Any]]
    first: date
    last: date
    """The days on which the draft is tried."""
    stretched: bool


def drafted(documents: Documents) -> Drafted:
    """Compile both sides.

    A draft mostly governs days to come, a history lies behind: where its term holds no day of the
    window, it is stretched to hold all of it. Raises InvalidInput with what is wrong with the
    draft, by itself or beside the approved versions.
    """
    approved = [recorded(text, file=name) for name, text in documents.approved]
    draft = parse(documents.draft[1], file=documents.draft[0])
    version, window = draft.contract.version, documents.window
    if strangers := [one for one in approved if one.contract.contract != draft.contract.contract]:
        why = f"is another contract: only versions of {draft.contract.contract} stand beside it"
        raise InvalidInput([one.document.problem(("contract",), why) for one in strangers])
    others = [one for one in approved if one.contract.version != version]
    if problems := check_versions([*others, draft]):
        raise InvalidInput(problems)
    terms = compile_terms(draft.contract)
    first, last = terms.first, terms.last
    if last < window.first or window.last < first:
        first, last = min(first, window.first), max(last, window.last)
    return Drafted(
        contract=terms.contract,
        issuer=terms.issuer,
        unit=terms.unit,
        partner=terms.partner,
        version=version,
        window=window,
        old=Book(compile_terms(one.contract) for one in approved),
        new=Book(
            [*(compile_terms(one.contract) for one in others),
             replace(terms, first=first, last=last)]
        ),
        old_sales=_sales(approved),
        new_sales=_sales([*others, draft]),
        first=first,
        last=last,
        stretched=(first, last) != (terms.first, terms.last),
    )  # fmt: skip


def _sales(versions: Sequence[Signed]) -> dict[int, dict[str, Any]]:
    return {one.contract.version: settlement_terms(one.contract) for one in versions}

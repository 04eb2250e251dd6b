"""Checking contract files together: everything wrong or doubtful in any of them, at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.accrual.contracts.document import Document
from services.accrual.contracts.model import Rule
from services.accrual.contracts.parse import Signed, examine
from services.accrual.contracts.versions import check_heads, check_restarts
from services.accrual.contracts.warnings import warnings_of
from services.kernel.errors import Problem


@dataclass(frozen=True, slots=True)
class Report:
    """What the files hold. A file with a problem of its own is not among `signed`."""

    signed: tuple[Signed, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def check(sources: Iterable[tuple[str, str | bytes]]) -> Report:
    """Check files given as (name, content), each by itself and the versions among each other."""
    signed: list[Signed] = []
    documents: list[Document] = []
    problems: list[Problem] = []
    order: dict[str | None, int] = {}
    for file, content in sources:
        order.setdefault(file, len(order))
        found, document = examine(content, file=file)
        documents.append(document)
        problems.extend(document.problems)
        if found is not None:
            signed.append(found)
    problems.extend([*check_heads(documents), *check_restarts(signed)])

    def place(problem: Problem) -> tuple[int, int, int, str]:
        return order[problem.file], problem.line or 0, problem.column or 0, problem.field or ""

    wrong, doubts = sorted(problems, key=place), sorted(warnings_of(signed), key=place)
    return Report(tuple(signed), tuple(wrong), tuple(doubts))


def class_of(rule: Rule) -> str:
    """`pure`: it sees its own purchase only · `total`: it goes through a running total."""
    return "total" if rule.own_totals() or rule.shared_with else "pure"

"""Checking contract files together: everything wrong or doubtful in any of them, at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.accrual.contracts.model import Rule
from services.accrual.contracts.parse import Signed, parse
from services.accrual.contracts.versions import check_versions
from services.accrual.contracts.warnings import warnings_of
from services.kernel.errors import InvalidInput, Problem


@dataclass(frozen=True, slots=True)
class Report:
    """What the files hold. A file with a problem of its own is not among `signed`."""

    signed: tuple[Signed, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def check(sources: Iterable[tuple[str, str | bytes]]) -> Report:
    """Check files given as (name, content), each by itself and the versions among each other."""
    signed: list[Signed] = []
    problems: list[Problem] = []
    order: dict[str | None, int] = {}
    for file, content in sources:
        order.setdefault(file, len(order))
        try:
            signed.append(parse(content, file=file))
        except InvalidInput as error:
            problems.extend(error.problems)
    problems.extend(check_versions(signed))

    def place(problem: Problem) -> tuple[int, int, int]:
        return order[problem.file], problem.line or 0, problem.column or 0

    found, doubts = sorted(problems, key=place), sorted(warnings_of(signed), key=place)
    return Report(tuple(signed), tuple(found), tuple(doubts))


def class_of(rule: Rule) -> str:
    """`pure`: it sees its own purchase only · `total`: it goes through a running total."""
    return "total" if rule.own_totals() or rule.shared_with else "pure"

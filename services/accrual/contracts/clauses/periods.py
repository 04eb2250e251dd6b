"""What running totals have in common: period, scope, and how they are told to start afresh."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from services.accrual.contracts.clauses.clause import Clause
from services.accrual.contracts.numbers import Positive
from services.accrual.contracts.terms import Scope
from services.kernel.calendar import Per

Spend: TypeAlias = Positive
"""Major units of `amount.currency`."""
Reward: TypeAlias = Positive
"""Major units of `currency`."""

PER = (
    "Period, by the governing date: day · week (from Monday) · month · quarter · year · "
    "membership_year (from the anniversary of the opening) · billing_cycle · lifetime"
)
SCOPE = "Whose purchases add up together: card · account"

Restart = Annotated[
    Literal["restart"] | None,
    Field(
        description="Required where a version changes this, or what it feeds, inside a running "
        "period: the count then starts afresh.",
        examples=["restart"],
    ),
]


class WithPeriod(Clause):
    """A clause that makes a running total."""

    per: Annotated[Per, Field(description=PER, examples=["month"])]
    scope: Annotated[Scope, Field(description=SCOPE, examples=["account"])]

"""What every part of a contract is: known keys, and nothing else."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.accrual.contracts.numbers import Day

TAG = "="
"""In front of the names of alternatives, so that they are told from keys in a problem's path."""


class Clause(BaseModel):
    """Part of a contract. Keys that are not known are refused, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Span(Clause):
    """Two dates, both inclusive."""

    first: Annotated[
        Day, Field(alias="from", description="The first day.", examples=["2026-01-01"])
    ]
    last: Annotated[
        Day, Field(alias="to", description="The last day, inclusive.", examples=["2026-12-31"])
    ]

    def holds(self, day: date) -> bool:
        """Whether the span holds the day."""
        return self.first <= day <= self.last

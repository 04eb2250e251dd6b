"""What happens after a purchase: refunds, the day of release, balances below zero."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from services.accrual.contracts.clauses.clause import Clause
from services.accrual.contracts.numbers import Whole
from services.accrual.contracts.terms import After
from services.accrual.contracts.terms import Refunds as Policy


class Refunds(Clause):
    """What a refund does to the reward."""

    policy: Annotated[
        Policy,
        Field(
            description="recompute: the reward of what is left · none: refunds take nothing · "
            "full: any refund takes all · proportional: the reward of the whole purchase, in the "
            "share that is left",
            examples=["recompute"],
        ),
    ]
    window_days: Annotated[
        Whole,
        Field(
            description="Bounds what is proposed for linking, never what is linked.", examples=[180]
        ),
    ]


class Release(Clause):
    """When a reward becomes available."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"after": {"const": "cycle"}}},
            "then": {"required": ["per"]},
            "else": {"properties": {"per": False}},
        }
    )

    after: Annotated[
        After,
        Field(
            description="posting: counted from the posting date · cycle: from the last day of the "
            "period `per` that holds the governing date",
            examples=["posting"],
        ),
    ]
    per: Annotated[
        Literal["month", "quarter", "year", "billing_cycle"] | None,
        Field(
            description="Which period, month, quarter, year or billing_cycle; with `after: cycle`.",
            examples=["month"],
        ),
    ] = None
    days: Annotated[Whole, Field(description="Calendar days from then on.", examples=[14])]


class Negative(Clause):
    """What happens when more is taken back than the member still has."""

    policy: Annotated[
        Literal["carry"], Field(description="The balance goes below zero.", examples=["carry"])
    ]

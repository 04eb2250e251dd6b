"""How spend becomes reward: `earn`, and what may stand in its place."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from services.accrual.contracts.clauses.clause import TAG, Clause
from services.accrual.contracts.clauses.periods import Restart, Reward, Spend, WithPeriod
from services.accrual.contracts.numbers import PERCENT_SHAPE, Counting, Exact, Positive, Yes

IN_PLACE_OF_EARN = ("bands", "threshold", "count")


class PercentEarn(Clause):
    """A percentage of the spend."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"not": {"required": ["allow_over_100"]}},
            "then": {"properties": {"percent": PERCENT_SHAPE}},
        }
    )

    percent: Annotated[
        Positive,
        Field(
            description="Percent of the eligible spend. Only where `currency` is the currency of "
            "the spend.",
            examples=["1.5"],
        ),
    ]
    allow_over_100: Annotated[
        Yes | None,
        Field(
            description="true: more than is spent is meant to come back. Needed over 100.",
            examples=[True],
        ),
    ] = None


class Units(Clause):
    """A rate per unit of spend."""

    units: Annotated[
        Positive,
        Field(description="Earned for each 1.00 of spend, exactly.", examples=["0.5"]),
    ]


class PerUnitEarn(Clause):
    """So many units for every major unit of spend, fractions of it included."""

    per_unit: Annotated[
        Units,
        Field(
            description="Exact, fractions of a unit of spend included.", examples=[{"units": "0.5"}]
        ),
    ]


class Block(Clause):
    """So many units for each whole block of spend."""

    block: Annotated[
        Positive, Field(description="The block, in major units of spend.", examples=["10.00"])
    ]
    units: Annotated[Positive, Field(description="Earned for each whole block.", examples=["1"])]


class PerBlockEarn(Clause):
    """So many units for every whole block of spend; what is left of a block earns nothing."""

    per_block: Annotated[
        Block,
        Field(description="Whole blocks only.", examples=[{"block": "10.00", "units": "1"}]),
    ]


class FlatUnits(Clause):
    """A fixed reward."""

    units: Annotated[
        Positive, Field(description="Earned for each purchase with spend.", examples=["100"])
    ]


class FlatEarn(Clause):
    """The same for every purchase, however large."""

    flat: Annotated[
        FlatUnits,
        Field(description="The same however large the purchase is.", examples=[{"units": "100"}]),
    ]


EARNS = ("percent", "per_unit", "per_block", "flat")
AnyEarn = PercentEarn | PerUnitEarn | PerBlockEarn | FlatEarn


def _earn_tag(given: Any) -> str | None:
    found = [form for form in EARNS if isinstance(given, dict) and form in given]
    return TAG + found[0] if len(found) == 1 else None


Earn = Annotated[
    Annotated[PercentEarn, Tag(TAG + "percent")]
    | Annotated[PerUnitEarn, Tag(TAG + "per_unit")]
    | Annotated[PerBlockEarn, Tag(TAG + "per_block")]
    | Annotated[FlatEarn, Tag(TAG + "flat")],
    Discriminator(
        _earn_tag,
        custom_error_type="alternatives",
        custom_error_message=f"must hold exactly one of: {', '.join(EARNS)}",
    ),
]


class Band(Clause):
    """One step of a table of rates."""

    start: Annotated[
        Exact, Field(alias="from", description="Spend from which it holds.", examples=["1000.00"])
    ]
    units: Annotated[
        Exact, Field(description="Earned for each 1.00 of spend, exactly.", examples=["0.02"])
    ]


class Bands(WithPeriod):
    """Rates by the spend of a period."""

    kind: Annotated[
        Literal["marginal", "whole"],
        Field(
            description="marginal: each part of the spend at the rate of its step · whole: all of "
            "it at the rate of the highest step reached",
            examples=["marginal"],
        ),
    ]
    steps: Annotated[
        tuple[Band, ...],
        Field(
            min_length=1,
            description="Upwards by `from`; below the first one nothing is earned.",
            examples=[[{"from": "0.00", "units": "0.01"}, {"from": "1000.00", "units": "0.02"}]],
        ),
    ]
    mid_period: Restart = None


class Reach(Clause):
    """One step of a bonus for spend."""

    reach: Annotated[Spend, Field(description="Spend that earns it.", examples=["3000.00"])]
    units: Annotated[
        Reward,
        Field(
            description="What it gives in all: the next step pays the difference.",
            examples=["10000"],
        ),
    ]


class Threshold(WithPeriod):
    """A bonus for so much spend in a period."""

    steps: Annotated[
        tuple[Reach, ...],
        Field(
            min_length=1,
            description="Upwards, both by `reach` and by `units`.",
            examples=[[{"reach": "3000.00", "units": "10000"}]],
        ),
    ]
    mid_period: Restart = None


class Count(WithPeriod):
    """A reward for every so many purchases: a punch card."""

    every: Annotated[
        Counting,
        Field(description="Purchases of which something is left, for one reward.", examples=[10]),
    ]
    units: Annotated[Reward, Field(description="The reward.", examples=["100"])]
    mid_period: Restart = None

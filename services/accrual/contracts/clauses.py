"""The clauses of a rule: conditions, earning, rounding, cap; which keys, and what each means.

The JSON Schema that editors complete from is generated from these classes and those of `model`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from services.accrual.contracts.names import Country, Identifier, Mcc, Name
from services.accrual.contracts.numbers import Day, Factor, Positive, Rate, Whole
from services.kernel.calendar import Per
from services.kernel.rates import Rounding as Mode
from services.kernel.transaction import Channel

TAG = "="
"""In front of the names of alternatives, so that they are told from keys in a problem's path."""


class Clause(BaseModel):
    """Part of a contract. Keys that are not known are refused, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Span(Clause):
    """Two dates, both inclusive."""

    first: Annotated[Day, Field(alias="from", description="The first day.")]
    last: Annotated[Day, Field(alias="to", description="The last day, inclusive.")]

    def holds(self, day: date) -> bool:
        """Whether the span holds the day."""
        return self.first <= day <= self.last


class Condition(Clause):
    """What a purchase must be. All keys must hold; a fact that is absent fulfils none."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    @model_validator(mode="before")
    @classmethod
    def _says_something(cls, given: Any) -> Any:
        if given == {}:
            raise ValueError("says nothing: give a key, or leave it out")
        return given

    mcc: Annotated[
        tuple[Mcc, ...] | None,
        Field(
            min_length=1,
            description="Merchant category codes (ISO 18245), or ranges of them.",
            examples=[["5411", "5812-5814"]],
        ),
    ] = None
    merchant: Annotated[
        tuple[Name, ...] | None,
        Field(min_length=1, description="Merchant ids, compared letter for letter."),
    ] = None
    country: Annotated[
        tuple[Country, ...] | None,
        Field(min_length=1, description="Countries of the merchant.", examples=[["NO", "SE"]]),
    ] = None
    channel: Annotated[
        tuple[Channel, ...] | None,
        Field(min_length=1, description="Where the card was used.", examples=[["ONLINE"]]),
    ] = None
    product: Annotated[
        tuple[Name, ...] | None, Field(min_length=1, description="Card products.")
    ] = None
    dates: Annotated[
        Span | None, Field(description="The governing date lies in it, both ends inclusive.")
    ] = None


class PercentEarn(Clause):
    """A percentage of the spend."""

    percent: Annotated[
        Rate,
        Field(
            description="Percent of the eligible spend. Only where `currency` is the currency of "
            "the spend.",
            examples=["1.5"],
        ),
    ]


class Units(Clause):
    """A rate per unit of spend."""

    units: Annotated[
        Positive,
        Field(description="Earned for each 1.00 of spend, exactly.", examples=["0.5"]),
    ]


class PerUnitEarn(Clause):
    """So many units for every major unit of spend, fractions of it included."""

    per_unit: Annotated[Units, Field(description="Exact, fractions of a unit of spend included.")]


class Block(Clause):
    """So many units for each whole block of spend."""

    block: Annotated[
        Positive, Field(description="The block, in major units of spend.", examples=["10.00"])
    ]
    units: Annotated[Positive, Field(description="Earned for each whole block.", examples=["1"])]


class PerBlockEarn(Clause):
    """So many units for every whole block of spend; what is left of a block earns nothing."""

    per_block: Annotated[Block, Field(description="Whole blocks only.")]


class FlatUnits(Clause):
    """A fixed reward."""

    units: Annotated[
        Positive, Field(description="Earned for each purchase with spend.", examples=["100"])
    ]


class FlatEarn(Clause):
    """The same for every purchase, however large."""

    flat: Annotated[FlatUnits, Field(description="The same however large the purchase is.")]


EARNS = ("percent", "per_unit", "per_block", "flat")


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


class Rounding(Clause):
    """How an exact reward becomes one that can be paid."""

    mode: Annotated[Mode, Field(description="down: towards zero · up · half_up · half_even")]
    scale: Annotated[
        Whole,
        Field(description="Decimals of the major unit of `currency` that remain.", examples=[0, 2]),
    ]
    level: Annotated[
        Literal["per_transaction"], Field(description="Each purchase is rounded by itself.")
    ]


class OwnCap(Clause):
    """A ceiling on the reward of an account in a period."""

    limit: Annotated[
        Positive, Field(description="The ceiling, in major units of `currency`.", examples=["50"])
    ]
    of: Annotated[Literal["reward"], Field(description="What is counted against it.")]
    per: Annotated[Per, Field(description="Period, by the governing date of the purchase.")]
    scope: Annotated[Literal["account"], Field(description="Whose reward counts together.")]
    beyond: Annotated[
        Factor,
        Field(description="The part of the reward that is still earned past it.", examples=["0"]),
    ]
    mid_period: Annotated[
        Literal["restart"] | None,
        Field(
            description="Required where a version changes this cap inside a running period: the "
            "count then starts afresh."
        ),
    ] = None


class SharedCap(Clause):
    """The cap of another rule: both count against one total."""

    shared_with: Annotated[
        Identifier, Field(description="The rule that has the cap.", examples=["base"])
    ]


def _cap_given(given: Any) -> Any:
    if isinstance(given, list):
        raise ValueError("a list of caps is not supported yet")
    if isinstance(given, dict) and "shared_with" in given and len(given) > 1:
        raise ValueError("`shared_with` stands alone: the terms are those of the rule it names")
    return given


def _cap_tag(given: Any) -> str:
    shared = isinstance(given, dict) and "shared_with" in given
    return TAG + ("shared" if shared else "own")


Cap = Annotated[
    Annotated[OwnCap, Tag(TAG + "own")] | Annotated[SharedCap, Tag(TAG + "shared")],
    Discriminator(_cap_tag),
    BeforeValidator(_cap_given),
]

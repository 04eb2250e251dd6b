"""What a purchase must be: the keys of `when`, of `exclude` and of `unless`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from services.accrual.contracts.clauses.clause import Clause, Span
from services.accrual.contracts.names import (
    Brand,
    Country,
    Identifier,
    Mcc,
    Money,
    Name,
    TimeFrom,
    TimeTo,
)
from services.accrual.contracts.numbers import Counting
from services.kernel.transaction import Channel

WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
Weekday = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
Adjustment = Literal["ADJUSTMENT_DEBIT", "ADJUSTMENT_CREDIT"]


class Hours(Clause):
    """A part of the day on the wall clock of the contract's zone."""

    first: Annotated[
        TimeFrom, Field(alias="from", description="From then on, inclusive.", examples=["11:00"])
    ]
    last: Annotated[
        TimeTo,
        Field(
            alias="to",
            description='Until then, exclusive; earlier than `from`: past midnight. Up to "24:00".',
            examples=["14:00"],
        ),
    ]


class Activated(Clause):
    """A dated fact of the account: an activation, an opt-in, a place on a target list."""

    code: Annotated[
        Identifier, Field(description="Which one, as it is imported.", examples=["Q1-DINING"])
    ]
    counts: Annotated[
        Literal["from_activation", "always"],
        Field(
            description="from_activation: purchases from its date on · always: all of them, "
            "whichever date it bears",
            examples=["always"],
        ),
    ]


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
        Field(
            min_length=1,
            description="Merchant ids, compared letter for letter.",
            examples=[["FJORD-0042"]],
        ),
    ] = None
    merchant_name: Annotated[
        tuple[Brand, ...] | None,
        Field(
            min_length=1,
            description="Brands: the merchant's name without regard to case and width of letters; "
            "`*` at the end stands for any ending.",
            examples=[["SKY AIR*"]],
        ),
    ] = None
    city: Annotated[
        tuple[Name, ...] | None,
        Field(
            min_length=1,
            description="Cities of the merchant, without regard to case and width of letters.",
            examples=[["Oslo"]],
        ),
    ] = None
    country: Annotated[
        tuple[Country, ...] | None,
        Field(min_length=1, description="Countries of the merchant.", examples=[["NO", "SE"]]),
    ] = None
    currency: Annotated[
        tuple[Money, ...] | None,
        Field(
            min_length=1,
            description="Currencies at the merchant (of the transaction amount).",
            examples=[["EUR"]],
        ),
    ] = None
    channel: Annotated[
        tuple[Channel, ...] | None,
        Field(
            min_length=1,
            description="Where the card was used: IN_STORE, ONLINE, PHONE, or RECURRING for "
            "what is charged again and again.",
            examples=[["ONLINE"]],
        ),
    ] = None
    product: Annotated[
        tuple[Name, ...] | None,
        Field(min_length=1, description="Card products.", examples=[["SKY-GOLD"]]),
    ] = None
    attributes: Annotated[
        dict[Name, Annotated[tuple[Name, ...], Field(min_length=1)]] | None,
        Field(
            min_length=1,
            description="Further facts of the feed: each one named here has one of its values.",
            examples=[{"type": ["GIFT_CARD", "QUASI_CASH"]}],
        ),
    ] = None
    dates: Annotated[
        Span | None,
        Field(
            description="The governing date lies in it, both ends inclusive.",
            examples=[{"from": "2026-06-01", "to": "2026-06-30"}],
        ),
    ] = None
    weekdays: Annotated[
        tuple[Weekday, ...] | None,
        Field(
            min_length=1,
            description="Days of the week in the contract's zone, by the calendar.",
            examples=[["SAT", "SUN"]],
        ),
    ] = None
    hours: Annotated[
        Hours | None,
        Field(
            description="Time of day in the contract's zone.",
            examples=[{"from": "11:00", "to": "14:00"}],
        ),
    ] = None
    first_days: Annotated[
        Counting | None,
        Field(
            description="The governing date is the account's opening day or one of the N − 1 that "
            "follow.",
            examples=[90],
        ),
    ] = None
    activated: Annotated[
        Activated | None,
        Field(
            description="The account has activated something, or is on a list.",
            examples=[{"code": "Q1-DINING", "counts": "always"}],
        ),
    ] = None
    unless: Annotated[
        tuple[Condition, ...] | None,
        Field(
            min_length=1,
            description="None of these conditions may hold.",
            examples=[[{"country": ["NO"]}]],
        ),
    ] = None


class Exclusion(Condition):
    """Purchases, or kinds of events, that earn nothing."""

    model_config = ConfigDict(
        json_schema_extra={
            "minProperties": 1,
            "if": {"required": ["kind"]},
            "then": {"maxProperties": 1},
        }
    )

    kind: Annotated[
        tuple[Adjustment, ...] | None,
        Field(
            min_length=1,
            description="Events of these kinds do not enter the net; alone in its entry.",
            examples=[["ADJUSTMENT_DEBIT"]],
        ),
    ] = None

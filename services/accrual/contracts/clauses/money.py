"""The clauses between the parties: who funds a reward, what it costs, which file tells it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from services.accrual.contracts.clauses.clause import Clause
from services.accrual.contracts.clauses.conditions import Weekday
from services.accrual.contracts.clauses.periods import Reward
from services.accrual.contracts.layouts import PAYOUTS, UNITS, Layout, settling
from services.accrual.contracts.names import Identifier, Money, OfferCode, ProviderCode
from services.accrual.contracts.numbers import Day, Exact, Percent, Whole, Yes
from services.kernel.rates import Rounding as Mode

AIR_MILES, STATEMENT_CREDIT = "air-miles-rewards", "statement-credit"


class Funder(Clause):
    """Who pays which part of the reward."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["share"]}, {"required": ["fixed"]}]}
    )

    funder: Annotated[Identifier, Field(description="Named once.", examples=["first-bank"])]
    share: Annotated[
        Percent | None,
        Field(
            description="Percent of what fixed parts leave; all shares add up to 100. Left out "
            "where `fixed` is all that this funder pays.",
            examples=["60"],
        ),
    ] = None
    fixed: Annotated[
        Reward | None,
        Field(
            description="Major units of `currency` for each grant of a purchase and rule, as far "
            "as it reaches: paid before any share, in the order of the list.",
            examples=["5.00"],
        ),
    ] = None
    remainder: Annotated[
        Yes | None,
        Field(
            description="true on exactly one funder: it takes what rounding leaves.",
            examples=[True],
        ),
    ] = None


class FeeRounding(Clause):
    """How an exact fee becomes one that can be paid."""

    mode: Annotated[
        Mode, Field(description="down: towards zero · up · half_up · half_even", examples=["up"])
    ]
    scale: Annotated[
        Whole, Field(description="Decimals of the major unit of `currency` that remain.",
                     examples=[2]),
    ]  # fmt: skip


class Fee(Clause):
    """A commission on the reward, for running the programme."""

    party: Annotated[Identifier, Field(description="Who is paid.", examples=["card-network"])]
    percent: Annotated[
        Percent, Field(description="Percent of each grant of a purchase and rule.", examples=["5"])
    ]
    funder: Annotated[
        Identifier, Field(description="Which funder pays it.", examples=["first-bank"])
    ]
    rounding: Annotated[FeeRounding, Field(description="How the exact fee becomes payable.")]


class MilesPrice(Clause):
    """What the partner charges for one mile, exact, by award."""

    currency: Annotated[Money, Field(description="What miles are paid in.", examples=["NOK"])]
    base: Annotated[
        Exact | None, Field(description="Of rules with award base.", examples=["0.09"])
    ] = None
    bonus: Annotated[
        Exact | None, Field(description="Of rules with award bonus.", examples=["0.07"])
    ] = None


class File(Clause):
    """The layout of the settlement file, and its codes."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"layout": {"enum": settling(UNITS)}}},
            "then": {"required": ["provider_code", "offer_codes"]},
            "else": {"properties": {"provider_code": False, "offer_codes": False}},
        }
    )

    layout: Annotated[
        Layout,
        Field(
            description="A page of schemas/files: air-miles-rewards and other partners' files "
            "for units · statement-credit and payouts for money",
            examples=[STATEMENT_CREDIT],
        ),
    ]
    provider_code: Annotated[
        ProviderCode | None, Field(description="The sponsor's code.", examples=["SKYA"])
    ] = None
    offer_codes: Annotated[
        dict[Identifier, OfferCode] | None,
        Field(
            description="The offer code of every rule.",
            examples=[{"base": "B001"}],
            json_schema_extra={"additionalProperties": False},
        ),
    ] = None


class Holidays(Clause):
    """Days on which nothing is settled, and where a day that falls on one of them goes."""

    roll: Annotated[
        Literal["following", "modified_following", "preceding"],
        Field(
            description="following: the next working day · modified_following: the same, but the "
            "one before where that would be another month · preceding: the one before",
            examples=["following"],
        ),
    ]
    weekend: Annotated[
        tuple[Weekday, ...] | None,
        Field(
            max_length=6,
            description="Days of the week on which nobody works; SAT and SUN if left out.",
            examples=[["SAT", "SUN"]],
        ),
    ] = None
    days: Annotated[
        tuple[Day, ...],
        Field(description="The other days, every year's own.", examples=[["2026-12-25"]]),
    ]


class Settlement(Clause):
    """How the partner is told and paid."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"file": {"properties": {"layout": {"enum": settling(UNITS)}}}}},
            "then": {"required": ["miles_price"]},
            "else": {"properties": {"miles_price": False}},
            "allOf": [
                {
                    "if": {
                        "properties": {"file": {"properties": {"layout": {"enum": [*PAYOUTS]}}}}
                    },
                    "then": {"properties": {"adjustments": {"const": "carry"}}},
                }
            ],
        }
    )

    cycle: Annotated[
        Literal["monthly"], Field(description="How often a batch is sealed.", examples=["monthly"])
    ]
    adjustments: Annotated[
        Literal["send", "carry"],
        Field(description="A member's sum below zero: send: the partner takes it back · carry: it "
              "waits until later rewards cover it.", examples=["send"]),
    ]  # fmt: skip
    holidays: Annotated[
        Holidays | None,
        Field(description="Rolls the end of a cycle and the day of a payout; without it a cycle "
              "ends on the last day of the month and payouts wait for the next weekday."),
    ] = None  # fmt: skip
    miles_price: Annotated[
        MilesPrice | None, Field(description="Required for units; money has no price.")
    ] = None
    file: Annotated[File, Field(description="The file that the partner or issuer receives.")]

"""The contract document: one signed version, as its file says it.

What a value may be by itself is said here and in `clauses`; keys that must fit each other are
checked in `amounts`, `groups` and `parties`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from services.accrual.contracts.clauses import TAG, Cap, Clause, Condition, Earn, Rounding, Span
from services.accrual.contracts.names import (
    DayEnd,
    Identifier,
    Money,
    Name,
    Unit,
    Zone,
)
from services.accrual.contracts.numbers import Counting, Positive, Whole
from services.accrual.contracts.paying import Funder, Settlement
from services.accrual.contracts.terms import Eligible, Governs

Award = Literal["base", "bonus"]


class Amount(Clause):
    """Which amount of a purchase counts."""

    basis: Annotated[Literal["billing"], Field(description="The amount billed to the account.")]
    currency: Annotated[
        Money,
        Field(description="Purchases billed in another one earn nothing.", examples=["NOK"]),
    ]
    eligible: Annotated[
        Eligible,
        Field(description="gross: all of it · without_cash · without_tip_fee_tax"),
    ]


class Products(Clause):
    """The card products that a contract covers."""

    card_products: Annotated[
        tuple[Name, ...],
        Field(
            min_length=1,
            description="Product codes; a purchase of another one, or of none, earns nothing.",
            examples=[["SKY-GOLD", "SKY-PLAT"]],
        ),
    ]


def _covered(given: Any) -> str | None:
    if isinstance(given, dict):
        return TAG + "products"
    return TAG + "all" if given == "all" else None


Coverage = Annotated[
    Annotated[Literal["all"], Tag(TAG + "all")] | Annotated[Products, Tag(TAG + "products")],
    Discriminator(
        _covered,
        custom_error_type="alternatives",
        custom_error_message="must be `all`, or {card_products: [...]}",
    ),
]


class Rule(Clause):
    """One earning clause."""

    model_config = ConfigDict(
        json_schema_extra={
            "dependentRequired": {"exclusive_group": ["priority"], "priority": ["exclusive_group"]}
        }
    )

    id: Annotated[Identifier, Field(description="Unique within the contract; totals keep it.")]
    award: Annotated[Award, Field(description="How the partner prices what this rule earns.")]
    when: Annotated[
        Condition | None, Field(description="Which purchases earn; left out: all of them.")
    ] = None
    exclusive_group: Annotated[
        Identifier | None,
        Field(description="Of a group only the eligible rule with the highest priority earns."),
    ] = None
    priority: Annotated[
        Whole | None, Field(description="Within `exclusive_group`; the highest one wins.")
    ] = None
    minimum_transaction: Annotated[
        Positive | None,
        Field(description="Smaller purchases earn nothing under this rule.", examples=["50.00"]),
    ] = None
    maximum_transaction: Annotated[
        Positive | None, Field(description="Spend above it does not count.", examples=["5000.00"])
    ] = None
    earn: Annotated[Earn, Field(description="How spend becomes reward.")]
    rounding: Annotated[Rounding, Field(description="How an exact reward becomes a payable one.")]
    cap: Annotated[Cap | None, Field(description="A ceiling; left out: none.")] = None


class Refunds(Clause):
    """What a refund does to the reward."""

    policy: Annotated[
        Literal["recompute"], Field(description="The reward is that of what was not refunded.")
    ]
    window_days: Annotated[
        Whole,
        Field(description="Bounds what is proposed for linking, never what is linked.",
              examples=[180]),
    ]  # fmt: skip


class Release(Clause):
    """When a reward becomes available."""

    after: Annotated[Literal["posting"], Field(description="Counted from the posting date.")]
    days: Annotated[Whole, Field(description="Calendar days from then on.", examples=[14])]


class Negative(Clause):
    """What happens when more is taken back than the member still has."""

    policy: Annotated[Literal["carry"], Field(description="The balance goes below zero.")]


class Contract(Clause):
    """One version of a partner's contract. Spend is in major units of `amount.currency`, reward
    in major units of `currency`; amounts are written in quotes."""

    contract: Annotated[
        Identifier, Field(description="The same in every version.", examples=["sky-visa"])
    ]
    version: Annotated[
        Counting,
        Field(description="Of the approved versions whose term holds a date the highest applies."),
    ]
    program: Annotated[Identifier, Field(description="Members of this programme earn.")]
    issuer: Annotated[Identifier, Field(description="The bank whose feed is counted.")]
    partner: Annotated[Identifier, Field(description="With whom it is settled.")]
    currency: Annotated[
        Unit,
        Field(description="What is earned: an ISO 4217 code, or a unit of whole numbers.",
              examples=["SKY-MILE", "NOK"]),
    ]  # fmt: skip
    term: Annotated[Span, Field(description="The dates that this version governs.")]
    zone: Annotated[
        Zone, Field(description="Whose local dates count.", examples=["Europe/Oslo"])
    ]  # fmt: skip
    day_ends: Annotated[
        DayEnd,
        Field(description="From this local time on it is the next date.", examples=["24:00"]),
    ]
    governing_date: Annotated[
        Governs, Field(description="transaction: when the card was used · posting: when booked")
    ]
    amount: Annotated[Amount, Field(description="Which amount of a purchase counts.")]
    applies_to: Annotated[Coverage, Field(description="all, or the card products covered.")]
    exclude: Annotated[
        tuple[Condition, ...] | None,
        Field(min_length=1, description="Purchases that any of these fits earn nothing."),
    ] = None
    rules: Annotated[
        tuple[Rule, ...],
        Field(min_length=1, description="Rules without a group add up; order is that of pools."),
    ]
    refunds: Annotated[Refunds, Field(description="What a refund does to the reward.")]
    release: Annotated[Release, Field(description="When a reward becomes available.")]
    negative: Annotated[
        Negative, Field(description="What happens below a member's balance of zero.")
    ]
    funding: Annotated[
        tuple[Funder, ...], Field(min_length=1, description="Who pays for the rewards.")
    ]
    settlement: Annotated[Settlement, Field(description="How the partner is told and paid.")]

"""The contract document: one signed version, as its file says it.

What a value may be by itself is said here and in `clauses`; keys that must fit each other are
checked in `amounts`, `shapes`, `steps`, `groups`, `chains` and `parties`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from services.accrual.contracts.clauses import (
    TAG,
    Clause,
    Exclusion,
    Fee,
    Funder,
    Negative,
    Refunds,
    Release,
    Settlement,
    Span,
)
from services.accrual.contracts.clauses.rules import Rule as Rule
from services.accrual.contracts.names import (
    DayEnd,
    Format,
    Identifier,
    Money,
    Name,
    Unit,
    Zone,
)
from services.accrual.contracts.numbers import Counting
from services.accrual.contracts.terms import Eligible, Governs


class Amount(Clause):
    """Which amount of a purchase counts."""

    basis: Annotated[
        Literal["billing"],
        Field(description="The amount billed to the account.", examples=["billing"]),
    ]
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


class Contract(Clause):
    """One version of a partner's contract. Spend is in major units of `amount.currency`, reward
    in major units of `currency`; amounts are written in quotes."""

    format: Annotated[
        Format | None,
        Field(description="The version of this language; left out: 1.", examples=["1"]),
    ] = None
    contract: Annotated[
        Identifier, Field(description="The same in every version.", examples=["sky-visa"])
    ]
    version: Annotated[
        Counting,
        Field(
            description="Of the approved versions whose term holds a date the highest applies.",
            examples=[1],
        ),
    ]
    program: Annotated[
        Identifier, Field(description="Members of this programme earn.", examples=["sky-rewards"])
    ]
    issuer: Annotated[
        Identifier, Field(description="The bank whose feed is counted.", examples=["first-bank"])
    ]
    partner: Annotated[
        Identifier, Field(description="With whom it is settled.", examples=["sky-air"])
    ]
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
    applies_to: Annotated[
        Coverage, Field(description="all, or the card products covered.", examples=["all"])
    ]
    exclude: Annotated[
        tuple[Exclusion, ...] | None,
        Field(
            min_length=1,
            description="Purchases that any of these fits earn nothing.",
            examples=[[{"mcc": ["6010-6012", "7995"]}]],
        ),
    ] = None
    rules: Annotated[
        tuple[Rule, ...],
        Field(
            min_length=1,
            description="Rules without a group add up; order is that of pools.",
            examples=[
                [
                    {
                        "id": "base",
                        "award": "base",
                        "earn": {"percent": "1"},
                        "rounding": {"mode": "down", "scale": 2, "level": "per_transaction"},
                    }
                ]
            ],
        ),
    ]
    refunds: Annotated[Refunds, Field(description="What a refund does to the reward.")]
    release: Annotated[Release, Field(description="When a reward becomes available.")]
    negative: Annotated[
        Negative, Field(description="What happens below a member's balance of zero.")
    ]
    funding: Annotated[
        tuple[Funder, ...],
        Field(
            min_length=1,
            description="Who pays for the rewards.",
            examples=[[{"funder": "first-bank", "share": "100", "remainder": True}]],
        ),
    ]
    fees: Annotated[
        tuple[Fee, ...] | None,
        Field(
            min_length=1,
            description="What the programme takes of each reward; left out: none.",
            examples=[
                [
                    {
                        "party": "processor",
                        "percent": "2.5",
                        "funder": "first-bank",
                        "rounding": {"mode": "half_up", "scale": 2},
                    }
                ]
            ],
        ),
    ] = None
    settlement: Annotated[Settlement, Field(description="How the partner is told and paid.")]

"""Rounding and caps: what lies between an exact reward and what is granted."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag

from services.accrual.contracts.clauses.clause import TAG, Clause
from services.accrual.contracts.clauses.periods import PER, SCOPE, Restart, WithPeriod
from services.accrual.contracts.names import Identifier
from services.accrual.contracts.numbers import Factor, Positive, Whole
from services.accrual.contracts.terms import Scope
from services.kernel.calendar import Per
from services.kernel.rates import Rounding as Mode

PER_TRANSACTION, PER_PERIOD = "per_transaction", "per_period"


class Rounding(Clause):
    """How an exact reward becomes one that can be paid."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"level": {"const": PER_PERIOD}}},
            "then": {"required": ["per", "scope"]},
            "else": {"properties": {"per": False, "scope": False, "mid_period": False}},
        }
    )

    mode: Annotated[
        Mode,
        Field(description="down: towards zero · up · half_up · half_even", examples=["down"]),
    ]
    scale: Annotated[
        Whole,
        Field(description="Decimals of the major unit of `currency` that remain.", examples=[0, 2]),
    ]
    level: Annotated[
        Literal["per_transaction", "per_period"],
        Field(
            description="per_transaction: each purchase by itself · per_period: the exact sum of a "
            "period, so that what is left over is carried on",
            examples=["per_transaction"],
        ),
    ]
    per: Annotated[Per | None, Field(description=f"With per_period. {PER}")] = None
    scope: Annotated[Scope | None, Field(description=f"With per_period. {SCOPE}")] = None
    mid_period: Restart = None


class OwnCap(WithPeriod):
    """A ceiling on the reward, or on the spend that earns, of a card or an account in a period."""

    limit: Annotated[
        Positive,
        Field(
            description="The ceiling, in major units of `currency` (of reward) or of "
            "`amount.currency` (of spend).",
            examples=["50"],
        ),
    ]
    of: Annotated[
        Literal["reward", "spend"],
        Field(
            description="reward: what the rule gives · spend: the spend that earns; past it, the "
            "part `beyond`",
            examples=["reward"],
        ),
    ]
    beyond: Annotated[
        Factor,
        Field(description="The part of the reward that is still earned past it.", examples=["0"]),
    ]
    mid_period: Restart = None


class SharedCap(Clause):
    """The caps of another rule: both count against the same totals."""

    shared_with: Annotated[
        Identifier, Field(description="The rule that has the caps of reward.", examples=["base"])
    ]


def _cap_given(given: Any) -> Any:
    if isinstance(given, dict) and "shared_with" in given and len(given) > 1:
        raise ValueError("`shared_with` stands alone: the terms are those of the rule it names")
    return given


def _listed(given: Any) -> Any:
    if isinstance(given, dict) and "shared_with" in given:
        raise ValueError("`shared_with` stands alone, not in a list")
    return given


def _cap_tag(given: Any) -> str:
    if isinstance(given, list):
        return TAG + "several"
    shared = isinstance(given, dict) and "shared_with" in given
    return TAG + ("shared" if shared else "own")


Cap = Annotated[
    Annotated[OwnCap, Tag(TAG + "own")]
    | Annotated[SharedCap, Tag(TAG + "shared")]
    | Annotated[
        Annotated[
            tuple[Annotated[OwnCap, BeforeValidator(_listed)], ...],
            Field(min_length=1, description="From narrow to wide."),
        ],
        Tag(TAG + "several"),
    ],
    Discriminator(_cap_tag),
    BeforeValidator(_cap_given),
]

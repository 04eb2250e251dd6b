"""One earning rule: which purchases, how they earn, what bounds it, who pays."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from services.accrual.contracts.clauses.clause import Clause
from services.accrual.contracts.clauses.conditions import Condition
from services.accrual.contracts.clauses.earning import Bands, Count, Earn, Threshold
from services.accrual.contracts.clauses.money import Funder
from services.accrual.contracts.clauses.totals import Cap, OwnCap, Rounding, SharedCap
from services.accrual.contracts.document import Path
from services.accrual.contracts.names import Identifier
from services.accrual.contracts.numbers import Positive, Whole
from services.accrual.contracts.terms import Best

Award = Literal["base", "bonus"]

_ONE_OF: list[Any] = [{"required": [key]} for key in ("earn", "bands", "threshold", "count")]

TotalClause = Bands | Threshold | Count | OwnCap | Rounding
"""A clause that makes a running total."""


class Rule(Clause):
    """One earning clause."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": _ONE_OF,
            "not": {"required": ["priority", "best"]},
            "if": {"required": ["exclusive_group"]},
            "then": {"anyOf": [{"required": ["priority"]}, {"required": ["best"]}]},
            "dependentRequired": {"priority": ["exclusive_group"], "best": ["exclusive_group"]},
        }
    )

    id: Annotated[
        Identifier,
        Field(description="Unique within the contract; totals keep it.", examples=["dining"]),
    ]
    award: Annotated[
        Award,
        Field(
            description="How the partner prices what this rule earns: base, or bonus.",
            examples=["base"],
        ),
    ]
    when: Annotated[
        Condition | None,
        Field(
            description="Which purchases earn; left out: all of them.",
            examples=[{"mcc": ["5812-5814"]}],
        ),
    ] = None
    exclusive_group: Annotated[
        Identifier | None,
        Field(
            description="Of a group one rule earns: by `priority`, or by `best`.",
            examples=["spend"],
        ),
    ] = None
    priority: Annotated[
        Whole | None,
        Field(
            description="Within `exclusive_group`: the eligible rule with the highest wins.",
            examples=[10],
        ),
    ] = None
    best: Annotated[
        Best | None,
        Field(
            description="On every rule of an `exclusive_group`: the one that gives most "
            "(highest), or least (lowest), wins; of equals the first.",
            examples=["highest"],
        ),
    ] = None
    minimum_transaction: Annotated[
        Positive | None,
        Field(description="Smaller purchases earn nothing under this rule.", examples=["50.00"]),
    ] = None
    maximum_transaction: Annotated[
        Positive | None, Field(description="Spend above it does not count.", examples=["5000.00"])
    ] = None
    minimum_reward: Annotated[
        Positive | None,
        Field(
            description="What a purchase earns at least, if it earns at all; with rounding per "
            "transaction.",
            examples=["1"],
        ),
    ] = None
    maximum_reward: Annotated[
        Positive | None,
        Field(
            description="What a purchase earns at most; with rounding per transaction.",
            examples=["500"],
        ),
    ] = None
    earn: Annotated[
        Earn | None, Field(description="How spend becomes reward.", examples=[{"percent": "1.5"}])
    ] = None
    bands: Annotated[
        Bands | None, Field(description="In place of `earn`: rates by the spend of a period.")
    ] = None
    threshold: Annotated[
        Threshold | None, Field(description="In place of `earn`: a bonus for so much spend.")
    ] = None
    count: Annotated[
        Count | None, Field(description="In place of `earn`: a reward for every nth purchase.")
    ] = None
    rounding: Annotated[Rounding, Field(description="How an exact reward becomes a payable one.")]
    cap: Annotated[
        Cap | None,
        Field(
            description="A ceiling, or several, narrow to wide; left out: none.",
            examples=[
                {"limit": "50", "of": "reward", "per": "month", "scope": "account", "beyond": "0"},
                {"shared_with": "base"},
            ],
        ),
    ] = None
    funding: Annotated[
        tuple[Funder, ...] | None,
        Field(
            min_length=1,
            description="Who pays for this rule; left out: as the contract says.",
            examples=[[{"funder": "sky-air", "share": "100", "remainder": True}]],
        ),
    ] = None

    @property
    def shared_with(self) -> str | None:
        """The rule whose caps of reward this one shares."""
        return self.cap.shared_with if isinstance(self.cap, SharedCap) else None

    def own_totals(self) -> tuple[tuple[Path, TotalClause], ...]:
        """The running totals that are named after this rule, in the order in which they apply,
        each with its path within the rule."""
        first: list[tuple[Path, TotalClause]] = []
        for key in ("bands", "threshold", "count"):
            clause = getattr(self, key)
            if clause is not None:
                first.append(((key,), clause))
        caps = self._caps()
        first += [(path, cap) for path, cap in caps if cap.of == "spend"]
        if not first and self.rounding.per is not None:
            first.append((("rounding",), self.rounding))
        return (*first, *((path, cap) for path, cap in caps if cap.of == "reward"))

    def _caps(self) -> list[tuple[Path, OwnCap]]:
        if isinstance(self.cap, OwnCap):
            return [(("cap",), self.cap)]
        if isinstance(self.cap, tuple):
            return [(("cap", index), cap) for index, cap in enumerate(self.cap)]
        return []

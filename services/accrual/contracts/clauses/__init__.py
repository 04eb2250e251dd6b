"""The clauses of a contract by theme: which keys there are, and what each means.

The JSON Schema that editors complete from is generated from these classes and those of `model`.
"""

from services.accrual.contracts.clauses.clause import TAG, Clause, Span
from services.accrual.contracts.clauses.conditions import Activated, Condition, Exclusion, Hours
from services.accrual.contracts.clauses.corrections import Negative, Refunds, Release
from services.accrual.contracts.clauses.earning import (
    AnyEarn,
    Bands,
    Count,
    Earn,
    FlatEarn,
    PerBlockEarn,
    PercentEarn,
    PerUnitEarn,
    Threshold,
)
from services.accrual.contracts.clauses.money import Fee, Funder, Settlement
from services.accrual.contracts.clauses.totals import Cap, OwnCap, Rounding, SharedCap

__all__ = [
    "TAG",
    "Activated",
    "AnyEarn",
    "Bands",
    "Cap",
    "Clause",
    "Condition",
    "Count",
    "Earn",
    "Exclusion",
    "Fee",
    "FlatEarn",
    "Funder",
    "Hours",
    "Negative",
    "OwnCap",
    "PerBlockEarn",
    "PerUnitEarn",
    "PercentEarn",
    "Refunds",
    "Release",
    "Rounding",
    "Settlement",
    "SharedCap",
    "Span",
    "Threshold",
]

"""A version written by hand, and the engine over it: every figure can be checked with a pencil.

Money is NOK with two decimals, rewards are whole SKY-MILE.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from services.accrual.contracts.book import Book
from services.accrual.contracts.payers import Funding
from services.accrual.contracts.terms import (
    After,
    Earn,
    Eligible,
    Entry,
    Governs,
    Kind,
    Release,
    Rule,
    Running,
    Scope,
    Terms,
)
from services.accrual.lifecycle.purchase import Purchase
from services.kernel.calendar import Per
from services.kernel.rates import Rounding
from tests.support.builders import event, row
from tests.support.engine import EngineBook

BANK = Funding(("first-bank",), (Fraction(1),), (0,), 0)
PER_TEN = Earn(lambda spend: spend // 1_000, Fraction(1), "1 SKY-MILE per whole 10.00 NOK")


def running(kind: Kind, worth: Callable[[int], int], **changes: Any) -> Running:
    """A total of rule `r` over the account and the month."""
    fields: dict[str, Any] = {
        "owner": "r", "per": Per.MONTH, "scope": Scope.ACCOUNT, "straight": 0, "text": kind.value,
    }  # fmt: skip
    fields |= changes
    fields.setdefault("terms", f"{fields['owner']}-{kind.value}-{fields['per']}")
    return Running(kind=kind, worth=worth, **fields)


def cap(limit: int, **changes: Any) -> Running:
    """A cap of reward in whole miles."""
    fields: dict[str, Any] = {"straight": limit, "limit": limit} | changes
    return running(Kind.CAP, lambda total: min(total, limit), **fields)


def always(_: object) -> bool:
    return True


def rule(*totals: Running, **changes: Any) -> Rule:
    """Rule `r`: one mile per whole 10.00, for everything."""
    fields: dict[str, Any] = {
        "id": "r", "award": "base", "when": always, "group": None, "priority": 0, "minimum": None,
        "maximum": None, "earn": PER_TEN, "rounding": Rounding.DOWN, "step": 1, "totals": totals,
        "funding": BANK, "entry": Entry.REWARD,
    }  # fmt: skip
    return Rule(**(fields | changes))


def terms(*rules: Rule, **changes: Any) -> Terms:
    """A version with these rules, in force for ten years."""
    plain = Terms(
        contract="sky-visa", version=1, issuer="first-bank", program="sky-rewards",
        partner="sky-air", unit="SKY-MILE", first=date(2020, 1, 1), last=date(2029, 12, 31),
        zone=ZoneInfo("Europe/Oslo"), day_ends_minutes=1440, governs=Governs.TRANSACTION,
        spend_currency="NOK", eligible=Eligible.GROSS, card_products=None,
        excluded=lambda _: False, rules=rules, release=Release(After.POSTING, 14), funding=BANK,
    )  # fmt: skip
    return replace(plain, **changes)


class Till:
    """The engine over versions written by hand; says what each purchase has."""

    def __init__(self, *versions: Terms, **dates: str) -> None:
        self.book = EngineBook()
        self.book.memory.terms = list(versions)
        self.book.memory._book = Book(versions)
        self.book.import_members([row(**dates)])

    def spends(self, label: str, amount: int, day: int = 2, month: int = 3, **more: Any) -> str:
        """A purchase of so many whole crowns; gives the outcome."""
        at = datetime(2026, month, day, 12, tzinfo=UTC)
        return self._record(event(label, billing_amount=100 * amount, at=at, **more))

    def back(self, label: str, amount: int, kind: str = "REFUND") -> str:
        """So many whole crowns of a purchase go back."""
        name = f"{label}-back-{len(self.book.outcomes)}"
        return self._record(event(name, kind, billing_amount=100 * amount, original_event_id=label))

    def _record(self, one: Any) -> str:
        outcome, reason = self.book.record(one)
        return outcome if reason is None else f"{outcome}/{reason}"

    def has(self, rule: str | None = None) -> dict[str, int]:
        """What each purchase was granted, zeros too."""
        return {
            found.label: sum(g.granted for g in found.grants if rule in (None, g.rule))
            for found in sorted(self.book.purchases(), key=lambda found: found.number)
            if found.label
        }

    def purchase(self, label: str) -> Purchase:
        """A purchase as stored."""
        return next(found for found in self.book.purchases() if found.label == label)

    def totals(self) -> dict[tuple[str, str, str, str], tuple[int, int]]:
        """(rule, kind, scope id, period) → T and F(T)."""
        return {
            (key.owner, key.kind, key.scope_id, key.period): (total, granted)
            for (_, key), (_, total, granted) in self.book.memory.totals.items()
        }

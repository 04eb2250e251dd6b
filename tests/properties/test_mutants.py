"""Engines with one old mistake each: a page must fail on every one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.accrual.contracts import worth
from services.accrual.contracts.earning import Form
from services.accrual.contracts.payers import Fee, Funding
from services.accrual.contracts.terms import Running, Terms
from services.accrual.contracts.worth import Rounded, Worth
from services.accrual.engine import decide, eligibility, granting, moving
from services.accrual.lifecycle import matching
from services.accrual.lifecycle.exact import Home, homes
from services.accrual.lifecycle.matching import Stub
from services.accrual.lifecycle.net import Net, weigh
from services.accrual.lifecycle.purchase import Leg
from services.kernel.money import split
from services.kernel.transaction import CardTransaction
from tests.support import memory
from tests.support.engine import EngineBook
from tests.support.nets import GIVES, TAKES
from tests.support.pages import read_page
from tests.support.stage import perform

PAGES = Path(__file__).parents[1] / "scenarios"


def _clamped_running_net(legs: list[Leg]) -> Net:
    """The net as a running amount, never below zero: a refund that comes first is lost."""
    running = 0
    for leg in sorted(legs, key=lambda leg: leg.seq):
        if leg.kind in GIVES:
            running += leg.amount
        elif leg.kind in TAKES:
            running = max(0, running - leg.amount)
    return msgspec.structs.replace(weigh(legs), net=running)


def _facts_by_arrival(legs: list[Leg]) -> Net:
    """The facts of whichever presentment was recorded first."""
    found = weigh(legs)
    presented = sorted((leg for leg in legs if leg.kind == "PRESENTMENT"), key=lambda leg: leg.seq)
    return msgspec.structs.replace(found, first=presented[0]) if presented else found


def _every_policy_recomputes(_: Terms, net: Net, __: list[Leg]) -> Net:
    """Whatever the contract says of refunds."""
    return net


def _one_account(_: Running, account_id: str, __: str | None) -> str:
    """A cap of each card is one of the account."""
    return account_id


def _from_posting(terms: Terms, first: Leg, day: date, _: Any) -> date:
    """Released so many days after the purchase, whatever the cycle."""
    return day + timedelta(days=terms.release.days)


def _shares_first(self: Funding, granted: int) -> tuple[int, ...]:
    """Fixed parts are forgotten."""
    return split(granted, shares=self.shares, remainder=self.remainder)


def _fee_never_rounded_up(self: Fee, granted: int) -> int:
    return granted * self.share.numerator // self.share.denominator


def _reached_only_above(steps: Sequence[tuple[int, int]]) -> Worth:
    """A threshold that its own amount does not reach."""
    return lambda total: max((units for reach, units in steps if total > reach), default=0)


def _one_punch_early(every: int, units: int) -> Worth:
    """A punch card that is full one punch too early."""
    return lambda total: units * ((total + 1) // every)


def _nothing_beyond(limit: int, *, beyond: Fraction, form: Form, rounded: Rounded) -> Worth:
    """What is past a cap of spend earns nothing."""
    return REAL_CAPPED_SPEND(limit, beyond=beyond * 0, form=form, rounded=rounded)


def _any_of_several(stubs: Mapping[str, Stub]) -> dict[str, Home]:
    """What exact keys lead to several purchases counts all the same."""
    return {name: msgspec.structs.replace(home, held=False) for name, home in homes(stubs).items()}


def _values_alone(event: CardTransaction) -> tuple[str, ...]:
    """An ARN is as good as a scheme reference."""
    return tuple(value for name in event.exact if (value := getattr(event, name)))


REAL_CAPPED_SPEND = worth.capped_spend
MUTANTS: list[tuple[Any, str, Any, str]] = [
    (decide, "weigh", _clamped_running_net, "refund-before-purchase"),
    (decide, "weigh", _facts_by_arrival, "legs-across-month-end"),
    (eligibility, "net_under", _every_policy_recomputes, "refunds-none"),
    (eligibility, "net_under", _every_policy_recomputes, "refunds-full"),
    (eligibility, "net_under", _every_policy_recomputes, "kinds-left-out"),
    (granting, "scope_in", _one_account, "card-scope"),
    (eligibility, "_available_on", _from_posting, "release-at-close"),
    (Funding, "split", _shares_first, "funding-fixed-and-by-rule"),
    (Fee, "of", _fee_never_rounded_up, "fees"),
    (worth, "reached", _reached_only_above, "threshold"),
    (worth, "reached", _reached_only_above, "welcome-bonus"),
    (worth, "counted", _one_punch_early, "punch-card"),
    (worth, "capped_spend", _nothing_beyond, "spend-cap"),
    (moving, "homes", _any_of_several, "exact-keys"),
    (matching, "exact_keys", _values_alone, "exact-keys"),
    (worth, "whole", worth.marginal, "bands-whole"),
    (worth, "marginal", worth.whole, "bands-marginal"),
]


@pytest.fixture(autouse=True)
def _compiled_anew() -> Iterator[None]:
    """What a mutant compiled is forgotten, and it finds nothing that was compiled before it."""
    memory.compiled.cache_clear()
    yield
    memory.compiled.cache_clear()


@pytest.mark.parametrize(
    ("place", "name", "mutant", "page"),
    MUTANTS,
    ids=[f"{mutant.__name__}-{page}" for _, _, mutant, page in MUTANTS],
)
def test_a_mutant_fails_its_page(
    place: Any, name: str, mutant: Any, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = read_page((PAGES / f"{page}.txt").read_text("utf-8"))
    perform(played, EngineBook)
    memory.compiled.cache_clear()
    monkeypatch.setattr(place, name, mutant)
    with pytest.raises(AssertionError, match="line"):
        perform(played, EngineBook)

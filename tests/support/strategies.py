"""Random histories, hostile on purpose: disorder, repeats, conflicts, strange links, late facts."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from services.kernel.transaction import CardTransaction
from tests.support import builders
from tests.support.agreements import PROGRAMS, agreements
from tests.support.dates import Row
from tests.support.dice import SIZE, Dice
from tests.support.histories import Activates, Approves, Arrives, History, Imports, Step
from tests.support.whens import ACTIVATIONS, facts

OTHER = {"NOK": "SEK", "JPY": "KRW", "KWD": "BHD"}
LARGEST = {"NOK": 60_000, "JPY": 60_000, "KWD": 60_000}
FAMILIES = int(os.environ.get("CONTRACT_FAMILIES", "200"))
"""How many random contracts there are to choose from, for each name and currency: to read a file
costs more than to play a history under it."""
START = datetime(2026, 2, 27, tzinfo=UTC)
MINUTES = (720, 5, 719, 1019, 1020, 1025, 1379, 1380, 1439)
TAKES = ("REFUND", "REFUND", "CHARGEBACK", "ADJUSTMENT_CREDIT")
REVERSAL = {
    "PRESENTMENT": "PRESENTMENT_REVERSAL",
    "REFUND": "REFUND_REVERSAL",
    "CHARGEBACK": "CHARGEBACK_REVERSAL",
    "ADJUSTMENT_CREDIT": "REFUND_REVERSAL",
    "ADJUSTMENT_DEBIT": "PRESENTMENT_REVERSAL",
    "AUTHORIZATION": "AUTHORIZATION_REVERSAL",
}


def histories(
    dice: Dice, *, late_facts: bool = True, contracts_max: int = 3, purchases_max: int = 6
) -> History:
    """Contracts, members and up to some thirty events, in the order in which they are recorded."""
    home = dice.pick("NOK", "NOK", "JPY", "KWD")
    names = [f"c{place}" for place in range(1, dice.pick(1, 1, 2, 3) + 1)][:contracts_max]
    families = [family(dice.upto(FAMILIES - 1), name, home) for name in names]
    events: list[CardTransaction] = []
    for number in range(1, max(dice.upto(purchases_max - 1), dice.upto(purchases_max - 1)) + 2):
        events += purchases(dice, number=number, home=home, others=tuple(events))
    steps: list[Step] = list(arrivals(dice, events))
    facts: list[Step] = []
    approvals = [Approves(text) for texts in families for text in texts]
    given: list[Step] = [*imports(dice), *activations(dice), *approvals]
    for step in given:
        if late_facts and dice.seldom(5):
            steps.insert(dice.upto(len(steps)), step)
        else:
            facts.append(step)
    return History((*facts, *steps))


@lru_cache(maxsize=4096)
def family(number: int, name: str, home: str) -> tuple[str, ...]:
    """All versions of a random contract as files; the number says which one it is."""
    dice = Dice(random.Random(f"{number} {name} {home}").randbytes(SIZE))
    return tuple(builders.as_text(one) for one in agreements(dice, name=name, home=home))


def imports(dice: Dice) -> list[Imports]:
    """Member rows of two accounts in two programmes, sometimes with a later revision."""
    pick = dice.pick
    found = []
    for account in ("A1", "A2"):
        rows: list[Row] = []
        product = pick(None, "GOLD", "PLAT")
        dates = account_dates(dice)
        for program in PROGRAMS:
            rows.append(
                builders.row(
                    account, program=program, card_product=product,
                    enrolled_from=pick(*["2020-01-01"] * 5, "2026-03-03", "2026-03-15"),
                    enrolled_to=pick(*[None] * 5, "2026-03-20"), **dates,
                )
            )  # fmt: skip
        found.append(Imports(tuple(rows)))
        if pick(False, False, True):
            changed = {"card_product": pick("PLAT", None), "enrolled_to": pick(None, "2026-03-31")}
            dates = pick(dates, account_dates(dice))
            found.append(Imports((dict(rows[0]) | changed | dates,)))
    return found


def account_dates(dice: Dice) -> dict[str, str | None]:
    """When an account was opened and closed, and when its cycle closes; seldom not known."""
    pick = dice.pick
    opened = pick("2025-03-10", "2026-03-01", "2024-02-29", "2026-02-20", "2026-03-07", None)
    closed = "2026-03-28" if dice.seldom(12) else None
    return {"opened_on": opened, "closed_on": closed, "cycle_day": pick("15", "31", "1", "9", None)}


def activations(dice: Dice) -> list[Activates]:
    """What was activated, mostly once, sometimes for both accounts."""
    found = []
    for _ in range(dice.pick(0, 1, 2, 3)):
        first = dice.pick("2026-02-01", "2026-03-04", "2026-03-08", "2026-03-30")
        row: Row = {
            "account_id": dice.pick("A1", "A1", "A2"),
            "code": dice.pick(*ACTIVATIONS),
            "activated_on": first,
            "withdrawn_on": dice.pick(None, None, None, first, "2026-03-30"),
        }
        found.append(Activates((row,)))
    return found


def arrivals(dice: Dice, events: list[CardTransaction]) -> list[Arrives]:
    """The events in some order, with repeats, conflicts and other feeds' views among them."""
    pick = dice.pick
    placed: list[tuple[int, int, Arrives]] = []
    for place, event in enumerate(events):
        delay = pick(0, 0, 0, 0, 2, 6, 15)
        placed.append((place + delay, place, Arrives(event)))
        odd = dice.upto(15)
        again = place + pick(0, 1, 8)
        if odd in (1, 2):
            placed.append((again, place, Arrives(event)))
        elif odd == 3:
            other = changed(event, billing_amount=event.billing_amount + 100)
            placed.append((again, place, Arrives(other)))
        elif odd == 4:
            placed.append((again, place, Arrives(event, "compare")))
    placed.sort(key=lambda entry: entry[:2])
    return [arrival for _, _, arrival in placed]


def purchases(
    dice: Dice, *, number: int, home: str, others: tuple[CardTransaction, ...] = ()
) -> list[CardTransaction]:
    """One purchase: legs and what follows them, joined by lifecycle id or by what they name."""
    pick = dice.pick
    maker = _Maker(dice, number=number, home=home)
    if maker.link == "authorization" or (maker.link == "mixed" and pick(False, True)):
        maker.add("AUTHORIZATION", amount=pick(0, 5_000), names=None)
    for _ in range(pick(1, 1, 1, 2, 3)):
        chained = maker.link != "lifecycle" and maker.events
        names = maker.events[0].event_id if chained else None
        maker.add("PRESENTMENT", amount=1 + dice.upto(LARGEST[home] - 1), names=names)
    for _ in range(pick(0, 0, 1, 1, 2, 4)):
        _follow(dice, maker, others)
    return maker.events


def _follow(dice: Dice, maker: _Maker, others: tuple[CardTransaction, ...]) -> None:
    """One more event: money that goes back, a correction, or a reversal of something."""
    pick = dice.pick
    target = maker.events[dice.upto(len(maker.events) - 1)]
    kind = pick(*TAKES, "ADJUSTMENT_DEBIT", "reversal", "reversal", "reversal")
    if kind == "reversal":
        kind = REVERSAL.get(target.kind, "REFUND_REVERSAL")
        if dice.seldom(10):
            kind = pick("PRESENTMENT_REVERSAL", "REFUND_REVERSAL", "CHARGEBACK_REVERSAL")
    whole = max(1, target.billing_amount)
    part = 1 + dice.upto(whole - 1)
    amount = pick(part, part, whole, whole, whole + part)
    nameless = maker.link in ("lifecycle", "mixed") and pick(False, False, True)
    names = None if nameless else target.event_id
    if others and dice.seldom(20):
        names = others[dice.upto(len(others) - 1)].event_id
    if dice.seldom(30):
        names = f"E{maker.number}-{len(maker.events)}"  # itself, or what comes next: a ring
    maker.add(kind, amount=amount, names=names)


class _Maker:
    """Makes the events of one purchase, alike in what they should share and not always so."""

    def __init__(self, dice: Dice, *, number: int, home: str) -> None:
        self.number, self.home = number, home
        self.dice, self.pick = dice, dice.pick
        self.events: list[CardTransaction] = []
        self.link = self.pick("lifecycle", "lifecycle", "mixed", "original", "authorization")
        self.account = self.pick("A1", "A1", "A1", "A2")
        self.issuer = "second-bank" if dice.seldom(10) else "first-bank"
        self.abroad = self.pick(None, None, "EUR")
        self.exact: tuple[str, ...] = self.pick(
            *[()] * 7, ("arn",), ("scheme_reference",), ("scheme_reference", "arn")
        )
        self.day = dice.upto(36) if dice.pick(True, False, False) else 8 + dice.upto(3)

    def add(self, kind: str, *, amount: int, names: str | None) -> None:
        """One event of a kind; its id does not say when it happened."""
        pick = self.pick
        size = len(self.events)
        at = START + timedelta(days=self.day + pick(0, 0, 1, size), minutes=pick(*MINUTES))
        fields: dict[str, Any] = {
            "at": at,
            "posted": None if self.dice.seldom(8) else at.date() + timedelta(days=pick(0, 0, 2)),
            "issuer_id": self.issuer,
            "account_id": "A2" if self.dice.seldom(40) else self.account,
            "lifecycle_id": self._lifecycle(names),
            "original_event_id": names,
            "billing_amount": amount,
            "billing_currency": OTHER[self.home] if self.dice.seldom(20) else self.home,
        }
        if self.dice.seldom(4):
            fields["card_token"] = "K2"
        if self.abroad and not self.dice.seldom(10):
            fields["transaction_amount"] = self._there(amount)
            fields["transaction_currency"] = "USD" if self.dice.seldom(15) else self.abroad
        if kind == "PRESENTMENT":
            fields |= self._facts(amount)
        if self.exact and not self.dice.seldom(6):
            fields |= self._exact(fields["lifecycle_id"], names)
        identifier = f"E{self.number}-{pick(size, size, 9 - size)}"
        if any(event.event_id == identifier for event in self.events):
            identifier = f"E{self.number}-x{size}"
        self.events.append(builders.event(identifier, kind, **fields))

    def _lifecycle(self, names: str | None) -> str | None:
        """The lifecycle id, which some purchases have always, some never, some now and then."""
        usual = {
            "lifecycle": not self.dice.seldom(10),
            "mixed": not self.events or names is None or self.pick(True, False),
        }.get(self.link, names is not None and self.dice.seldom(25))
        return f"L{self.number}" if usual else None

    def _exact(self, lifecycle_id: str | None, names: str | None) -> dict[str, Any]:
        """Keys that a feed declares exact, mostly instead of others; a purchase has two of a
        field and two lifecycle ids, and now and then those of the purchase before."""
        pick = self.pick
        number = self.number - 1 if self.dice.seldom(4) else self.number
        return {
            "exact": self.exact,
            "arn": pick(*[f"A{number}"] * 4, f"B{number}", None),
            "scheme_reference": pick(*[f"A{number}"] * 3, f"C{number}", None),
            "lifecycle_id": pick(None, None, lifecycle_id, f"L{number}", f"M{number}"),
            "original_event_id": pick(None, None, names),
        }

    def _there(self, amount: int) -> int:
        """The amount at the merchant: a tenth, at a rate that moves a little; seldom nothing."""
        return 0 if self.dice.seldom(25) else amount // 10 + self.pick(0, 0, 1, 3)

    def _facts(self, amount: int) -> dict[str, Any]:
        pick = self.pick
        parts: dict[str, Any] = pick(
            {}, {}, {"cash_amount": amount // 3}, {"cash_amount": amount},
            {"tip_amount": amount // 7, "fee_amount": amount // 5, "tax_amount": amount // 9},
        )  # fmt: skip
        return parts | facts(self.dice)


def changed(event: CardTransaction, **fields: Any) -> CardTransaction:
    """The same event with some fields changed."""
    before = {name: getattr(event, name) for name in event.__struct_fields__}
    return CardTransaction(**(before | fields))

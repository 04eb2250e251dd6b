"""Who funds a reward, who is paid for the programme, what a mile costs, which file tells it."""

from __future__ import annotations

from typing import NamedTuple

from services.accrual.contracts.clauses.money import STATEMENT_CREDIT
from services.accrual.contracts.prose.given import Given
from services.accrual.contracts.prose.voice import WEEK, Voice, exact
from services.kernel.units import is_currency


class Paid(NamedTuple):
    """What one party pays: a clause without its full stop, or a sentence."""

    party: str
    text: str


def funding(voice: Voice, given: Given, *, clause: bool = False) -> list[Paid]:
    """One text for each funder, in the contract's order."""
    found = []
    funders = given.parts("funding")
    first = next((n for n, funder in enumerate(funders) if funder.has("fixed")), len(funders))
    for place, funder in enumerate(funders):
        party = funder.text("funder")
        share = exact(funder.text("share")) if funder.has("share") else ""
        fixed = voice.reward(funder.text("fixed")) if funder.has("fixed") else ""
        key = _paying(share, fixed, rest=first < len(funders), later=place > first)
        text = voice.say(f"money.funder.{key}", funder=party, share=share, fixed=fixed)
        if funder.text("remainder") == "true" and key != "all":
            text = voice.say("money.funder.remainder", paid=text)
        if not clause:
            text = voice.say("money.funder.sentence", paid=text)
        found.append(Paid(party, text))
    return found


def _paying(share: str, fixed: str, *, rest: bool, later: bool) -> str:
    """How a funder pays: `rest` says that it or another one pays a fixed part first, `later` that
    one before it in the list does."""
    if fixed:
        return ("both" if share else "fixed") + ("_then" if later else "")
    if rest:
        return "rest"
    return "all" if share == "100" else "share"


def _holidays(voice: Voice, given: Given) -> str:
    """Which days are free, and where the end of a cycle goes that falls on one."""
    names = sorted(given.texts("weekend") or ["SAT", "SUN"], key=WEEK.index)
    free = [voice.say(f"weekday.{name}") for name in names]
    free += [voice.words.day(one) for one in sorted(given.texts("days"))]
    rolled = voice.say(f"money.roll.{given.text('roll')}")
    return voice.say("money.holidays", rolled=rolled, days=voice.all_of(free))


def _layout(voice: Voice, layout: str) -> str:
    """Who is told or paid by the file."""
    if layout == STATEMENT_CREDIT:
        kind = "credit"
    else:
        kind = "payout" if is_currency(voice.unit) else "units"
    return voice.say(f"money.layout.{kind}", layout=layout)


def settlement(voice: Voice, given: Given) -> list[tuple[str, str, str]]:
    """Subject, aspect and sentence of everything about settling."""
    say = voice.say
    found = [
        ("", "cycle", say(f"money.cycle.{given.text('cycle')}")),
        ("", "adjustments", say(f"money.adjustments.{given.text('adjustments')}")),
    ]
    if given.has("holidays"):
        found.append(("", "holidays", _holidays(voice, given.part("holidays"))))
    price = given.part("miles_price")
    for award in ("base", "bonus"):
        if price.has(award):
            text = say(
                "money.price", unit=voice.unit, award=say(f"award.{award}"),
                price=exact(price.text(award)), currency=price.text("currency"),
            )  # fmt: skip
            found.append((award, "price", text))
    file = given.part("file")
    found.append(("", "layout", _layout(voice, file.text("layout"))))
    if file.has("provider_code"):
        text = say("money.provider", code=file.text("provider_code"))
        found.append(("", "provider", text))
    codes = file.part("offer_codes")
    for rule in codes.names():
        found.append((rule, "offer", say("money.offer", rule=rule, code=codes.text(rule))))
    return found

"""How amounts, periods and conditions are said, in the units of one contract."""

from __future__ import annotations

from dataclasses import dataclass

from services.accrual.contracts.prose.catalogue import Catalogue
from services.accrual.contracts.prose.given import Given
from services.kernel.rates import parse_exact, parse_minor
from services.kernel.units import exponent_of, major

WEEK = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


@dataclass(frozen=True, slots=True)
class Voice:
    """A language, and what this contract counts in."""

    words: Catalogue
    unit: str
    """What is earned."""
    spend: str
    """The currency of spend."""

    def say(self, key: str, **values: object) -> str:
        """A message of the catalogue."""
        return self.words.say(key, **values)

    def reward(self, text: str) -> str:
        """An amount of reward, as `50 SKY-MILE`."""
        return self.say("amount", amount=settled(text, self.unit), unit=self.unit)

    def spent(self, text: str) -> str:
        """An amount of spend, as `10.00 NOK`."""
        return self.say("amount", amount=settled(text, self.spend), unit=self.spend)

    def rate(self, text: str) -> str:
        """A reward that is a rate, to any number of decimals."""
        return self.say("amount", amount=exact(text), unit=self.unit)

    def within(self, given: Given) -> str:
        """`per` and `scope`: a calendar month and account."""
        scope = self.say(f"scope.{given.text('scope')}")
        return self.say(f"within.{given.text('per')}", scope=scope)

    def over(self, given: Given) -> str:
        """`per` and `scope`: the account in a calendar month."""
        scope = self.say(f"scope.{given.text('scope')}")
        return self.say(f"over.{given.text('per')}", scope=scope)

    def span(self, given: Given) -> str:
        """`from` and `to`, both inclusive."""
        first, last = self.words.day(given.text("from")), self.words.day(given.text("to"))
        if first == last:
            return self.say("span_day", day=first)
        return self.say("span", first=first, last=last)

    def any_of(self, items: list[str]) -> str:
        """A list of alternatives."""
        return self.words.join("or", items)

    def all_of(self, items: list[str]) -> str:
        """A list of what holds together."""
        return self.words.join("and", items)


def settled(text: str, unit: str) -> str:
    """An amount with as many decimals as its unit has; as written where it has more."""
    try:
        return major(parse_minor(text, exponent=exponent_of(unit)), unit)
    except ValueError:
        return text


def exact(text: str) -> str:
    """A number without zeros that say nothing: `0.50` is `0.5`."""
    parse_exact(text)
    return text.rstrip("0").rstrip(".") if "." in text else text


def condition(voice: Voice, given: Given) -> str:
    """What a purchase must be, to be read after "purchases"."""
    parts = [*_lists(voice, given), *_account(voice, given), *_when(voice, given)]
    nots = sorted(condition(voice, one) for one in given.parts("unless"))
    if nots:
        parts.append(voice.say("where.unless", conditions=voice.words.join("except", nots)))
    return voice.words.join("commas", parts)


def _lists(voice: Voice, given: Given) -> list[str]:
    """Keys whose value is a list, any entry of which will do."""
    say, found = voice.say, []
    if given.has("mcc"):
        ranges = [one.partition("-") for one in sorted(given.texts("mcc"))]
        codes = [
            say("where.range", first=first, last=last) if last else first
            for first, _, last in ranges
        ]
        found.append(say("where.mcc", codes=voice.any_of(codes)))
    if given.has("merchant_name"):
        found.append(_brands(voice, sorted(given.texts("merchant_name"))))
    for key in ("merchant", "city", "country", "currency", "product"):
        if given.has(key):
            values = sorted(given.texts(key))
            found.append(say(f"where.{key}", values=voice.any_of(values), count=len(values)))
    if given.has("channel"):
        names = [say(f"channel.{name}") for name in sorted(given.texts("channel"))]
        found.append(voice.any_of(names))
    attributes = given.part("attributes")
    told = [
        say("where.attribute", name=name, values=voice.any_of(sorted(attributes.texts(name))))
        for name in sorted(attributes.names())
    ]
    return [*found, voice.all_of(told)] if told else found


def _brands(voice: Voice, names: list[str]) -> str:
    told = [
        voice.say("where.begins", name=name[:-1]) if name.endswith("*")
        else voice.say("where.equals", name=name)
        for name in names
    ]  # fmt: skip
    return voice.say("where.merchant_name", names=voice.any_of(told))


def _account(voice: Voice, given: Given) -> list[str]:
    """Keys about dates of the account."""
    found = []
    if given.has("first_days"):
        days = int(given.text("first_days"))
        key = "where.first_day" if days == 1 else "where.first_days"
        found.append(voice.say(key, days=days, more=days - 1, count=days - 1))
    activated = given.part("activated")
    if activated.names():
        counts = activated.text("counts")
        found.append(voice.say(f"where.activated.{counts}", code=activated.text("code")))
    return found


def _when(voice: Voice, given: Given) -> list[str]:
    """Keys about the time of the purchase."""
    found = []
    if given.has("dates"):
        found.append(voice.span(given.part("dates")))
    if given.has("weekdays"):
        days = sorted(given.texts("weekdays"), key=WEEK.index)
        names = [voice.say(f"weekday.{name}") for name in days]
        found.append(voice.say("where.weekdays", days=voice.any_of(names)))
    hours = given.part("hours")
    if hours.names():
        first, last = hours.text("from"), hours.text("to")
        key = "where.hours_over_midnight" if first > last else "where.hours"
        found.append(voice.say(key, first=first, last=last))
    return found

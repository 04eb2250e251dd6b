"""A whole contract in sentences, in sections.

    spoken = speak(signed.document.content, catalogue)
    for section in spoken.sections: …

Nothing is left out: what no sentence tells is shown as it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.accrual.contracts.document import Plain, dotted
from services.accrual.contracts.prose.catalogue import Catalogue
from services.accrual.contracts.prose.given import Given
from services.accrual.contracts.prose.parties import funding, settlement
from services.accrual.contracts.prose.rule import Said, rounding, rule_phrases
from services.accrual.contracts.prose.voice import Voice, condition, exact

IN_LEAD = ("earn", "where", "cap", "rounding")
"""What of a rule is told in its first sentence."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and what stands under it. `lead` is a rule's first sentence, else empty."""

    kind: str
    heading: str
    lead: str
    said: tuple[Said, ...]

    @property
    def sentences(self) -> list[str]:
        """The section as it is read."""
        rest = [one.text for one in self.said if not (self.lead and one.aspect in IN_LEAD)]
        return [self.lead, *rest] if self.lead else rest


@dataclass(frozen=True, slots=True)
class Spoken:
    """A contract in sentences. `untold` are values that no message knows, as they are written."""

    title: str
    contract: str
    version: str
    first: str
    """The first day of the term, ISO; `last` is the last one."""
    last: str
    rules: tuple[str, ...]
    """The ids of the rules, in order."""
    sections: tuple[Section, ...]
    untold: tuple[str, ...]


def speak(content: Plain | None, words: Catalogue) -> Spoken:
    """The sentences of a contract that `parse` has accepted."""
    given = Given(content)
    voice = Voice(words, given.text("currency"), given.part("amount").text("currency"))
    rules = {rule.text("id"): rule for rule in given.parts("rules")}
    contract, version = given.text("contract"), given.text("version")
    sections = [
        Section("parties", voice.say("heading.parties"), "", _parties(voice, given)),
        Section("purchases", voice.say("heading.purchases"), "", _purchases(voice, given)),
    ]
    sections += [_rule(voice, given, name, rules) for name in rules]
    afterwards = _afterwards(voice, given)
    sections += [
        Section("afterwards", voice.say("heading.afterwards"), "", afterwards),
        Section("money", voice.say("heading.money"), "", _money(voice, given)),
    ]
    left = [(dotted(path), value) for path, value in given.untold()]
    untold = tuple(voice.say("further", path=path, value=value) for path, value in left)
    if untold:
        said = tuple(
            Said(path, "further", text) for (path, _), text in zip(left, untold, strict=True)
        )
        sections.append(Section("further", voice.say("heading.further"), "", said))
    term = given.part("term")
    return Spoken(
        voice.say("title", contract=contract, version=version), contract, version,
        term.text("from"), term.text("to"), tuple(rules), tuple(sections), untold,
    )  # fmt: skip


def _parties(voice: Voice, given: Given) -> tuple[Said, ...]:
    say, ends = voice.say, given.text("day_ends")
    told = [
        ("parties", say("contract.parties", **_texts(given, "issuer", "partner", "program"))),
        ("unit", say("contract.unit", unit=voice.unit)),
        ("term", say("contract.term", span=voice.span(given.part("term")))),
        ("zone", say("contract.zone", zone=given.text("zone"))),
        ("day_ends", say("contract.day_ends.midnight") if ends == "24:00"
         else say("contract.day_ends.earlier", time=ends)),
        ("date", say(f"contract.date.{given.text('governing_date')}")),
    ]  # fmt: skip
    if given.has("format"):
        told.append(("format", say("contract.format", format=given.text("format"))))
    return tuple(Said("", aspect, text) for aspect, text in told)


def _texts(given: Given, *keys: str) -> dict[str, str]:
    return {key: given.text(key) for key in keys}


def _purchases(voice: Voice, given: Given) -> tuple[Said, ...]:
    say, amount = voice.say, given.part("amount")
    part = say(f"contract.amount.{amount.text('eligible')}")
    counts = say(f"contract.amount.{amount.text('basis')}", currency=voice.spend, part=part)
    covered = given.part("applies_to").texts("card_products")
    if given.text("applies_to") == "all":
        cards = say("contract.cards.all")
    else:
        cards = say(
            "contract.cards.some", products=voice.all_of(sorted(covered)), count=len(covered)
        )
    told = [Said("", "amount", counts), Said("", "cards", cards)]
    for entry in given.parts("exclude"):
        if entry.has("kind"):
            kinds = [say(f"contract.kind.{kind}") for kind in sorted(entry.texts("kind"))]
            text = say("contract.ignored", kinds=voice.all_of(kinds))
        else:
            text = say("contract.exclude", condition=condition(voice, entry))
        told.append(Said(text, "exclude", text))
    return tuple(told)


def _rule(voice: Voice, given: Given, name: str, rules: Mapping[str, Given]) -> Section:
    said = rule_phrases(voice, rules[name], rules)
    phrases = {one.aspect: one.text for one in said}
    staged = not rules[name].has("earn")
    lead = voice.say(
        "rule.lead_staged" if staged else "rule.lead", span=voice.span(given.part("term")),
        program=given.text("program"),
        earn=phrases["earn"], where=phrases["where"],
    )  # fmt: skip
    spent = any(cap.text("of") == "spend" for cap in rules[name].parts("cap"))
    order = ("cap", "rounding") if spent else ("rounding", "cap")  # as they are computed
    others = [phrases[key] for key in order if key in phrases]
    lead = voice.words.join("commas", [lead, *others])
    text = voice.say("rule.sentence", text=lead[:1].upper() + lead[1:])
    if "group" not in phrases and len(rules) > 1:
        text = f"{text} {voice.say('rule.added_up')}"
    return Section("rule", voice.say("heading.rule", rule=name), text, tuple(said))


def _afterwards(voice: Voice, given: Given) -> tuple[Said, ...]:
    say, refunds, release = voice.say, given.part("refunds"), given.part("release")
    window, days = refunds.text("window_days"), release.text("days")
    after, per = release.text("after"), release.text("per")
    period = say(f"period.{per}") if per else ""
    key = f"{after}_now" if days == "0" else after
    told = [
        ("refunds", say(f"contract.refunds.{refunds.text('policy')}")),
        ("window", say("contract.window", count=window)),
        ("release", say(f"contract.release.{key}", count=days, per=period)),
        ("negative", say(f"contract.negative.{given.part('negative').text('policy')}")),
    ]
    return tuple(Said("", aspect, text) for aspect, text in told)


def _money(voice: Voice, given: Given) -> tuple[Said, ...]:
    found = [Said(paid.party, "funding", paid.text) for paid in funding(voice, given)]
    for fee in given.parts("fees"):
        party = fee.text("party")
        text = voice.say(
            "money.fee", party=party, funder=fee.text("funder"),
            percent=exact(fee.text("percent")), rounding=rounding(voice, fee.part("rounding")),
        )  # fmt: skip
        found.append(Said(f"{party}/{fee.text('funder')}", "fee", text))
    found += [Said(*one) for one in settlement(voice, given.part("settlement"))]
    return tuple(found)

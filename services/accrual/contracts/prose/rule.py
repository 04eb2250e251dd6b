"""One rule in phrases, each about one thing, so that two versions of it can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.accrual.contracts.prose.given import Given
from services.accrual.contracts.prose.parties import funding
from services.accrual.contracts.prose.voice import Voice, condition, exact
from services.kernel.units import exponent_of, major

STAGED = ("bands", "threshold", "count")
"""What may stand in place of `earn`."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a contract says. `text` is a phrase of a rule, or a whole sentence.

    `subject` is what it is about among others of its kind (a rule, a funder); empty when there is
    only one. The same aspect of the same subject in another version is what it is compared with.
    """

    subject: str
    aspect: str
    text: str


def rule_phrases(voice: Voice, rule: Given, rules: Mapping[str, Given]) -> list[Said]:
    """What a rule says: `earn`, `where` and `cap` are phrases, all others are sentences."""
    name = rule.text("id")
    found = [
        ("earn", earning(voice, rule)),
        ("where", where(voice, rule)),
        ("cap", caps(voice, rule, rules)),
        ("rounding", rounding(voice, rule.part("rounding"))),
        ("beyond", _beyond(voice, rule)),
        ("restart", _restarts(voice, rule)),
        ("group", _group(voice, rule) if rule.has("exclusive_group") else ""),
        *_limits(voice, rule),
        ("award", voice.say("rule.award", award=voice.say(f"award.{rule.text('award')}"))),
    ]
    if rule.has("funding"):
        paid = voice.all_of([one.text for one in funding(voice, rule, clause=True)])
        found.append(("funding", voice.say("rule.funding", funding=paid)))
    return [Said(name, aspect, text) for aspect, text in found if text]


def earning(voice: Voice, rule: Given) -> str:
    """How spend becomes reward."""
    for key in STAGED:
        if rule.has(key):
            return _staged(voice, key, rule.part(key))
    earn, one = rule.part("earn"), voice.spent("1")
    if earn.has("percent"):
        over = earn.text("allow_over_100") == "true"
        key = "earn.over_100" if over else "earn.percent"
        return voice.say(key, percent=exact(earn.text("percent")))
    if earn.has("per_unit"):
        reward = voice.rate(earn.part("per_unit").text("units"))
        return voice.say("earn.per_unit", reward=reward, one=one)
    if earn.has("per_block"):
        block = earn.part("per_block")
        reward, size = voice.rate(block.text("units")), voice.spent(block.text("block"))
        return voice.say("earn.per_block", reward=reward, block=size)
    return voice.say("earn.flat", reward=voice.rate(earn.part("flat").text("units")))


def _staged(voice: Voice, key: str, given: Given) -> str:
    """Bands, a threshold or a count, in place of `earn`."""
    over, steps = voice.over(given), given.parts("steps")
    if key == "bands":
        told = [
            voice.say(
                "earn.bands.step", reward=voice.rate(step.text("units")), one=voice.spent("1"),
                start=voice.spent(step.text("from")),
            )
            for step in steps
        ]  # fmt: skip
        kind = given.text("kind")
        text = voice.say(f"earn.bands.{kind}", over=over, steps=voice.all_of(told))
    elif key == "threshold":
        told = [
            voice.say(
                "earn.step", reward=voice.rate(step.text("units")),
                reach=voice.spent(step.text("reach")),
            )
            for step in steps
        ]  # fmt: skip
        text = voice.say("earn.threshold", over=over, steps=voice.all_of(told))
    else:
        reward = voice.rate(given.text("units"))
        text = voice.say("earn.count", reward=reward, every=given.text("every"), over=over)
    return text


def where(voice: Voice, rule: Given) -> str:
    """Which purchases earn."""
    given = rule.part("when")
    if not given.names():
        return voice.say("where.all")
    return voice.say("where.some", condition=condition(voice, given))


def caps(voice: Voice, rule: Given, rules: Mapping[str, Given]) -> str:
    """The ceilings of a rule, narrow to wide; those of another rule where it shares them."""
    given = rule.parts("cap")
    owner = given[0].text("shared_with") if given else ""
    if owner in rules:
        return voice.say("cap.shared", cap=caps(voice, rules[owner], {}), rule=owner)
    return voice.all_of([_cap(voice, one) for one in given])


def _cap(voice: Voice, given: Given) -> str:
    key = f"cap.{given.text('of')}"
    return voice.say(key, limit=_limit(voice, given), within=voice.within(given))


def _limit(voice: Voice, given: Given) -> str:
    limit = given.text("limit")
    return voice.spent(limit) if given.text("of") == "spend" else voice.reward(limit)


def _beyond(voice: Voice, rule: Given) -> str:
    """What is still earned past the rule's own caps."""
    found = []
    for cap in rule.parts("cap"):
        beyond = cap.text("beyond")
        if beyond.strip("0."):
            key, percent = f"cap.beyond.{cap.text('of')}", hundredfold(beyond)
            limit, within = _limit(voice, cap), voice.within(cap)
            found.append(voice.say(key, limit=limit, within=within, percent=percent))
    return voice.words.join("sentences", found)


def _restarts(voice: Voice, rule: Given) -> str:
    """Which running totals start afresh with this version."""
    found = [
        voice.say("cap.restart", limit=_limit(voice, cap), within=voice.within(cap))
        for cap in rule.parts("cap")
        if cap.text("mid_period")
    ]
    for key in STAGED:
        if rule.part(key).text("mid_period"):
            found.append(voice.say("earn.restart"))
    if rule.part("rounding").text("mid_period"):
        found.append(voice.say("rounding.restart"))
    return voice.words.join("sentences", found)


def hundredfold(text: str) -> str:
    """A factor below one in percent, exactly: `0.125` is `12.5`."""
    decimals = text.partition(".")[2].ljust(2, "0")
    whole = decimals[:2].lstrip("0") or "0"
    return exact(f"{whole}.{decimals[2:]}") if decimals[2:] else whole


def rounding(voice: Voice, given: Given) -> str:
    """How an exact reward becomes a payable one."""
    decimals = int(given.text("scale"))
    if decimals == 0:
        step = voice.say("rounding.whole", unit=voice.unit)
    else:
        least = major(10 ** (exponent_of(voice.unit) - decimals), voice.unit)
        step = voice.say("rounding.step", step=voice.reward(least))
    mode = voice.say(f"rounding.{given.text('mode')}", step=step)
    level = given.text("level")
    if not level:  # a fee's
        return mode
    if level == "per_transaction":
        return voice.say("rounding.per_transaction", mode=mode)
    return voice.say(f"rounding.{level}", mode=mode, over=voice.over(given))


def _group(voice: Voice, rule: Given) -> str:
    group = rule.text("exclusive_group")
    if rule.has("best"):
        return voice.say(f"rule.group.{rule.text('best')}", group=group)
    return voice.say("rule.group.priority", group=group, priority=rule.text("priority"))


def _limits(voice: Voice, rule: Given) -> list[tuple[str, str]]:
    found = []
    for key, aspect in (("minimum_transaction", "minimum"), ("maximum_transaction", "maximum")):
        if rule.has(key):
            amount = voice.spent(rule.text(key))
            found.append((aspect, voice.say(f"rule.{aspect}", amount=amount)))
    for key in ("minimum_reward", "maximum_reward"):
        if rule.has(key):
            found.append((key, voice.say(f"rule.{key}", amount=voice.reward(rule.text(key)))))
    return found

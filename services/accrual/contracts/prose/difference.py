"""What differs between two versions, in the contract's words.

    difference(old, new, catalogue).changes    # "dining earns 3 instead of 2 SKY-MILE …"

Only what is said is compared: another order of merchants, or `10.0` for `10.00`, is no change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.accrual.contracts.prose.catalogue import Catalogue
from services.accrual.contracts.prose.contract import IN_LEAD as PHRASES
from services.accrual.contracts.prose.contract import Section, Spoken
from services.accrual.contracts.prose.rule import Said

COMMON_WORDS_MIN = 2
CHANGED_WORDS_MAX = 12
LENGTHS_APART_MAX = 3
ENDS = (",", ";", ":", ".")

Key = tuple[str, str, str]
"""Kind of section with its rule, subject, aspect."""


class How(StrEnum):
    """What became of something that a contract says."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `rule` is empty outside of rules; `was` or `now` is empty when there was,
    or is, nothing of the kind."""

    how: How
    rule: str
    aspect: str
    was: str
    now: str
    text: str


def difference(old: Spoken, new: Spoken, words: Catalogue) -> list[Change]:
    """Every difference, in the order of the new contract, what is gone at its end."""
    changes = [*_identity(old, new, words), *_sections(_others(old), _others(new), words)]
    before, after = _rules(old), _rules(new)
    for name, section in after.items():
        if name in before:
            changes += _rule(name, before[name], section, words)
        else:
            text = words.say("change.added_rule", rule=name, now=_whole(section))
            changes.append(Change(How.ADDED, name, "rule", "", _whole(section), text))
    for name, section in before.items():
        if name not in after:
            text = words.say("change.removed_rule", rule=name, was=_whole(section))
            changes.append(Change(How.REMOVED, name, "rule", _whole(section), "", text))
    return changes + _order(old, new, words)


def _others(spoken: Spoken) -> dict[Key, Said]:
    """What is said outside of rules, but for the term."""
    return {
        (section.kind, one.subject, one.aspect): one
        for section in spoken.sections
        if section.kind != "rule"
        for one in section.said
        if one.aspect != "term"
    }


def _identity(old: Spoken, new: Spoken, words: Catalogue) -> list[Change]:
    """Another contract, other days. That a higher version begins later is no change."""
    day = words.day
    pairs = [
        ("contract", old.contract, new.contract),
        ("begins", *((day(old.first), day(new.first)) if old.version == new.version else ("", ""))),
        ("ends", day(old.last), day(new.last)),
    ]
    return [
        Change(How.CHANGED, "", name, was, now, words.say(f"change.{name}", was=was, now=now))
        for name, was, now in pairs
        if was != now
    ]


def _rules(spoken: Spoken) -> dict[str, Section]:
    sections = [section for section in spoken.sections if section.kind == "rule"]
    return dict(zip(spoken.rules, sections, strict=True))


def _whole(section: Section) -> str:
    return " ".join(section.sentences)


def _sections(
    old: dict[Key, Said], new: dict[Key, Said], words: Catalogue
) -> list[Change]:  # fmt: skip
    changes = []
    gone = [one for key, one in old.items() if key not in new]
    for key, one in new.items():
        before = old.get(key)
        if before is None and one.aspect == "exclude":
            before = _alone(one, gone, [found for k, found in new.items() if k not in old])
            if before is not None:
                gone.remove(before)
        if before is None:
            text = words.say("change.added", now=_clause(one.text))
            changes.append(Change(How.ADDED, "", one.aspect, "", one.text, text))
        elif before.text != one.text:
            text = instead(before.text, one.text, words)
            changes.append(Change(How.CHANGED, "", one.aspect, before.text, one.text, text))
    for one in gone:
        text = words.say("change.removed", was=_clause(one.text))
        changes.append(Change(How.REMOVED, "", one.aspect, one.text, "", text))
    return changes


def _alone(one: Said, gone: Iterable[Said], fresh: Iterable[Said]) -> Said | None:
    """The one exclusion that is gone, where just this one has come in its place."""
    left = [found for found in gone if found.aspect == one.aspect]
    came = [found for found in fresh if found.aspect == one.aspect]
    return left[0] if len(left) == 1 and len(came) == 1 else None


def _rule(name: str, old: Section, new: Section, words: Catalogue) -> list[Change]:
    before = {one.aspect: one.text for one in old.said}
    after = {one.aspect: one.text for one in new.said}
    changes = []
    for aspect in dict.fromkeys((*after, *before)):
        was, now = before.get(aspect, ""), after.get(aspect, "")
        if was == now:
            continue
        how = How.ADDED if not was else How.REMOVED if not now else How.CHANGED
        text = _statement(name, aspect, was, now, words)
        changes.append(Change(how, name, aspect, was, now, text))
    return changes


def _statement(rule: str, aspect: str, was: str, now: str, words: Catalogue) -> str:
    """A change of a rule: a phrase of its first sentence after its name, or a sentence."""
    if aspect in PHRASES:
        if was and now:
            return words.say(f"change.{aspect}", rule=rule, phrase=instead(was, now, words))
        if now:
            return words.say("change.capped", rule=rule, now=now)
        return words.say("change.uncapped", rule=rule, was=was)
    if was and now:
        text = instead(was, now, words)
    elif now:
        text = words.say("change.added", now=_clause(now))
    else:
        text = words.say("change.removed", was=_clause(was))
    return words.say("change.of_rule", rule=rule, text=text)


def _order(old: Spoken, new: Spoken, words: Catalogue) -> list[Change]:
    """Rules that both have, in another order: it decides who takes the room of a pool first."""
    was = [name for name in old.rules if name in new.rules]
    now = [name for name in new.rules if name in old.rules]
    if was == now:
        return []
    told_was, told_now = words.join("commas", was), words.join("commas", now)
    text = words.say("change.order", rules=words.say("change.now", now=told_now, was=told_was))
    return [Change(How.CHANGED, "", "order", told_was, told_now, text)]


def instead(was: str, now: str, words: Catalogue) -> str:
    """Two texts in one: what they share once, and where they differ the new before the old."""
    was, now = _clause(was), _clause(now)
    old, new = was.split(" "), now.split(" ")
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    gone, come = old[head : len(old) - tail], new[head : len(new) - tail]
    near = (*new[max(0, head - 1) : head], *new[len(new) - tail : len(new) - tail + 1])
    if (
        not gone
        or not come
        or head + tail < COMMON_WORDS_MIN
        or len(gone) + len(come) > CHANGED_WORDS_MAX
        or abs(len(gone) - len(come)) > LENGTHS_APART_MAX
        or any(word.endswith(ENDS) for word in (*gone, *come))
        or words.joins.intersection((*gone, *come, *near))
    ):  # one for another would be read as one for the whole list, or as half a sentence
        return words.say("change.now", now=now, was=was)
    return words.say(
        "change.instead", before=" ".join(new[:head]), now=" ".join(come), was=" ".join(gone),
        after=" ".join(new[len(new) - tail :]),
    ).strip()  # fmt: skip


def _clause(sentence: str) -> str:
    """A sentence without its full stop, to stand within another."""
    return sentence.removesuffix(".")

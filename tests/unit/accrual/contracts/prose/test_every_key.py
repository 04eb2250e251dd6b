"""Every key of the language has a sentence, and every message of a catalogue is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from services.accrual.contracts import terms
from services.accrual.contracts.document import Plain
from services.accrual.contracts.layouts import layouts
from services.accrual.contracts.model import Contract
from services.accrual.contracts.prose.catalogue import OTHER, Catalogue, Message
from services.accrual.contracts.prose.contract import speak
from services.accrual.contracts.prose.difference import difference
from services.accrual.contracts.reading import read
from services.accrual.languages import catalogue, languages
from services.kernel.calendar import Per
from services.kernel.rates import Rounding
from services.kernel.transaction import Channel

EVERY_KEY = Path(__file__).with_name("every-key.yaml")
EXAMPLES = Path(__file__).parents[5] / "schemas" / "contracts" / "examples"
SAID = {
    "within": Per,
    "over": Per,
    "scope": terms.Scope,
    "channel": Channel,
    "rounding": Rounding,
    "contract.amount": terms.Eligible,
    "contract.date": terms.Governs,
    "contract.refunds": terms.Refunds,
    "contract.release": terms.After,
    "rule.group": terms.Best,
}
"""The messages that say a value of each enumeration."""
SAME_WORDS = {"exclude": "condition", "when": "condition", "unless": "condition",
              "funding": "funding", "rounding": "rounding"}  # fmt: skip


def content(text: str) -> Plain | None:
    document = read(text, file="test.yaml")
    assert document.problems == []
    return document.content


def sources() -> list[Path]:
    return [EVERY_KEY, *sorted(EXAMPLES.glob("*.yaml"))]


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_no_value_of_a_contract_is_left_untold(path: Path) -> None:
    assert speak(content(path.read_text("utf-8")), catalogue("en")).untold == ()


@pytest.mark.parametrize("layout", layouts())
def test_a_contract_of_every_layout_can_be_read(layout: str) -> None:
    text = EVERY_KEY.read_text("utf-8").replace("layout: air-miles-rewards", f"layout: {layout}")
    spoken = speak(content(text), catalogue("en"))
    assert any(f"layout {layout}." in one for part in spoken.sections for one in part.sentences)


def test_every_key_of_the_model_is_told() -> None:
    told = {key for path in sources() for key in keys_in(content(path.read_text("utf-8")))}
    assert set(keys_of(Contract)) - told == set()


def test_a_value_that_no_sentence_tells_is_shown_as_it_is_written() -> None:
    given = content(EVERY_KEY.read_text("utf-8").replace("days: 1}", "days: 1, moon: full}"))
    spoken = speak(given, catalogue("en"))
    assert spoken.untold == ("`release.moon` is `full`.",)
    assert spoken.sections[-1].sentences == ["`release.moon` is `full`."]


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("prefix", SAID)
def test_every_value_of_an_enumeration_has_its_words(language: str, prefix: str) -> None:
    words = catalogue(language)
    missing = [value for value in SAID[prefix] if not words.knows(f"{prefix}.{value}")]
    assert missing == []


@pytest.mark.parametrize("language", languages())
def test_a_catalogue_has_the_messages_of_english_and_their_names(language: str) -> None:
    words, english = catalogue(language), catalogue("en")
    assert words.messages.keys() == english.messages.keys()
    assert words.joined.keys() == english.joined.keys()
    assert len(words.months) == 12
    for key, message in words.messages.items():
        for text in texts(message):
            assert names(text) <= names("".join(texts(english.messages[key]))) | {"count"}, key
        if not isinstance(message, str):
            assert message.keys() == {*words.plural, OTHER}, key


def test_english_has_no_message_that_nobody_says() -> None:
    words = Heard(catalogue("en"))
    text = EVERY_KEY.read_text("utf-8")
    shown = [speak(content(one), words) for one in (text, *variants(text))]
    for one in shown:
        difference(shown[0], one, words)
        difference(one, shown[0], words)
    told_elsewhere = {"change.since", "change.alone", "change.nothing", "change.nothing_else"}
    enumerated = {f"{prefix}.{value}" for prefix, values in SAID.items() for value in values}
    enumerated |= {f"weekday.{day}" for day in ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")}
    enumerated |= {f"period.{per}" for per in Per}
    assert set(words.messages) - words.heard - told_elsewhere - enumerated == set()


class Heard(Catalogue):
    """A catalogue that remembers what was said."""

    def __init__(self, words: Catalogue) -> None:
        super().__init__(
            words.language, words.months, words.date_form, words.joined, words.plural,
            words.messages,
        )  # fmt: skip
        object.__setattr__(self, "heard", set())

    heard: set[str]

    def say(self, key: str, **values: object) -> str:
        self.heard.add(key)
        return super().say(key, **values)


def variants(text: str) -> Iterator[str]:
    """The contract with every key again, with each of the values that it does not show."""
    replaced = [
        ("days: 1}", "days: 0}"),
        ("{from: 2026-06-01, to: 2026-06-30}", "{from: 2026-06-01, to: 2026-06-01}"),
        ("{after: cycle, per: month, days: 1}", "{after: posting, days: 2}"),
        ("{after: cycle, per: month, days: 1}", "{after: posting, days: 0}"),
        ('day_ends: "22:30"', 'day_ends: "24:00"'),
        ("{card_products: [SKY-PLAT, SKY-GOLD]}", "all"),
        ("adjustments: carry", "adjustments: send"),
        ("roll: following, weekend: [FRI, SAT]", "roll: modified_following"),
        ("roll: following", "roll: preceding"),
        ("{layout: air-miles-rewards, provider_code: SKYA, offer_codes: {base: B001}}",
         "{layout: statement-credit}"),
        ("{layout: air-miles-rewards, provider_code: SKYA, offer_codes: {base: B001}}",
         "{layout: nacha-ppd}"),
        ("days: 1}", "days: 1, moon: full}"),
        ("contract: all-keys", "contract: other-keys"),
        ("to: 2027-02-28}", "to: 2027-03-31}"),
        ("from: 2026-03-01", "from: 2026-04-01"),
        ('share: "60.00", remainder: true}\n  - {funder: sky-air, share: "40"}',
         'share: "100.00", remainder: true}'),
        ('{funder: first-bank, fixed: "5"}', '{funder: oslo-hall, fixed: "9", share: "0.5"}'),
        ('{funder: oslo-mall, fixed: "2", share: "40",', '{funder: oslo-mall, fixed: "2",'),
        ("    cap: {shared_with: base}\n", ""),
        ('percent: "150", allow_over_100: true', 'percent: "1.5"'),
        ("  - id: double", "  - id: triple"),
        ("        - {mcc: [\"5812\"]}\n", ""),
        ('units: "0.50"', 'units: "0.75"'),
        ('level: per_transaction}\n    cap: {limit: "70"',
         'level: per_transaction}\n    minimum_transaction: "9"\n    cap: {limit: "70"'),
    ]  # fmt: skip
    for old, new in replaced:
        assert old in text, old
        yield text.replace(old, new)
    yield text.replace("currency: SKY-MILE", "currency: NOK").replace("scale: 0", "scale: 1")
    first, last = text.index("  - id: base"), text.index("  - id: brand")
    after = text.index("  - id: welcome")
    yield text[:first] + text[last:after] + text[first:last] + text[after:]


def keys_of(clause: type[Any], path: str = "", inside: tuple[type[Any], ...] = ()) -> Iterator[str]:
    """The path of every key that the model knows, positions and alternatives left out."""
    if clause in inside:
        return
    for name, field in clause.model_fields.items():
        key = f"{path}{field.alias or name}"
        yield key
        for below in clauses(field.annotation):
            yield from keys_of(below, under(key), (*inside, clause))


def clauses(annotation: Any) -> set[type[Any]]:
    if isinstance(annotation, type) and hasattr(annotation, "model_fields"):
        return {annotation}
    return {found for part in get_args(annotation) for found in clauses(part)}


def keys_in(given: Plain | None, path: str = "") -> Iterator[str]:
    if isinstance(given, list):
        for one in given:
            yield from keys_in(one, path)
    if isinstance(given, dict):
        for key, value in given.items():
            yield f"{path}{key}"
            yield from keys_in(value, under(f"{path}{key}"))


def under(key: str) -> str:
    """The path below a key; what is told by the same words wherever it stands has one path."""
    return SAME_WORDS.get(key.rpartition(".")[2], key) + "."


def texts(message: Message) -> list[str]:
    return [message] if isinstance(message, str) else list(message.values())


def names(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))

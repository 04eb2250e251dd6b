"""The messages of one language. A catalogue is a YAML file: another language needs no code.

    language: English
    months: [January, …]                          # twelve
    date: "{day} {month} {year}"
    joined: {and: {two: …, last: …, more: …}, …}  # how a list is read
    plural: {one: {is: ["1"]}}                    # which form a number takes; else `other`
    messages: {cap: {reward: "at most {limit} {within}", …}, …}

A message is text with names in braces, or one text for each form of the number `count`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml

Message = str | Mapping[str, str]
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is said in one language. `messages` is flat: `cap.reward`."""

    language: str
    months: tuple[str, ...]
    date_form: str
    joined: Mapping[str, Mapping[str, str]]
    plural: Mapping[str, Mapping[str, Sequence[str]]]
    messages: Mapping[str, Message]

    def say(self, key: str, **values: object) -> str:
        """The message under `key` with its names filled in. KeyError when there is none."""
        message = self.messages[key]
        if not isinstance(message, str):
            message = message[self._form(str(values["count"]))]
        return message.format(**values)

    @property
    def joins(self) -> frozenset[str]:
        """The words that stand between the entries of a list: `or`, `and`."""
        forms = [form for one in self.joined.values() for form in one.values()]
        return frozenset(
            word for form in forms for word in form.format(a=" ", b=" ").split() if word != ","
        )

    def knows(self, key: str) -> bool:
        """Whether there is a message of this key."""
        return key in self.messages

    def day(self, text: str) -> str:
        """An ISO date as people write it."""
        found = date.fromisoformat(text)
        month = self.months[found.month - 1]
        return self.date_form.format(day=found.day, month=month, year=found.year)

    def join(self, word: str, items: Sequence[str]) -> str:
        """A list as people read it; `word` is one of `joined`."""
        forms = self.joined[word]
        if len(items) < 2:
            return "".join(items)
        if len(items) == 2:
            return forms["two"].format(a=items[0], b=items[1])
        text = items[0]
        for item in items[1:-1]:
            text = forms["more"].format(a=text, b=item)
        return forms["last"].format(a=text, b=items[-1])

    def _form(self, number: str) -> str:
        for form, condition in self.plural.items():
            if _fits(number, condition):
                return form
        return OTHER


def _fits(number: str, condition: Mapping[str, Sequence[str]]) -> bool:
    """`is`: one of these numbers · `ends_in`: with one of these digits · `but_not`: nor these."""
    if "is" in condition:
        return number in condition["is"]
    return number.endswith(tuple(condition["ends_in"])) and not number.endswith(
        tuple(condition.get("but_not", ()))
    )


def read_catalogue(text: str) -> Catalogue:
    """The catalogue in a file's text. Raises KeyError or YAMLError when it is none."""
    content: dict[str, Any] = yaml.load(text, Loader=yaml.CBaseLoader)
    return Catalogue(
        language=content["language"],
        months=tuple(content["months"]),
        date_form=content["date"],
        joined=content["joined"],
        plural=content["plural"],
        messages=dict(_flat(content["messages"], content["plural"])),
    )


def _flat(
    tree: Mapping[str, Any], plural: Mapping[str, object], path: str = ""
) -> list[tuple[str, Message]]:
    found: list[tuple[str, Message]] = []
    for key, value in tree.items():
        if isinstance(value, str) or value.keys() == {*plural, OTHER}:
            found.append((path + key, value))
        else:
            found += _flat(value, plural, f"{path}{key}.")
    return found

"""The card-number guard: a record that carries a card number where text is kept is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

from services.ingest.feeds.feed import ID_FIELDS
from services.ingest.feeds.strictjson import Members, shown, texts
from services.kernel.card import contains_card_number
from services.kernel.errors import Rejected
from services.kernel.transaction import CardTransaction

ALWAYS = ("card_token", "account_id", "card_product", "merchant_id", "merchant_name",
          "merchant_city", "merchant_country")  # fmt: skip
"""Judged whatever the feed says. `card_product` is free text too, so it stands here as well."""

_BREAK = "\n"  # between two texts, so that no run of digits reaches from one into the next


def guarded_fields(numeric_ids: Iterable[str]) -> tuple[str, ...]:
    """The fields of text that the guard judges on a feed with these `numeric_ids`."""
    numeric = set(numeric_ids)
    return ALWAYS + tuple(name for name in ID_FIELDS if name not in numeric)


def event_guard(numeric_ids: Iterable[str]) -> Callable[[CardTransaction], bool]:
    """A function that says whether an event carries a card number."""
    read = attrgetter(*guarded_fields(numeric_ids))

    def carries(event: CardTransaction) -> bool:
        found = list(filter(None, read(event)))
        if event.attributes:
            found += [*event.attributes, *event.attributes.values()]
        return contains_card_number(_BREAK.join(found))

    return carries


def members_guard(numeric_ids: Iterable[str]) -> Callable[[Members], str | None]:
    """The same for a JSON object that need not be an event: numbers and nested values count.

    The function gives the name of the first member that carries one.
    """
    judged = {*guarded_fields(numeric_ids), "attributes"}

    def carrier(members: Members) -> str | None:
        for name, value in members:
            if (name in judged or name.startswith("merchant_")) and any_card_number([value]):
                return name
        return None

    return carrier


def any_card_number(values: Iterable[Any]) -> bool:
    """Whether any text, number or key inside these JSON values holds a card number."""
    return contains_card_number(_BREAK.join(text for value in values for text in texts(value)))


def refusal(field: str | None = None) -> Rejected:
    """The rejection. It does not say what was found."""
    return Rejected("CARD_NUMBER", field and shown(field), "holds what looks like a card number")

"""The naive model reads conditions as the plain mappings that a contract gives.

Readings of the definition: `merchant` is the merchant id; a city is compared as a brand is (NFKC,
casefolded), without any wildcard; an absent fact fulfils no key, so none of an `unless` either.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from services.kernel.transaction import CardTransaction
from tests.support.accounts import UNKNOWN, Account, People, product_of
from tests.support.dates import Document, local_time

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


@dataclass(frozen=True)
class Known:
    """What the conditions of a contract may look at."""

    facts: CardTransaction
    product: str | None
    day: date
    local: datetime
    account: Account
    activated: Mapping[tuple[str, str], Mapping[date, date | None]]


def known_of(document: Document, facts: CardTransaction, day: date, people: People) -> Known:
    """What is known of a purchase under a contract."""
    return Known(
        facts=facts,
        product=product_of(people, facts, day),
        day=day,
        local=local_time(document, facts),
        account=people.accounts.get(facts.account_id, UNKNOWN),
        activated=people.activated,
    )


def holds(condition: Mapping[str, Any] | None, known: Known) -> bool:
    """Whether every key of a `when` or of one `exclude` clause holds."""
    return all(_key_holds(key, value, known) for key, value in (condition or {}).items())


def excluded(document: Document, known: Known) -> bool:
    """Whether any clause of `exclude` holds; a clause of kinds is about the net, not about this."""
    clauses = document.get("exclude") or ()
    return any(holds(clause, known) for clause in clauses if "kind" not in clause)


def ignored_kinds(document: Document) -> set[str]:
    """Kinds of events that do not enter the net under this contract."""
    return {kind for clause in document.get("exclude") or () for kind in clause.get("kind", ())}


def covers_product(document: Document, product: str | None) -> bool:
    """Whether the contract applies to the card product."""
    applies = document["applies_to"]
    return applies == "all" or product in applies["card_products"]


def _key_holds(key: str, value: Any, known: Known) -> bool:
    facts = known.facts
    match key:
        case "dates":
            return bool(str(value["from"]) <= known.day.isoformat() <= str(value["to"]))
        case "unless":
            return not any(holds(condition, known) for condition in value)
        case "weekdays":
            return DAYS[known.local.weekday()] in value
        case "hours":
            return _within(known.local.strftime("%H:%M"), value["from"], value["to"])
        case "first_days":
            opened = known.account.opened_on
            return opened is not None and 0 <= (known.day - opened) // timedelta(1) < int(value)
        case "activated":
            spans = known.activated.get((facts.account_id, value["code"]), {})
            return any(
                (value["counts"] == "always" or known.day >= first)
                and (end is None or (first < end and known.day < end))
                for first, end in spans.items()
            )
        case "attributes":
            return all(facts.attributes.get(name) in wanted for name, wanted in value.items())
        case "merchant_name":
            return any(_named(facts.merchant_name, entry) for entry in value)
        case "city":
            return facts.merchant_city is not None and _fold(facts.merchant_city) in map(
                _fold, value
            )
        case "mcc":
            return any(_in_range(facts.mcc, entry) for entry in value)
    fact = {
        "merchant": facts.merchant_id,
        "country": facts.merchant_country,
        "channel": facts.channel,
        "currency": facts.transaction_currency,
        "product": known.product,
    }[key]
    return fact is not None and fact in value


def _within(now: str, start: str, end: str) -> bool:
    """`HH:MM` from inclusive, to exclusive; a window whose end comes first passes midnight."""
    return start <= now < end if start < end else now >= start or now < end


def _named(name: str | None, entry: str) -> bool:
    if name is None:
        return False
    if entry.endswith("*"):
        return _fold(name).startswith(_fold(entry[:-1]))
    return _fold(name) == _fold(entry)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _in_range(mcc: str | None, entry: str) -> bool:
    low, _, high = entry.partition("-")
    return mcc is not None and low <= mcc <= (high or low)

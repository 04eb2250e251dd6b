"""Whole things with everything they need, of which a test names only what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import yaml

from services.kernel.transaction import CardTransaction
from tests.support.dates import Read

ACCOUNT_COLUMNS = ("opened_on", "closed_on", "cycle_day")
ISSUER = "first-bank"
ACCOUNT = "A1"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_CONTRACT: dict[str, Any] = {
    "contract": "sky-visa",
    "version": 1,
    "program": "sky-rewards",
    "issuer": ISSUER,
    "partner": "sky-air",
    "currency": "SKY-MILE",
    "term": {"from": "2020-01-01", "to": "2029-12-31"},
    "zone": "Europe/Oslo",
    "day_ends": "24:00",
    "governing_date": "transaction",
    "amount": {"basis": "billing", "currency": "NOK", "eligible": "gross"},
    "applies_to": "all",
    "exclude": [],
    "rules": [],
    "refunds": {"policy": "recompute", "window_days": 180},
    "release": {"after": "posting", "days": 14},
    "negative": {"policy": "carry"},
    "funding": [{"funder": ISSUER, "share": "100", "remainder": True}],
    "settlement": {
        "cycle": "monthly",
        "adjustments": "send",
        "miles_price": {"currency": "NOK", "base": "0.09", "bonus": "0.07"},
        "file": {"layout": "air-miles-rewards", "provider_code": "SKYA", "offer_codes": {}},
    },
}


def contract(**changes: Any) -> dict[str, Any]:
    """A whole contract document; its file section fits what it earns and its rules."""
    document = deepcopy(_CONTRACT) | changes
    codes = {rule["id"]: f"O{place:03d}" for place, rule in enumerate(document["rules"], 1)}
    document["settlement"]["file"]["offer_codes"] = codes
    if "-" not in document["currency"]:
        del document["settlement"]["miles_price"]
        document["settlement"]["file"] = {"layout": "statement-credit"}
    for key in ("exclude", "fees"):
        if not document.get(key):
            document.pop(key, None)
    return document


class _Dumper(yaml.CSafeDumper):
    """Writes every value out."""

    def ignore_aliases(self, _: object) -> bool:
        return True


def as_text(document: Mapping[str, Any]) -> str:
    """The document as a contract file."""
    return str(yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True))


@lru_cache(maxsize=4096)
def as_read(text: str) -> Read:
    """A contract file as plain texts, lists and dicts: what the naive model reads.

    The same file is the same object, and nobody changes it.
    """
    document = yaml.load(text, Loader=yaml.CBaseLoader)
    assert isinstance(document, dict)
    return Read(document)


def row(account: str = ACCOUNT, **changes: str | None) -> dict[str, str | None]:
    """One line of a member import; it has the columns of the account when a change names one."""
    dated = set(ACCOUNT_COLUMNS) & changes.keys()
    return (
        dict.fromkeys(ACCOUNT_COLUMNS if dated else ())
        | {
            "member_id": f"member-{account}",
            "account_id": account,
            "card_token": f"card-{account}",
            "card_product": None,
            "program": "sky-rewards",
            "enrolled_from": "2020-01-01",
            "enrolled_to": None,
            "partner": None,
            "membership_number": None,
        }
        | changes
    )


def event(event_id: str, kind: str = "PRESENTMENT", **changes: Any) -> CardTransaction:
    """One event; `at` is an aware datetime, `posted` a date or None."""
    at: datetime = changes.pop("at", datetime(2026, 3, 2, 12, tzinfo=UTC))
    posted: date | None = changes.pop("posted", at.date())
    account = changes.setdefault("account_id", ACCOUNT)
    fields: dict[str, Any] = {
        "issuer_id": ISSUER,
        "card_token": f"card-{account}",
        "occurred_at": (at - EPOCH) // timedelta(microseconds=1),
        "posted_on": None if posted is None else (posted - EPOCH.date()).days,
        "billing_amount": 10_000,
        "billing_currency": "NOK",
    }
    return CardTransaction(event_id=event_id, kind=kind, **(fields | changes))

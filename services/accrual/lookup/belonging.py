"""What `explain` says of the purchase that an event belongs to, and by what."""

from __future__ import annotations

from typing import Any

from services.accrual.engine.words import key_words
from services.accrual.lifecycle.matching import exact_keys
from services.accrual.lifecycle.purchase import Purchase
from services.accrual.lookup.history import Link
from services.kernel.transaction import CardTransaction

Document = dict[str, Any]


def link_step(
    event: CardTransaction, purchase: Purchase | None, link: Link | None
) -> list[Document]:
    """Which purchase the event belongs to, and by what."""
    if purchase is not None and link is not None:
        text = f"it belongs to {named(purchase)}: {link.by} linked it to {link.to} on {link.on}"
    elif purchase is None:
        if event.original_event_id is None:
            text = "it names nothing and has no lifecycle id: it waits for a person's review"
        else:
            text = f"it waits for {event.original_event_id}, which it names"
    elif purchase.held:
        keys = _keys(event, purchase)
        text = f"it waits for a person's review: by {keys} "
        text += "it belongs to no purchase, or to several"
    elif event.lifecycle_id is not None:
        text = f"it belongs to {named(purchase)} by the lifecycle id {event.lifecycle_id}"
    elif event.original_event_id is not None:
        text = f"it belongs to {named(purchase)} as it names {event.original_event_id}"
    elif exact_keys(event):
        text = f"it belongs to {named(purchase)} by {_keys(event, purchase)}"
    else:
        text = f"it opens {named(purchase)}"
    return [{"step": "link", "text": text}]


def _keys(event: CardTransaction, purchase: Purchase) -> str:
    """Its exact keys in words, else those of the events that it is with."""
    others = {key for tie in (purchase.ties or {}).values() for key in tie.keys}
    return " and ".join(key_words(key) for key in exact_keys(event) or sorted(others))


def named(purchase: Purchase) -> str:
    """A purchase by the label that it has."""
    return f"purchase {purchase.label}" if purchase.label else "a purchase without a presentment"

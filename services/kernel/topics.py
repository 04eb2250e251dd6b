"""Every topic's name, what travels on it, and the names of the ledger's streams."""

from __future__ import annotations

CARD_TRANSACTIONS = "card-transactions"
"""Canonical events: `milepost.CardTransaction`, Avro, keyed by account."""
ACCRUALS = "accruals"
"""One `milepost.Accrual` per transfer, header `transfer_id`, keyed by account."""
SETTLEMENTS = "settlements"
"""One `milepost.Settlement` per sealed batch, keyed by partner."""
MEMBER_EVENTS = "member-events"
"""Activities of members that move no money, keyed by account."""
DEAD_LETTERS = "dead-letters"
"""Sealed bytes of records that can never be processed."""
FEED_PREFIX = "card-feed."
"""`card-feed.<issuer>`: an issuer's own format, untouched."""

HEADER_FEED = "feed"
HEADER_ROLE = "role"
HEADER_SOURCE = "source"
HEADER_EXACT = "exact_keys"
"""The fields that the feed declares exact, with commas; absent: none."""
HEADER_TRANSFER_ID = "transfer_id"


def stream_name(topic: str, partition: int) -> str:
    """The stream of a partition, such as `card-transactions/3`."""
    return f"{topic}/{partition}"


def settlement_stream(partner: str) -> str:
    """The stream that a partner's commands append to."""
    return f"settlement/{partner}"

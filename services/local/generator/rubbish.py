"""What is no event: bytes that no bank should send, and a line with a card number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import msgspec

from services.kernel.transaction import CardTransaction
from services.local.generator.lines import line

CARD_NUMBER = "4111 1111 1111 1111"
"""The number of every payment test. In clear it must lie in the raw feed and nowhere else."""


def rubbish(random: Random, event: CardTransaction) -> Iterator[bytes]:
    """Records that are refused, each for another reason, made from a good one."""
    good = line(event)
    yield bytes(random.randrange(128, 256) for _ in range(40))
    yield good[: len(good) // 2]
    yield b'["not", "an", "object"]'
    yield good.replace(b'"billing_amount":', b'"billing_amount":1,"billing_amount":', 1)
    yield good.replace(b'"mcc":', b'"merchant_category":', 1)
    yield good.replace(b'"kind":"PRESENTMENT"', b'"kind":"PURCHASE"', 1)
    yield good.replace(b'"billing_currency":"NOK"', b'"billing_currency":"KRO"', 1)
    yield good.replace(b'"issuer_id":"first-bank"', b'"issuer_id":"third-bank"', 1)
    yield good.replace(b'"billing_amount":', b'"billing_amount":"12.50","tip_amount":', 1)
    yield re.sub(rb'"posted_on":"[^"]+"', b'"posted_on":"2026-02-30"', good)


def with_card_number(event: CardTransaction) -> bytes:
    """A good line, but for the merchant's name."""
    name = f"WEB ORDER CARD {CARD_NUMBER}"
    return line(msgspec.structs.replace(event, merchant_name=name))

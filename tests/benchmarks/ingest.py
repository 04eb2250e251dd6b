"""CPU of ingest for one record, without Kafka: `python -m tests.benchmarks.ingest`.

Prints microseconds for parse, validate and encode of each format; the least of five runs.
"""

from __future__ import annotations

import json
import random
from time import process_time

from services.ingest.feeds.encoding import FRAME, encode
from services.kernel.errors import Rejected
from tests.support.feeds import feed, fields, frame, lithic_event, parse_with, webhook

RECORDS = 20_000


def ordinary_lines(count: int) -> list[bytes]:
    """Lines with nearly every field, some 670 bytes each, no two alike."""
    dice = random.Random(1)
    lines = []
    for number in range(count):
        account = f"acc-{dice.randrange(100_000):06d}"
        record = fields(
            event_id=f"e-{number:010d}", lifecycle_id=f"l-{number:010d}", account_id=account,
            scheme_reference=str(dice.randrange(10**14, 10**15)), authorization_code="A1B2C3",
            arn=str(dice.randrange(10**22, 10**23)), card_token=f"tok-{account}",
            card_product="SKY-GOLD", posted_on="2026-03-05", transaction_amount=1100,
            transaction_currency="EUR", billing_amount=dice.randrange(1, 100_000),
            occurred_at=f"2026-03-04T08:40:{dice.randrange(60):02d}.123+01:00",
            merchant_id="M00001234", merchant_name="Demo Kafe Oslo", merchant_city="Oslo",
            merchant_country="NO", mcc="5812", channel="IN_STORE", attributes={"terminal": "T1"},
        )  # fmt: skip
        lines.append(json.dumps(record).encode())
    return lines


def main() -> None:
    """Measure each format."""
    records = {
        "milepost-json": ordinary_lines(RECORDS),
        "milepost-avro": [frame(f"e{number}", mcc="5812") for number in range(RECORDS)],
        "lithic-events": [webhook(lithic_event())] * 2_000,
    }
    for name, values in records.items():
        parse = parse_with(feed(name, numeric_ids=("scheme_reference", "arn")))
        least = float("inf")
        for _ in range(5):
            start = process_time()
            bodies = [
                FRAME + encode(event)
                for value in values
                for event in parse(value)
                if not isinstance(event, Rejected)
            ]
            least = min(least, (process_time() - start) / len(values) * 1e6)
        print(f"{name:14} {len(values[0]):5d} bytes {least:6.1f} µs  ({len(bodies):,} events)")


if __name__ == "__main__":
    main()

"""Merchants that a contract names and that were never seen."""

from __future__ import annotations

from collections.abc import AsyncIterator

from services.accrual.lifecycle.purchase import Leg, leg_of
from services.accrual.trial.unseen import Named, merchants_named, unseen
from tests.support.builders import event


class Record:
    """Pieces of legs, and how many of them were asked for."""

    def __init__(self, *pieces: list[Leg]) -> None:
        self.pieces = pieces
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[list[Leg]]:
        for piece in self.pieces:
            self.read += 1
            yield piece


def leg(merchant: str, name: str | None = None) -> Leg:
    return leg_of(event("P1", merchant_id=merchant, merchant_name=name), 1)


def test_merchants_are_found_wherever_a_contract_names_them() -> None:
    content = {
        "rules": [{"when": {"merchant": ["M1"], "unless": [{"merchant_name": ["SKY*"]}]}}],
        "exclude": [{"merchant": ["M2"]}],
    }
    assert list(merchants_named(content)) == [
        Named(("rules", 0, "when", "merchant", 0), "merchant", "M1"),
        Named(("rules", 0, "when", "unless", 0, "merchant_name", 0), "merchant_name", "SKY*"),
        Named(("exclude", 0, "merchant", 0), "merchant", "M2"),
    ]


async def test_an_id_is_seen_letter_for_letter_and_a_name_as_conditions_compare_it() -> None:
    named = [
        Named((), key, value)
        for key, value in [
            ("merchant", "M1"), ("merchant", "m2"), ("merchant_name", "Ｓky Air*"),
            ("merchant_name", "SKY"), ("merchant_name", "fjord lines"),
        ]
    ]  # fmt: skip
    record = Record([leg("M1", "SKY AIR OSLO")], [leg("M2", "Fjord Lines"), leg("M3")])
    found = await unseen(named, aiter(record))
    assert [one.value for one in found] == ["m2", "SKY"]


async def test_reading_stops_once_every_merchant_was_seen() -> None:
    record = Record([leg("M1")], [leg("M2")], [leg("M3")])
    assert await unseen([Named((), "merchant", "M2")], aiter(record)) == []
    assert record.read == 2

"""How much dearer or cheaper one thing is than another, in one run.

Rounds are short and many, so that what else the machine does matters little; what is judged is the
median of rounds that take turns, and leniently: a promise broken by half is a change of the code.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

import fastavro
import pytest

from services.accrual.batch import Decided, Loaded, decide_account
from services.accrual.contracts.book import Book
from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.parse import parse
from services.accrual.decoding import decode_event
from services.accrual.intake import Recorded, arrive, record
from services.accrual.members.csv import read_members
from services.accrual.members.roster import Roster
from services.ingest.feeds.catalog import parse_feeds
from services.ingest.feeds.encoding import FRAME, encode
from services.ingest.feeds.formats import parser
from services.kernel.errors import Rejected
from services.kernel.transaction import CardTransaction
from services.local import ratios, specimens
from services.local.load import FEEDS, Load, contracts
from tests.support.canonical import SCHEMA

EVENTS = 400
ROUNDS = 30
LOAD = Load(EVENTS, 4_000)


def canonical() -> list[bytes]:
    """The bodies of some events of the bench's stream."""
    (feed,) = parse_feeds(FEEDS, file="feeds.yaml")
    parse_record = parser(feed, {})
    bodies: list[bytes] = []
    for sent in islice(LOAD.records(), EVENTS):
        for event in parse_record(sent.line):
            assert not isinstance(event, Rejected)
            bodies.append(encode(event))
    return bodies


def quickest(work: Callable[[], Any]) -> int:
    """Nanoseconds of the quickest round."""
    times: list[int] = []
    for _ in range(ROUNDS):
        started = time.perf_counter_ns()
        work()
        times.append(time.perf_counter_ns() - started)
    return min(times)


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str, int, str, int], None]:
    def line(what: str, its: int, beside: str, theirs: int) -> None:
        with capsys.disabled():
            print(f"\n  {what}: {100 * its // theirs} % of {beside}", end=" ")

    return line


def general(body: bytes) -> CardTransaction:
    fields: Any = fastavro.schemaless_reader(io.BytesIO(body), SCHEMA, None)
    return CardTransaction(**fields)


def test_decoding_beside_a_general_decoder(tell: Callable[[str, int, str, int], None]) -> None:
    bodies = canonical()
    assert [decode_event(body) for body in bodies] == [general(body) for body in bodies]
    ours = quickest(lambda: [decode_event(body) for body in bodies])
    tell("decoding", ours, "a general decoder", quickest(lambda: [general(b) for b in bodies]))


def test_deciding_beside_decoding(tell: Callable[[str, int, str, int], None]) -> None:
    recorded = [
        record(arrive(FRAME + body, (), offset_at=at, timestamp_ms=0), stream_id=1, seq=at + 1)
        for at, body in enumerate(canonical())
    ]
    book = Book(
        compile_terms(parse(text.encode(), file=name).contract)
        for name, text in contracts().items()
    )
    rosters: dict[str, Roster] = {}
    for row in read_members(LOAD.members(), file="members.csv").members:
        rosters[row.account_id] = Roster.of([row])

    def decide(one: Recorded) -> Decided:
        account = one.event.account_id
        return decide_account(account, [one], Loaded(), book=book, enrolments=rosters[account])

    posted = sum(bool(decide(one).transfers) for one in recorded)
    assert posted > EVENTS // 2
    bodies = [one.body for one in recorded]
    its = quickest(lambda: [decide(one) for one in recorded])
    tell("deciding", its, "decoding", quickest(lambda: [decode_event(body) for body in bodies]))


def test_what_the_engine_promises_is_far_from_broken() -> None:
    measured = ratios.measure(turns=9)
    assert [one.name for one in measured] == ["rules_5", "rules_200", "full_cap"]
    assert [one.name for one in measured if not 0 < one.ratio < 1.5 * one.most] == []


def test_the_bench_of_the_engine_prints_its_ratios_for_programs() -> None:
    command = [sys.executable, "-m", "services.cli", "--output", "json", "bench", "--engine"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for one in json.loads(done.stdout)["ratios"]:
        assert list(one) == [
            "name", "what", "beside", "us", "beside_us", "ratio", "most", "kept",
        ]  # fmt: skip
        assert one["kept"] == (one["ratio"] <= one["most"])


def test_the_full_cap_of_the_bench_is_full_and_a_refund_makes_room_in_it() -> None:
    book = specimens.five_rules(specimens.REACHED)
    bought = specimens.purchases(1_000, accounts=1)
    whole = specimens.stored(bought, book)
    ((_, earned, granted),) = whole.totals.values()
    assert earned > granted == int(specimens.REACHED)
    back = specimens.refund_of(bought[0], 1_001)
    roster = specimens.roster(back.event.account_id)
    decided = ratios.refund_into_full_cap(back, bought[0], whole, book, roster)
    taken, given = decided.transfers
    assert (taken.of_purchase, taken.amount) == (bought[0].seq, given.amount)
    assert given.of_purchase > 100

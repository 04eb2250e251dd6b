"""The bench's stream, its process times and its percentiles."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from itertools import islice

import pytest

from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.parse import parse
from services.accrual.members.csv import read_members
from services.ingest.feeds.catalog import parse_feeds
from services.ingest.feeds.formats import parser
from services.kernel.errors import InvalidInput, Rejected
from services.local.cpu import cpu_seconds
from services.local.figures import Drain, Figures, Paced
from services.local.load import FEEDS, Load, contracts
from services.local.options import Options
from services.local.probe import percentile

LOAD = Load(transactions=3_000, accounts=300)


def test_the_stream_is_the_same_every_time() -> None:
    assert list(islice(LOAD.records(), 3_100)) == list(islice(LOAD.records(), 3_100))


def test_every_record_is_a_valid_event_of_a_known_member() -> None:
    (feed,) = parse_feeds(FEEDS, file="feeds.yaml")
    parse_record = parser(feed, {})
    members = {row.account_id for row in read_members(LOAD.members(), file="members.csv").members}
    for record in islice(LOAD.records(), 3_000):
        (event,) = parse_record(record.line)
        assert not isinstance(event, Rejected), event
        assert event.account_id in members
        assert event.account_id.encode() == record.key


def test_of_a_hundred_records_two_are_refunds_and_one_repeats_another() -> None:
    lines = [record.line for record in islice(LOAD.records(), 3_000)]
    refunds = sum(b'"kind":"REFUND"' in line for line in lines)
    repeats = sum(times - 1 for times in Counter(lines).values())
    assert 40 <= refunds <= 80
    assert 15 <= repeats <= 45


def test_its_contracts_are_sound_and_every_rule_has_a_cap() -> None:
    for name, text in contracts().items():
        terms = compile_terms(parse(text.encode(), file=name).contract)
        assert all(rule.totals for rule in terms.rules)


def test_sizes_that_make_no_sense_are_refused_all_at_once() -> None:
    options = Options(
        transactions=10, accounts=0, workers=0, rate=0, paced_seconds=0, keep=None
    )  # fmt: skip
    with pytest.raises(InvalidInput) as refused:
        options.load()
    assert {problem.field for problem in refused.value.problems} == {
        "--transactions", "--accounts", "--workers", "--rate", "--paced-seconds",
    }  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="process times come from /proc")
def test_the_time_of_a_child_that_has_ended_is_not_lost() -> None:
    before = cpu_seconds({"us": [os.getpid()]})["us"]
    spin = "import time\nwhile time.process_time() < 0.2: pass"
    child = subprocess.Popen([sys.executable, "-c", spin])
    while child.poll() is None:
        assert cpu_seconds({"us": [os.getpid()]})["us"] >= before
        time.sleep(0.01)
    assert cpu_seconds({"us": [os.getpid()]})["us"] >= before + 0.19
    assert cpu_seconds({"nobody": []}) == {"nobody": 0}


def test_a_percentile_is_a_value_that_occurred() -> None:
    assert [percentile(list(range(1, 101)), p) for p in (50, 95, 99)] == [50, 95, 99]
    assert percentile([7], 99) == 7
    assert percentile([1, 2, 3], 50) == 2


def test_the_figures_add_up_over_the_drains() -> None:
    drains = tuple(
        Drain(1_000, seconds, {"ingest": 0.01, "postgres": 0.02}, floor_cpu=0.01)
        for seconds in (0.1, 0.2, 0.1)
    )
    figures = Figures(drains, Paced(5_000, [1, 2, 3]), {"POSTED": 97, "DUPLICATE": 3}, 28)
    assert figures.document() == {
        "transactions": 3_000,
        "seconds": 0.4,
        "transactions_per_second": 7_500,
        "cpu_us_per_transaction": {"ingest": 10.0, "postgres": 20.0},
        "paced": {"rate": 5_000, "p50_ms": 2, "p95_ms": 3, "p99_ms": 3},
        "floor_ratio": 3.0,
    }
    assert figures.posted_percent == 97
    assert round(figures.floor_us or 0) == 10

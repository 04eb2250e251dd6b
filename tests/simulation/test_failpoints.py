"""A process ends at every failpoint it passes, one after the other; each time another one goes on
and the end is the same.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import pytest

from services.accrual.intake import FRAME, decode
from services.kernel.identifiers import transfer_id
from services.kernel.topics import ACCRUALS, CARD_TRANSACTIONS, DEAD_LETTERS
from services.local.stack import Stack
from services.runtime.sealing import create_keys
from tests.simulation import log
from tests.simulation.crowd import GARBAGE, as_json, chunks, crowd
from tests.simulation.nursery import Halt, Process, command
from tests.simulation.staging import PUBLISHED, Stage, create_topics
from tests.simulation.world import FEED_TOPICS, World
from tests.support import servers

SEED = 7
GROUPS = 12
SECONDS = 30
WORKERS = 2
IDLE = ("gathering: polled",)
needs_our_broker = pytest.mark.skipif(
    bool(os.environ.get("MILEPOST_KAFKA_BOOTSTRAP_SERVERS")),
    reason="the broker is somebody else's and may not take sessions as short as a second",
)

TRANSACTION = ("transaction: begun", "transaction: about to commit", "transaction: committed")
ACCRUAL = {
    "claim: updated", "gathering: polled", "consumer: about to handle", *TRANSACTION,
    "advance: updated", "accrual: position", "copied: dead_letter", "accrual: dead letters",
    "accrual: looked up", "copied: event_identity", "accrual: identities", "accrual: revision",
    "deciding: contracts", "deciding: enrolments", "deciding: waiting events",
    "deciding: originals", "deciding: purchases", "deciding: totals", "deciding: whole accounts",
    "accrual: decided", "copied: card_event", "accrual: events", "copied: purchase",
    "updated: purchase", "copied: scope_total", "updated: scope_total", "deleted: waiting_event",
    "copied: waiting_event", "accrual: state", "copied: transfer", "accrual: transfers",
    "consumer: handled",
}  # fmt: skip
PUBLISHER = {
    *TRANSACTION, "publisher: read", f"produced: {ACCRUALS}", "publisher: produced",
    "publisher: moved",
}  # fmt: skip
INGEST = {
    "gathering: polled", "consumer: about to handle", f"produced: {CARD_TRANSACTIONS}",
    f"produced: {DEAD_LETTERS}", "consumer: handled", "positions: committed",
}  # fmt: skip

Point = tuple[str, int]
"""A failpoint, and for which time it is passed."""


@pytest.mark.slow
def test_the_books_are_the_same_wherever_accrual_dies(stack: Stack, tmp_path: Path) -> None:
    stage = Stage(stack, tmp_path, seed=SEED, groups=GROUPS)
    whole = stage.copy()
    passed = stage.finish(stage.accrual(whole, Halt()), whole).passed()
    expected = stage.books(whole)
    assert all(expected.values()), "every table has rows"
    points = _points(passed)
    assert {name for name, _ in points} == ACCRUAL

    urls = SimpleQueue[str]()
    for _ in range(WORKERS):
        urls.put(url := stage.copy())
        stage.keep(url)

    def survives(point: Point) -> None:
        url = urls.get()
        try:
            stage.rewind(url)
            died = stage.accrual(url, Halt(*point))
            assert died.wait(SECONDS) == -signal.SIGKILL, f"came past {point}"
            stage.finish(stage.accrual(url), url)
            assert stage.books(url) == expected, f"after dying at {point}"
        finally:
            urls.put(url)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(survives, points))
    print(f"seed {SEED}: accrual died at {len(points)} points of {len(ACCRUAL)} names")


@pytest.mark.slow
def test_every_transfer_is_published_wherever_the_publisher_dies(
    stack: Stack, tmp_path: Path
) -> None:
    stage = Stage(stack, tmp_path, seed=SEED, groups=GROUPS)
    accrued = stage.copy()
    stage.finish(stage.accrual(accrued), accrued)
    transfers = log.rows(
        accrued, "SELECT name, seq, leg FROM transfer JOIN stream USING (stream_id)"
    )
    ids = {str(transfer_id(*row)) for row in transfers}
    stage.keep(accrued)
    passed = stage.finish(stage.publisher(accrued, Halt()), accrued, PUBLISHED).passed()
    assert _published(stage) == Counter(ids)
    points = _points(passed)
    assert {name for name, _ in points} == PUBLISHER
    for point in points:
        stage.rewind(accrued)
        before = log.ends(stage.kafka, [ACCRUALS])
        died = stage.publisher(accrued, Halt(*point))
        assert died.wait(SECONDS) == -signal.SIGKILL, f"came past {point}"
        stage.finish(stage.publisher(accrued), accrued, PUBLISHED)
        again = _published(stage, before)
        assert set(again) == ids, f"after dying at {point}"
        assert max(again.values()) <= 2
    print(f"seed {SEED}: the publisher died at {len(points)} points of {len(PUBLISHER)} names")


@needs_our_broker
@pytest.mark.slow
def test_every_record_of_a_feed_comes_through_wherever_ingest_dies(
    stack: Stack, tmp_path: Path
) -> None:
    """Here a process goes on where the one before it died, and dies at the next point."""
    servers.delete_topics(stack.kafka_bootstrap)
    sizes = {**dict.fromkeys(FEED_TOPICS.values(), 2), CARD_TRANSACTIONS: 1, DEAD_LETTERS: 1}
    create_topics(stack.kafka_bootstrap, sizes)
    create_keys(tmp_path)
    world = World(
        stack, tmp_path, MILEPOST_BATCH_RECORDS_MAX="20", MILEPOST_KAFKA_SESSION_MS="1000"
    )
    people = crowd(SEED, groups=GROUPS)
    for point, part in zip(sorted(INGEST), chunks(people.arrivals, len(INGEST)), strict=True):
        world.feed(part, GARBAGE)
        log_file = tmp_path / f"{point}.log"
        died = Process(
            command, "run", "ingest", environment=world.environment, log=log_file,
            halt=Halt(point, 2),
        )  # fmt: skip
        assert died.wait(SECONDS) == -signal.SIGKILL, f"came past {point}"
    world.start("ingest")
    try:
        world.wait(lambda: world.behind("ingest") == 0, seconds=SECONDS, what="all taken in")
    finally:
        world.abandon()
    expected = {place: None if value in GARBAGE else value for place, value in world.fed().items()}
    assert _taken_in(stack) == expected
    print(f"seed {SEED}: ingest died at {len(INGEST)} points")


def _points(passed: list[str]) -> list[Point]:
    """What was passed, up to the point after which there was nothing left to do."""
    while passed[-1] in IDLE:
        passed.pop()
    counted: Counter[str] = Counter()
    points = []
    for name in passed:
        counted[name] += 1
        points.append((name, counted[name]))
    return points


def _published(stage: Stage, before: Mapping[str, int] | None = None) -> Counter[str]:
    """How often each transfer stands in the topic, from some ends on."""
    records = log.consumed(stage.kafka, ACCRUALS, first=before)
    return Counter(dict(record.headers)["transfer_id"].decode() for record in records)


def _taken_in(stack: Stack) -> dict[str, bytes | None]:
    """What came out by the place of the raw record: an event as its line was, None: rejected."""
    found: dict[str, bytes | None] = {}
    for record in log.consumed(stack.kafka_bootstrap, CARD_TRANSACTIONS):
        headers = dict(record.headers)
        value = as_json(decode(record.value.removeprefix(FRAME)))
        assert found.setdefault(headers["source"].decode(), value) == value
    for record in log.consumed(stack.kafka_bootstrap, DEAD_LETTERS):
        headers = {name: value.decode() for name, value in record.headers}
        place = f"{headers['topic']}/{headers['partition']}/{headers['offset']}"
        assert found.setdefault(place, None) is None
    return found

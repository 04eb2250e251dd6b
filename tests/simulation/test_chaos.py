"""Kill everything at random while a hostile stream runs; nothing is lost, nothing is doubled."""

from __future__ import annotations

import csv
import json
import random
from functools import partial
from pathlib import Path

import pytest

from services.accrual.intake import decode
from services.kernel.identifiers import transfer_id
from services.local.stack import Stack
from tests.simulation.crowd import Crowd, as_csv, as_json, chunks, crowd
from tests.simulation.world import World, published_ids
from tests.support.books import NaiveBook
from tests.support.picture import GrantKey

SEED = 20_260_301
GROUPS = 130
ROUNDS = 6
VICTIMS = ("ingest", "accrual", "accrual-2", "publisher")
GARBAGE = (b"\xff\xfe not text", b"{]", b"[1]", b'{"event_id": "x"}', b"")


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_when_everything_is_killed(
    fresh_stack: Stack, tmp_path: Path
) -> None:
    world = World(
        fresh_stack, tmp_path, MILEPOST_BATCH_RECORDS_MAX="40", MILEPOST_BATCH_WAIT_MS_MAX="5"
    )
    people = crowd(SEED, groups=GROUPS)
    try:
        _open(world, people)
        sent = _storm(world, people)
        world.wait(lambda: world.recorded() >= sent, seconds=120, what="every record recorded")
        world.wait(lambda: world.lag() == 0, seconds=60, what="everything published")
    finally:
        world.stop()
    assert world.kills >= 20
    _compare(world, people, sent, tmp_path)


def _open(world: World, people: Crowd) -> None:
    world.cli("keys", "create", "--dir", str(world.folder))
    world.cli("migrate")
    world.cli("topics", "create")
    for place, text in enumerate(people.contracts):
        (world.folder / f"contract-{place}.yaml").write_text(text)
    for place in range(len(people.contracts) - 1):
        _sign(world, place)
    for name in VICTIMS:
        world.start(name)


def _sign(world: World, place: int, *options: str) -> None:
    applied = world.found(
        "contract", "apply", str(world.folder / f"contract-{place}.yaml"), "--author", "ann"
    )
    world.cli("contract", "approve", applied["contract"], "--approver", "bob", *options)


def _storm(world: World, people: Crowd) -> int:
    """Send in rounds; in each, kill all services while there is lag, and change facts."""
    chance = random.Random(SEED)
    sent = 0
    imports = list(chunks(people.imports, ROUNDS))
    for number, part in enumerate(chunks(people.arrivals, ROUNDS)):
        for role, topic in (("books", "card-feed.first-bank"), ("compare", "card-feed.network")):
            lines = [
                (arrival.event.account_id, as_json(arrival.event))
                for arrival in part
                if arrival.role == role
            ]
            world.send(topic, lines)
            sent += len(lines)
        world.send("card-feed.first-bank", [(f"junk{number}", line) for line in GARBAGE])
        sent += len(GARBAGE)
        names = list(VICTIMS)
        chance.shuffle(names)
        for name in names:
            assert world.recorded() < sent, "a kill must come while records wait"
            world.kill(name)
        rows = [row for rows in imports[number] for row in rows]
        file = world.folder / f"members-{number}.csv"
        for batch in _by_key(rows):
            file.write_text(as_csv(batch))
            world.cli("member", "import", str(file))
        if number == 2:
            world.stack.postgres.crash()
            world.stack.postgres.restart()
        if number == 3:
            world.stack.kafka.kill()
            world.stack.kafka.restart()
        if number == 4:
            _sign(world, len(people.contracts) - 1, "--retroactive")
        limit = sent // 4
        world.wait(partial(_below, world, limit), seconds=90, what="lag falls")
    return sent


def _below(world: World, limit: int) -> bool:
    return world.lag() < limit


def _by_key(rows: list[dict[str, str | None]]) -> list[list[dict[str, str | None]]]:
    """Rows of one key after another: a file holds each key once."""
    files: list[dict[tuple[object, ...], dict[str, str | None]]] = []
    for row in rows:
        key = (row["account_id"], row["card_token"], row["program"], row["enrolled_from"])
        file = next((found for found in files if key not in found), None)
        if file is None:
            files.append(file := {})
        file[key] = row
    return [list(file.values()) for file in files]


def _compare(world: World, people: Crowd, sent: int, folder: Path) -> None:
    """The end of it: outcomes, the topic, the naive model, and milepost's own proofs."""
    world.cli("export", "events", "--to", str(folder / "events.csv"))
    world.cli("export", "grants", "--to", str(folder / "grants.csv"))
    world.cli("export", "transfers", "--to", str(folder / "transfers.csv"))
    events = list(csv.DictReader((folder / "events.csv").open()))
    consumed = [event for event in events if event["offset"] != ""]
    places = {(e["topic"], e["partition"], e["offset"]) for e in consumed}
    assert len(places) == len(consumed)
    assert all(event["outcome"] for event in events)
    raw = {row["source"] for row in world.rows("SELECT source FROM card_event WHERE source <> ''")}
    dead = world.rows("SELECT count(DISTINCT (source_topic, source_partition, source_offset)) AS n"
                      "  FROM dead_letter")[0]["n"]  # fmt: skip
    assert len(raw) + dead == sent
    transfers = world.rows(
        "SELECT s.name, t.seq, t.leg FROM transfer t JOIN stream s USING (stream_id)"
    )
    assert {str(transfer_id(t["name"], t["seq"], t["leg"])) for t in transfers} == (
        published_ids(world)
    )
    assert _grants(folder / "grants.csv") == _expected(world, people)
    balance = world.found("trial-balance", "--through", "2030-01-01")
    assert [unit["difference"] for unit in balance["units"]] == [0] * len(balance["units"])
    assert world.found("verify")["ok"]
    assert world.found("rebuild", "--check")["ok"]


def _expected(world: World, people: Crowd) -> dict[GrantKey, int]:
    """The naive model over the events in the order in which they were recorded."""
    book = NaiveBook()
    with book.looking_once():
        for text in people.contracts:
            book.approve(text)
        for rows in people.imports:
            book.import_members(rows)
        for row in world.rows(
            "SELECT role, body FROM card_event WHERE role <> 'command' ORDER BY stream_id, seq"
        ):
            book.record(decode(row["body"]), row["role"])
    return {key: amount for key, amount in book.grants().items() if amount}


def _grants(file: Path) -> dict[GrantKey, int]:
    return {
        (
            row["account_id"], row["issuer_id"], row["purchase"], row["contract"],
            int(row["version"]), row["rule"], row["unit"], row["funder"],
        ): int(row["amount"])
        for row in csv.DictReader(file.open())
    }  # fmt: skip


def test_the_crowd_is_hostile_enough() -> None:
    people = crowd(SEED, groups=GROUPS)
    kinds = {arrival.event.kind for arrival in people.arrivals}
    assert len(people.arrivals) > 2_000
    assert len(kinds) == 10
    ids = [(a.role, a.event.event_id) for a in people.arrivals]
    assert len(set(ids)) < len(ids) - 100, "repeats and conflicts"
    assert json.loads(as_json(people.arrivals[0].event))["issuer_id"] == "first-bank"

"""What must be true of a milepost at rest, seen through its exports, its topics and its proofs."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict

from services.accrual.intake import decode
from services.kernel.topics import ACCRUALS, CARD_TRANSACTIONS
from tests.simulation import log
from tests.simulation.crowd import Crowd
from tests.simulation.world import World
from tests.support import naive
from tests.support.builders import as_read
from tests.support.lifecycles import Recorded
from tests.support.picture import Picture

REPEATS = ("DUPLICATE", "CONFLICT")


def holds(world: World, people: Crowd) -> str:
    """Asserts all of it; gives a line of counts."""
    outcomes = every_record_has_one_outcome(world)
    published = every_transfer_is_published(world)
    picture = picture_of(world, people)
    repeats_are_known(world, picture)
    grants_are_those_of_the_model(world, picture)
    caps_are_exact(world, picture)
    balance = world.run("trial-balance", "--through", "2030-01-01")
    assert [unit["difference"] for unit in balance["units"]] == [0] * len(balance["units"])
    assert balance["units"]
    assert world.run("verify")["ok"]
    assert world.run("rebuild", "--check")["ok"]
    counts = ", ".join(f"{name} {count}" for name, count in sorted(outcomes.items()))
    return f"{counts}; {published} transfers; {len(picture.grants)} grants"


def every_record_has_one_outcome(world: World) -> Counter[str]:
    """Raw records, consumed records and outcomes are each other's, one to one."""
    events = exported(world, "events")
    assert all(event["outcome"] for event in events)
    consumed = [event for event in events if event["offset"]]
    places = Counter(f"{e['topic']}/{e['partition']}/{e['offset']}" for e in consumed)
    assert set(places.values()) == {1}
    mine = {place for place in places if place.startswith(CARD_TRANSACTIONS)}
    kafka = world.stack.kafka_bootstrap
    canonical = log.consumed(kafka, CARD_TRANSACTIONS)
    assert mine == {f"{CARD_TRANSACTIONS}/{r.partition}/{r.offset}" for r in canonical}
    accepted = {row["source"] for row in world.rows(
        "SELECT DISTINCT source FROM card_event WHERE role <> 'command'"
    )}  # fmt: skip
    rejected = places.keys() - mine
    assert not accepted & rejected
    assert accepted | rejected == world.fed().keys()
    return Counter(event["outcome"] for event in events)


def every_transfer_is_published(world: World) -> int:
    """The topic holds every `transfer_id` of the ledger, and no other."""
    ids = [row["transfer_id"] for row in exported(world, "transfers")]
    assert len(set(ids)) == len(ids)
    records = log.consumed(world.stack.kafka_bootstrap, ACCRUALS)
    assert {dict(record.headers)["transfer_id"].decode() for record in records} == set(ids)
    return len(ids)


def picture_of(world: World, people: Crowd) -> Picture:
    """The naive model over the events in the order in which they were recorded.

    Where an id came in two streams, the recorded outcome is the witness of who was first.
    """
    rows = world.rows(
        "SELECT s.name, seq, role, body, outcome, exact_keys"
        " FROM card_event JOIN stream s USING (stream_id)"
        " WHERE role <> 'command' ORDER BY stream_id, seq"
    )
    decoded = [(row, decode(row["body"], row["exact_keys"])) for row in rows]
    streams: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for row, event in decoded:
        streams[row["role"], event.issuer_id, event.event_id].add(row["name"])
    records = []
    for row, event in decoded:
        shared = len(streams[row["role"], event.issuer_id, event.event_id]) > 1
        witness = row["outcome"] if shared else None
        records.append(Recorded(row["seq"], event, row["role"], row["name"], witness))
    assert any(record.witness == "CONFLICT" for record in records), "an id in two streams"
    contracts = [as_read(text) for text in people.contracts]
    return naive.recompute(records, contracts, people.imports)


def repeats_are_known(world: World, picture: Picture) -> None:
    """What came again is a duplicate or a conflict, and nothing else is."""
    rows = world.rows(
        "SELECT s.name, seq, outcome FROM card_event JOIN stream s USING (stream_id)"
        " WHERE outcome = ANY($1)",
        REPEATS,
    )
    assert {(row["name"], row["seq"]): row["outcome"] for row in rows} == picture.linked.repeats


def grants_are_those_of_the_model(world: World, picture: Picture) -> None:
    """Purchase by purchase, rule by rule, funder by funder."""
    found = {
        (
            row["account_id"], row["issuer_id"], row["purchase"], row["contract"],
            int(row["version"]), row["rule"], row["unit"], row["funder"],
        ): int(row["amount"])
        for row in exported(world, "grants")
    }  # fmt: skip
    assert found == picture.grants


def caps_are_exact(world: World, picture: Picture) -> None:
    """Every running total lets through what the model lets through; many of them are full."""
    full = [key for key, worth in picture.worth.items() if worth.total != worth.granted]
    assert len(full) > 100
    found: dict[tuple[str, ...], list[int]] = defaultdict(list)
    names = ("contract", "rule", "kind", "scope", "scope_id", "period", "unit")
    for row in exported(world, "totals"):
        if int(row["granted"]):
            found[tuple(row[name] for name in names)].append(int(row["granted"]))
    assert {key: sorted(worth) for key, worth in found.items()} == {
        key: sorted(worth) for key, worth in picture.totals.items()
    }


def exported(world: World, what: str) -> list[dict[str, str]]:
    """The rows of an export."""
    file = world.folder / f"{what}.csv"
    world.run("export", what, "--to", str(file))
    with file.open(newline="") as text:
        return list(csv.DictReader(text))

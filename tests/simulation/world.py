"""A whole milepost of processes on a real broker and database, to be killed and looked at."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka.errors import KafkaError

from services.kernel.topics import CARD_TRANSACTIONS, DEAD_LETTERS
from services.local.stack import Stack
from tests.simulation import log
from tests.simulation.crowd import as_json
from tests.simulation.nursery import Process, accrual, command
from tests.support.histories import Arrives

FEED_TOPICS = {
    (role, issuer): f"card-feed.{issuer}.{role}"
    for role in ("books", "compare")
    for issuer in ("first-bank", "second-bank")
}
FEEDS = "feeds:\n" + "".join(
    f"  - {{name: {issuer}-{role}, issuer: {issuer}, role: {role}, topic: {topic},\n"
    "     format: milepost-json, numeric_ids: [], exact_keys: [scheme_reference, arn]}\n"
    for (role, issuer), topic in FEED_TOPICS.items()
)
INGEST_GROUP = "milepost-ingest"
AWAY = (OSError, KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError)


@dataclass(frozen=True)
class Kill:
    """One kill -9: of whom, and how many records or events waited for just this process."""

    name: str
    behind: int


class World:
    """Processes by name; `folder` keeps their logs, keys and files."""

    def __init__(self, stack: Stack, folder: Path, **settings: str) -> None:
        self.stack = stack
        self.folder = folder
        self.processes: dict[str, Process] = {}
        self.kills: list[Kill] = []
        self.ended: list[str] = []
        """Who ended though nobody killed it, with its last words."""
        feeds = folder / "feeds.yaml"
        feeds.write_text(FEEDS)
        self.environment = {
            **{name: text for name, text in os.environ.items() if "MILEPOST" not in name},
            **stack.environment,
            "MILEPOST_FEEDS_FILE": str(feeds),
            "MILEPOST_QUARANTINE_KEY_FILE": str(folder / "quarantine.pub"),
            "MILEPOST_FILES_DIR": str(folder),
            **settings,
        }

    def run(self, *arguments: str) -> Any:
        """Run a command to its end; gives its JSON document."""
        place = self.folder / f"command-{len(list(self.folder.glob('command-*')))}.log"
        environment = dict(self.environment)
        if arguments[0] == "keys":
            environment.pop("MILEPOST_QUARANTINE_KEY_FILE")
        process = Process(
            command, "--quiet", "--output", "json", *arguments, environment=environment, log=place
        )
        code, said = process.wait(300), place.read_text()
        assert code == 0, f"milepost {' '.join(arguments)} ended with {code}: {said}"
        return json.loads(said)

    def start(self, name: str) -> None:
        """Start a service: `accrual-2` is a second `accrual`, `thief` one outside the group."""
        log_file = self.folder / f"{name}.log"
        if name == "thief":
            mine = [(CARD_TRANSACTIONS, part) for part in range(self.partitions(CARD_TRANSACTIONS))]
            work = Process(accrual, mine, environment=self.environment, log=log_file)
        else:
            words = ("run", name.partition("-")[0])
            work = Process(command, *words, environment=self.environment, log=log_file)
        self.processes[name] = work

    def feed(self, arrivals: Sequence[Arrives], rubbish: Sequence[bytes] = ()) -> int:
        """Send events to their feeds, with lines that are none among them; gives how many."""
        lines = [
            log.Line(
                FEED_TOPICS[arrival.role, arrival.event.issuer_id], arrival.event.account_id,
                as_json(arrival.event),
            )
            for arrival in arrivals
        ]  # fmt: skip
        for place, (topic, line) in enumerate(zip(cycle(FEED_TOPICS.values()), rubbish)):
            lines.insert(place * 7, log.Line(topic, f"junk{place}", line))
        log.send(self.stack.kafka_bootstrap, lines)
        return len(arrivals) + len(rubbish)

    def fed(self) -> dict[str, bytes]:
        """Each raw record by its topic/partition/offset."""
        return {
            f"{topic}/{record.partition}/{record.offset}": record.value
            for topic in FEED_TOPICS.values()
            for record in log.consumed(self.stack.kafka_bootstrap, topic)
        }

    def kill_behind(self, name: str, *, seconds: float) -> bool:
        """kill -9 while there is work for it, within `seconds`; it is not started again.

        It is frozen before anybody looks, so what it is behind then it is behind at its end.
        """
        process = self.processes[name]
        until = time.monotonic() + seconds
        while time.monotonic() < until and process.exit_code is None:
            process.send(signal.SIGSTOP)
            behind = 0
            with suppress(*AWAY):
                behind = self.behind(name)
            if behind > 0:
                process.kill()
                del self.processes[name]
                self.kills.append(Kill(name, behind))
                return True
            process.send(signal.SIGCONT)
            time.sleep(0.02)
        return False

    def behind(self, name: str) -> int:
        """How many records, or events for the publisher, wait for this process and no other."""
        if name == "ingest":
            feeds = list(FEED_TOPICS.values())
            ends = log.ends(self.stack.kafka_bootstrap, feeds)
            done = log.committed(self.stack.kafka_bootstrap, INGEST_GROUP, feeds)
            return sum(end - done.get(part, 0) for part, end in ends.items())
        if name.startswith("publisher"):
            return self.unpublished()
        owner = f"%/{self.processes[name].pid}"
        return sum(self.unrecorded("owner LIKE $1", owner).values())

    def unrecorded(self, where: str = "$1 = ''", argument: str = "") -> dict[str, int]:
        """Records after the position of each stream, of those that match a condition."""
        ends = log.ends(self.stack.kafka_bootstrap, (CARD_TRANSACTIONS, DEAD_LETTERS))
        rows = self.rows(
            "SELECT name, next_offset FROM stream JOIN stream_position USING (stream_id)"
            f" WHERE {where}",
            argument,
        )
        return {row["name"]: ends.get(row["name"], 0) - row["next_offset"] for row in rows}

    def unpublished(self) -> int:
        """Events of the ledger's streams that the publisher has not passed."""
        return int(
            self.rows(
                "SELECT coalesce(sum(p.next_seq - 1 - coalesce(c.seq, 0)), 0)::bigint AS n"
                "  FROM stream_position p JOIN stream s USING (stream_id)"
                "  LEFT JOIN publisher_cursor c USING (stream_id)"
                "  WHERE s.name NOT LIKE 'dead-letters/%'"
            )[0]["n"]
        )

    def said(self, prefix: str) -> str:
        """What the processes of these names have logged."""
        return "".join(file.read_text() for file in self.folder.glob(f"{prefix}*.log"))

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        return len(log.ends(self.stack.kafka_bootstrap, (topic,)))

    def rows(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """What the database says, asked as its superuser."""
        return log.rows(self.stack.database_url, sql, *arguments)

    def recorded(self) -> int:
        """Raw records that have an outcome."""
        return int(
            self.rows(
                "SELECT (SELECT count(DISTINCT source) FROM card_event WHERE role <> 'command')"
                "     + (SELECT count(*) FROM dead_letter) AS n"
            )[0]["n"]
        )

    def revive(self) -> None:
        """What a supervisor does: start again whatever has ended by itself."""
        for name, process in list(self.processes.items()):
            if process.exit_code is not None:
                why = json.loads(process.log.read_text().splitlines()[-1])["error"]
                self.ended.append(f"{name} ended with {process.exit_code}: {why}")
                self.start(name)

    def wait(self, done: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Until `done`, reviving what has ended meanwhile; what is away is asked again."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.revive()
            try:
                if done():
                    return
            except AWAY:
                pass
            time.sleep(0.1)
        raise AssertionError(f"not within {seconds} s: {what}")

    def stop(self, *, seconds: float) -> list[int]:
        """Tell every service to stop within `seconds`; gives their exit codes."""
        for process in self.processes.values():
            process.send(signal.SIGTERM)
        codes = [process.wait(seconds) for process in self.processes.values()]
        self.processes.clear()
        return codes

    def abandon(self) -> None:
        """kill -9 to whatever still runs."""
        for process in self.processes.values():
            process.kill()

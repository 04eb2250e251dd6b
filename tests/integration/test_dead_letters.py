"""A bad file from `feed send` to `dead-letters replay`, with the commands that a person types."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.runtime.sealing import IDENTITY, PUBLIC_KEY, create_keys
from tests.support.feeds import line

FEEDS = """\
feeds:
  - {name: first-bank, issuer: first-bank, role: books, topic: card-feed.first-bank,
     format: milepost-json}
"""
PAN = "4111 1111 1111 1111"


class Milepost:
    """The command, with an environment of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = {**os.environ, **environment}
        self.services: list[subprocess.Popen[bytes]] = []

    def __call__(self, *arguments: str | Path, code: int = 0) -> Any:
        result = subprocess.run(
            [sys.executable, "-m", "services.cli", "--output", "json", *map(str, arguments)],
            env=self.environment, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert result.returncode == code, result.stderr.decode()
        return json.loads(result.stdout)

    def start(self, name: str) -> None:
        """Start a service; it runs until `stop`."""
        command = [sys.executable, "-m", "services.cli", "run", name]
        self.services.append(
            subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL)
        )

    def stop(self) -> None:
        """Tell every service to stop; each ends with exit code 0."""
        for process in self.services:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(timeout=12) for process in self.services]
        self.services.clear()
        assert set(codes) <= {0}

    def until_letters(self, count: int) -> list[dict[str, Any]]:
        """The dead letters, once there are so many."""
        for _ in range(60):
            letters: list[dict[str, Any]] = self("dead-letters", "list")["dead_letters"]
            if len(letters) >= count:
                return letters
            time.sleep(0.5)
        raise AssertionError("they did not come")


@pytest.fixture
def milepost(kafka_bootstrap: str, migrated_url: str, tmp_path: Path) -> Iterator[Milepost]:
    create_keys(tmp_path / "keys")
    (tmp_path / "feeds.yaml").write_text(FEEDS)
    command = Milepost(
        {
            "MILEPOST_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
            "MILEPOST_DATABASE_URL": migrated_url,
            "MILEPOST_FEEDS_FILE": str(tmp_path / "feeds.yaml"),
            "MILEPOST_QUARANTINE_KEY_FILE": str(tmp_path / "keys" / PUBLIC_KEY),
            "MILEPOST_QUARANTINE_IDENTITY_FILE": str(tmp_path / "keys" / IDENTITY),
        }
    )
    yield command
    for process in command.services:
        process.kill()
        process.wait()


def test_bad_lines_can_be_listed_looked_at_and_sent_again(
    milepost: Milepost, tmp_path: Path
) -> None:
    milepost("topics", "create")
    (tmp_path / "lines").write_bytes(
        b"\n".join([line(), line(merchant_name=PAN), b"{broken", line(event_id="e2")]) + b"\n"
    )
    sent = milepost("feed", "send", tmp_path / "lines", "--feed", "first-bank", code=1)
    assert (sent["records"], sent["valid"]) == (4, 2)
    assert [(bad["line"], bad["reason"]) for bad in sent["problems"]] == [
        (2, "CARD_NUMBER"), (3, "NOT_JSON"),
    ]  # fmt: skip
    milepost.start("ingest")
    milepost.start("accrual")
    letters = milepost.until_letters(2)
    assert {letter["reason"] for letter in letters} == {"CARD_NUMBER", "NOT_JSON"}
    assert all(letter["source"].startswith("card-feed.first-bank/") for letter in letters)
    by_reason = {letter["reason"]: letter["source"] for letter in letters}

    shown = milepost("dead-letters", "show", by_reason["CARD_NUMBER"])
    assert "[card number]" in shown["text"]
    assert "1111" not in json.dumps(shown)
    shown = milepost("dead-letters", "show", by_reason["NOT_JSON"])
    assert (shown["text"], shown["bytes"], shown["feed"]) == ("{broken", 7, "first-bank")
    found = milepost("dead-letters", "list", "--reason", "NOT_JSON")["dead_letters"]
    assert [letter["source"] for letter in found] == [by_reason["NOT_JSON"]]

    replayed = milepost("dead-letters", "replay", by_reason["NOT_JSON"])
    assert replayed == {"replayed": [by_reason["NOT_JSON"]]}
    assert len(milepost.until_letters(3)) == 3
    who = "--by", "Gil", "--date", "2026-04-02"
    replayed = milepost("dead-letters", "replay", "--feed", "first-bank", *who)
    assert len(replayed["replayed"]) == 3
    actions = milepost("audit", "list", "--actor", "Gil")["actions"]
    assert {(row["action"], row["recorded_on"]) for row in actions} == {
        ("dead-letters replay", "2026-04-02")
    }
    places = [f"{row['subject']}/{at}" for row in actions for at in row["detail"]["offsets"]]
    assert sorted(places) == sorted(replayed["replayed"])
    again = milepost.until_letters(6)
    assert sum(letter["reason"] == "NOT_JSON" for letter in again) == 4
    milepost.stop()


def test_what_is_not_there_is_said(milepost: Milepost) -> None:
    for arguments, said in (
        (("show", "card-feed.first-bank/0/99"), "is not the source of a dead letter"),
        (("show", "nonsense"), "is not topic/partition/offset"),
        (("replay",), "name the dead letters"),
    ):
        result = subprocess.run(
            [sys.executable, "-m", "services.cli", "dead-letters", *arguments],
            env=milepost.environment, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert result.returncode == 2
        assert said in result.stderr.decode()

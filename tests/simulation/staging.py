"""Topics, contracts and members for a run, through the product's own functions."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from services.accrual import bootstrap
from services.runtime.settings import Settings, load_settings
from services.runtime.topics import TopicAdmin, TopicSpecification
from tests.simulation.crowd import as_csv
from tests.support.dates import Row

ON = date(2026, 6, 30)


def create_topics(kafka: str, partitions: Mapping[str, int]) -> None:
    """Create topics and wait until they can be used."""

    async def create() -> None:
        settings = load_settings({"MILEPOST_KAFKA_BOOTSTRAP_SERVERS": kafka})
        async with await TopicAdmin.connect(settings) as admin:
            await admin.create([TopicSpecification(n, count) for n, count in partitions.items()])

    asyncio.run(create())


def sign(url: str, text: str) -> None:
    """Apply a contract by one person and approve it by another."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "contract.yaml"
        file.write_text(text)
        settings = _settings(url)

        async def both() -> None:
            name = await bootstrap.apply_contract(settings, file, author="ann", on=ON)
            await bootstrap.approve_contract(
                settings, name, approver="bob", on=ON, retroactive=True
            )

        asyncio.run(both())


def enrol(url: str, rows: Sequence[Row]) -> None:
    """Import member rows."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "members.csv"
        file.write_text(as_csv(rows))
        asyncio.run(bootstrap.import_members(_settings(url), file, ON))


def _settings(url: str) -> Settings:
    return load_settings({"MILEPOST_DATABASE_URL": url})

"""Wires what runs until it is told to stop: the consumer and the publisher."""

from __future__ import annotations

from services.accrual.adapters import ledger_store, publisher_store
from services.accrual.bootstrap.parts import decider
from services.accrual.handler import AccrualHandler
from services.accrual.publisher import Publisher
from services.accrual.watch import Watch
from services.kernel.topics import CARD_TRANSACTIONS, DEAD_LETTERS
from services.runtime.consumer import StreamConsumer
from services.runtime.database import Database
from services.runtime.sealing import Sealer
from services.runtime.service import Service
from services.runtime.session import assert_durable

GROUP = "milepost-accrual"


async def run_accrual(service: Service, *, assign: list[tuple[str, int]] | None = None) -> None:
    """Consume `card-transactions` and `dead-letters` until the service is told to stop."""
    settings = service.settings
    sealer = Sealer.from_file(settings.require_quarantine_key())
    database = await service.reach(
        lambda: Database.connect(
            settings.require_database(), strict=False, by_index=True,
            application_name="milepost-accrual",
        )
    )  # fmt: skip
    async with database:
        async with database.connection() as connection:
            await assert_durable(connection)
        handler = AccrualHandler(
            database=database, decider=decider(), ledger=ledger_store, seal=sealer.seal,
            observer=Watch(service),
        )  # fmt: skip
        consumer = StreamConsumer(
            settings, database, handler, topics=[CARD_TRANSACTIONS, DEAD_LETTERS], group=GROUP,
            owner=service.owner, metrics=service.metrics, health=service.health, assign=assign,
        )  # fmt: skip
        service.started()
        await consumer.run(service.stop)


async def run_publisher(service: Service) -> None:
    """Publish the journal to `accruals` until the service is told to stop."""
    database = await service.reach(
        lambda: Database.connect(
            service.settings.require_database(), strict=False, by_index=True,
            application_name="milepost-publisher",
        )
    )  # fmt: skip
    async with database:
        service.started()
        await Publisher(service, database, publisher_store).run(service.stop)

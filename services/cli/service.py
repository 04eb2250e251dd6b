"""Keys, migrations, topics, and the long-running services."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.accrual import bootstrap as accrual
from services.cli.session import FOUND_PROBLEMS, Session
from services.ingest import bootstrap as ingest
from services.runtime.database import Database
from services.runtime.migrations import migrate
from services.runtime.person import owner_refusals
from services.runtime.sealing import create_keys
from services.runtime.service import Service, run_service
from services.runtime.settings import Settings
from services.runtime.topics import TopicAdmin, create_positions
from services.settlement import bootstrap as settlement

POSITIONED = ("card-transactions", "dead-letters")


class Name(StrEnum):
    """The services that can run."""

    INGEST = "ingest"
    ACCRUAL = "accrual"
    PUBLISHER = "publisher"
    SETTLEMENT = "settlement"
    ALL = "all"


keys = typer.Typer(help="Keys for sealed records and card tokens.", no_args_is_help=True)
topics = typer.Typer(help="The topics and their positions.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang the commands on `milepost`."""
    app.add_typer(keys, name="keys")
    app.add_typer(topics, name="topics")
    app.command("migrate", help="Bring the database to the current schema.")(migrate_command)
    app.command("run", help="Run a service until it is told to stop.")(run_command)


@keys.command("create")
def create(
    context: typer.Context,
    directory: Annotated[Path, typer.Option("--dir", help="Where the three keys are written.")],
) -> None:
    """Make quarantine.pub, quarantine.key and token.key; existing ones are never overwritten."""
    session: Session = context.obj

    async def work() -> list[str]:
        return [str(path) for path in create_keys(directory)]

    made = session.run(work())
    if not session.document({"keys": made}):
        session.table(["key"], [[path] for path in made])


def migrate_command(context: typer.Context) -> None:
    """Bring the database to the current schema; several may start at once."""
    session: Session = context.obj

    async def work() -> list[str]:
        with owner_refusals():
            return await migrate(session.settings().require_database())

    applied = session.run(work())
    if not session.document({"applied": applied}):
        session.table(["applied"], [[name] for name in applied])
        if not applied:
            session.say("the schema is current")


@topics.command("create")
def create_topics(context: typer.Context) -> None:
    """Create what is missing of the topics of schemas/topics and of the feeds, with positions."""
    session: Session = context.obj

    async def work() -> list[str]:
        return await _create_topics(session.settings())

    created = session.run(work())
    if not session.document({"created": created}):
        session.table(["created"], [[name] for name in created])
        if not created:
            session.say("all topics exist")


async def _create_topics(settings: Settings) -> list[str]:
    specifications = ingest.topic_specifications(settings)
    async with await TopicAdmin.connect(settings) as admin:
        created = await admin.create(specifications)
        partitions = await admin.partitions(POSITIONED)
    async with await Database.connect(settings.require_database()) as database:
        await create_positions(settings, database, partitions)
    return created


@topics.command("check")
def check_topics(context: typer.Context) -> None:
    """Compare the broker's topics with schemas/topics; exit 1 if they differ."""
    session: Session = context.obj

    async def work() -> list[str]:
        settings = session.settings()
        specifications = ingest.topic_specifications(settings)
        async with await TopicAdmin.connect(settings) as admin:
            return [str(problem) for problem in await admin.check(specifications)]

    problems = session.run(work())
    if not session.document({"problems": problems}):
        session.table(["problem"], [[problem] for problem in problems])
    if problems:
        raise typer.Exit(FOUND_PROBLEMS)


def run_command(
    context: typer.Context, name: Annotated[Name, typer.Argument(help="Which service.")]
) -> None:
    """Run a service until SIGTERM or Ctrl-C; it drains and exits 0 within ten seconds."""
    session: Session = context.obj

    async def load() -> Settings:
        return session.settings()

    settings = session.run(load())
    raise typer.Exit(run_service(name.value, settings, MAIN[name]))


async def _run_all(service: Service) -> None:
    """Every service in one process: enough below some thousand transactions a second."""
    async with asyncio.TaskGroup() as group:
        for name, main in MAIN.items():
            if name is not Name.ALL:
                group.create_task(main(service))


MAIN = {
    Name.INGEST: ingest.run_ingest,
    Name.ACCRUAL: accrual.run_accrual,
    Name.PUBLISHER: accrual.run_publisher,
    Name.SETTLEMENT: settlement.run_settlement,
    Name.ALL: _run_all,
}

"""The bench: how fast, at what cost, how soon, beside its own floor."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from services.cli.session import FOUND_PROBLEMS, Output, Session
from services.kernel.errors import MilepostError
from services.local import bench, ratios
from services.local.crew import ServiceEnded
from services.local.figures import PERCENTS, Figures
from services.local.narrator import WIDTH, Narrator
from services.local.options import Options


def register(app: typer.Typer) -> None:
    """Hang the command on `milepost`."""
    app.command("bench")(run)


def run(
    context: typer.Context,
    transactions: Annotated[int, typer.Option(help="So many are drained.")] = 1_000_000,
    accounts: Annotated[
        int | None,
        typer.Option(help="Cardholders; a tenth of the transactions, at most 100,000."),
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes of accrual.")] = 2,
    rate: Annotated[
        int | None,
        typer.Option(help="Transactions a second of the steady part; half of what was drained."),
    ] = None,
    paced_seconds: Annotated[int, typer.Option(help="The steady part lasts at most so long.")] = 20,
    keep: Annotated[
        Path | None, typer.Option(help="Keep the servers' data and the logs in this folder.")
    ] = None,
    engine: Annotated[
        bool,
        typer.Option("--engine", help="The engine alone, beside a general decoder: a few seconds."),
    ] = False,
) -> None:
    """Measure throughput, CPU by process and latency of all of milepost on this machine.

    Everything runs here, the real Kafka and PostgreSQL too, and shares the cores with the bench.
    The floor is a bare binary COPY of the same rows into the same tables.

    With --engine nothing else runs: a decision is timed beside one decoding of the same record,
    turn by turn, and a refund into a full cap beside a plain one.
    """
    session: Session = context.obj
    machine = session.output is Output.JSON
    file = sys.stderr if machine else sys.stdout
    console = Console(file=file, width=None if file.isatty() else WIDTH, highlight=False)
    narrator = Narrator(console, quiet=session.quiet)
    if engine:
        _engine(session, narrator)
        return
    options = Options(transactions, accounts, workers, rate, paced_seconds, keep)
    try:
        figures = bench.run(options, narrator)
    except KeyboardInterrupt:
        narrator.say("Stopped: no process is left.")
        raise typer.Exit(130) from None
    except ServiceEnded as error:
        session.fail(str(error), error.exit_code)
    except MilepostError as error:
        session.run(_raise(error))
        session.fail(str(error), FOUND_PROBLEMS)
    if not session.document(figures.document()):
        _print(figures, narrator)


def _engine(session: Session, narrator: Narrator) -> None:
    found = ratios.measure()
    if session.document({"ratios": [one.document() for one in found]}):
        return
    narrator.table(
        "The engine alone",
        ["what", "µs", "beside", "its µs", "ratio", "at most", "kept"],
        [
            [
                one.what, f"{one.us:,.1f}", one.beside, f"{one.beside_us:,.1f}",
                f"{one.ratio:.2f}", f"{one.most:g}", "yes" if one.kept else "NO",
            ]
            for one in found
        ],
    )  # fmt: skip


def _print(figures: Figures, narrator: Narrator) -> None:
    cpu = figures.cpu_us
    rows = [[name, f"{used:.1f}"] for name, used in cpu.items()]
    rows.append(["all of them", f"{sum(cpu.values()):.1f}"])
    if figures.floor_us is not None:
        rows.append(["the floor: a bare COPY of the same rows", f"{figures.floor_us:.1f}"])
    ratio = figures.floor_ratio
    narrator.table(
        "Backlog drained",
        ["", "how much"],
        [
            ["transactions", figures.transactions],
            ["of a hundred posted something", figures.posted_percent],
            ["seconds", f"{figures.seconds:.1f}"],
            ["transactions a second", figures.per_second],
            ["CPU time, times that of the floor", "unknown" if ratio is None else f"{ratio:.1f}"],
            ["of the machine's time went to other programs", f"{figures.elsewhere_percent} %"],
        ],
    )
    narrator.table("CPU time a transaction", ["process", "µs"], rows)
    paced = figures.paced
    narrator.table(
        "Produce to commit",
        [f"at {paced.rate:,} a second", "ms"],
        [[f"p{percent}", paced.at(percent)] for percent in PERCENTS],
    )


async def _raise(error: MilepostError) -> NoReturn:
    raise error

"""Dead letters: records that could not become events, sealed until somebody looks at them."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from services.accrual import bootstrap as accrual
from services.cli.session import ByOption, OnDate, Session, day_or_today
from services.ingest import bootstrap as ingest
from services.kernel.errors import InvalidInput, Problem
from services.runtime.redaction import redacted_text

letters = typer.Typer(help="Records that were rejected, sealed.", no_args_is_help=True)
Source = Annotated[str, typer.Argument(metavar="SOURCE", help="topic/partition/offset")]
OfFeed = Annotated[str | None, typer.Option("--feed", help="Only those of this feed.")]
OfReason = Annotated[str | None, typer.Option("--reason", help="Only those with this reason.")]

_ESCAPED_DIGIT = re.compile(r"\\u003([0-9])")


def register(app: typer.Typer) -> None:
    """Hang the commands on `milepost`."""
    app.add_typer(letters, name="dead-letters")


@letters.command("list")
def list_letters(
    context: typer.Context,
    feed: OfFeed = None,
    reason: OfReason = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 100,
) -> None:
    """Show rejected records, the newest first; what they hold stays sealed."""
    session: Session = context.obj

    async def work() -> list[dict[str, Any]]:
        settings = session.settings()
        return await accrual.list_dead_letters(settings, feed=feed, reason=reason, limit=limit)

    found = [_facts(letter) for letter in session.run(work())]
    if not session.document({"dead_letters": found}):
        columns = ["source", "feed", "reason", "schema_id", "recorded_at", "bytes"]
        session.table(columns, [[letter[column] for column in columns] for letter in found])


@letters.command("show")
def show_letter(context: typer.Context, source: Source) -> None:
    """Open one rejected record with the private key; card numbers are shown masked."""
    session: Session = context.obj

    async def work() -> dict[str, Any]:
        (found,) = await accrual.open_dead_letters(session.settings(), [_place(source)])
        return found

    found = session.run(work())
    raw: bytes = found.pop("raw")
    shown = {**_facts(found), "bytes": len(raw), "text": readable(raw)}
    if not session.document(shown):
        session.table(["field", "value"], [[name, str(value)] for name, value in shown.items()])


@letters.command("replay")
def replay_letters(
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="topic/partition/offset")
    ] = None,
    feed: OfFeed = None,
    reason: OfReason = None,
    by: ByOption = None,
    on: OnDate = None,
) -> None:
    """Send rejected records, as they came, to the topics they came from once more.

    Name them by their sources, or all of a feed or of a reason. What is still wrong is rejected
    again, under its new place.
    """
    session: Session = context.obj
    day = day_or_today(on)

    async def work() -> list[str]:
        settings = session.settings()
        wanted = list(sources or ())
        if not wanted and feed is None and reason is None:
            raise InvalidInput("name the dead letters: SOURCE…, --feed or --reason")
        if not wanted:
            found = await accrual.list_dead_letters(settings, feed=feed, reason=reason, limit=None)
            wanted = [_facts(letter)["source"] for letter in reversed(found)]
        asked = [_place(source) for source in wanted]
        opened = await accrual.open_dead_letters(settings, asked)
        places = [_place(_facts(letter)["source"])[:2] for letter in opened]
        raws = [letter["raw"] for letter in opened]
        # Before they go out: what was sent and not recorded could not be told afterwards.
        await accrual.record_replay(settings, asked, by=by, on=day)
        await ingest.send_raw(settings, list(zip(places, raws, strict=True)))
        return wanted

    sent = session.run(work())
    if not session.document({"replayed": sent}):
        session.table(["replayed"], [[source] for source in sent])


def readable(raw: bytes) -> str:
    """A record as a person may see it: what looks like a card number is masked.

    In bytes that are no plain text a number may be written in many ways, so there no digit is
    shown at all.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text and all(letter.isprintable() or letter in "\t\r\n" for letter in text):
        return redacted_text(_ESCAPED_DIGIT.sub(r"\1", text))
    hidden = re.sub("[0-9]", "#", raw.decode("ascii", "backslashreplace"))
    return "".join(letter if letter.isprintable() else "·" for letter in hidden)


def _place(source: str) -> tuple[str, int, int]:
    topic, _, place = source.partition("/")
    partition, _, offset = place.partition("/")
    if not (topic and partition.isdecimal() and offset.isdecimal()):
        why = "is not topic/partition/offset, such as card-feed.first-bank/0/17"
        raise InvalidInput([Problem(why, field="SOURCE", value=source)])
    return topic, int(partition), int(offset)


def _facts(letter: dict[str, Any]) -> dict[str, Any]:
    """What is known of a letter without opening it; its source names it."""
    place = [letter[f"source_{part}"] for part in ("topic", "partition", "offset")]
    return {
        "source": "/".join(map(str, place)),
        **{name: value for name, value in letter.items() if not name.startswith("source_")},
    }

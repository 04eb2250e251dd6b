"""Contracts in plain sentences: one whole, or what differs between two."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from services.accrual import bootstrap as accrual
from services.accrual.contracts.parse import Signed, parse, recorded
from services.accrual.contracts.prose.catalogue import Catalogue
from services.accrual.contracts.prose.contract import Spoken, speak
from services.accrual.contracts.prose.difference import Change, difference
from services.accrual.languages import DEFAULT, catalogue
from services.cli.session import FOUND_PROBLEMS, Output, Session
from services.kernel.errors import InvalidInput, Problem

WIDTH = 88
_ID = re.compile(r"[^/]+/[0-9]+", re.ASCII)

Source = Annotated[
    str, typer.Argument(metavar="PATH|ID", help="A contract file, or contract/version.")
]
Language = Annotated[str, typer.Option("--language", help="The language of the sentences.")]


def register(contracts: typer.Typer) -> None:
    """Hang the commands on `milepost contract`."""
    contracts.command("explain")(explain)
    contracts.command("diff")(diff)


def explain(context: typer.Context, source: Source, language: Language = DEFAULT) -> None:
    """Tell a whole contract in plain sentences: a file, or a recorded version by its ID."""
    session: Session = context.obj

    async def work() -> Spoken:
        words = catalogue(language)
        return speak((await signed(session, source)).document.content, words)

    spoken = session.run(work())
    sections = [
        {"heading": section.heading, "sentences": section.sentences} for section in spoken.sections
    ]
    document = {
        "contract": spoken.contract, "version": int(spoken.version), "language": language,
        "sections": sections,
    }  # fmt: skip
    if session.document(document):
        return
    if session.output is Output.CSV:
        rows = [[section.heading, text] for section in spoken.sections
                for text in section.sentences]  # fmt: skip
        session.table(["heading", "sentence"], rows)
        return
    print(_page(spoken))


def diff(
    context: typer.Context,
    old: Annotated[str, typer.Argument(metavar="A", help="The earlier: a file or an ID.")],
    new: Annotated[str, typer.Argument(metavar="B", help="The later: a file or an ID.")],
    language: Language = DEFAULT,
) -> None:
    """Tell what B says instead of A, in the contract's words, and from when.

    As `diff` does, it exits 0 when both say the same, 1 when they differ, and 2 when one of them
    cannot be read. A higher version that begins later is no difference by that alone.
    """
    session: Session = context.obj

    async def work() -> tuple[Spoken, Spoken, list[Change], Catalogue]:
        words = catalogue(language)
        before = speak((await signed(session, old)).document.content, words)
        after = speak((await signed(session, new)).document.content, words)
        return before, after, difference(before, after, words), words

    before, after, changes, words = session.run(work())
    document = {
        "equal": not changes,
        "old": {"contract": before.contract, "version": int(before.version)},
        "new": {"contract": after.contract, "version": int(after.version)},
        "from": after.first,
        "changes": [
            {
                "what": change.how.value, "rule": change.rule or None, "aspect": change.aspect,
                "old": change.was or None, "new": change.now or None, "text": change.text,
            }
            for change in changes
        ],
    }  # fmt: skip
    if not session.document(document):
        _print_changes(session, before, after, changes, words)
    if changes:
        raise typer.Exit(FOUND_PROBLEMS)


async def signed(session: Session, source: str) -> Signed:
    """The contract in a file, or the recorded version of an ID.

    Raises InvalidInput when there is neither, or with every problem of the file.
    """
    path = Path(source)
    if path.is_file():
        return parse(path.read_bytes(), file=source)
    if not _ID.fullmatch(source):
        why = "is neither a contract file nor an ID such as sky-visa/3"
        raise InvalidInput([Problem(why, file=source)])
    for row in await accrual.list_contracts(session.settings()):
        if f"{row['contract']}/{row['version']}" == source:
            return recorded(row["document"], file=source)
    why = "is neither a file nor recorded: see `milepost contract list`"
    raise InvalidInput([Problem(why, field="ID", value=source)])


def _print_changes(
    session: Session, before: Spoken, after: Spoken, changes: list[Change], words: Catalogue
) -> None:
    if session.output is Output.CSV:
        columns = ["what", "rule", "aspect", "from", "text"]
        rows = [[one.how.value, one.rule, one.aspect, after.first, one.text] for one in changes]
        session.table(columns, rows)
        return
    print(f"{before.title} → {after.title}")
    day = words.day(after.first)
    if not changes:
        print(words.say("change.nothing"))
    elif len(changes) == 1:
        text = words.say("change.alone", change=changes[0].text, date=day)
        print(_wrapped(text, "", "  "))
    else:
        print(words.say("change.since", date=day))
        for change in changes:
            print(_wrapped(change.text, "  - ", "    "))
        print(words.say("change.nothing_else"))


def _page(spoken: Spoken) -> str:
    parts: list[str] = [spoken.title]
    for section in spoken.sections:
        parts += ["", section.heading]
        parts += [_wrapped(text, "  ", "    ") for text in section.sentences]
    return "\n".join(parts)


def _wrapped(text: str, first: str, rest: str) -> str:
    """Text in lines that fit a page; what it names is never cut in two."""
    lines, line = [], first
    for word in text.split(" "):
        if len(line) + len(word) + 1 > WIDTH and line.strip(" -"):
            lines.append(line.rstrip())
            line = rest
        line += word + " "
    return "\n".join([*lines, line.rstrip()])

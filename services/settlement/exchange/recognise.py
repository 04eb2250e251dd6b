"""Which layout an answer is of, and which batches of which partner it answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from services.kernel.errors import InvalidInput, Problem
from services.settlement.batches.batch import ANSWERED, SENT, Header
from services.settlement.batches.follow import Following
from services.settlement.batches.line import batch_id
from services.settlement.batches.outcome import Told
from services.settlement.exchange import (
    air_miles_audit,
    bank_statement,
    matching,
    nacha_return,
    news,
    page_answer,
    status_report,
)
from services.settlement.exchange.answers import (
    ANSWER_PAGE,
    BY_PAGE,
    REFERENCE,
    BankAnswer,
    Change,
    Placed,
)
from services.settlement.files import payout
from services.settlement.files.catalogue import page_of
from services.settlement.files.file import File, Findings
from services.settlement.files.layout import reader
from services.settlement.files.layout.reader import Reading
from services.settlement.files.xml import BadXml, parse
from services.settlement.ports import BatchStore
from services.settlement.seal import recompute

XML_BYTES_MAX = 64 << 20
"""Larger than a message of a million payments; a document becomes a tree in memory."""
LAYOUTS = (air_miles_audit.LAYOUT, ANSWER_PAGE, nacha_return.LAYOUT, status_report.LAYOUT,
           "camt.053", "camt.054")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heard:
    """What an answer says of a batch: every line, and in rounds what of that is new."""

    told: Sequence[Told]
    fresh: Sequence[Sequence[Told]]
    changes: Sequence[Change] = ()


Read = Callable[[Following, list[Problem]], Heard]
"""Reads an answer against the batch as it stands, and adds whatever is wrong with it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A batch that a file says it answers, with the files that were sent of it."""

    header: Header
    layout: str
    read: Read


@dataclass(frozen=True, slots=True)
class Claim:
    """The layout of a file, and what it answers: `reads` makes the reader from what was sent.

    `batches` goes from sequence to the line of the file that names it.
    """

    layout: str
    batches: Mapping[int, int]
    named_in: str
    fits: Callable[[File], bool]
    reads: Callable[[int, Sequence[File]], Read]
    problems: Sequence[Problem] = field(default=())


async def expected(
    name: str, content: bytes, partner: str, store: BatchStore
) -> Sequence[Expected]:
    """The batches that a file says it answers, in their order.

    Raises InvalidInput when it is no answer, or answers what was not sent to this partner.
    """
    claimed = claim(name, content, partner)
    if claimed.problems:
        raise InvalidInput(list(claimed.problems))
    found: list[Expected] = []
    problems: list[Problem] = []
    for sequence, at in sorted(claimed.batches.items()):
        batch = batch_id(partner, sequence)
        headers = await store.headers(batch=batch)
        if not headers or headers[0].state not in (SENT, ANSWERED):
            state = f"{batch} is {headers[0].state}" if headers else f"there is no {batch}"
            why = f"{state}: it was never sent to {partner}"
            problems.append(Problem(why, file=name, line=at, field=claimed.named_in,
                                    value=str(sequence)))  # fmt: skip
            continue
        files = [file for file in await recompute(batch, store) if claimed.fits(file)]
        if not files:
            why = f"{batch} went out in no layout that is answered like this"
            problems.append(Problem(why, file=name, line=at))
            continue
        found.append(Expected(headers[0], claimed.layout, claimed.reads(sequence, files)))
    if problems:
        raise InvalidInput(problems)
    return found


def claim(name: str, content: bytes, partner: str) -> Claim:
    """What a file says that it is, or everything that is wrong with it."""
    sequence = air_miles_audit.sequence_of(content)
    if sequence is not None:
        return Claim(
            air_miles_audit.LAYOUT, {sequence: 1}, "transmission sequence (13-18)",
            lambda file: file.layout == air_miles_audit.SENT_AS and file.name.endswith(".txt"),
            lambda _, files: partial(_audit, name, content, files),
        )  # fmt: skip
    if nacha_return.begins(content):
        return _of_bank(nacha_return.read(content, name), name, partner)
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        return _of_bank(_xml(content, name, partner), name, partner)
    page = page_of(content, name)
    if page is not None and page.name == ANSWER_PAGE:
        reading, checked = reader.read(page, content, name)
        if reading is None:
            return _refused(checked.problems)
        return _of_page(reading, checked.sequence or 0, checked.batch or "", name, partner)
    why = f"is no answer of a layout that we read: {', '.join(LAYOUTS)}"
    return _refused([Problem(why, file=name, line=1)])


def _refused(problems: Sequence[Problem]) -> Claim:
    return Claim("", {}, "", lambda _: False, lambda *_: partial(_audit, "", b"", ()), problems)


def message_of_bank(content: bytes, name: str) -> BankAnswer:
    """What a message in XML says, whichever partner it is about."""
    return _xml(content, name, None)


def _xml(content: bytes, name: str, partner: str | None) -> BankAnswer:
    if len(content) > XML_BYTES_MAX:
        why = f"is larger than {XML_BYTES_MAX >> 20} MiB, no message of a bank is"
        return BankAnswer("", problems=(Problem(why, file=name),))
    try:
        root = parse(content)
    except BadXml as error:
        return BankAnswer("", problems=(Problem(error.why, file=name, line=error.line),))
    if status_report.NAMESPACE.fullmatch(root.namespace):
        return status_report.read(root, name)
    if bank_statement.NAMESPACE.fullmatch(root.namespace):
        named = "[^ ]+" if partner is None else re.escape(partner)
        ours = re.compile(rf"{named}-[0-9]{{6}}", re.ASCII)
        return bank_statement.read(root, name, ours=ours)
    why = f"is no message that we read: {', '.join(LAYOUTS[3:])}"
    value = (root.namespace or root.name)[:80]
    return BankAnswer("", problems=(Problem(why, file=name, line=root.line, value=value),))


def _of_bank(answer: BankAnswer, name: str, partner: str) -> Claim:
    if answer.problems:
        return _refused(answer.problems)
    batches: dict[int, int] = {}
    if answer.message:
        ours = re.fullmatch(rf"{re.escape(partner)}-([0-9]{{6}})", answer.message, re.ASCII)
        if ours is None:
            why = f"answers no message of ours to {partner}"
            return _refused([Problem(why, file=name, field="OrgnlMsgId",
                                     value=answer.message[:80])])  # fmt: skip
        batches[int(ours[1])] = answer.said[0].at if answer.said else 1
    for one in answer.said:
        numbered = REFERENCE.fullmatch(one.reference)
        if numbered is not None and not answer.message:
            batches.setdefault(int(numbered[1]), one.at)
    if not batches:
        return _refused([Problem(f"names no payment of ours to {partner}", file=name, line=1)])

    def reads(sequence: int, files: Sequence[File]) -> Read:
        own = f"{sequence:06d}-"
        said = tuple(one for one in answer.said if answer.message or one.reference.startswith(own))
        return partial(_bank, name, replace(answer, said=said), files)

    return Claim(
        answer.layout, batches, "reference", lambda file: file.layout in payout.ENDINGS, reads
    )


def _of_page(reading: Reading, sequence: int, batch: str, name: str, partner: str) -> Claim:
    if batch != batch_id(partner, sequence):
        why = f"is no batch of {partner} with the sequence {sequence}"
        return _refused([Problem(why, file=name, line=1, field="batch", value=batch)])
    return Claim(
        ANSWER_PAGE, {sequence: 1}, "sequence", lambda file: file.layout in BY_PAGE,
        lambda *_: partial(_page, name, reading),
    )  # fmt: skip


def _audit(
    name: str, content: bytes, sent: Sequence[File], standing: Following, problems: list[Problem]
) -> Heard:
    """The lines of the answer. A batch has a file for each unit and provider: one must fit."""
    answers = [
        air_miles_audit.read(content, name, sent=file.content, lines=standing.lines)
        for file in sent
    ]
    best = min(answers, key=lambda answer: len(answer.problems))
    problems += best.problems
    return _of_lines(list(map(Placed, range(2, len(best.told) + 2), best.told)), standing, name,
                     problems)  # fmt: skip


def _page(name: str, reading: Reading, standing: Following, problems: list[Problem]) -> Heard:
    told, found = page_answer.read(reading, name, standing)
    problems += found.all()
    return _of_lines(told, standing, name, problems)


def _of_lines(
    told: Sequence[Placed], standing: Following, name: str, problems: list[Problem]
) -> Heard:
    fresh = news.of_partner(told, standing, name, problems)
    return Heard([placed.told for placed in told], [fresh])


def _bank(
    name: str,
    answer: BankAnswer,
    sent: Sequence[File],
    standing: Following,
    problems: list[Problem],
) -> Heard:
    found = Findings(name)
    matched = matching.match(answer, standing, sent, found)
    problems += found.all()
    fresh = news.of_bank(matched.rounds, standing, name, problems)
    told = [placed.told for one in matched.rounds for placed in one]
    return Heard(told, fresh, matched.changes)

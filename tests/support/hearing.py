"""A bank's answers, held against the payouts that are published as examples."""

from __future__ import annotations

from services.kernel.errors import Problem
from services.settlement.batches.follow import Following
from services.settlement.batches.outcome import NEXT
from services.settlement.exchange.recognise import claim
from services.settlement.files import catalogue
from tests.support.batches import payout_batch

SENT = {layout: catalogue.files(payout_batch(layout)) for layout in ("nacha-ppd", "pain.001")}


def hear(name: str, content: bytes) -> list[str]:
    """What is wrong with an answer to the published payouts; nothing moves then."""
    claimed = claim(name, content, "first-bank")
    problems: list[Problem] = list(claimed.problems)
    layout = "nacha-ppd" if claimed.layout == "nacha-return" else "pain.001"
    batch = payout_batch(layout)
    standing = Following(
        batch.header, {line.line: line for line in batch.lines}, {}, {}, {}, batch.terms
    )
    for sequence in claimed.batches:
        if sequence != 3:
            problems.append(Problem("there is no such batch"))
            continue
        files = [file for file in SENT[layout] if claimed.fits(file)]
        heard = claimed.reads(sequence, files)(standing, problems)
        for told in (one for fresh in heard.fresh[:1] for one in fresh):
            assert told.outcome in NEXT[None]
            assert told.line in standing.lines
    return [str(problem) for problem in problems]

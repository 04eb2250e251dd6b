"""Seals what people did into a chain, and follows the chain to see whether it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from services.kernel.finding import Finding
from services.settlement.batches.batch import Head, Header
from services.settlement.batches.chain import Walk, extend
from services.settlement.emission import AWAY
from services.settlement.evidence import ChainStore
from services.settlement.files import manifest
from services.settlement.ports import BatchStore, FileDrop

DELAY_SECONDS = 30
"""How old a row is before it is linked. Longer than a row takes to commit, nearly always: one that
comes later still is linked after those that overtook it."""
ROWS_MAX = 1_000
FAULTS_MAX = 10


async def seal_audit(store: ChainStore, *, delay_seconds: int = DELAY_SECONDS) -> int:
    """Link the next rows, inside one transaction; gives their number, 0 if another one seals."""
    if not await store.lock():
        return 0
    head = await store.head()
    rows = await store.unsealed(older_seconds=delay_seconds, rows_max=ROWS_MAX)
    links = list(extend(head, rows))
    if links:
        await store.add(links)
    return len(links)


async def chain_findings(
    chain: ChainStore, batches: BatchStore, drop: FileDrop | None
) -> list[Finding]:
    """Whether the chain holds, and whether it is the one whose heads have left the house."""
    walk, links = Walk(), dict[int, str]()
    async for link in chain.links():
        walk.follow(link)
        links[link.nth] = link.link
    faults, kept = [], await chain.heads()
    for one in kept:
        faults += _differs(one.head, links, f"{one.batch} {one.place}")
    files = 0
    if drop is not None:
        for header in await batches.headers():
            for place, head in _in_manifest(header, drop):
                files += 1
                faults += _differs(head, links, place)
    return [
        Finding("audit-chain", walk.broken is None, len(links), walk.broken or ""),
        Finding("audit-heads", not faults, len(kept) + files, "; ".join(faults[:FAULTS_MAX])),
    ]


def _differs(head: Head, links: Mapping[int, str], place: str) -> list[str]:
    found = links.get(head.nth)
    if found == head.link:
        return []
    now = "is gone" if found is None else "has another hash now"
    return [f"{place} left with link {head.nth} of the audit chain, which {now}"]


def _in_manifest(header: Header, drop: FileDrop) -> Iterator[tuple[str, Head]]:
    """The head in the manifest that the batch left with, which lies outside the database."""
    name = manifest.name(header)
    content = drop.read(header.partner, AWAY, name)
    if content is None or manifest.read(content, name)[1].problems:
        return  # nothing was sent there, or something is wrong with it, which others tell
    head = json.loads(content).get("audit")
    if head is not None:
        yield drop.path(header.partner, AWAY, name), Head(head["nth"], head["link"])

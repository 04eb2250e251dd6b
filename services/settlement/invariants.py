"""What must hold of sealed batches, whatever happened. `milepost verify` asks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from services.kernel.errors import InvalidInput, InvariantViolated
from services.kernel.finding import Finding
from services.settlement.emission import FOLDERS, OUTGOING
from services.settlement.evidence import AuditStore
from services.settlement.ports import BatchStore, FileDrop
from services.settlement.seal import recompute

FAULTS_MAX = 10

QUESTIONS = {
    "settlement-once": "once",
    "settlement-ties": "ties",
    "settlement-sequence": "sequence",
    "settlement-revisions": "revisions",
    "settlement-originals": "originals",
    "settlement-members": "members",
    "settlement-approvals": "approvals",
    "settlement-states": "states",
    "settlement-answers": "answers",
    "settlement-answer-files": "answer_files",
    "settlement-owed": "owed",
    "periods": "periods",
}
"""Invariant → the query that shows it."""
DISCREPANCIES = {
    "discrepancy-ids": "discrepancy_ids",
    "discrepancy-runs": "discrepancy_runs",
    "discrepancy-eyes": "discrepancy_eyes",
}
"""The same for what reconciliations found."""


async def findings(audit: AuditStore, store: BatchStore, drop: FileDrop | None) -> list[Finding]:
    """Every invariant of settlement. Without `drop` no file is looked at."""
    found = []
    for identifier, question in (QUESTIONS | DISCREPANCIES).items():
        checked, faults = await audit.ask(question, faults_max=FAULTS_MAX)
        found.append(_finding(identifier, checked, faults))
    found.append(await _bytes(store))
    if drop is not None:
        found.append(await _files(store, drop))
    return found


async def _bytes(store: BatchStore) -> Finding:
    """The files come out of the ledger with the sha256 that was stored when they were sealed."""
    checked, faults = 0, []
    for header in await store.headers():
        try:
            checked += len(await recompute(header.batch, store))
        except (InvariantViolated, InvalidInput) as error:
            faults.append(str(error))
    return _finding("settlement-bytes", checked, faults)


async def _files(store: BatchStore, drop: FileDrop) -> Finding:
    """The files that lie in the partners' folders are the ones that were sealed."""
    checked, faults = 0, []
    for header in await store.headers():
        for file in await store.files(header.batch):
            for folder in FOLDERS:
                content = drop.read(header.partner, folder, file.name)
                if content is None:
                    continue
                checked += 1
                if hashlib.sha256(content).hexdigest() != file.sha256:
                    faults.append(f"{drop.path(header.partner, folder, file.name)} was changed")
                elif folder == OUTGOING and header.approver is None:
                    faults.append(f"{header.batch} lies in {OUTGOING} and is not approved")
    return _finding("settlement-files", checked, faults)


def _finding(identifier: str, checked: int, faults: Sequence[str]) -> Finding:
    shown: Iterable[str] = faults[:FAULTS_MAX]
    return Finding(identifier, not faults, checked, "; ".join(shown))

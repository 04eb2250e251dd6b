"""The bytes of every layout, as they are published. They change only with a layout's version.

To write them anew after such a change: MILEPOST_WRITE_GOLDEN=1 python -m pytest tests/golden
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.settlement.batches.batch import SEALED
from services.settlement.files import catalogue, manifest, payout
from services.settlement.files.statement import forms
from services.settlement.files.statement.of import of_batch
from tests.support.batches import (
    answer_to,
    audit_of,
    cash_batch,
    fbdi_of,
    miles_batch,
    page_batch,
    payout_batch,
    returned,
)

FOLDER = Path(__file__).parent / "settlement"


def produced() -> dict[str, bytes]:
    files = {}
    for batch in (miles_batch(), cash_batch()):
        written = catalogue.files(batch)
        files.update({file.name: file.content for file in written})
        files[manifest.name(batch.header)] = manifest.write(
            batch.header, [file.written for file in written], state=SEALED
        )
    for layout in ("mileage-credits", "mileage-host"):
        files |= {
            f.name: f.content for f in catalogue.files(page_batch(layout)) if layout in f.name
        }
    for layout in payout.ENDINGS:
        files |= {
            f.name: f.content for f in catalogue.files(payout_batch(layout)) if layout in f.name
        }
    files["first-bank-gl-fbdi-000003.csv"] = fbdi_of(cash_batch())
    statement = of_batch(miles_batch(), [], {("sky-air-000011", 3): "refund"})
    files["sky-air-statement-000011.csv"] = forms.write(statement, "csv")
    files |= dict([answer_to(miles_batch()), audit_of(miles_batch()), returned(payout_batch())])
    return files


PRODUCED = produced()


@pytest.mark.parametrize("name", sorted(PRODUCED))
def test_the_bytes_are_the_published_ones(name: str) -> None:
    path = FOLDER / name
    if os.environ.get("MILEPOST_WRITE_GOLDEN"):
        path.write_bytes(PRODUCED[name])
    assert PRODUCED[name] == path.read_bytes()


def test_every_golden_file_is_still_produced() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(PRODUCED)

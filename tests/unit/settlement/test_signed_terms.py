"""What `contract check` accepts can be settled: no file refuses the terms of a sound contract."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accrual.contracts.check import check
from services.accrual.contracts.layouts import layouts
from services.accrual.contracts.parse import parse
from services.accrual.contracts.settlement import settlement_terms
from services.settlement.batches.line import batch_id
from services.settlement.batches.terms import read_terms
from services.settlement.files import catalogue, pain
from tests.support import builders

RULE = {
    "id": "base", "award": "base", "earn": {"per_unit": {"units": "0.1"}},
    "rounding": {"mode": "down", "scale": 0, "level": "per_transaction"},
}  # fmt: skip
UNITS = ("SKY-MILE", "NOK", "USD", "EUR", "JPY")


def document(layout: str, unit: str, adjustments: str) -> dict[str, Any]:
    found = builders.contract(rules=[RULE], currency=unit)
    found["settlement"]["adjustments"] = adjustments
    file = found["settlement"]["file"]
    found["settlement"]["file"] = file | {"layout": layout}
    return found


@pytest.mark.parametrize(
    ("layout", "unit", "adjustments"), [*product(layouts(), UNITS, ("send", "carry"))]
)
def test_what_is_sound_is_settled(layout: str, unit: str, adjustments: str) -> None:
    text = builders.as_text(document(layout, unit, adjustments))
    sound = not check([("a.yaml", text)]).problems
    if sound:
        contract = parse(text, file="a.yaml").contract
        assert catalogue.problems(read_terms("sky-visa", 1, settlement_terms(contract))) == []
    if layout in ("nacha-ppd", "nacha-ccd"):
        assert sound == (unit == "USD" and adjustments == "carry")
    elif layout == "pain.001":
        assert sound == (unit != "SKY-MILE" and adjustments == "carry")
    else:
        assert sound == ((unit == "SKY-MILE") != (layout == "statement-credit"))


def test_settling_refuses_by_itself_what_was_signed_before_check_knew() -> None:
    """Contracts that are stored already are read without a check."""
    text = builders.as_text(document("statement-credit", "NOK", "send"))
    contract = parse(text, file="a.yaml").contract
    stored = settlement_terms(contract) | {"file": {"layout": "nacha-ppd"}}
    found = catalogue.problems(read_terms("sky-visa", 1, stored))
    assert [problem.field for problem in found] == [
        "settlement.adjustments", "settlement.file.layout",
    ]  # fmt: skip


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True))
def test_a_partner_whose_transfers_are_sound_can_be_named_in_a_message(partner: str) -> None:
    given = document("pain.001", "EUR", "carry") | {"partner": partner}
    problems = check([("a.yaml", builders.as_text(given))]).problems
    fits = pain.ID.fullmatch(batch_id(partner, 1)) is not None
    assert [problem.field for problem in problems] == ([] if fits else ["partner"])

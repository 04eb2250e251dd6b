"""Why a line changes an earlier one, in words."""

from __future__ import annotations

import pytest

from services.settlement.batches.reason import Cause, reason


@pytest.mark.parametrize(
    ("causes", "words"),
    [
        ([Cause(kind="REFUND"), Cause(kind="REFUND")], "refund"),
        ([Cause(kind="CHARGEBACK_REVERSAL")], "chargeback reversal"),
        ([Cause(command="reconsider-contract"), Cause(kind="CHARGEBACK")],
         "chargeback, reconsidered"),
        ([Cause(command="acknowledge", moved="REJECTED")], "rejected"),
        ([Cause(command="batch-withdraw", moved="WITHDRAWN")], "withdrawn"),
        ([Cause(command="another")], "another"),
    ],
)  # fmt: skip
def test_a_reason_names_each_cause_once(causes: list[Cause], words: str) -> None:
    assert reason(causes) == words

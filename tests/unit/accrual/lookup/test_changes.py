"""Why a reward changed, when a command changed it."""

from __future__ import annotations

import pytest

from services.accrual.lookup.changes import command_words


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"command": "member-import"}, "members were imported"),
        ({"command": "activation-import"}, "activations were imported"),
        ({"command": "contract-approve", "contract": "sky-visa", "version": 2},
         "sky-visa/2 was approved"),
        ({"command": "review-resolve", "by": "frida", "event": "b/R1", "linked_to": "b/P1"},
         "frida linked b/R1 to b/P1"),
        ({"command": "reconsider-account", "account": "A1"}, "decided anew on request"),
        ({"command": "reconsider-contract", "contract": "sky-visa"}, "decided anew on request"),
    ],
)  # fmt: skip
def test_a_command_is_told_by_what_it_did(inputs: dict[str, object], said: str) -> None:
    assert command_words(inputs) == said

"""Notifications of change: which account comes of what a bank asks for."""

from __future__ import annotations

import pytest

from services.settlement.batches.payout import Payee
from services.settlement.files.account_change import NotApplicable, changed

OLD = Payee("JANE SAMPLE", "091000019", "123456789")


@pytest.mark.parametrize(
    ("code", "corrected", "bank", "account", "kind"),
    [
        ("C01", "111222333", "091000019", "111222333", "checking"),
        ("C02", "121042882", "121042882", "123456789", "checking"),
        ("C03", "121042882   111222333", "121042882", "111222333", "checking"),
        ("C05", "32", "091000019", "123456789", "savings"),
        ("C06", "111222333           32", "091000019", "111222333", "savings"),
        ("C07", "121042882111222333        22", "121042882", "111222333", "checking"),
    ],
)
def test_each_code_changes_what_it_is_about(
    code: str, corrected: str, bank: str, account: str, kind: str
) -> None:
    assert tuple(changed(OLD, code, corrected)) == ("JANE SAMPLE", bank, account, kind)


@pytest.mark.parametrize(
    ("code", "corrected", "why"),
    [
        ("C02", "121042883", "fails its check digit"),
        ("C03", "121042882", "is not as C03 has it"),
        ("C05", "27", "that of no account of ours"),
        ("C04", "ANOTHER NAME", "changed by hand"),
    ],
)
def test_what_cannot_be_used_is_told_without_the_account(
    code: str, corrected: str, why: str
) -> None:
    with pytest.raises(NotApplicable, match=why) as refused:
        changed(OLD, code, corrected)
    assert corrected.split()[0] not in str(refused.value).replace(code, "")

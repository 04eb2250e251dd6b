"""The file that the payout table is filled from: every bad row at once, and no account is shown."""

from __future__ import annotations

import pytest

from services.kernel.errors import InvalidInput
from services.settlement.batches.payout import Payee, Payer
from services.settlement.files.payout_sheet import HEADER, Account, read

HEAD = ",".join(HEADER)
GOOD = [
    "payer,first-bank,CASHBACK PROC,091000019,,,1234567890,DEMO BANK",
    "payee,acc-1,JANE SAMPLE,091000019,123456789,savings,,",
    "payee,acc-2,Åse Prøve,DNBANOKK,NO9386011117947,,,",
]


def sheet(*rows: str) -> bytes:
    return "\n".join([HEAD, *rows, ""]).encode()


def test_members_and_payers_are_read() -> None:
    assert read(sheet(*GOOD), "f") == [
        Account("payer", "first-bank", Payer("CASHBACK PROC", "1234567890", "091000019",
                                             "DEMO BANK")),
        Account("payee", "acc-1", Payee("JANE SAMPLE", "091000019", "123456789", "savings")),
        Account("payee", "acc-2", Payee("Åse Prøve", "DNBANOKK", "NO9386011117947")),
    ]  # fmt: skip


def test_every_bad_row_is_told_and_no_account_is_shown() -> None:
    bad = [
        "payee,acc-1,JANE SAMPLE,091000018,998877665,,,",
        "payee,acc-2,A,DNBANOKK,NO9486011117947,,,",
        "payee,,A,091000019,1,,,",
        "payee,acc-4,A,091000019,1,deposit,,",
        "payee,acc-4,A,091000019,1,,,",
        "member,acc-5,A,091000019,1,,,",
        "payer,b,CASHBACK PROCESSING,091000018,,,12345,",
        "payee,acc-6",
    ]
    with pytest.raises(InvalidInput) as refused:
        read(sheet(*bad), "f")
    told = [str(found) for found in refused.value.problems]
    assert told == [
        "f:2: account: the routing number of the payout account fails its check digit",
        "f:3: account: the account number of the payout account is no IBAN",
        "f:4: owner: is required",
        "f:5: kind: must be checking or savings",
        "f:6: owner: is named twice",
        "f:7: role: must be payee or payer, not 'member'",
        "f:8: bank: fails its check digit",
        "f:8: identifier: must be the ten letters and digits that the bank gave",
        "f:8: name: must have 1 to 16 characters of ASCII",
        "f:8: bank_name: must have 1 to 23 characters of ASCII",
        "f:9: has 2 cells, a row has 8",
    ]
    assert not any(secret in str(refused.value) for secret in ("998877665", "NO94", "JANE"))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"role,owner\n", b'"a'])
def test_what_is_no_such_file_is_told(content: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"must be the header|is no CSV in UTF-8"):
        read(content, "f")

"""Lines of a batch, as they are stored, and what is known of earlier ones."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class Line(NamedTuple):
    """One row of `settlement_line`, in the order of its columns after the batch.

    `line` counts from 1 in file order; 0 and below are sums of nothing, which stand in no file.
    `amount` is signed from the member's side, in minor units of `unit`.
    """

    line: int
    account_id: str
    membership_number: str
    issuer_id: str
    of_stream_id: int
    of_purchase: int
    purchase: str
    contract: str
    version: int
    rule: str
    award: str
    unit: str
    activity_on: date
    amount: int
    original_batch: str | None
    original_line: int | None


class Earlier(NamedTuple):
    """A line of an earlier batch of the same partner that stood in a file."""

    batch: str
    sequence: int
    line: int
    account_id: str
    of_stream_id: int
    of_purchase: int
    contract: str
    rule: str
    award: str
    unit: str
    amount: int
    original_batch: str | None
    original_line: int | None
    void: bool = False
    """Whether it was withdrawn or rejected: then it gave nothing, or took nothing back."""


def batch_id(partner: str, sequence: int) -> str:
    """A batch's name, such as `sky-air-000001`."""
    return f"{partner}-{sequence:06d}"

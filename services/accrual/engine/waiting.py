"""A recorded event without a purchase."""

from __future__ import annotations

import msgspec

from services.kernel.transaction import CardTransaction


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """A recorded event without a purchase: it waits for what it names."""

    seq: int
    event: CardTransaction

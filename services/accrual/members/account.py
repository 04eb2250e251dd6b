"""What an account itself says: its dates, and what was activated for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class AccountDates:
    """The dates of one account, each None where it is not known. The latest revision holds.

    `cycle_day`, 1 to 31, is the day of the month on which the billing cycle closes. `revision` is 0
    until the row is recorded.
    """

    account_id: str
    opened_on: date | None = None
    closed_on: date | None = None
    cycle_day: int | None = None
    revision: int = 0

    @property
    def key(self) -> str:
        """What a later row must equal to replace this one."""
        return self.account_id


@dataclass(frozen=True, slots=True)
class Activation:
    """An activation, an opt-in, or a place on a target list, by its code. `withdrawn_on` is the
    first day on which it does not count any more, None while there is none. The latest revision of
    a key holds; `revision` is 0 until the row is recorded.
    """

    account_id: str
    code: str
    activated_on: date
    revision: int = 0
    withdrawn_on: date | None = None

    @property
    def key(self) -> tuple[str, str, date]:
        """What a later row must equal to replace this one."""
        return self.account_id, self.code, self.activated_on

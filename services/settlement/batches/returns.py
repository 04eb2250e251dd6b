"""What came back because the member cannot be reached where it went, and who is held for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from services.settlement.batches.due import Sum
from services.settlement.batches.payout import Payee


class CameBack(NamedTuple):
    """A line of the partner that came back so, the last one of its member and number.

    `membership_number` is where it went, empty for a payout; `facts` says as of which revision the
    batch took the member's payout account.
    """

    account_id: str
    membership_number: str
    facts: int
    batch: str
    line: int
    code: str
    recorded_on: date


class Details(NamedTuple):
    """A member's payout account from a revision of the facts on. Never in a log or an error."""

    revision: int
    payee: Payee


@dataclass(frozen=True, slots=True)
class Returns:
    """The lines that came back, by account and number, and the payout accounts of their members,
    each in order of the revisions, up to those that a seal sees.
    """

    lines: Mapping[tuple[str, str], CameBack] = field(default_factory=dict)
    details: Mapping[str, Sequence[Details]] = field(default_factory=dict)

    def of_number(self, found: Sum) -> CameBack | None:
        """What came back from the number that the member has now."""
        if not found.membership_number:
            return None
        return self.lines.get((found.key.account_id, found.membership_number))

    def of_payout(self, found: Sum) -> CameBack | None:
        """What came back from the account that the member is paid to now.

        The same details imported once more are no others.
        """
        back = self.lines.get((found.key.account_id, ""))
        if back is None:
            return None
        own = self.details.get(back.account_id, ())
        then = [one.payee for one in own if one.revision <= back.facts][-1:]
        since = [one.payee for one in own if one.revision > back.facts]
        return back if all([payee] == then for payee in since) else None


NOTHING = Returns()

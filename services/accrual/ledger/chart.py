"""The chart of accounts. An account outside it is refused.

Per unit: `reward-cost/<funder>`, `member/<account>`, `partner-payable/<partner>`,
`payout-clearing`, `fee/<party>`, `rounding`, `write-off`, `bank`.
"""

from __future__ import annotations

from functools import lru_cache

PAYOUT_CLEARING = "payout-clearing"
ROUNDING = "rounding"
WRITE_OFF = "write-off"
BANK = "bank"

NAMES_REMEMBERED = 65_536
"""An account of a batch is asked about several times."""

_SINGLE = frozenset({PAYOUT_CLEARING, ROUNDING, WRITE_OFF, BANK})
_NAMED = frozenset({"reward-cost", "member", "partner-payable", "fee"})


@lru_cache(maxsize=1024)
def reward_cost(funder: str) -> str:
    """What a funder has spent on rewards (debit balance)."""
    return f"reward-cost/{funder}"


def member(account_id: str) -> str:
    """What a member has earned and not yet been settled (credit balance)."""
    return f"member/{account_id}"


def partner_payable(partner: str) -> str:
    """Units promised to a partner in sealed batches (credit balance)."""
    return f"partner-payable/{partner}"


def fee(party: str) -> str:
    """What a party has earned of the programme in fees (credit balance)."""
    return f"fee/{party}"


@lru_cache(maxsize=NAMES_REMEMBERED)
def declared(account: str) -> bool:
    """Whether the chart knows the account."""
    kind, _, name = account.partition("/")
    return kind in _NAMED if name else account in _SINGLE

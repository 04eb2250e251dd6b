"""What a bench is asked to measure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.kernel.errors import InvalidInput, Problem
from services.local.load import Load

TRANSACTIONS_MIN = 1_000
TRANSACTIONS_AN_ACCOUNT = 10
ACCOUNTS_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure. Without `rate`, the steady one is half of what was drained a second."""

    transactions: int
    accounts: int | None
    workers: int
    rate: int | None
    paced_seconds: int
    keep: Path | None

    def load(self) -> Load:
        """The stream. Raises InvalidInput with everything that makes no sense."""
        accounts = self.accounts
        if accounts is None:
            accounts = min(ACCOUNTS_MAX, max(1, self.transactions // TRANSACTIONS_AN_ACCOUNT))
        lowest = {
            "--transactions": (self.transactions, TRANSACTIONS_MIN),
            "--accounts": (accounts, 1),
            "--workers": (self.workers, 1),
            "--rate": (1 if self.rate is None else self.rate, 1),
            "--paced-seconds": (self.paced_seconds, 1),
        }
        problems = [
            Problem(f"must be at least {least}", field=name, value=str(value))
            for name, (value, least) in lowest.items()
            if value < least
        ]
        if problems:
            raise InvalidInput(problems)
        return Load(self.transactions, accounts)

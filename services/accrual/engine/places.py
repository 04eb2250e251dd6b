"""Where a purchase counts in a running total: whose it is, and in which period."""

from __future__ import annotations

from datetime import date

from services.accrual.contracts.terms import AccountFacts, Kind, Running, Scope
from services.kernel.calendar import Per, period_of

_ACCOUNT = Scope.ACCOUNT
_MEMBERSHIP_YEAR, _BILLING_CYCLE = Per.MEMBERSHIP_YEAR, Per.BILLING_CYCLE


KIND_NAMES = {kind: kind.value for kind in Kind}
SCOPE_NAMES = {scope: scope.value for scope in Scope}
"""Asking a member of an enum for its value costs as much as all that is done with it."""


def period_in(running: Running, day: date, account: AccountFacts) -> str:
    """The name of the total's period that holds the governing date.

    Raises ValueError when the account lacks the date that it is counted from.
    """
    per = running.per
    if per is not _MEMBERSHIP_YEAR and per is not _BILLING_CYCLE:
        return period_of(day, per)
    if per is _MEMBERSHIP_YEAR:
        return period_of(day, per, account.opened_on)
    return period_of(day, per, None, account.cycle_day)


def scope_in(running: Running, account_id: str, card_token: str | None) -> str:
    """The account, or the card token of the purchase's facts."""
    return account_id if running.scope is _ACCOUNT else card_token or ""

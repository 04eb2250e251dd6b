"""What contracts say of a purchase before any total: claims, and refusals with their reasons."""

from __future__ import annotations

from datetime import date

import msgspec

from services.accrual.contracts.terms import Rule, Terms
from services.accrual.engine.reasons import Reason


class Claim(msgspec.Struct, frozen=True, gc=False):
    """A rule that a purchase earns under. `earned` is what enters its first total, or u where it
    has none; it is positive. `card_token` is that of the facts.
    """

    terms: Terms
    rule: Rule
    governing_on: date
    available_on: date
    spend: int
    earned: int
    card_token: str | None


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """One rule's answer, or a whole contract's (rule empty).

    `missing` names the account's date that a rule needs and that is not known.
    """

    contract: str
    version: int
    rule: str
    reason: Reason | None
    lost_to: str | None = None
    missing: str | None = None


class Assessment(msgspec.Struct, gc=False):
    """All that contracts say of a purchase before totals: claims, refusals, what waits."""

    claims: list[Claim]
    reason: Reason | None = None
    """The refusal furthest down the list, None when there is none."""
    waits: bool = False
    verdicts: list[Verdict] | None = None
    """Every refusal, where somebody is told."""

    def refuse(self, terms: Terms | None, rule: Rule | None, reason: Reason) -> None:
        """A contract, or one of its rules, gives nothing."""
        if self.reason is None or reason > self.reason:
            self.reason = reason
        if self.verdicts is not None:
            contract, version = ("", 0) if terms is None else (terms.contract, terms.version)
            name = "" if rule is None else rule.id
            self.verdicts.append(Verdict(contract, version, name, reason))

    def note(self, verdict: Verdict) -> None:
        """Tell why a rule gives nothing; the reason counts as in `refuse`."""
        reason = verdict.reason
        if reason is not None and (self.reason is None or reason > self.reason):
            self.reason = reason
        if self.verdicts is not None:
            self.verdicts.append(verdict)

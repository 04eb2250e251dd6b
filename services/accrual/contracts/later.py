"""Words of the contract language that are known and refused, so that none is ever ignored.

A path names a key with list positions left out. Supporting a word means: a line less here, and
its key in `clauses` or `model`.
"""

from __future__ import annotations

from collections.abc import Mapping

KEYS: Mapping[str, frozenset[str]] = {
    "rules[]": frozenset({"bands", "threshold", "count", "best", "allow_over_100"}),
    "rules[].earn": frozenset({"allow_over_100"}),
    "rules[].rounding": frozenset({"per", "scope", "mid_period"}),
}
"""Keys by the mapping that they would stand in."""

VALUES: Mapping[str, frozenset[str]] = {
    "amount.basis": frozenset({"transaction"}),
    "rules[].rounding.level": frozenset({"per_period"}),
    "rules[].cap.of": frozenset({"spend"}),
    "rules[].cap.per": frozenset(
        {"week", "quarter", "membership_year", "billing_cycle", "offer_life"}
    ),
    "rules[].cap.scope": frozenset({"card", "member", "household", "offer", "programme"}),
    "refunds.policy": frozenset({"none", "full", "proportional"}),
    "release.after": frozenset({"cycle", "funding", "partner"}),
    "negative.policy": frozenset({"limit", "write_off", "invoice"}),
}
"""Values by the key that they would be given to."""

IN_PLACE_OF_EARN = ("bands", "threshold", "count")
"""A rule with one of these needs no `earn`; that it lacks one is not told as well."""

"""Words of the contract language that are known and refused, so that none is ever ignored.

A path names a key with list positions left out. Supporting a word means: a line less here, and
its key in `clauses` or `model`.
"""

from __future__ import annotations

from collections.abc import Mapping

KEYS: Mapping[str, frozenset[str]] = {
    "": frozenset({"budgets", "tiers", "expiry", "activities"}),
    "rules[]": frozenset(
        {"budget", "maximum_uses", "minimum_visits", "nth_visit", "look_back", "tier", "expiry"}
    ),
    "rules[].when": frozenset({"tier", "look_back", "new_customer"}),
    "settlement": frozenset({"minimum_guarantee", "true_up", "prepaid"}),
}
"""Keys by the mapping that they would stand in: what such a rule sees, order decides."""

_SCOPES = frozenset({"member", "household", "offer", "programme"})
_PERIODS = frozenset({"offer_life"})
_TOTALS = ("bands", "threshold", "count", "rounding", "cap", "cap[]")

VALUES: Mapping[str, frozenset[str]] = {
    "amount.basis": frozenset({"transaction"}),
    **{f"rules[].{total}.scope": _SCOPES for total in _TOTALS},
    **{f"rules[].{total}.per": _PERIODS for total in _TOTALS},
    "release.after": frozenset({"funding", "partner"}),
    "negative.policy": frozenset({"limit", "write_off", "invoice"}),
}
"""Values by the key that they would be given to."""

MISPLACED: Mapping[str, Mapping[str, str]] = {
    "kind": {
        "when": "stands alone in an entry of `exclude`, nowhere else",
        "unless[]": "stands alone in an entry of `exclude`, nowhere else",
    },
    "allow_over_100": {
        "rules[]": "stands in `earn`, beside `percent`",
        "earn": "decides nothing: it stands beside `percent` only",
    },
    "shared_with": {"cap": "stands alone: the terms are those of the rule it names"},
}
"""Known keys by what they would stand in wrongly, and what is told then."""

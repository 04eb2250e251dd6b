"""Why nothing was earned. The order is the order of precedence."""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """The first that applies to a rule is its reason; over all rules the greatest is reported."""

    COMPARE_FEED = 1
    """The feed is for comparison; it enters no purchase."""
    NO_PRESENTMENT = 2
    """Nothing was presented yet; an authorization earns nothing."""
    NO_CONTRACT = 3
    """No approved version holds the governing date."""
    NOT_ENROLLED = 4
    """The account has no enrolment in the program on that date."""
    CURRENCY_NOT_COVERED = 5
    """Billed in another currency than the contract's."""
    CARD_PRODUCT_NOT_COVERED = 6
    """The card product is not one of the contract's."""
    EXCLUDED = 7
    """The contract excludes this kind of spend."""
    NO_RULE = 8
    """The rule's conditions do not hold."""
    BELOW_MINIMUM = 9
    """The net is below the rule's minimum."""
    NET_IS_ZERO = 10
    """Everything went back."""
    NOT_REACHED = 11
    """A threshold or a count is not reached yet."""
    ROUNDED_TO_ZERO = 12
    """What it earns rounds to nothing."""
    CAP_REACHED = 13
    """Something was earned, and the cap left nothing."""


class Outcome:
    """What came of a recorded event. It never changes."""

    POSTED = "POSTED"
    NO_REWARD = "NO_REWARD"
    WAITING = "WAITING"
    DUPLICATE = "DUPLICATE"
    CONFLICT = "CONFLICT"
    FAILED = "FAILED"
    RECORDED = "RECORDED"
    """A command's event: its inputs are recorded and its transfers name it."""


NO_CHANGE = "NO_CHANGE"
MISSING_ORIGINAL = "MISSING_ORIGINAL"
MISSING_POSTING_DATE = "MISSING_POSTING_DATE"

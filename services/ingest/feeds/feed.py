"""A feed: one issuer's stream of records in one format, as the feeds file describes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from services.kernel.errors import Rejected
from services.kernel.transaction import CardTransaction, Role

Parse = Callable[[bytes], tuple[CardTransaction | Rejected, ...]]
"""What a format is: the bytes of one record become its events, or why there are none.

A snapshot that repeats earlier events gives several. Nothing is raised for bad bytes.
"""

ID_FIELDS = (
    "event_id",
    "lifecycle_id",
    "original_event_id",
    "scheme_reference",
    "arn",
    "authorization_code",
)
"""Fields that `numeric_ids` may name: ids that may look like card numbers and are none."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One entry of the feeds file. `name` and `topic` are unique over all feeds."""

    name: str
    issuer: str
    role: Role
    topic: str
    format: str
    numeric_ids: frozenset[str] = field(default_factory=frozenset)
    exact_keys: frozenset[str] = field(default_factory=frozenset)

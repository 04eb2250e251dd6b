"""What a random history must show often enough, or the properties prove little."""

from __future__ import annotations

from collections import Counter, defaultdict

from services.kernel.transaction import CardTransaction
from tests.support import kinds
from tests.support.books import Outcome
from tests.support.lifecycles import Key, Lifecycle, Linked
from tests.support.nets import TAKES
from tests.support.picture import REASONS, Picture

BINDING = "a total binds"
TOP_UP = "another purchase is topped up"
MOVED_FACTS = "the facts move to another leg"
REFUND_FIRST = "money went back before the purchase was seen"
VERSION_CHANGE = "a purchase changes to another version"
LINKED = "an exact key alone links an event to others"
MOVED = "an exact key moves an event to another purchase"
HELD = "an exact key leads to several purchases"
WANTED = (
    BINDING, TOP_UP, MOVED_FACTS, REFUND_FIRST, VERSION_CHANGE, LINKED, MOVED, HELD, *kinds.ALL,
)  # fmt: skip
OUTCOMES = {
    "POSTED", "DUPLICATE", "CONFLICT", "MISSING_ORIGINAL", "MISSING_POSTING_DATE", "NO_CHANGE",
    *REASONS,
}  # fmt: skip


class Sights:
    """Counts the histories in which each of them was seen."""

    def __init__(self) -> None:
        self.histories = 0
        self.seen: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self._of_this: set[str] = set()

    def begin(self) -> None:
        """Another history starts."""
        self.histories += 1
        self._of_this = set()

    def look(self, before: Picture, after: Picture, own: Key | None) -> None:
        """One step of it; `own` is the purchase of the event that was recorded."""
        found = {*_sights(before, after, own), *_exact(before.linked, after.linked)} - self._of_this
        self._of_this |= found
        self.seen.update(found)

    def end(self, picture: Picture) -> None:
        """It is over: what took part in it."""
        found = kinds.kinds_of(picture)
        self.seen.update(found | ({BINDING} if found & set(kinds.BINDING) else set()))

    def outcome(self, outcome: Outcome | None) -> None:
        """What came of an event."""
        if outcome is not None:
            self.outcomes[outcome[1] or outcome[0]] += 1

    def add(self, other: Sights) -> None:
        """Count what another one counted as well."""
        self.histories += other.histories
        self.seen += other.seen
        self.outcomes += other.outcomes

    @property
    def seldom(self) -> dict[str, int]:
        """What was seen in less than one history of a hundred."""
        return {name: self.seen[name] for name in WANTED if self.seen[name] * 100 < self.histories}

    def check(self) -> None:
        """Each was seen in at least one history of a hundred."""
        assert not self.seldom, f"seen too seldom in {self.histories} histories: {self.seldom}"
        assert not OUTCOMES - self.outcomes.keys(), "an outcome or a reason was never seen"


def _sights(before: Picture, after: Picture, own: Key | None) -> list[str]:
    found = []
    was, now = _granted(before), _granted(after)
    if own is not None and any(now[key] > was[key] for key in now if key != own):
        found.append(TOP_UP)
    for key, purchase in after.purchases.items():
        earlier = before.purchases.get(key)
        if earlier is None:
            continue
        found += _moves(earlier, purchase)
        if _versions(before, key) - _versions(after, key) and _versions(after, key):
            found.append(VERSION_CHANGE)
    return found


def _exact(before: Linked, after: Linked) -> list[str]:
    found = []
    for purchase in after.lifecycles.values():
        ids = [one.event_id for one in purchase.events if _loose(one)]
        if ids and len(purchase.events) > 1:
            found.append(LINKED)
    for name, key in after.purchase_of.items():
        if before.purchase_of.get(name, key) != key:
            found.append(MOVED)
    if any(why == "SEVERAL_PURCHASES" for _, why in after.listed):
        found.append(HELD)
    return found


def _loose(event: CardTransaction) -> bool:
    return bool(event.exact) and event.lifecycle_id is None and event.original_event_id is None


def _moves(earlier: Lifecycle, purchase: Lifecycle) -> list[str]:
    found = []
    if earlier.facts is not None and purchase.facts is not None:
        if earlier.facts.event_id != purchase.facts.event_id:
            found.append(MOVED_FACTS)
    elif purchase.facts is not None and any(event.kind in TAKES for event in earlier.events):
        found.append(REFUND_FIRST)
    return found


def _granted(picture: Picture) -> dict[Key, int]:
    sums: dict[Key, int] = defaultdict(int)
    for (key, *_), amount in picture.posted.items():
        sums[key] += amount
    return sums


def _versions(picture: Picture, key: Key) -> set[tuple[str, str]]:
    return {
        (one.contract, str(one.document["version"]))
        for one in picture.decided.get(key, ())
        if one.document is not None
    }

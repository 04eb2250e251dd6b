"""The naive model's first half: which events hold, which purchase each belongs to, and its net.

Everything is computed from the whole set of recorded events; there is no state. Readings of the
definition, where its words leave a choice:

* *Names something in another purchase, by either key*: such a reversal has no effect at all. It
  is not nameless, for it names something.
* *Names something that itself waits*: the chain cannot be followed to its end, so the event waits.
* *A link into another account, a cycle*: the events of it are listed, and those without lifecycle
  id wait, as does whatever names them.
* *Exact keys*: whatever names an event that has only such keys goes where that one goes, and brings
  its own keys along. Two fields are two keys: an event with both joins all who have either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from services.kernel.transaction import CardTransaction
from tests.support.nets import REVERSES, Net, first_standing, net_of

ROOTS = ("PRESENTMENT", "AUTHORIZATION")
AUTHORIZATIONS = ("AUTHORIZATION", "AUTHORIZATION_REVERSAL")

Key = tuple[str, str, str, str]
"""What a purchase is, whatever has arrived of it: issuer, account, and how it is rooted."""


@dataclass(frozen=True)
class Recorded:
    """One consumed record. `witness` is its recorded outcome where two streams shared an id."""

    seq: int
    event: CardTransaction
    role: str = "books"
    stream: str = ""
    witness: str | None = None


@dataclass
class Lifecycle:
    """One purchase: its events in recorded order, and what they come to."""

    key: Key
    records: list[Recorded] = field(default_factory=list)
    facts: CardTransaction | None = None
    net: Net | None = None

    @property
    def events(self) -> list[CardTransaction]:
        return [record.event for record in self.records]

    @property
    def presentments(self) -> list[Recorded]:
        return [record for record in self.records if record.event.kind == "PRESENTMENT"]

    @property
    def label(self) -> str:
        """The least event id of its presentments; empty while there is none."""
        return min((record.event.event_id for record in self.presentments), default="")

    @property
    def place(self) -> tuple[str, int]:
        """Where it stands in a total: the least seq of all its presentments."""
        return min((record.stream, record.seq) for record in self.presentments)


@dataclass
class Linked:
    """Everything the recorded set says about who belongs where."""

    lifecycles: dict[Key, Lifecycle]
    waiting: dict[tuple[str, str], str]
    """(issuer, event id) of what waits for an original → MISSING_ORIGINAL."""
    listed: set[tuple[str, str]]
    """(event id, why) of what a person must look at."""
    repeats: dict[tuple[str, int], str]
    """(stream, seq) of a record whose id was there before → DUPLICATE or CONFLICT."""
    purchase_of: dict[tuple[str, str], Key]
    """(issuer, event id) → its purchase."""


def link(records: Iterable[Recorded]) -> Linked:
    """Which purchase every event belongs to, as a function of the recorded set."""
    linked = Linked({}, {}, set(), {}, {})
    held = _first_of_each_id(records, linked)
    roots = {name: _root(record.event, held, linked) for name, record in held.items()}
    _follow_exact_keys(roots, held, linked)
    for (issuer, event_id), record in held.items():
        key = roots[issuer, event_id]
        if key is None:
            linked.waiting[issuer, event_id] = "MISSING_ORIGINAL"
            continue
        linked.purchase_of[issuer, event_id] = key
        linked.lifecycles.setdefault(key, Lifecycle(key)).records.append(record)
    for record in held.values():
        _list_disagreement(record.event, held, linked)
    for lifecycle in linked.lifecycles.values():
        lifecycle.facts = first_standing(lifecycle.events)
        if lifecycle.facts is not None:
            lifecycle.net = net_of(lifecycle.events, lifecycle.facts.billing_currency)
        _list_without_effect(lifecycle, linked)
    return linked


def _first_of_each_id(
    records: Iterable[Recorded], linked: Linked
) -> dict[tuple[str, str], Recorded]:
    """The books' events that hold: the first recorded of each identity."""
    first: dict[tuple[str, str, str], Recorded] = {}
    for record in records:
        identity = (record.role, record.event.issuer_id, record.event.event_id)
        if identity not in first and record.witness not in ("DUPLICATE", "CONFLICT"):
            first[identity] = record
            continue
        outcome = record.witness
        if outcome not in ("DUPLICATE", "CONFLICT"):
            same = _content(record.event) == _content(first[identity].event)
            outcome = "DUPLICATE" if same else "CONFLICT"
        linked.repeats[record.stream, record.seq] = outcome
        if outcome == "CONFLICT":
            linked.listed.add((record.event.event_id, "CONFLICT"))
    return {(i, e): record for (role, i, e), record in first.items() if role == "books"}


def _content(event: CardTransaction) -> CardTransaction:
    """The event without what its feed declares of it."""
    return msgspec.structs.replace(event, exact=())


def _keys(event: CardTransaction) -> set[str]:
    """Its exact keys."""
    values = {name: getattr(event, name) for name in event.exact}
    return {f"{name}:{value}" for name, value in values.items() if value is not None}


def _follow_exact_keys(
    roots: dict[tuple[str, str], Key | None],
    held: dict[tuple[str, str], Recorded],
    linked: Linked,
) -> None:
    """Give the events that end at exact keys alone the purchase that these lead to, or none where
    they lead to several."""
    groups: list[tuple[set[tuple[str, str, str]], list[tuple[str, str]]]] = []
    for name, root in roots.items():
        if root is not None and root[2] == "loose":
            both = _keys(held[name].event) | _keys(held[name[0], root[3]].event)
            keys, names = {(*root[:2], key) for key in both}, [name]
            for group in [group for group in groups if group[0] & keys]:
                groups.remove(group)
                keys, names = keys | group[0], names + group[1]
            groups.append((keys, names))
    firm = [(name, root) for name, root in roots.items() if root and root[2] != "loose"]
    for keys, names in groups:
        claims = {
            root for name, root in firm
            if {(*root[:2], key) for key in _keys(held[name].event)} & keys
        }  # fmt: skip
        issuer, account, least = min(keys)
        if not claims and any(held[name].event.kind in ROOTS for name in names):
            claims = {(issuer, account, "exact", least)}
        for name in names:
            roots[name] = next(iter(claims)) if len(claims) == 1 else None
            if len(claims) > 1:
                linked.listed.add((name[1], "SEVERAL_PURCHASES"))


def _root(
    event: CardTransaction, held: dict[tuple[str, str], Recorded], linked: Linked
) -> Key | None:
    """The purchase of an event, or None while the chain it names cannot be followed."""
    start, passed = event, set[str]()
    while True:
        if event.lifecycle_id is not None:
            return (event.issuer_id, event.account_id, "lifecycle", event.lifecycle_id)
        if event.original_event_id is None:
            if _keys(event):
                return (event.issuer_id, event.account_id, "loose", event.event_id)
            if event.kind not in ROOTS:
                return None
            return (event.issuer_id, event.account_id, "event", event.event_id)
        passed.add(event.event_id)
        if event.original_event_id in passed:
            if event.original_event_id == start.event_id:
                linked.listed.add((start.event_id, "CYCLE"))
            return None
        named = held.get((event.issuer_id, event.original_event_id))
        if named is None:
            return None
        if named.event.account_id != start.account_id:
            if event is start:
                linked.listed.add((start.event_id, "OTHER_ACCOUNT"))
            return None
        event = named.event


def _list_disagreement(
    event: CardTransaction, held: dict[tuple[str, str], Recorded], linked: Linked
) -> None:
    """Both keys there, and what is named belongs to another purchase than the lifecycle id's."""
    if event.lifecycle_id is None or event.original_event_id is None:
        return
    named = held.get((event.issuer_id, event.original_event_id))
    if named is None:
        return
    if named.event.account_id != event.account_id:
        linked.listed.add((event.event_id, "OTHER_ACCOUNT"))
        return
    theirs = linked.purchase_of.get((event.issuer_id, event.original_event_id))
    if theirs is not None and theirs != linked.purchase_of[event.issuer_id, event.event_id]:
        linked.listed.add((event.event_id, "KEYS_DISAGREE"))


def _list_without_effect(lifecycle: Lifecycle, linked: Linked) -> None:
    by_id = {event.event_id: event for event in lifecycle.events}
    for event in lifecycle.events:
        named = by_id.get(event.original_event_id or "")
        if event.kind in REVERSES and named is not None:
            if named.kind != REVERSES[event.kind]:
                linked.listed.add((event.event_id, "WRONG_KIND"))
            elif named.billing_currency != event.billing_currency:
                linked.listed.add((event.event_id, "OTHER_CURRENCY"))
        other = lifecycle.net is not None and event.billing_currency != lifecycle.net.currency
        if other and event.kind not in AUTHORIZATIONS:
            linked.listed.add((event.event_id, "OTHER_CURRENCY"))
    if lifecycle.net is not None and lifecycle.net.over_refunded:
        linked.listed.add((lifecycle.label, "OVER_REFUNDED"))

"""Which purchase an event belongs to by keys that its feed declares exact: a scheme reference, an
ARN. A function of the recorded set, like all linking.

An event is *loose* when neither a lifecycle id nor an original says its purchase: what it names at
last, or it itself, has only exact keys. Loose events that share a key are of one purchase. It is
the one of the firm events that carry any of their keys. Where there is none, it is their own,
which a presentment or an authorization opens. Where there are several, or nothing opens their own,
they are held: their own purchase counts for nothing, until another event or a review says more.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from services.accrual.lifecycle.matching import Stub, opens, purchase_key
from services.kernel.identifiers import key64


class Tie(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What linking needs of an event in a purchase, beside what its leg says."""

    keys: tuple[str, ...]
    loose: bool


def hashed(account_id: str, issuer_id: str, key: str) -> int:
    """What a purchase is found by; an exact key is local to issuer and account."""
    return key64("exact", account_id, issuer_id, key)


class Home(msgspec.Struct, frozen=True, gc=False):
    """The purchase of an event. `least` is the least key that an event has for its part, its own
    and those of what it names at last; empty for firm ones."""

    key: str
    least: str = ""
    held: bool = False


def homes(stubs: Mapping[str, Stub]) -> dict[str, Home]:
    """The purchase of every event among these, all of one issuer and account, by event id.

    Those that wait for what they name are left out.
    """
    found: dict[str, Home] = {}
    loose: dict[str, tuple[str, ...]] = {}
    for name, stub in stubs.items():
        key = purchase_key(stub, stubs.get)
        if key is not None:
            found[name] = Home(key)
        elif keys := _keys(stub, stubs):
            loose[name] = keys
    groups = _Groups()
    for keys in loose.values():
        groups.join(keys)
    opened = {groups.first(keys[0]) for name, keys in loose.items() if opens(stubs[name])}
    claims: dict[str, set[str]] = {}
    for name, home in found.items():
        for key in stubs[name].keys:
            claims.setdefault(groups.first(key), set()).add(home.key)
    for name, keys in loose.items():
        first = groups.first(keys[0])
        claimed = claims.get(first, ())
        if len(claimed) == 1:
            found[name] = Home(next(iter(claimed)), min(keys))
        else:
            found[name] = Home(f"K:{first}", min(keys), held=bool(claimed) or first not in opened)
    return found


def _keys(stub: Stub, stubs: Mapping[str, Stub]) -> tuple[str, ...]:
    """The keys of a loose event, and of what it names at last; empty where it waits."""
    seen: set[str] = set()
    end: Stub | None = stub
    while end is not None and end.original is not None and end.event_id not in seen:
        seen.add(end.event_id)
        end = stubs.get(end.original)
    if end is None or end.original is not None or not end.keys:
        return ()
    return end.keys if end is stub else (*end.keys, *stub.keys)


class _Groups:
    """Keys that loose events have joined; the least of them stands for all."""

    def __init__(self) -> None:
        self._up: dict[str, str] = {}

    def first(self, key: str) -> str:
        """The least key of a group."""
        while (up := self._up.get(key, key)) != key:
            key = up
        return key

    def join(self, keys: tuple[str, ...]) -> None:
        """Make these keys one group."""
        roots = {self.first(key) for key in keys}
        least = min(roots)
        for root in roots:
            self._up[root] = least

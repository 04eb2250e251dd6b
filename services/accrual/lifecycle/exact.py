"""Which purchase an event belongs to by keys that its feed declares exact: a scheme reference, an
ARN. A function of the recorded set, like all linking.

An event is *loose* when neither a lifecycle id nor an original says its purchase: what it names at
last, or it itself, has only exact keys. Loose events that share a key are of one purchase. It is
the one of the firm events that carry any of their keys; where these are of several purchases, the
loose ones are held: in a purchase of their own that counts for nothing, until a review.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from services.accrual.lifecycle.matching import Stub, purchase_key
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
    claims: dict[str, set[str]] = {}
    for name, home in found.items():
        for key in stubs[name].keys:
            claims.setdefault(groups.first(key), set()).add(home.key)
    for name, keys in loose.items():
        first = groups.first(keys[0])
        claimed = claims.get(first, ())
        key = next(iter(claimed)) if len(claimed) == 1 else f"K:{first}"
        found[name] = Home(key, min(keys), held=len(claimed) > 1)
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

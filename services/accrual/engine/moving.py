"""Events that exact keys link: one that is recorded may move others, from one purchase to another.

It leaves the old one and joins the new one in the same decision; both are assessed anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from services.accrual.engine.waiting import Waiting
from services.accrual.lifecycle.exact import Home, Tie, homes
from services.accrual.lifecycle.matching import Links, Stub
from services.accrual.lifecycle.purchase import Leg, Purchase, leg_of

Name = tuple[str, str]
"""Issuer and event id, or issuer and key of a purchase."""


class Linked(Protocol):
    """What linking reads and changes of an account."""

    stream_id: int
    account_id: str
    purchases: dict[Name, Purchase]
    waiting: dict[int, Waiting]
    joined: list[int]
    known: dict[Name, Stub]
    tied: bool


def concerns(account: Linked) -> bool:
    """Whether any event that is loaded of the account has exact keys."""
    return (
        account.tied
        or any(stub.keys for stub in account.known.values())
        or any(found.ties for found in account.purchases.values())
    )


def tie(account: Linked) -> None:
    """From now on exact keys count: every event in a purchase is known by what links it."""
    account.tied = True
    for (issuer, _), purchase in account.purchases.items():
        for stub in purchase.stubs():
            account.known.setdefault((issuer, stub.event_id), stub)


def link_held(account: Linked, links: Links) -> None:
    """Let held events count as if they named what a review links them to."""
    for (issuer, _), purchase in account.purchases.items():
        for at, leg in enumerate(purchase.legs) if purchase.held else ():
            name = (issuer, leg.event_id)
            if name in links:
                purchase.legs[at] = msgspec.structs.replace(leg, original=links[name])
                stub = account.known[name]
                account.known[name] = msgspec.structs.replace(stub, original=links[name])


def relink(account: Linked, issuer: str, *, first: int | None = None) -> list[Purchase]:
    """Put every event of an issuer where it belongs; the purchases that this changes.

    Those that wait join in recorded order, but that of the seq `first` before all, as they do
    where there are no exact keys; then others move.
    """
    stubs = {name: stub for (of, name), stub in account.known.items() if of == issuer}
    found = homes(stubs)
    own = [one for (of, _), one in sorted(account.purchases.items()) if of == issuer]
    left = [one for one in own if _misplaced(one, found)]
    moving = [leg for one in left for leg in _leave(one, found)]
    arriving = _joining(account, issuer, found, first)
    arriving += sorted(moving, key=lambda leg: leg.seq)
    by_home: dict[str, list[Leg]] = {}
    for leg in arriving:
        by_home.setdefault(found[leg.event_id].key, []).append(leg)
    touched: dict[int, Purchase] = {}
    for key, legs in by_home.items():
        purchase = _at_home(account, issuer, key, legs, found)
        touched[purchase.number] = purchase
        _join(purchase, legs, found, stubs)
    touched.update((one.number, one) for one in left)
    for purchase in [*touched.values(), *own]:
        held = any(found[leg.event_id].held for leg in purchase.legs if leg.event_id in found)
        if held != purchase.held:
            purchase.held, purchase.changed = held, True
            touched[purchase.number] = purchase
    return list(touched.values())


def _joining(
    account: Linked, issuer: str, found: Mapping[str, Home], first: int | None
) -> list[Leg]:
    """Take what waits, and does so no longer."""
    legs: list[Leg] = []
    for seq in sorted(account.waiting, key=lambda seq: (seq != first, seq)):
        event = account.waiting[seq].event
        if event.issuer_id == issuer and event.event_id in found:
            del account.waiting[seq]
            account.joined.append(seq)
            legs.append(leg_of(event, seq))
    return legs


def _misplaced(purchase: Purchase, found: Mapping[str, Home]) -> list[Leg]:
    """The events of a purchase that belong elsewhere."""
    return [
        leg for leg in purchase.legs
        if leg.event_id in found and found[leg.event_id].key != purchase.key
    ]  # fmt: skip


def _leave(purchase: Purchase, found: Mapping[str, Home]) -> list[Leg]:
    """Take them out."""
    leaving = _misplaced(purchase, found)
    purchase.was = purchase.label or purchase.was
    for leg in leaving:
        purchase.legs.remove(leg)
        if purchase.ties is not None:
            purchase.ties.pop(leg.event_id, None)
    purchase.changed = True
    return leaving


def _join(
    purchase: Purchase, legs: list[Leg], found: Mapping[str, Home], stubs: Mapping[str, Stub]
) -> None:
    purchase.changed = True
    purchase.legs.extend(legs)
    for leg in legs:
        keys, loose = stubs[leg.event_id].keys, bool(found[leg.event_id].least)
        if keys or loose:
            purchase.ties = purchase.ties or {}
            purchase.ties[leg.event_id] = Tie(keys, loose)


def _at_home(
    account: Linked, issuer: str, key: str, legs: list[Leg], found: Mapping[str, Home]
) -> Purchase:
    """The purchase of a key, opened if need be by the first of its events that is at home there:
    a firm one, or where it has only exact keys, one whose least key it is called by.

    So no event opens two. Where all are guests (the decision over the firm one broke), the number
    is that of the first below zero, which is no event's.
    """
    purchase = account.purchases.get((issuer, key))
    if purchase is None:
        least = key[2:] if key.startswith("K:") else ""
        taken = {one.number for one in account.purchases.values()}
        opening = (
            leg.seq for leg in legs
            if found[leg.event_id].least == least and leg.seq not in taken
        )  # fmt: skip
        purchase = account.purchases[issuer, key] = Purchase(
            account.stream_id, next(opening, -legs[0].seq), issuer, account.account_id, key, [], [],
        )  # fmt: skip
    return purchase

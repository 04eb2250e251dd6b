"""The whole play: what each bank sends, in which order, and who is imported when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from random import Random
from typing import NamedTuple

from services.kernel.transaction import CardTransaction, Kind
from services.local import airline
from services.local.generator import network, prime, savers, scenes
from services.local.generator.accounts import payout_file
from services.local.generator.lines import line
from services.local.generator.network import Planted
from services.local.generator.pen import Pen, Told
from services.local.generator.people import (
    FIRST_BANK,
    SECOND_BANK,
    Person,
    actor,
    member_file,
    population,
    renewed,
)
from services.local.generator.rubbish import rubbish, with_card_number
from services.local.generator.scenes import Scene
from services.local.generator.snapshots import snapshot
from services.local.generator.spending import (
    RECORDS_PER_100_PURCHASES,
    quiet_weeks,
    spending,
)

TRANSACTIONS_MIN = 500
"""Below it the scenes crowd out everything else."""
SCENES_PER = 2_000
"""Each scene plays once for so many records, and three times at least."""
QUIET_PURCHASES = 6
PRIME_PER = 1_000
"""One premium cardholder for so many records, and one of each kind at least."""


class Sent(NamedTuple):
    """One record of a feed; without a readable account the key is empty."""

    feed: str
    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """A play. `main` is sent before anything is settled, `afterwards` after that."""

    main: list[Sent]
    afterwards: list[Sent]
    network: list[Sent]
    """What the network tells of April."""
    network_later: list[Sent]
    planted: tuple[Planted, ...]
    """What is wrong in `network`."""
    members: str
    late_members: str
    repaired_members: str
    """Those whom the airline refuses, with the numbers that they turn out to have."""
    people: tuple[Person, ...]
    """The ordinary cardholders."""
    payouts: str
    """Where the first bank's members are paid."""
    activations: str
    late_activations: str
    late_accounts: frozenset[str]
    scenes: tuple[Scene, ...]


def plan(*, seed: int, transactions: int) -> Plan:
    """The play of a seed, with about so many records."""
    random, pen = Random(seed), Pen()
    people = population(random, transactions)
    actors = map(actor, count(1))
    times = max(3, transactions // SCENES_PER)
    told: list[Told] = []
    afterwards: list[Told] = []
    planted: list[Scene] = []
    cast: list[Person] = []
    for played, scene, person in _scenes(pen, actors, times):
        told += [*quiet_weeks(random, pen, person, purchases=QUIET_PURCHASES), *played]
        planted.append(scene)
        cast.append(person)
    for nth in range(times * 4):
        person = next(actors)
        played, later, scene = scenes.settled(pen, person, nth)
        told += [*quiet_weeks(random, pen, person, purchases=QUIET_PURCHASES), *played]
        afterwards += later
        planted.append(scene)
        cast.append(person)
    rest = max(0, transactions - len(told))
    told += spending(random, pen, people, purchases=rest * 100 // RECORDS_PER_100_PURCHASES)
    some = range(max(prime.KINDS, transactions // PRIME_PER))
    primes = [prime.cardholder(nth) for nth in some]
    for nth, person in enumerate(primes):
        told += prime.history(pen, person, nth)
    people += map(savers.saver, range(savers.COUNT))
    for person in people[-savers.COUNT :]:
        told += savers.history(pen, person)
    late = [person for person in people if person.late and person.programs]
    view = network.view(pen, people[0], [found.event for found in (*told, *afterwards)])
    return Plan(
        main=[*_spoiled(random, _records(told), told, times)],
        afterwards=[*_records(afterwards)],
        network=[*_compared(view.april)],
        network_later=[*_compared(view.later)],
        planted=view.planted,
        members=member_file([p for p in (*people, *cast, *primes) if not p.late]),
        late_members=member_file(late),
        repaired_members=member_file(_repaired([*people, *cast])),
        people=tuple(people),
        payouts=payout_file(people),
        activations=prime.activations(primes, late=False),
        late_activations=prime.activations(primes, late=True),
        late_accounts=frozenset(person.account_id for person in late),
        scenes=tuple(planted),
    )


def _repaired(people: Iterable[Person]) -> Iterator[Person]:
    for person in people:
        verdict = airline.KNOWN.get(person.membership_number)
        if verdict and verdict.status == airline.REJECTED:
            yield replace(person, membership_number=renewed(person.membership_number))


def _scenes(
    pen: Pen, actors: Iterator[Person], times: int
) -> Iterator[tuple[list[Told], Scene, Person]]:
    for case in scenes.SCENES:
        for _ in range(times):
            person = next(actors)
            yield *scenes.play(pen, person, case), person


def _records(told: Iterable[Told]) -> Iterator[Sent]:
    """In the order of delivery. The second bank's records are snapshots of a purchase."""
    so_far: dict[str, list[CardTransaction]] = {}
    for _, event, rewritten in sorted(told, key=lambda found: found.at):
        key = event.account_id.encode()
        if event.issuer_id == FIRST_BANK:
            yield Sent(FIRST_BANK, key, line(event, rewritten=rewritten))
        else:
            events = so_far.setdefault(event.lifecycle_id or "", [])
            events.append(event)
            yield Sent(SECOND_BANK, key, snapshot(events))


def _compared(events: Iterable[CardTransaction]) -> Iterator[Sent]:
    return (Sent(network.FEED, event.account_id.encode(), line(event)) for event in events)


def _spoiled(
    random: Random, records: Iterable[Sent], told: Sequence[Told], times: int
) -> Iterator[Sent]:
    """The records, with rubbish among them: as often as a scene, at places left to chance."""
    good = [found.event for found in told if _plain_purchase(found.event)][: times * 2]
    broken = [value for event in good[:times] for value in rubbish(random, event)]
    bad = [Sent(FIRST_BANK, b"", value) for value in broken]
    bad += [
        Sent(FIRST_BANK, event.account_id.encode(), with_card_number(event))
        for event in good[times:]
    ]
    sent = list(records)
    places = sorted(random.choices(range(len(sent)), k=len(bad)))
    random.shuffle(bad)
    for place, record in enumerate(sent):
        yield record
        while places and places[0] == place:
            places.pop(0)
            yield bad.pop()


def _plain_purchase(event: CardTransaction) -> bool:
    return event.issuer_id == FIRST_BANK and event.kind == Kind.PRESENTMENT

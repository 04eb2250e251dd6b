"""`milepost bench --engine`: what a decision costs beside one decoding of the same record by a
general decoder, and a refund into a full cap beside a plain one. No broker, no database.

Both sides of a ratio take turns in one process, so that whatever else the machine does hits both;
the ratio is the median over the turns. What is timed is what accrual runs for an event.
"""

from __future__ import annotations

import gc
import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from statistics import median
from typing import Any

import fastavro

from services.accrual.batch import Decided, Loaded, decide_account
from services.accrual.contracts.book import Book
from services.accrual.engine.totals import NeedsHistory
from services.accrual.intake import Recorded
from services.accrual.members.roster import Roster
from services.accrual.reach import total_keys
from services.kernel.errors import InvariantViolated
from services.local import specimens

WARM = 10
"""Turns before the first one that counts."""
TURNS = 101
"""So many times each side is timed."""
RECORDS = 400
"""Purchases of a turn, each of an account of its own: more than a processor keeps at hand, as in a
batch of the service."""
PURCHASES = 1_000
"""Purchases in the period of the full cap."""
REFUNDS = 40
"""Plain refunds of a turn, beside one into the full cap."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """What something costs beside something else: microseconds of one, and of the other."""

    name: str
    what: str
    beside: str
    most: float
    """What is promised."""
    us: float
    beside_us: float
    ratio: float
    """The median of the turns' own ratios."""

    @property
    def kept(self) -> bool:
        """Whether the promise is kept."""
        return round(self.ratio, 2) <= self.most

    def document(self) -> dict[str, Any]:
        """The form that programs read."""
        return {
            "name": self.name, "what": self.what, "beside": self.beside,
            "us": round(self.us, 2), "beside_us": round(self.beside_us, 2),
            "ratio": round(self.ratio, 2), "most": self.most, "kept": self.kept,
        }  # fmt: skip


def measure(turns: int = TURNS) -> list[Ratio]:
    """All of them, one after another."""
    return [
        beside_decoding("rules_5", "a decision under 5 rules and a cap",
                        specimens.five_rules(), most=1.1, turns=turns),
        beside_decoding("rules_200", "a decision under 200 rules",
                        specimens.many_rules(200), most=2.8, turns=turns),
        full_cap(turns=turns),
    ]  # fmt: skip


def beside_decoding(name: str, what: str, book: Book, *, most: float, turns: int) -> Ratio:
    """A decision, with the running total of its account loaded, beside decoding its record."""
    events = specimens.purchases(RECORDS, accounts=RECORDS)
    cases = [
        (
            one.event.account_id,
            [one],
            _with_total(one, book),
            specimens.roster(one.event.account_id),
        )
        for one in events
    ]
    bodies = [one.body for one in events]
    schema = _schema()

    def decide() -> None:
        for account_id, recorded, loaded, roster in cases:
            decide_account(account_id, recorded, loaded, book=book, enrolments=roster)

    def decode() -> None:
        for body in bodies:
            fastavro.schemaless_reader(io.BytesIO(body), schema, None)

    return _ratio(
        name, what, "decoding its record", decide, decode, counts=(RECORDS, RECORDS), most=most,
        turns=turns,
    )  # fmt: skip


def full_cap(*, turns: int, purchases: int = PURCHASES) -> Ratio:
    """A refund that makes room in a full cap, with the whole account read, beside plain refunds of
    the same contract.

    Either is all that Python does between the rows and the decision: which totals are concerned,
    which purchases change, by how much; for the full cap also the attempt that finds it full.
    """
    deep_book, plain_book = specimens.five_rules(specimens.REACHED), specimens.five_rules()
    bought = specimens.purchases(purchases, accounts=1)
    whole = specimens.stored(bought, deep_book)
    back = specimens.refund_of(bought[0], purchases + 1)
    account_id = back.event.account_id
    roster = specimens.roster(account_id)
    others = [
        (specimens.refund_of(one, REFUNDS + 1), specimens.stored([one], plain_book),
         specimens.roster(one.event.account_id))
        for one in specimens.purchases(REFUNDS, accounts=REFUNDS)
    ]  # fmt: skip

    def deep() -> None:
        refund_into_full_cap(back, bought[0], whole, deep_book, roster)

    def plain() -> None:
        for refund, stored, theirs in others:
            _decide(refund, _fresh(stored, set(stored.purchases)), plain_book, theirs)

    return _ratio(
        "full_cap", f"a refund into a full cap, {purchases:,} purchases in its period",
        "a plain refund", deep, plain, counts=(1, REFUNDS), most=50, turns=turns,
    )  # fmt: skip


def refund_into_full_cap(
    back: Recorded, bought: Recorded, whole: Loaded, book: Book, roster: Roster
) -> Decided:
    """As accrual does it: by the linked purchase first, then with all of the account."""
    linked = _fresh(whole, {(bought.stream_id, bought.seq)})
    try:
        _decide(back, linked, book, roster)
    except NeedsHistory:
        linked.linked = frozenset(linked.purchases)
        linked.purchases.update(whole.purchases)
        linked.complete = True
        return _decide(back, linked, book, roster)
    raise InvariantViolated("the cap that is measured is not full")


def _decide(one: Recorded, loaded: Loaded, book: Book, roster: Roster) -> Decided:
    account_id = one.event.account_id
    total_keys(account_id, [one], loaded, book=book, enrolments=roster)
    return decide_account(account_id, [one], loaded, book=book, enrolments=roster)


def _fresh(whole: Loaded, places: set[tuple[int, int]]) -> Loaded:
    """What is read of an account at first: the purchases that are linked, and its totals."""
    return Loaded(
        purchases={place: whole.purchases[place] for place in places}, totals=whole.totals,
        known=whole.known,
    )  # fmt: skip


def _with_total(one: Recorded, book: Book) -> Loaded:
    """An account with an earlier purchase in its cap, of which nothing but the total is read."""
    return Loaded(totals=specimens.stored([one], book).totals)


def _ratio(
    name: str,
    what: str,
    beside: str,
    its: Callable[[], None],
    theirs: Callable[[], None],
    *,
    counts: tuple[int, int],
    most: float,
    turns: int,
) -> Ratio:
    with _warm(its, theirs):
        pairs = [(_ns(its) / counts[0], _ns(theirs) / counts[1]) for _ in range(turns)]
    return Ratio(
        name, what, beside, most,
        us=median(mine for mine, _ in pairs) / 1e3,
        beside_us=median(other for _, other in pairs) / 1e3,
        ratio=median(mine / other for mine, other in pairs),
    )  # fmt: skip


@contextmanager
def _warm(*works: Callable[[], None]) -> Iterator[None]:
    """After some rounds, with everything that stays taken out of the collector's sight, as in a
    service that runs."""
    for _ in range(WARM):
        for work in works:
            work()
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _ns(work: Callable[[], None]) -> int:
    started = time.thread_time_ns()
    work()
    return time.thread_time_ns() - started


def _schema() -> Any:
    text = resources.files("schemas").joinpath("avro/card-transaction.avsc").read_text("utf-8")
    return fastavro.parse_schema(json.loads(text))

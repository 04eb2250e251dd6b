"""The laws over new random contracts and histories for as long as one likes, on every core.

    python -m tests.soak            an hour; SOAK_SECONDS=60 for a minute, SOAK_SEED to repeat one

Prints its seed, how many examples of each law held, and in how many histories each kind of rule
and each sight was seen. The first example that breaks a law stops it: the contract and the steps
that it needs are printed, and the exit code is 1.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import random
import secrets
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.support import strategies
from tests.support.dice import SIZE, Dice
from tests.support.histories import hold
from tests.support.laws import (
    agrees,
    batches_play_no_part,
    order_plays_no_part,
    parts_make_the_whole,
    what_went_back_never_was,
)
from tests.support.sights import WANTED, Sights
from tests.support.twins import in_batches, two_orders, undone, whole_and_split

MODEL = "the engine equals the naive model after every event"
LAWS: dict[str, tuple[Callable[[Dice], Any], Callable[[Any], None]]] = {
    "order and repeats play no part": (two_orders, order_plays_no_part),
    "parts make the whole": (whole_and_split, parts_make_the_whole),
    "what went back never was": (undone, what_went_back_never_was),
    "batches, partitions and a second folding play no part": (in_batches, batches_play_no_part),
}
ENDLESS = 2**32
"""Random contracts to choose from: never the same one twice."""


def main() -> int:
    """Try until the time is over, and tell."""
    seconds = int(os.environ.get("SOAK_SECONDS", "3600"))
    seed = os.environ.get("SOAK_SEED") or str(secrets.randbits(32))
    workers = os.cpu_count() or 1
    print(f"seed {seed}, {seconds} s on {workers} cores", flush=True)
    laws, all_sights, failure = Counter[str](), Sights(), ""
    with multiprocessing.Pool(workers) as pool:
        work = [(f"{seed} {number}", seconds) for number in range(workers)]
        for held, sights, failure in pool.imap_unordered(_soak, work):
            laws += held
            all_sights.add(sights)
            if failure:
                break
    _tell(laws, all_sights)
    if failure:
        print(f"\nBROKEN, seed {seed}\n{failure}")
    return 1 if failure else 0


def _soak(work: tuple[str, int]) -> tuple[Counter[str], Sights, str]:
    """One process's part: examples by law, what was seen, and what broke."""
    seed, seconds = work
    strategies.FAMILIES = ENDLESS
    chance = random.Random(seed)
    sights, laws = Sights(), Counter[str]()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        content = chance.randbytes(SIZE)
        sights.begin()
        history = strategies.histories(Dice(content))
        broken = _broken(partial(hold, partial(agrees, sights=sights), history))
        laws[MODEL] += 1
        for law, (make, check) in LAWS.items():
            if broken:
                break
            case = make(Dice(content))
            broken = _broken(partial(check, case))
            broken = broken and f"{law}\n{case}\n{broken}"
            laws[law] += 1
        if broken:
            return laws, sights, broken
    return laws, sights, ""


def _broken(check: Callable[[], None]) -> str:
    """What a check printed and raised; empty if it held."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            check()
    except Exception:
        return f"{said.getvalue()}\n{traceback.format_exc()}"
    return ""


def _tell(laws: Counter[str], sights: Sights) -> None:
    histories = max(1, sights.histories)
    print(f"\n{sum(laws.values())} examples")
    for law, count in laws.items():
        print(f"{count:9}  {law}")
    print(f"\nseen in so many of {histories} histories, in percent")
    for name in sorted(WANTED, key=lambda name: (-sights.seen[name], name)):
        print(f"{100 * sights.seen[name] / histories:9.1f}  {name}")
    print("\noutcomes and reasons")
    for name, count in sights.outcomes.most_common():
        print(f"{count:9}  {name}")


if __name__ == "__main__":
    sys.exit(main())

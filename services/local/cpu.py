"""What processes have cost: CPU time of whole process trees, as Linux counts it in /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


class _Process(NamedTuple):
    pid: int
    parent: int
    ticks: int
    """Its own, and those of its children that have ended and were waited for."""


def tree_seconds(roots: Iterable[int]) -> float:
    """CPU seconds of these processes and all that descend from them, ended ones included.

    A process that ends hands its time to the parent that waits for it, so the sum never falls as
    long as the roots live: PostgreSQL's backends may come and go.
    """
    processes = {found.pid: found for found in _processes()}
    children: dict[int, list[int]] = {}
    for found in processes.values():
        children.setdefault(found.parent, []).append(found.pid)
    waiting = [pid for pid in roots if pid in processes]
    ticks = 0
    while waiting:
        pid = waiting.pop()
        ticks += processes[pid].ticks
        waiting.extend(children.get(pid, ()))
    return ticks / _TICKS_A_SECOND


def _processes() -> Iterable[_Process]:
    for folder in _PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            stat = (folder / "stat").read_text()
        except OSError:  # it ended meanwhile
            continue
        # "pid (name) state ppid … utime stime cutime cstime": the name may hold anything.
        fields = stat.rpartition(")")[2].split()
        yield _Process(int(folder.name), int(fields[1]), sum(map(int, fields[11:15])))

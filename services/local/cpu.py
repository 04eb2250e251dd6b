"""What processes have cost: CPU time of whole process trees, as Linux counts it in /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from services.kernel.errors import InvalidInput

_PROC = Path("/proc")


class _Process(NamedTuple):
    pid: int
    parent: int
    ticks: int
    """Its own, and those of its children that have ended and were waited for."""


def cpu_seconds(roots: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """CPU seconds so far of the named processes and of all that descend from them.

    A process that ends hands its time to the parent that waits for it, so no sum falls as long as
    the roots live: PostgreSQL's backends may come and go. Raises InvalidInput without a /proc.
    """
    if not _PROC.joinpath("self", "stat").exists():
        raise InvalidInput("CPU times are read from /proc, which only Linux has")
    ticks_a_second = os.sysconf("SC_CLK_TCK")
    processes = {found.pid: found for found in _processes()}
    children: dict[int, list[int]] = {}
    for found in processes.values():
        children.setdefault(found.parent, []).append(found.pid)
    sums: dict[str, float] = {}
    for name, pids in roots.items():
        waiting = [pid for pid in pids if pid in processes]
        ticks = 0
        while waiting:
            pid = waiting.pop()
            ticks += processes[pid].ticks
            waiting.extend(children.get(pid, ()))
        sums[name] = ticks / ticks_a_second
    return sums


def machine_seconds() -> float:
    """CPU seconds so far of everything that runs here, what a hypervisor took away included."""
    fields = (_PROC / "stat").read_text().split("\n", 1)[0].split()
    # "cpu user nice system idle iowait irq softirq steal …"
    used = [int(fields[at]) for at in (1, 2, 3, 6, 7, 8)]
    return sum(used) / os.sysconf("SC_CLK_TCK")


def _processes() -> Iterator[_Process]:
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

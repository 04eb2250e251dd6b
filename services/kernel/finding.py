"""What checking one invariant found; `milepost verify` collects them from the service rooms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One invariant: how many things were checked, and what does not hold (empty when ok)."""

    id: str
    ok: bool
    checked: int
    detail: str

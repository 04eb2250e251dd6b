"""Amounts as the demo shows them."""

from __future__ import annotations

from services.kernel.units import major


def shown_totals(totals: dict[str, int], *, sign: bool = False) -> str:
    """Totals in major units: `412,003 SKY-MILE`; with `sign`, `+412,003 SKY-MILE`."""
    return " · ".join(
        f"{'+' if sign and amount > 0 else ''}{grouped(amount, unit)} {unit}"
        for unit, amount in sorted(totals.items())
    )


def grouped(amount: int, unit: str) -> str:
    """An amount in major units with its thousands apart: `22,422.70`."""
    whole, point, decimals = major(abs(amount), unit).partition(".")
    return f"{'-' if amount < 0 else ''}{int(whole):,}{point}{decimals}"

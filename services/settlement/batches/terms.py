"""What a signed contract version says about settling, as `contract apply` stored it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from services.kernel.errors import InvariantViolated
from services.kernel.rates import parse_exact
from services.settlement.batches.calendar import Calendar, read_calendar


@dataclass(frozen=True, slots=True)
class Price:
    """What the partner charges for one unit, in major units of `currency`, exact, by award."""

    currency: str
    by_award: Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class PartnerTerms:
    """One version's settlement clauses. `awards` and `offer_codes` go by rule id."""

    contract: str
    version: int
    unit: str
    carries: bool
    """Whether a member whose due lines sum to less than nothing waits (`adjustments: carry`)."""
    price: Price | None
    layout: str
    provider_code: str
    offer_codes: Mapping[str, str]
    awards: Mapping[str, str]
    calendar: Calendar | None = None
    """Its holidays; None where it names none."""

    def award(self, rule: str) -> str:
        """How the partner prices a rule: base or bonus."""
        try:
            return self.awards[rule]
        except KeyError:
            raise InvariantViolated(
                f"{self.contract}/{self.version} granted by rule {rule!r}, which it does not have"
            ) from None


TermsBook = Mapping[tuple[str, int], PartnerTerms]
"""(contract, version) → its settlement clauses."""


def read_terms(contract: str, version: int, document: Mapping[str, Any]) -> PartnerTerms:
    """The clauses from the column `contract_version.terms`."""
    price, file, holidays = document.get("price"), document["file"], document.get("holidays")
    return PartnerTerms(
        contract=contract,
        version=version,
        unit=document["unit"],
        carries=document["adjustments"] == "carry",
        price=_price(price) if price else None,
        layout=file["layout"],
        provider_code=file.get("provider_code") or "",
        offer_codes=file.get("offer_codes") or {},
        awards=document["awards"],
        calendar=read_calendar(holidays) if holidays else None,
    )


def _price(document: Mapping[str, Any]) -> Price:
    given = {award: text for award, text in document.items() if award != "currency" and text}
    return Price(
        currency=document["currency"],
        by_award={award: parse_exact(text) for award, text in given.items()},
    )

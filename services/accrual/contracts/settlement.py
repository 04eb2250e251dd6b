"""What settlement needs of a contract version: the column `contract_version.terms`."""

from __future__ import annotations

from typing import Any

from services.accrual.contracts.model import Contract


def settlement_terms(contract: Contract) -> dict[str, Any]:
    """Unit, cycle, prices (exact text), file layout with its codes, and the award of each rule."""
    settlement = contract.settlement
    price = settlement.miles_price
    terms = {
        "unit": contract.currency,
        "spend_currency": contract.amount.currency,
        "cycle": settlement.cycle,
        "adjustments": settlement.adjustments,
        "price": None if price is None else price.model_dump(exclude_none=True),
        "file": settlement.file.model_dump(exclude_none=True),
        "awards": {rule.id: rule.award for rule in contract.rules},
        "partner": contract.partner,
        "program": contract.program,
        "issuer": contract.issuer,
    }
    if settlement.holidays is not None:
        terms["holidays"] = settlement.holidays.model_dump(mode="json", exclude_none=True)
    return terms

"""Random conditions on every fact that a contract may look at, and the facts to look at."""

from __future__ import annotations

from typing import Any

from tests.support.dice import Dice

CODES = ("5411", "5812", "5814", "6011")
PRODUCTS = ("GOLD", "PLAT")
BRANDS = ("Sky Air 12", "SKY AIR", "Fjord", "fjord")
CITIES = ("Tromsø", "TROMSØ", "Oslo")
TYPES = ("GIFT_CARD", "FUEL")
ACTIVATIONS = ("SPRING", "SPRING", "DINING")


def conditions(dice: Dice) -> dict[str, Any] | None:
    """A `when`, or none; one key or two, or what must not hold."""
    pick = dice.pick
    kind = pick("none", "none", "one", "one", "one", "one", "two", "unless")
    if kind == "none":
        return None
    if kind == "unless":
        return {"unless": [condition(dice), *([condition(dice)] if dice.seldom(3) else [])]}
    return condition(dice) | (condition(dice) if kind == "two" else {})


def condition(dice: Dice) -> dict[str, Any]:
    """One key and what it wants."""
    pick = dice.pick
    found: dict[str, Any] = pick(
        {"mcc": ["5812-5814"]}, {"mcc": ["5411", "5812"]}, {"merchant": ["M1"]},
        {"merchant": ["M1", "M2"]}, {"country": ["NO", "SE"]}, {"channel": ["ONLINE"]},
        {"channel": ["ONLINE", "IN_STORE"]}, {"product": ["PLAT"]}, {"product": ["GOLD", "PLAT"]},
        {"dates": {"from": "2026-03-05", "to": "2026-03-31"}},
        {"merchant_name": ["SKY AIR*"]}, {"merchant_name": ["Fjord"]}, {"city": ["Tromsø"]},
        {"city": ["Oslo", "tromsø"]}, {"currency": ["EUR"]}, {"currency": ["EUR", "USD"]},
        {"attributes": {"type": ["FUEL"]}}, {"attributes": {"type": ["FUEL", "GIFT_CARD"]}},
        {"weekdays": [pick("SAT", "FRI"), "SUN"]}, {"weekdays": ["MON", "TUE", "WED", "THU"]},
        {"hours": {"from": "11:00", "to": pick("14:00", "24:00")}},
        {"hours": {"from": "22:00", "to": "03:00"}}, {"first_days": pick("10", "30")},
        {"first_days": pick("30", "60", "400")}, {"first_days": "400"},
        _activated(dice, "from_activation"), _activated(dice, "from_activation"),
        _activated(dice, "always"), _activated(dice, "always"),
    )  # fmt: skip
    return found


def facts(dice: Dice) -> dict[str, Any]:
    """What a presentment says of itself; much of it is absent."""
    pick = dice.pick
    return {
        "mcc": pick("5812", *CODES, None),
        "merchant_id": pick("M1", "M2", None),
        "merchant_name": pick(None, *BRANDS),
        "merchant_city": pick(None, *CITIES),
        "merchant_country": pick("NO", "SE", None),
        "channel": pick("ONLINE", "IN_STORE", None),
        "card_product": pick(None, None, None, *PRODUCTS),
        "attributes": pick({}, {}, {"type": TYPES[0]}, {"type": TYPES[1], "wallet": "APPLE"}),
    }


def _activated(dice: Dice, counts: str) -> dict[str, Any]:
    return {"activated": {"code": dice.pick(*ACTIVATIONS), "counts": counts}}

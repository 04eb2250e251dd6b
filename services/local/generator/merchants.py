"""Where the cardholders spend: made-up merchants with plausible codes and prices."""

from __future__ import annotations

from typing import NamedTuple


class Merchant(NamedTuple):
    """A merchant; a purchase costs between `low` and `high` minor units of its own currency.

    `rate` is what one minor unit of that currency costs in the cardholder's, in thousandths.
    """

    merchant_id: str
    name: str
    city: str
    country: str
    mcc: str
    channel: str
    low: int
    high: int
    weight: int
    currency: str = ""
    rate: int = 1_000
    cash: bool = False


NORSE = (
    Merchant("NO-0001", "FJELL DAGLIGVARE", "OSLO", "NO", "5411", "IN_STORE", 8_000, 95_000, 30),
    Merchant("NO-0002", "KAFFE OG KRINGLE", "BERGEN", "NO", "5814", "IN_STORE", 4_500, 19_000, 16),
    Merchant("NO-0003", "BRYGGA RESTAURANT", "TRONDHEIM", "NO", "5812", "IN_STORE",
             25_000, 160_000, 9),
    Merchant("NO-0004", "NORDVIND BENSIN", "HAMAR", "NO", "5541", "IN_STORE", 30_000, 110_000, 9),
    Merchant("NO-0005", "SKARV BOKHANDEL", "OSLO", "NO", "5942", "IN_STORE", 9_900, 59_900, 6),
    Merchant("NO-0006", "TROLL ELEKTRO", "STAVANGER", "NO", "5732", "ONLINE", 49_900, 900_000, 4),
    Merchant("NO-0007", "BANKAUTOMAT", "OSLO", "NO", "6011", "IN_STORE", 50_000, 200_000, 3,
             cash=True),
    Merchant("NO-0008", "SPILLHALLEN", "OSLO", "NO", "7995", "ONLINE", 10_000, 80_000, 2),
    Merchant("NO-0009", "STRIMLEKASSEN", "OSLO", "NO", "4899", "RECURRING", 500, 17_900, 8),
    Merchant("SE-0001", "LUNDS GLASSBAR", "LUND", "SE", "5814", "IN_STORE", 4_000, 22_000, 4,
             "SEK", 985),
    Merchant("FR-0001", "HOTEL DU QUAI", "NICE", "FR", "7011", "ONLINE", 9_000, 38_000, 3,
             "EUR", 11_480),
)  # fmt: skip
JAPANESE = (
    Merchant("JP-0001", "HOSHI KONBINI", "TOKYO", "JP", "5499", "IN_STORE", 120, 2_400, 34),
    Merchant("JP-0002", "RAMEN KAZE", "TOKYO", "JP", "5812", "IN_STORE", 850, 3_200, 18),
    Merchant("JP-0003", "MIDORI DENKI", "OSAKA", "JP", "5732", "IN_STORE", 4_800, 148_000, 8),
    Merchant("JP-0004", "SORA TETSUDO", "KYOTO", "JP", "4111", "IN_STORE", 180, 14_000, 20),
    Merchant("JP-0005", "HON NO MORI", "TOKYO", "JP", "5942", "ONLINE", 600, 6_800, 12),
)
KUWAITI = (
    Merchant("KW-0001", "SOUQ AL BAHAR", "KUWAIT CITY", "KW", "5411", "IN_STORE",
             1_250, 48_000, 34),
    Merchant("KW-0002", "GULF FUEL", "HAWALLI", "KW", "5541", "IN_STORE", 2_500, 14_000, 20),
    Merchant("KW-0003", "MATAM AL NAKHLA", "SALMIYA", "KW", "5812", "IN_STORE", 3_000, 36_000, 18),
    Merchant("KW-0004", "OUD HOUSE", "KUWAIT CITY", "KW", "5977", "ONLINE", 8_000, 120_000, 8),
    Merchant("AE-0001", "DUNE OUTLET", "DUBAI", "AE", "5651", "IN_STORE", 9_000, 90_000, 5,
             "AED", 840),
)  # fmt: skip
BY_CURRENCY = {"NOK": NORSE, "JPY": JAPANESE, "KWD": KUWAITI}
ALPHA3 = {"JP": "JPN", "KW": "KWT", "AE": "ARE"}
"""The second bank's processor writes countries in three letters."""

"""Amounts, dates and reasons as a person says them on the telephone."""

from __future__ import annotations

from fractions import Fraction

from services.accrual.contracts.terms import Facts, Governs, Rule, Terms
from services.accrual.engine.reasons import Reason
from services.accrual.lifecycle.net import Net
from services.kernel.calendar import instant
from services.kernel.units import exponent_of, major

_KINDS = {
    "AUTHORIZATION": "authorization",
    "AUTHORIZATION_REVERSAL": "reversal of an authorization",
    "PRESENTMENT": "presentment",
    "PRESENTMENT_REVERSAL": "reversal of a presentment",
    "REFUND": "refund",
    "REFUND_REVERSAL": "reversal of a refund",
    "CHARGEBACK": "chargeback",
    "CHARGEBACK_REVERSAL": "reversal of a chargeback",
    "ADJUSTMENT_CREDIT": "credit adjustment",
    "ADJUSTMENT_DEBIT": "debit adjustment",
}


def kind_words(kind: str) -> str:
    """An event's kind in small letters."""
    return _KINDS[kind]


def key_words(key: str) -> str:
    """An exact key: `the ARN 74027…`."""
    name, _, value = key.partition(":")
    return f"the {'ARN' if name == 'arn' else name.replace('_', ' ')} {value}"


def amount_words(minor: int, unit: str) -> str:
    """`312.00 NOK`."""
    return f"{major(minor, unit)} {unit}"


def signed_words(minor: int, unit: str) -> str:
    """`+11 SKY-MILE` or `−12 SKY-MILE`."""
    return f"{'+' if minor >= 0 else '−'}{amount_words(abs(minor), unit)}"


def exact_words(value: Fraction, unit: str) -> str:
    """An exact amount of minor units in major units: `31.2`, or `94/3` where it has no end."""
    in_major = Fraction(value, 10 ** exponent_of(unit))
    rest, decimals = in_major.denominator, 0
    for prime in (2, 5):
        times = 0
        while rest % prime == 0:
            rest //= prime
            times += 1
        decimals = max(decimals, times)
    if rest != 1:
        return f"{in_major.numerator}/{in_major.denominator}"
    digits = str(abs(in_major.numerator) * 10**decimals // in_major.denominator)
    digits = digits.rjust(decimals + 1, "0")
    sign = "−" if in_major < 0 else ""
    return sign + (f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits)


def moment_words(micros: int) -> str:
    """An instant in UTC, to the second where it has no smaller part."""
    return instant(micros).isoformat().replace("+00:00", "Z")


def date_words(terms: Terms) -> str:
    """Which date governs under these terms."""
    if terms.governs is Governs.POSTING:
        return "posting date"
    ends = ""
    if terms.day_ends_minutes != 1440:
        ends = f", whose day ends at {terms.day_ends_minutes // 60:02}:"
        ends += f"{terms.day_ends_minutes % 60:02}"
    return f"date of purchase in {terms.zone.key}{ends}"


def refusal_words(reason: Reason, terms: Terms, facts: Facts, net: Net) -> str:
    """Why a whole contract gives nothing for a purchase."""
    if reason is Reason.NOT_ENROLLED:
        return f"the account is not enrolled in {terms.program} on {facts.governing_on}"
    if reason is Reason.CURRENCY_NOT_COVERED:
        return f"it is billed in {net.currency}, the contract covers {terms.spend_currency}"
    if reason is Reason.CARD_PRODUCT_NOT_COVERED:
        product = facts.product or "unknown"
        return f"card product {product} is none of {', '.join(sorted(terms.card_products or ()))}"
    return "the contract excludes this kind of purchase"


def verdict_words(reason: Reason, rule: Rule, terms: Terms, net: Net) -> str:
    """Why one rule gives nothing for a purchase."""
    if reason is Reason.NO_RULE:
        return "its conditions do not hold"
    if reason is Reason.BELOW_MINIMUM:
        least = amount_words(rule.minimum or 0, terms.spend_currency)
        return f"net {amount_words(net.net, terms.spend_currency)} is below its minimum {least}"
    if reason is Reason.NET_IS_ZERO:
        return "nothing is left of the purchase"
    if reason is Reason.NOT_REACHED:
        return f"nothing of it counts ({rule.totals[0].text})"
    text = rule.earn.text if rule.earn is not None else rule.totals[0].text
    return f"what it earns rounds to nothing ({text})"

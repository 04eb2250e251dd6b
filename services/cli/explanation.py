"""An explanation as it is read out: what it was, why, what it gave, what came later, what is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.kernel.units import major

Document = dict[str, Any]
Row = tuple[str, str]

_STEPS = {
    "link": "purchase", "net": "amount", "no-effect": "no effect", "policy": "refunds",
    "total": "running total", "granted": "reward",
}  # fmt: skip
"""Steps by names that a customer knows; others go by their own."""
_FACTS = {
    "occurred_at": "bought at", "posted_on": "posted on", "merchant_name": "at", "city": "in",
    "country": "country", "mcc": "merchant category", "merchant": "merchant id",
    "channel": "paid", "card_product": "card product", "currency": "priced in",
}  # fmt: skip
_CHANNELS = {
    "IN_STORE": "in a store", "ONLINE": "online", "PHONE": "by phone",
    "RECURRING": "as a recurring payment",
}  # fmt: skip
_REASONS = {
    "COMPARE_FEED": "it came from a feed that is only compared",
    "NO_PRESENTMENT": "nothing was presented to pay for it yet",
    "NO_CONTRACT": "no contract of the bank governs its date",
    "NOT_ENROLLED": "the account was not enrolled in the programme on its date",
    "CURRENCY_NOT_COVERED": "the contract does not cover its currency",
    "CARD_PRODUCT_NOT_COVERED": "the contract does not cover the card",
    "EXCLUDED": "the contract excludes such purchases",
    "NO_RULE": "no rule is for such a purchase",
    "BELOW_MINIMUM": "it is too small for every rule",
    "NET_IS_ZERO": "nothing is left of the purchase",
    "NOT_REACHED": "what the reward is given for is not reached yet",
    "ROUNDED_TO_ZERO": "what it earns rounds to nothing",
    "CAP_REACHED": "the most that can be earned was reached before",
    "NO_CHANGE": "the reward of its purchase stays as it was",
    "MISSING_ORIGINAL": "it waits for the event that it names",
    "MISSING_POSTING_DATE": "it waits for its posting date",
}
_OUTCOMES = {
    "NO_REWARD": "It gave nothing",
    "WAITING": "It gave nothing yet",
    "DUPLICATE": "It is the same event again, and does nothing",
    "CONFLICT": "It has the id of another event, and does nothing",
    "FAILED": "Its decision broke, and a person looks at it",
    "REJECTED": "It was rejected, and does nothing",
}


def rows(document: Document) -> Iterator[Row]:
    """What is said of it, from the short answer to what there is now."""
    reason = f" / {document['reason']}" if document["reason"] else ""
    yield "outcome", f"{document['outcome']}{reason}"
    yield "in short", summary(document)
    said, steps = document["steps"][:2], document["steps"][2:]
    yield from map(_step, said)
    if document["facts"]:
        yield "facts", _facts(document["facts"])
    for version in document["versions"]:
        name = f"{version['contract']}/{version['version'] or '–'}"
        yield "contract", f"{name}: {version['why']}"
    yield from map(_step, steps)
    for transfer in document["transfers"]:
        yield "transfer", _transfer(transfer)
    for change in document["later"]:
        yield "later", _later(change)
    yield from _now(document)


def summary(document: Document) -> str:
    """One or two sentences: what the event gave, and what its purchase has now."""
    if document["outcome"] == "POSTED":
        moved: dict[tuple[str, str, bool], list[Document]] = {}
        for step in document["steps"]:
            if step["step"] == "posted":
                key = (step["purchase"], step["unit"], step["amount"] > 0)
                moved.setdefault(key, []).append(step)
        first = f"It {_all_of([_moved(steps) for steps in moved.values()])}"
    else:
        first = _OUTCOMES[document["outcome"]]
        why = _REASONS.get(document["reason"])
        first += f": {why}" if why else ""
    if not document["purchase"]:
        return f"{first}."
    sums: dict[str, int] = {}
    for grant in document["granted"]:
        sums[grant["unit"]] = sums.get(grant["unit"], 0) + grant["amount"]
    has = _all_of([_amount(amount, unit) for unit, amount in sums.items()]) or "nothing"
    return f"{first}. Purchase {document['purchase']} has {has} now."


def _moved(steps: list[Document]) -> str:
    """What one purchase was given, or what was taken back from it, in one unit."""
    unit, of = steps[0]["unit"], f"purchase {steps[0]['purchase']}"
    total = sum(step["amount"] for step in steps)
    amount = _amount(abs(total), unit)
    moved = f"gave {of} {amount}" if total > 0 else f"took {amount} back from {of}"
    if len(steps) == 1:
        return f"{moved} ({steps[0]['rule']})"
    by_rule = [f"{step['rule']} {major(abs(step['amount']), unit)}" for step in steps]
    return f"{moved} ({', '.join(by_rule)})"


def _step(step: Document) -> Row:
    name: str = step["step"]
    return _STEPS.get(name, name), step["text"]


def _facts(facts: Document) -> str:
    known = [
        f"{words} {_CHANNELS.get(facts[name], facts[name]) if name == 'channel' else facts[name]}"
        for name, words in _FACTS.items()
        if facts[name]
    ]
    known += [f"{name} {value}" for name, value in sorted(facts["attributes"].items())]
    return f"of {facts['event_id']}, {facts['why']}: {', '.join(known)}"


def _transfer(transfer: Document) -> str:
    amount = _signed(transfer["amount"], transfer["unit"])
    paid = f"{'paid by' if transfer['amount'] > 0 else 'back to'} {transfer['funder']}"
    whose = f"to {transfer['party']}" if "party" in transfer else f"for {transfer['purchase']}"
    return (
        f"{amount} {whose} by {transfer['rule']}, {paid}; booked on "
        f"{transfer['effective_on']}, available on {transfer['available_on']}"
    )


def _later(change: Document) -> str:
    on = f"{change['effective_on']}: " if change["effective_on"] else ""
    if change["unit"] is None:
        return f"{on}{change['text']}"
    return f"{on}{change['text']}; it has {_amount(change['standing'], change['unit'])} then"


def _now(document: Document) -> Iterator[Row]:
    for grant in document["granted"]:
        amount = _amount(grant["amount"], grant["unit"])
        rule = f"{grant['rule']} of {grant['contract']}/{grant['version']}"
        yield "now", f"{document['purchase']} has {amount} by {rule}, paid by {grant['funder']}"
    if document["purchase"] and not document["granted"]:
        yield "now", f"{document['purchase']} has nothing"


def _amount(minor: int, unit: str) -> str:
    return f"{major(minor, unit)} {unit}"


def _signed(minor: int, unit: str) -> str:
    return f"{'+' if minor >= 0 else '−'}{_amount(abs(minor), unit)}"


def _all_of(texts: list[str]) -> str:
    return " and ".join(texts) if len(texts) < 3 else f"{', '.join(texts[:-1])} and {texts[-1]}"

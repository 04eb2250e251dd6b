"""The tables at the end of a demo."""

from __future__ import annotations

from services.local import ties
from services.local.amounts import grouped, shown_totals
from services.local.narrator import WIDTH, Narrator
from services.local.summary import Summary

_WHY = {
    "POSTED": "moved something in the ledger",
    "NO_CHANGE": "its purchase earns, this event changed nothing",
    "NO_PRESENTMENT": "an authorization earns nothing yet",
    "NOT_ENROLLED": "the account was in no programme (yet)",
    "EXCLUDED": "cash, games of chance",
    "CARD_PRODUCT_NOT_COVERED": "another card than the contract's",
    "BELOW_MINIMUM": "less than the contract's minimum",
    "NET_IS_ZERO": "all of it had gone back",
    "ROUNDED_TO_ZERO": "less than one unit",
    "CAP_REACHED": "the cap left nothing",
    "COMPARE_FEED": "a network's view: compared, never rewarded",
    "MISSING_ORIGINAL": "names an event that had not come",
    "DUPLICATE": "the same again",
    "CONFLICT": "the same id with other content",
    "RECORDED": "commands: imports, approvals, seals",
    "CARD_NUMBER": "sealed; no value is shown anywhere",
}
_RULES = {
    ("gulf-cashback", "cash"): "1.25 %",
    ("gulf-cashback", "fuel"): "0.250 for a full tank",
    ("gulf-prime", "cash"): "1 %, half of it past 0.800 in a billing cycle",
    ("gulf-prime", "fuel"): "5 % in the first quarter, for who activated it, of 60.000",
    ("gulf-prime", "meals"): "1.500 for every fifth meal",
    ("gulf-prime", "welcome"): "10.000 for 150.000 spent in the first 90 days",
    ("oslo-cashback", "cash"): "1.5 %, half of it past 400.00 in a year",
    ("sky-visa", "base"): "1 for each 10.00 kroner",
    ("sky-visa", "dining"): "3 for each 10.00 kroner",
    ("tokyo-cashback", "cash"): "0.5 %",
    ("tokyo-cashback", "konbini"): "1 %",
}
_THEN = {
    "ACCEPTED": "owed to the partner",
    "WARNED": "owed all the same",
    "MERGED": "owed; from now on under the member's new number",
    "REJECTED": "given back to the member, repaired, sent again",
    "PAID": "paid out to the members",
}
_SHORT_SHA = 12


def show(summary: Summary, narrator: Narrator) -> None:
    """All of them."""
    _outcomes(summary, narrator)
    _cases(summary, narrator)
    ties.show(summary.ties, narrator)
    _rewards(summary, narrator)
    _rules(summary, narrator)
    _trial(summary, narrator)
    _answers(summary, narrator)
    _standing(summary, narrator)
    _files(summary, narrator)
    speed = summary.speed
    narrator.say()
    narrator.say(
        f"{speed.per_second:,} transactions per second: {speed.records:,} in {speed.seconds:.1f} s "
        "from the first sent to the last recorded, everything on this machine and just started."
    )


def _outcomes(summary: Summary, narrator: Narrator) -> None:
    rejected = [row for row in summary.outcomes if row[0] == "REJECTED"]
    rows: list[list[str | int]] = [
        [outcome, reason, count, _WHY.get(reason or outcome, "")]
        for outcome, reason, count in summary.outcomes
        if outcome != "REJECTED"
    ]
    broken = sum(count for _, reason, count in rejected if reason != "CARD_NUMBER")
    cards = sum(count for _, reason, count in rejected if reason == "CARD_NUMBER")
    kinds = len(rejected) - (cards > 0)
    rows.append(["REJECTED", f"{kinds} reasons", broken, "no events: sealed, kept, listed"])
    rows.append(["REJECTED", "CARD_NUMBER", cards, _WHY["CARD_NUMBER"]])
    total = sum(count for _, _, count in summary.outcomes)
    rows.append(["all", "", total, "each record has exactly one outcome"])
    narrator.table("What became of every record", ("outcome", "reason", "events", ""), rows)


def _cases(summary: Summary, narrator: Narrator) -> None:
    rows: list[list[str | int]] = [
        [found.case, found.count, f"MISSING: {found.planted} were planted"]
        if found.missing
        else [found.case, found.count, found.came]
        for found in summary.cases
    ]
    title = "Hostile on purpose, as found in the ledger"
    narrator.table(title, ("case", "found", "what came of it"), rows)


def _rewards(summary: Summary, narrator: Narrator) -> None:
    rows = [
        [
            one.unit,
            *(
                grouped(amount, one.unit)
                for amount in (
                    one.granted, one.taken_back, one.stands, one.settled, one.stands - one.settled,
                )
            ),
        ]
        for one in summary.rewards
    ]  # fmt: skip
    columns = ("unit", "granted", "clawed back", "stands", "settled", "waits")
    narrator.table("Miles and money", columns, rows)


def _rules(summary: Summary, narrator: Narrator) -> None:
    rows: list[list[str | int]] = [
        [one.contract, one.rule, one.purchases, f"{grouped(one.amount, one.unit)} {one.unit}",
         _RULES.get((one.contract, one.rule), "")]
        for one in summary.rules
    ]  # fmt: skip
    columns = ("contract", "rule", "purchases", "stands", "")
    narrator.table("What each rule gives", columns, rows)


def _trial(summary: Summary, narrator: Narrator) -> None:
    rows = [
        [
            one.unit,
            grouped(one.debits, one.unit),
            grouped(one.credits, one.unit),
            grouped(one.debits - one.credits, one.unit),
        ]
        for one in summary.trial
    ]
    narrator.table("Trial balance", ("unit", "debits", "credits", "difference"), rows)


def _answers(summary: Summary, narrator: Narrator) -> None:
    rows: list[list[str | int]] = [
        [
            one.batch, one.outcome, one.code, one.lines,
            f"{grouped(one.amount, one.unit)} {one.unit}", _THEN.get(one.outcome, ""),
            one.again or "",
        ]
        for one in summary.answers
    ]  # fmt: skip
    columns = ("batch", "outcome", "code", "lines", "total", "", "named later")
    narrator.table("What the partners answered", columns, rows)


def _standing(summary: Summary, narrator: Narrator) -> None:
    rows = [
        [
            one.unit,
            *(
                grouped(amount, one.unit)
                for amount in (
                    one.cost, one.members, one.payable, one.clearing, one.bank, one.sum,
                )
            ),
        ]
        for one in summary.standing
    ]  # fmt: skip
    columns = ("unit", "reward cost", "members", "payable", "clearing", "bank", "sum")
    narrator.table("Payable, clearing, bank", columns, rows)


def _files(summary: Summary, narrator: Narrator) -> None:
    wide = narrator.console.width >= WIDTH
    rows: list[list[str | int]] = [
        [
            file.path.name,
            file.records if file.records is not None else "",
            shown_totals(file.totals),
            file.sha256 if wide else f"{file.sha256[:_SHORT_SHA]}…",
        ]
        for file in summary.files
    ]
    narrator.table("Files in outgoing/", ("file", "lines", "total", "sha256"), rows)

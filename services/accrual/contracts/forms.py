"""Checks across keys: what a rule earns by, how that is rounded, and what bounds it."""

from __future__ import annotations

from services.accrual.contracts.chains import Link, caps_of, dotted_end, first_of
from services.accrual.contracts.clauses.earning import IN_PLACE_OF_EARN
from services.accrual.contracts.clauses.totals import PER_PERIOD, PER_TRANSACTION
from services.accrual.contracts.document import Document, Path

EARNING = ("earn", *IN_PLACE_OF_EARN)


def check_forms(document: Document) -> None:
    """Note rules that earn in no way or in two, and keys that do not go with how they earn."""
    bent: list[str] = []
    for index in range(document.size("rules")):
        rule: Path = ("rules", index)
        if not isinstance(document.find(*rule), dict):
            continue
        _check_earning(document, rule)
        _check_spend_caps(document, rule)
        first = first_of(document, rule)
        if first is not None and first.name != "rounding":
            _check_beside(document, rule, first)
        _check_rounding(document, rule)
        _check_bounds(document, rule)
        if first is not None:
            bent.append(f"rules[{index}].{dotted_end(first)}")
    _check_refunds(document, bent)


def _check_earning(document: Document, rule: Path) -> None:
    given = [key for key in EARNING if key in document.names(*rule)]
    if not given:
        document.report((*rule, "earn"), "is required, or one of bands, threshold, count")
    for key in given[1:]:
        why = f"has no place beside `{given[0]}`: a rule earns in one way"
        document.report((*rule, key), why, at_key=True)


def _check_spend_caps(document: Document, rule: Path) -> None:
    caps = [cap for cap in caps_of(document, rule) if document.text(*cap, "of") == "spend"]
    for cap in caps[1:]:
        document.report((*cap, "of"), "a rule has at most one cap of spend")
    if not caps:
        return
    names = document.names(*rule)
    beside = [key for key in IN_PLACE_OF_EARN if key in names]
    if beside:
        why = f"a cap of spend has no place beside `{beside[0]}`: it is a total of spend itself"
        document.report((*caps[0], "of"), why)
    elif "flat" in document.names(*rule, "earn"):
        why = "a cap of spend has no place beside `flat`: it does not earn by spend"
        document.report((*caps[0], "of"), why)


def _check_beside(document: Document, rule: Path, first: Link) -> None:
    """The rounding beside a total of spend or purchases is part of that total."""
    path, name = (*rule, "rounding"), dotted_end(first)
    if first.name == "cap":
        name = f"the cap of spend ({name})"
    level = document.text(*path, "level")
    if level == PER_TRANSACTION:
        why = f"must be {PER_PERIOD} beside {name}: the sum of the period is rounded"
        document.report((*path, "level"), why)
        return
    for key, wanted in (("per", first.per), ("scope", first.scope)):
        given = document.text(*path, key)
        if given is not None and wanted is not None and given != wanted:
            document.report((*path, key), f"must be {wanted}, as in {name}")
    if "mid_period" in document.names(*path):
        why = f"is said in {name}: it is one total"
        document.report((*path, "mid_period"), why, at_key=True)


def _check_rounding(document: Document, rule: Path) -> None:
    path = (*rule, "rounding")
    level, names = document.text(*path, "level"), document.names(*path)
    for key in ("per", "scope", "mid_period"):
        if level == PER_TRANSACTION and key in names:
            why = f"decides nothing with `level: {PER_TRANSACTION}`"
            document.report((*path, key), why, at_key=True)
        elif level == PER_PERIOD and key not in names and key != "mid_period":
            document.report((*path, key), f"is required with `level: {PER_PERIOD}`")


def _check_bounds(document: Document, rule: Path) -> None:
    names = document.names(*rule)
    given = [key for key in ("minimum_reward", "maximum_reward") if key in names]
    beside = [key for key in IN_PLACE_OF_EARN if key in names]
    level = document.text(*rule, "rounding", "level")
    for key in given:
        if beside:
            why = f"has no place beside `{beside[0]}`: a purchase has no reward by itself"
            document.report((*rule, key), why, at_key=True)
        elif level == PER_PERIOD:
            why = f"needs `level: {PER_TRANSACTION}`: per period no purchase is rounded by itself"
            document.report((*rule, key), why, at_key=True)


def _check_refunds(document: Document, bent: list[str]) -> None:
    if document.text("refunds", "policy") == "proportional" and bent:
        why = f"does not go with {bent[0]}: a purchase has no reward by itself that could be shared"
        document.report(("refunds", "policy"), why)

"""Checks across keys: the running totals that a rule goes through, one feeding the next.

First what stands in place of `earn`, or a cap of spend, or rounding per period; then the caps of
reward. The period and scope of each lie within those of the one that it feeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from services.accrual.contracts.clauses.earning import IN_PLACE_OF_EARN
from services.accrual.contracts.clauses.totals import PER_PERIOD
from services.accrual.contracts.document import Document, Path
from services.kernel.calendar import Per, nests


@dataclass(frozen=True, slots=True)
class Link:
    """A clause that makes a running total."""

    path: Path
    name: str
    """As problems call it: `bands`, `cap` …"""
    per: str | None
    scope: str | None


def caps_of(document: Document, rule: Path) -> list[Path]:
    """Where the rule's own caps stand."""
    path = (*rule, "cap")
    if isinstance(document.find(*path), list):
        return [(*path, index) for index in range(document.size(*path))]
    names = document.names(*path)
    return [path] if names and "shared_with" not in names else []


def first_of(document: Document, rule: Path) -> Link | None:
    """What stands before the caps of reward, if anything does."""
    for key in IN_PLACE_OF_EARN:
        if key in document.names(*rule):
            return _link(document, (*rule, key), key)
    for cap in caps_of(document, rule):
        if document.text(*cap, "of") == "spend":
            return _link(document, cap, "cap")
    if document.text(*rule, "rounding", "level") == PER_PERIOD:
        return _link(document, (*rule, "rounding"), "rounding")
    return None


def caps_of_reward(document: Document, rule: Path) -> list[Link]:
    """The rule's own caps of reward."""
    return [
        _link(document, cap, "cap")
        for cap in caps_of(document, rule)
        if document.text(*cap, "of") == "reward"
    ]


def check_chains(document: Document) -> None:
    """Note every total whose period or scope does not lie within that of the one it feeds."""
    rules: dict[str, Path] = {}
    for index in range(document.size("rules")):
        name = document.text("rules", index, "id")
        if name is not None:
            rules.setdefault(name, ("rules", index))
    for index in range(document.size("rules")):
        rule: Path = ("rules", index)
        first = first_of(document, rule)
        links = ([first] if first else []) + caps_of_reward(document, rule)
        for narrow, wide in pairwise(links):
            _check_within(document, narrow, wide)
        if first is not None:
            _check_pool(document, rule, first, rules)


def _check_within(document: Document, narrow: Link, wide: Link) -> None:
    if narrow.per and wide.per and not _nests(narrow.per, wide.per):
        why = (
            f"a {_word(narrow.per)} ({dotted_end(narrow)}) does not lie within a {_word(wide.per)}"
        )
        if narrow.name == wide.name and _nests(wide.per, narrow.per):
            why += ": list caps from narrow to wide"
        document.report((*wide.path, "per"), why)
    elif narrow.scope == "account" and wide.scope == "card":
        why = f"an account ({dotted_end(narrow)}) does not lie within a card"
        document.report((*wide.path, "scope"), why)


def _check_pool(document: Document, rule: Path, first: Link, rules: Mapping[str, Path]) -> None:
    """The first total of a rule that shares the caps of another."""
    owner = document.text(*rule, "cap", "shared_with")
    if owner is None or owner not in rules or rules[owner] == rule:
        return
    for cap in caps_of_reward(document, rules[owner])[:1]:
        if first.per and cap.per and not _nests(first.per, cap.per):
            why = f"does not lie within a {_word(cap.per)}, the period of the cap of `{owner}`"
            document.report((*first.path, "per"), why)
        elif first.scope == "account" and cap.scope == "card":
            why = f"does not lie within a card, the scope of the cap of `{owner}`"
            document.report((*first.path, "scope"), why)


def _link(document: Document, path: Path, name: str) -> Link:
    return Link(path, name, document.text(*path, "per"), document.text(*path, "scope"))


def dotted_end(link: Link) -> str:
    """The clause as its rule names it: `bands`, `cap[1]`."""
    last = link.path[-1]
    return f"{link.name}[{last}]" if isinstance(last, int) else link.name


def _nests(narrow: str, wide: str) -> bool:
    return nests(Per(narrow), Per(wide))


def _word(per: str) -> str:
    return per.replace("_", " ")

"""Checks across keys: rules among each other: ids, groups and who wins them, shared caps."""

from __future__ import annotations

from services.accrual.contracts.chains import caps_of_reward
from services.accrual.contracts.clauses.earning import IN_PLACE_OF_EARN
from services.accrual.contracts.document import Document, Path


def check_groups(document: Document) -> None:
    """Note rules with one id, groups that decide nothing, and caps shared with nothing."""
    rules = range(document.size("rules"))
    ids: dict[str, int] = {}
    for index in rules:
        found = document.text("rules", index, "id")
        if found is None:
            continue
        if found in ids:
            document.report(("rules", index, "id"), f"is the id of rules[{ids[found]}] as well")
        else:
            ids[found] = index
    _check_exclusive(document)
    for index in rules:
        _check_shared(document, ("rules", index), ids)


def _check_exclusive(document: Document) -> None:
    groups: dict[str, list[int]] = {}
    for index in range(document.size("rules")):
        rule: Path = ("rules", index)
        group = document.text(*rule, "exclusive_group")
        given = document.names(*rule)
        if group is not None:
            groups.setdefault(group, []).append(index)
        for key in ("priority", "best"):
            if key in given and "exclusive_group" not in given:
                why = "decides nothing without an `exclusive_group`"
                document.report((*rule, key), why, at_key=True)
    for group, members in groups.items():
        if len(members) == 1:
            path = ("rules", members[0], "exclusive_group")
            document.report(path, "a group with a single rule decides nothing")
        if any("best" in document.names("rules", index) for index in members):
            _check_best(document, group, members)
        else:
            _check_priorities(document, group, members)


def _check_priorities(document: Document, group: str, members: list[int]) -> None:
    seen: dict[int, int] = {}
    for index in members:
        path = ("rules", index, "priority")
        if "priority" not in document.names("rules", index):
            document.report(path, "is required beside `exclusive_group`, or `best`")
        text = document.text(*path)
        if text is None:
            continue
        if int(text) in seen:
            other = seen[int(text)]
            document.report(path, f"rules[{other}] of the group `{group}` has the same priority")
        else:
            seen[int(text)] = index


def _check_best(document: Document, group: str, members: list[int]) -> None:
    """Of a group that goes by `best`: on every rule, the same, and comparable."""
    said = next(index for index in members if "best" in document.names("rules", index))
    wanted = document.text("rules", said, "best")
    for index in members:
        rule: Path = ("rules", index)
        given, best = document.names(*rule), document.text(*rule, "best")
        if "priority" in given:
            why = f"has no place in the group `{group}`: rules[{said}] says that the best one wins"
            document.report((*rule, "priority"), why, at_key=True)
        if "best" not in given:
            document.report((*rule, "best"), f"is required: the group `{group}` goes by it")
        elif best is not None and wanted is not None and best != wanted:
            why = f"rules[{said}] of the group `{group}` says {wanted}"
            document.report((*rule, "best"), why)
        for key in IN_PLACE_OF_EARN:
            if key in given:
                why = f"has no place beside `{key}`: a purchase has no reward by itself to compare"
                document.report((*rule, "best"), why)


def _check_shared(document: Document, rule: Path, ids: dict[str, int]) -> None:
    path = (*rule, "cap", "shared_with")
    owner = document.text(*path)
    if owner is None:
        return
    if owner == document.text(*rule, "id"):
        document.report(path, "a rule cannot share its cap with itself")
    elif owner not in ids:
        document.report(path, "there is no rule with this id")
    else:
        rule = ("rules", ids[owner])
        if "shared_with" in document.names(*rule, "cap"):
            document.report(path, "this rule shares a cap itself: name the rule that owns it")
        elif "cap" not in document.names(*rule):
            document.report(path, "this rule has no cap")
        elif _only_of_spend(document, (*rule, "cap")) and not caps_of_reward(document, rule):
            document.report(path, "this rule has a cap of spend only, which cannot be shared")


def _only_of_spend(document: Document, cap: Path) -> bool:
    """Whether what the caps are of is known, and none is of reward."""
    size = document.size(*cap)
    paths = [(*cap, index) for index in range(size)] if size else [cap]
    return all(document.text(*path, "of") == "spend" for path in paths)

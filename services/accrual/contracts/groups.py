"""Checks across keys: rules among each other: ids, groups with their priorities, shared caps."""

from __future__ import annotations

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
            if "priority" not in given and "best" not in given:
                document.report((*rule, "priority"), "is required beside `exclusive_group`")
        elif "priority" in given and "exclusive_group" not in given:
            why = "decides nothing without an `exclusive_group`"
            document.report((*rule, "priority"), why, at_key=True)
    for group, members in groups.items():
        _check_group(document, group, members)


def _check_group(document: Document, group: str, members: list[int]) -> None:
    if len(members) == 1:
        path = ("rules", members[0], "exclusive_group")
        document.report(path, "a group with a single rule decides nothing")
    seen: dict[int, int] = {}
    for index in members:
        path = ("rules", index, "priority")
        text = document.text(*path)
        if text is None:
            continue
        if int(text) in seen:
            other = seen[int(text)]
            document.report(path, f"rules[{other}] of the group `{group}` has the same priority")
        else:
            seen[int(text)] = index


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
        named = document.names("rules", ids[owner], "cap")
        if "shared_with" in named:
            document.report(path, "this rule shares a cap itself: name the rule that owns it")
        elif "cap" not in document.names("rules", ids[owner]):
            document.report(path, "this rule has no cap")

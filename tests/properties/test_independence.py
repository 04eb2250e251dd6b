"""The naive model shares nothing with what it judges but the struct of an event."""

from __future__ import annotations

import ast
from pathlib import Path

SUPPORT = Path(__file__).parents[1] / "support"
ALLOWED = {"services.kernel.transaction"}


def _imported(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            found |= {module, *(f"{module}.{name.name}" for name in node.names)}
    return found


def _own_modules(source: str) -> set[str]:
    """The modules of the model that a source names, `tests.support.<word>` or from it."""
    words = {name.split(".")[2] for name in _imported(source) if name.startswith("tests.support.")}
    return {word for word in words if (SUPPORT / f"{word}.py").is_file()}


def _forbidden(source: str) -> set[str]:
    """What a source imports of the services beyond the struct."""
    named = {name for name in _imported(source) if name.split(".")[0] == "services"}
    return {
        name for name in named if not any(name == a or name.startswith(f"{a}.") for a in ALLOWED)
    }


def test_the_naive_model_imports_nothing_of_what_it_judges() -> None:
    left, seen = ["naive"], set[str]()
    while left:
        module = left.pop()
        if module in seen:
            continue
        seen.add(module)
        source = (SUPPORT / f"{module}.py").read_text("utf-8")
        assert not _forbidden(source), module
        left += _own_modules(source)
    assert seen == {
        "naive", "accounts", "chains", "clauses", "conditions", "dates", "lifecycles", "nets",
        "picture", "verdicts",
    }  # fmt: skip


def test_a_planted_import_is_found() -> None:
    planted = "from services.accrual.engine import totals\nimport services.kernel.money\n"
    assert _forbidden(planted) >= {"services.accrual.engine", "services.kernel.money"}
    assert not _forbidden("from services.kernel.transaction import CardTransaction\n")

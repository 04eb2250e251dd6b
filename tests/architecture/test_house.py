"""The guards of the house, and for each one a planted violation that it must catch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture import rules


def _violations(check, paths) -> list[str]:  # type: ignore[no-untyped-def]
    return [
        f"{path.relative_to(rules.ROOT)}: {found}"
        for path in paths
        for found in check(path.read_text("utf-8"))
    ]


def test_pure_rooms_have_no_floats_no_bare_division_and_no_io_builtins() -> None:
    assert _violations(rules.impurities, rules.python_files(*rules.PURE_ROOMS)) == []


@pytest.mark.parametrize(
    "planted",
    ["rate = 0.1", "share = a / b", "a /= 2", "x = float(y)", "open('f')", "print(1)",
     "def f(x: float) -> int: ..."],
)  # fmt: skip
def test_an_impurity_is_caught(planted: str) -> None:
    assert rules.impurities(planted)


def test_files_and_functions_can_be_read_at_once() -> None:
    assert _violations(rules.oversizes, rules.python_files()) == []


def test_a_giant_is_caught() -> None:
    assert rules.oversizes("x = 1\n" * 301)
    assert rules.oversizes("def f():\n" + "    x = 1\n" * 80)


def test_nothing_relies_on_assert() -> None:
    assert _violations(rules.asserts, rules.python_files()) == []


def test_an_assert_is_caught() -> None:
    assert rules.asserts("assert paid") == ["line 1: assert"]


def test_nobody_turns_host_checks_off() -> None:
    assert _violations(rules.host_checks_off, rules.python_files()) == []


@pytest.mark.parametrize(
    "planted", ["connect(known_hosts=None)", "c.check_hostname = False", "ssl.CERT_NONE"]
)
def test_a_host_check_turned_off_is_caught(planted: str) -> None:
    assert rules.host_checks_off(planted)


def test_no_folder_has_a_name_that_means_nothing() -> None:
    folders = {path.name for path in rules.SERVICES.rglob("*") if path.is_dir()}
    files = {path.stem for path in rules.python_files()}
    assert rules.FORBIDDEN_NAMES & (folders | files) == set()


def test_settlement_reads_only_its_tables_and_the_views_meant_for_it() -> None:
    for path in sorted((rules.SERVICES / "settlement").rglob("*.sql")):
        assert rules.foreign_reads(path.read_text("utf-8")) == set(), path


def test_a_settlement_query_on_the_purchases_is_caught() -> None:
    assert rules.foreign_reads("SELECT * FROM settlement_line JOIN purchase USING (x)") == {
        "purchase"
    }


def test_no_file_names_a_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=rules.ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    found = []
    for name in filter(None, listed):
        path = rules.ROOT / name
        if path.suffix in {".jar", ".png", ".age"} or not path.is_file():
            continue
        if rules.spelled_hosts(path.read_text("utf-8", errors="ignore")):
            found.append(name)
    assert found == []


def test_a_registry_is_caught() -> None:
    assert rules.spelled_hosts("https://files." + "pythonhosted" + ".org/x")


_PLANTED = {
    "accrual/planted.py": "from services.ingest import feeds\n",
    "ingest/planted.py": "from services.accrual import ledger\n",
    "settlement/planted.py": "from services.accrual.engine import decide\n",
    "settlement/planted_wiring.py": "from services.accrual.bootstrap import commands\n",
    "settlement/planted_ingest.py": "from services.ingest import feeds\n",
    "accrual/engine/planted.py": "import asyncpg\n",
    "accrual/engine/planted_time.py": "import time\n",
    "accrual/engine/planted_runtime.py": "from services.runtime import settings\n",
    "kernel/planted.py": "import os\n",
    "accrual/planted_adapter.py": "from services.accrual.adapters import event_store\n",
    "cli/planted_adapter.py": "from services.accrual.adapters import event_store\n",
    "runtime/planted.py": "from services.accrual import handler\n",
    "utils/__init__.py": "",
}


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    return subprocess.run(
        [*command, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


def _copy(folder: Path) -> None:
    subprocess.run(["cp", "-r", str(rules.SERVICES), str(folder / "services")], check=True)
    subprocess.run(["cp", str(rules.ROOT / "pyproject.toml"), str(folder)], check=True)


def test_imports_look_upstream_only() -> None:
    linted = _lint(rules.ROOT)
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize("place", list(_PLANTED))
def test_a_planted_import_is_caught(place: str, tmp_path: Path) -> None:
    _copy(tmp_path)
    planted = tmp_path / "services" / place
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(_PLANTED[place])
    linted = _lint(tmp_path)
    assert linted.returncode != 0, linted.stdout
    assert "BROKEN" in linted.stdout or "planted" in linted.stdout or "utils" in linted.stdout

"""Every file in `schemas/contracts/broken` says at its end which problems it must get."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.accrual.contracts.check import check
from services.kernel.errors import Problem

BROKEN = Path(__file__).parents[4] / "schemas" / "contracts" / "broken"
FILES = sorted(BROKEN.glob("*.yaml"))
VERSIONS = sorted((BROKEN / "versions").glob("*.yaml"))


def expected(path: Path) -> list[str]:
    """The problems in the comment at the file's end, one a line, with the file's name in front."""
    _, _, listed = path.read_text(encoding="utf-8").partition("\n# problems:\n")
    return [f"{path.name}:{line.removeprefix('# ')}" for line in listed.splitlines()]


def problems(paths: list[Path]) -> tuple[Problem, ...]:
    return check((path.name, path.read_bytes()) for path in paths).problems


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_broken_contract_gets_every_problem_at_once(path: Path) -> None:
    assert [str(problem) for problem in problems([path])] == expected(path)


def test_versions_that_do_not_fit_each_other_get_every_problem_at_once() -> None:
    found = [str(problem) for problem in problems(VERSIONS)]
    assert found == [line for path in VERSIONS for line in expected(path)]


def test_each_version_is_sound_by_itself() -> None:
    for path in VERSIONS:
        assert problems([path]) == ()


def test_every_broken_example_lists_a_problem() -> None:
    assert len(FILES) >= 10
    assert [path.name for path in FILES if not expected(path)] == []


def test_a_problem_names_file_line_column_field_value_and_reason() -> None:
    found = problems([BROKEN / "miles.yaml"])
    assert found[0] == Problem(
        "is before its `from` (2026-12-31)",
        file="miles.yaml",
        line=8,
        column=30,
        field="term.to",
        value="2026-01-01",
    )

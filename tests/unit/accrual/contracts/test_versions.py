"""What may change between the versions of a contract."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.accrual.contracts.check import check
from services.accrual.contracts.parse import Signed
from services.accrual.contracts.versions import check_versions

Version = Callable[..., Signed]
TERM = "term: {from: 2026-01-01, to: 2026-12-31}"
CAP = 'limit: "50", of: reward, per: month'


@pytest.fixture
def version(signed: Callable[..., Signed]) -> Version:
    def make(
        number: int, first: str, last: str, limit: str = "50", per: str = "month", more: str = ""
    ) -> Signed:
        return signed(
            ("version: 3", f"version: {number}"),
            (TERM, f"term: {{from: {first}, to: {last}}}"),
            (CAP, f'limit: "{limit}", {more}of: reward, per: {per}'),
            file=f"v{number}.yaml",
        )

    return make


RESTART = "mid_period: restart, "


@pytest.mark.parametrize(
    ("first", "last", "limit", "per", "told"),
    [
        ("2026-03-15", "2026-12-31", "60", "month", "the month 2026-03"),
        ("2026-03-01", "2026-12-31", "60", "month", None),
        ("2026-03-15", "2026-12-31", "50", "month", None),
        ("2026-03-01", "2026-03-15", "60", "month", "the month 2026-03"),
        ("2026-03-15", "2026-12-31", "60", "day", None),
        ("2026-03-01", "2026-12-31", "60", "year", "the year 2026"),
        ("2027-01-01", "2027-12-31", "60", "year", None),
        ("2027-01-01", "2027-12-31", "60", "lifetime", "its lifetime"),
    ],
)
def test_a_cap_that_changes_inside_a_running_period_must_say_so(
    version: Version, first: str, last: str, limit: str, per: str, told: str | None
) -> None:
    old = version(1, "2026-01-01", "2026-12-31", per=per)
    new = version(2, first, last, limit, per)
    found = check_versions([old, new])
    if told is None:
        assert found == ()
    else:
        (problem,) = found
        assert problem.why == (
            f"differs from version 1 (v1.yaml) inside {told}: the count starts afresh, "
            "which must be said by `mid_period: restart`"
        )
        assert (problem.file, problem.field, problem.line) == ("v2.yaml", "rules[0].cap", 24)
        assert check_versions([old, version(2, first, last, limit, per, RESTART)]) == ()


def test_a_version_that_no_longer_holds_a_day_of_the_period_does_not_count(
    version: Version,
) -> None:
    first = version(1, "2026-01-01", "2026-12-31", "40")
    second = version(2, "2026-03-01", "2026-12-31", "50")
    third = version(3, "2026-03-15", "2026-12-31", "60")
    (problem,) = check_versions([first, second, third])
    assert problem.why.startswith("differs from version 2 (v2.yaml)")


def test_a_period_of_another_length_is_other_terms(version: Version) -> None:
    old = version(1, "2026-01-01", "2026-12-31", per="month")
    new = version(2, "2026-03-15", "2026-12-31", per="day")
    assert check_versions([old, new]) == (), "days of the new total hold no day of the old version"


def test_versions_are_told_in_any_order_of_their_files(version: Version) -> None:
    old = version(1, "2026-01-01", "2026-12-31")
    new = version(2, "2026-03-15", "2026-12-31", "60")
    assert check_versions([new, old]) == check_versions([old, new]) != ()


def test_an_example_amended_in_the_middle_of_a_month_is_accepted(
    signed: Callable[..., Signed],
) -> None:
    amended = signed(file="again.yaml")
    assert [problem.why for problem in check_versions([signed(), amended])] == [
        "this version of sky-visa stands in sky-visa.yaml already"
    ]


def test_contracts_of_other_names_are_not_compared(signed: Callable[..., Signed]) -> None:
    other = signed(("contract: sky-visa", "contract: sea-visa"), ("zone: Europe/Oslo", "zone: UTC"))
    assert check_versions([signed(), other]) == ()


def test_a_file_that_is_wrong_by_itself_hides_no_problem_of_the_others(
    edited: Callable[..., str],
) -> None:
    report = check(
        [
            ("a.yaml", "contract: sky-visa\n"),
            ("b.yaml", edited()),
            ("c.yaml", edited(("version: 3", "version: 4"), ("zone: Europe/Oslo", "zone: UTC"))),
        ]
    )
    assert [one.document.file for one in report.signed] == ["b.yaml", "c.yaml"]
    assert {problem.file for problem in report.problems} == {"a.yaml", "c.yaml"}
    assert [problem.field for problem in report.problems if problem.file == "c.yaml"] == [
        "term.from",
        "zone",
    ]

"""What may change between the versions of a contract."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.accrual.contracts.check import check
from services.accrual.contracts.parse import Signed, parse
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


CAP_OF_BASE = 'cap: {limit: "50", of: reward, per: month, scope: account, beyond: "0"}'
FROM_JUNE = ("term: {from: 2026-01-01, to: 2026-12-31}", "term: {from: 2026-06-10, to: 2026-12-31}")
MONTH = '{limit: "50", of: reward, per: month, scope: account, beyond: "0"}'
YEAR = '{limit: "400", of: reward, per: year, scope: account, beyond: "0"}'


@pytest.fixture
def capped(signed: Callable[..., Signed]) -> Callable[..., Signed]:
    def make(number: int, *caps: str) -> Signed:
        first = [FROM_JUNE] if number > 1 else []
        return signed(
            ("version: 3", f"version: {number}"),
            (CAP_OF_BASE, f"cap: [{', '.join(caps)}]"),
            *first,
            file=f"v{number}.yaml",
        )

    return make


def restart(cap: str) -> str:
    return cap.replace("}", ", mid_period: restart}")


def test_a_cap_says_that_it_restarts_because_the_one_it_feeds_changed(
    capped: Callable[..., Signed],
) -> None:
    old, wider = capped(1, MONTH, YEAR), YEAR.replace("400", "500")
    found = check_versions([old, capped(2, MONTH, wider)])
    assert [(problem.field, problem.why) for problem in found] == [
        (
            "rules[0].cap[0]",
            "feeds a total that differs from version 1 (v1.yaml) inside the month 2026-06: "
            "the count starts afresh, which must be said by `mid_period: restart`",
        ),
        (
            "rules[0].cap[1]",
            "differs from version 1 (v1.yaml) inside the year 2026: "
            "the count starts afresh, which must be said by `mid_period: restart`",
        ),
    ]
    assert check_versions([old, capped(2, restart(MONTH), restart(wider))]) == ()


def test_a_narrower_cap_that_changes_leaves_the_wider_one_alone(
    capped: Callable[..., Signed],
) -> None:
    less = MONTH.replace("50", "40")
    found = check_versions([capped(1, MONTH, YEAR), capped(2, less, YEAR)])
    assert [problem.field for problem in found] == ["rules[0].cap[0]"]


def test_a_cap_that_is_new_restarts_nothing_but_what_feeds_it(
    capped: Callable[..., Signed],
) -> None:
    found = check_versions([capped(1, MONTH), capped(2, MONTH, YEAR)])
    assert [problem.field for problem in found] == ["rules[0].cap[0]"]
    assert check_versions([capped(1, MONTH, YEAR), capped(2, YEAR)]) == ()


@pytest.mark.parametrize(
    ("name", "change", "field"),
    [
        ("bands-marginal", ('"0.05"', '"0.04"'), "rules[0].bands"),
        ("spend-cap", ('percent: "5"', 'percent: "4"'), "rules[0].cap"),
        ("spend-cap", ("mode: half_up", "mode: down"), "rules[0].cap"),
        ("threshold", ('"250"', '"300"'), "rules[0].threshold"),
        ("punch-card", ("every: 3", "every: 4"), "rules[0].count"),
        ("rounding-by-period", ('percent: "1.5"', 'percent: "2"'), "rules[0].rounding"),
        ("pool", ('units: "0.05"', 'units: "0.1"'), "rules[2].rounding"),
        ("membership-year", ('"25000.00"', '"20000.00"'), "rules[1].threshold"),
        ("billing-cycle", ('limit: "20"', 'limit: "30"'), "rules[0].cap"),
        ("week-and-quarter-caps", ('limit: "20"', 'limit: "30"'), "rules[0].cap"),
        ("category-rates", ('units: "3"', 'units: "4"'), None),
        ("punch-card", ('minimum_transaction: "20.00"', 'minimum_transaction: "30.00"'), None),
    ],
)
def test_every_kind_of_total_that_changes_inside_its_period_must_say_so(
    example: Callable[[str], str], name: str, change: tuple[str, str], field: str | None
) -> None:
    text = example(name)
    later = text.replace("version: 1", "version: 2").replace(*FROM_JUNE).replace(*change)
    assert later.count(change[1]) >= 1
    both = [parse(text, file="v1.yaml"), parse(later, file="v2.yaml")]
    found = check_versions(both)
    assert [problem.field for problem in found] == ([field] if field else [])


def test_a_pool_that_another_rule_owns_starts_afresh(signed: Callable[..., Signed]) -> None:
    moved = (
        ("version: 3", "version: 4"), FROM_JUNE, ("cap: {shared_with: base}", "CAP"),
        (CAP_OF_BASE, "cap: {shared_with: dining}"), ("CAP", CAP_OF_BASE),
    )  # fmt: skip
    (problem,) = check_versions([signed(), signed(*moved)])
    assert problem.field == "rules[1].cap"
    assert problem.why.startswith("differs from version 3 (sky-visa.yaml) inside the month 2026-06")


def test_versions_are_compared_where_their_files_have_other_problems(version: Version) -> None:
    one = version(1, "2026-01-01", "2026-12-31").text
    two = version(2, "2026-01-01", "2026-12-31").text
    broken = [
        ("zone.yaml", two.replace("version: 2", "version: 2\ncolour: blue")),
        ("later.yaml", two.replace("version: 2", "version: 3").replace("Oslo", "Atlantis")),
        ("torn.yaml", two.replace("version: 2", "version: two").replace("rules:", "rules: [")),
    ]
    report = check([("one.yaml", one), *broken])
    told = [(found.file, found.field, found.why) for found in report.problems]
    assert told[:2] == [
        ("zone.yaml", "colour", "unknown key"),
        ("zone.yaml", "term.from", "is the first day of version 1 (one.yaml) as well"),
    ]
    assert [(file, field) for file, field, _ in told[2:]] == [
        ("later.yaml", "term.from"), ("later.yaml", "term.from"), ("later.yaml", "zone"),
        ("torn.yaml", None),
    ]  # fmt: skip

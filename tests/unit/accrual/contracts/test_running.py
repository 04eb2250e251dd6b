"""The running totals of a version: their chain, their worth, and the hash that names them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.accrual.contracts.model import Contract
from services.accrual.contracts.parse import Signed, parse
from services.accrual.contracts.running import chains_of
from services.accrual.contracts.terms import Kind, Running

Read = Callable[[str], Contract]
Edit = Callable[..., Contract]
NAMES = [
    "4c15c4876dd418fa",
    "95d2e795753786e6",
    "b07c29a394754f02",
    "fc2c4c507dce36dc",
    "0ab78e951e826797",
]


@pytest.fixture
def edit(example: Callable[[str], str]) -> Edit:
    def changed(name: str, *replacements: tuple[str, str]) -> Contract:
        text = example(name)
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        return parse(text, file=f"{name}.yaml").contract

    return changed


def first(contract: Contract) -> Running:
    return next(iter(chains_of(contract).values()))[0]


def test_the_terms_of_a_cap_are_what_its_total_depends_on(signed: Callable[..., Signed]) -> None:
    def total(*replacements: tuple[str, str]) -> str:
        (cap,) = chains_of(signed(*replacements).contract)["base"]
        return cap.terms

    plain = total()
    assert len(plain) == 32
    assert total(('block: "10.00"', 'block: "20.00"')) == plain, "how it earns plays no part"
    assert total(("mode: down", "mode: up")) == plain, "nor does rounding while beyond is 0"
    assert total(('beyond: "0"', 'beyond: "0.00"')) == plain, "one number, written in two ways"
    assert total(('limit: "50"', 'limit: "51"')) != plain
    assert total(("per: month", "per: year")) != plain
    assert total(('beyond: "0"', 'beyond: "0.5"')) != plain
    beyond = ('beyond: "0"', 'beyond: "0.5"')
    assert total(beyond, ("mode: down", "mode: up")) != total(beyond), "beyond is rounded"


def test_a_total_keeps_its_name_over_releases(signed: Callable[..., Signed]) -> None:
    """Stored totals are found by this hash: another text of the same terms would lose them."""
    (cap,) = chains_of(signed().contract)["base"]
    assert cap.terms == "a0cb40a9f8e7bdbbbc66d322124c6e51"


@pytest.mark.parametrize(
    ("name", "kind", "worth"),
    [
        ("bands-marginal", Kind.BANDS, {0: 0, 99_999: 9, 100_000: 10, 200_000: 30, 210_000: 35}),
        ("bands-whole", Kind.BANDS, {49_999: 0, 50_000: 500, 99_999: 1000, 100_000: 2000}),
        ("threshold", Kind.THRESHOLD, {299_999: 0, 300_000: 100, 500_000: 250, 10**9: 250}),
        ("punch-card", Kind.COUNT, {0: 0, 2: 0, 3: 10, 5: 10, 6: 20}),
        ("spend-cap", Kind.SPEND, {10_000: 500, 150_000: 7500, 160_000: 7600}),
        ("rounding-by-period", Kind.ROUNDING, {0: 0, 3333: 0, 3334: 100, 10_000: 200}),
        ("caps-narrow-to-wide", Kind.CAP, {0: 0, 10: 10, 11: 10}),
    ],
)
def test_each_kind_of_total_is_worth_what_its_page_says(
    read: Read, name: str, kind: Kind, worth: dict[int, int]
) -> None:
    total = first(read(name))
    assert total.kind is kind
    assert {given: total.worth(given) for given in worth} == worth


def test_caps_are_fed_from_narrow_to_wide(read: Read) -> None:
    (chain,) = chains_of(read("caps-narrow-to-wide")).values()
    assert [(one.per, one.scope, one.straight) for one in chain] == [
        ("day", "card", 10), ("month", "account", 25), ("lifetime", "account", 40),
    ]  # fmt: skip
    assert [chain[2].worth(total) for total in (40, 45, 50)] == [40, 40, 41]


def test_a_rule_of_a_pool_keeps_what_is_its_own(read: Read) -> None:
    chains = chains_of(read("pool"))
    cap = chains["base"][0]
    assert chains["dining"] == (cap,)
    own, shared = chains["online"]
    assert (own.kind, own.owner, own.straight) == (Kind.ROUNDING, "online", 0)
    assert shared is cap


def test_a_total_is_named_by_all_that_it_feeds(edit: Edit) -> None:
    def names(*replacements: tuple[str, str]) -> list[str]:
        (chain,) = chains_of(edit("caps-narrow-to-wide", *replacements)).values()
        return [one.terms for one in chain]

    plain = names()
    assert len(set(plain)) == 3
    month = names(('limit: "25"', 'limit: "26"'))
    assert [month[0] != plain[0], month[1] != plain[1], month[2] == plain[2]] == [True] * 3
    assert [a == b for a, b in zip(names(('limit: "10"', 'limit: "9"')), plain, strict=True)] == [
        False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "change", "same"),
    [
        ("bands-whole", ('"0.02"', '"0.020"'), True),
        ("bands-whole", ('"0.02"', '"0.03"'), False),
        ("bands-whole", ("kind: whole", "kind: marginal"), False),
        ("bands-whole", ("mode: half_up", "mode: down"), False),
        ("spend-cap", ('percent: "5"', 'per_unit: {units: "0.05"}'), True),
        ("spend-cap", ('percent: "5"', 'percent: "4"'), False),
        ("spend-cap", ('["5812-5814"]', '["5812"]'), True),
        ("rounding-by-period", ('percent: "1.5"', 'percent: "1.50"'), True),
        ("rounding-by-period", ('percent: "1.5"', 'percent: "1.6"'), False),
        ("rounding-by-period", ('limit: "400.00"', 'limit: "401.00"'), False),
        ("punch-card", ("every: 3", "every: 4"), False),
        ("punch-card", ("mode: down", "mode: up"), True),
        ("threshold", ('units: "250"', 'units: "251"'), False),
    ],
)
def test_the_name_of_a_total_changes_with_what_it_depends_on(
    read: Read, edit: Edit, name: str, change: tuple[str, str], same: bool
) -> None:
    assert (first(edit(name, change)).terms == first(read(name)).terms) is same


def test_totals_keep_their_names_over_releases(read: Read) -> None:
    """Stored totals are found by these."""
    names = ("bands-marginal", "spend-cap", "threshold", "punch-card", "rounding-by-period")
    assert [first(read(name)).terms[:16] for name in names] == NAMES


def test_totals_say_themselves_in_words(read: Read) -> None:
    assert [first(read(name)).text for name in ("bands-whole", "punch-card", "card-scope")] == [
        "NOK per 1 NOK: 0.01 from 500.00, 0.02 from 1000.00 (whole bands) per month",
        "10 SKY-MILE for every 3 purchases per year",
        "cap of 10 SKY-MILE per day and card",
    ]

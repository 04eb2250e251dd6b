"""Every kind of running total, with figures that a bookkeeper can follow."""

from __future__ import annotations

from services.accrual.contracts.terms import Entry, Kind, Running, Scope
from services.kernel.calendar import Per
from tests.unit.accrual.engine.conftest import Till, cap, rule, running, terms


def banded(total: int) -> int:
    """1 mile per 10.00 up to 1,000.00 of spend, 3 miles per 10.00 of what is above; whole miles."""
    return (min(total, 100_000) + 3 * max(0, total - 100_000)) // 1_000


def stepped(total: int) -> int:
    """10,000 miles at 3,000.00; 15,000 in all at 5,000.00."""
    return 15_000 if total >= 500_000 else 10_000 if total >= 300_000 else 0


BANDS = running(Kind.BANDS, banded)
THRESHOLD = running(Kind.THRESHOLD, stepped)
EVERY_THIRD = running(Kind.COUNT, lambda n: 100 * (n // 3))
HALF_MILE = running(Kind.ROUNDING, lambda pieces: pieces // 2)
SPEND_CAP = running(Kind.SPEND, lambda total: min(total, 100_000) // 1_000, limit=100_000)


def test_a_purchase_that_crosses_a_band_earns_at_both_rates() -> None:
    till = Till(terms(rule(BANDS, entry=Entry.SPEND, earn=None)))
    till.spends("P1", 600)
    till.spends("P2", 600)
    till.spends("P3", 100)
    assert till.has() == {"P1": 60, "P2": 100, "P3": 30}  # P2: 40 + 3 · 20
    till.back("P1", 600)
    assert till.has() == {"P1": 0, "P2": 60, "P3": 10}  # 700.00 in all, below the second band
    assert till.totals() == {("r", "bands", "A1", "2026-03"): (70_000, 70)}


def test_a_threshold_is_paid_to_the_purchase_that_reaches_it_and_taken_back_with_it() -> None:
    till = Till(terms(rule(THRESHOLD, entry=Entry.SPEND, earn=None)))
    assert till.spends("P1", 2_000) == "NO_REWARD/NOT_REACHED"
    assert till.spends("P2", 1_500) == "POSTED"
    assert till.spends("P3", 1_600) == "POSTED"
    assert till.has() == {"P1": 0, "P2": 10_000, "P3": 5_000}
    till.back("P1", 1_000)  # 2,500.00 after P2, 4,100.00 after P3
    assert till.has() == {"P1": 0, "P2": 0, "P3": 10_000}
    till.back("P3", 1_600)
    assert till.has() == {"P1": 0, "P2": 0, "P3": 0}


def test_the_third_qualifying_purchase_earns_and_a_refund_moves_the_places() -> None:
    till = Till(terms(rule(EVERY_THIRD, entry=Entry.ONE, earn=None)))
    assert till.spends("P1", 10) == "NO_REWARD/NOT_REACHED"
    till.spends("P2", 10)
    till.spends("P3", 10)
    till.spends("P4", 10)
    assert till.has() == {"P1": 0, "P2": 0, "P3": 100, "P4": 0}
    till.back("P2", 5)
    assert till.has()["P3"] == 100  # something is left of P2: it still counts
    till.back("P2", 5)
    assert till.has() == {"P1": 0, "P2": 0, "P3": 0, "P4": 100}


def test_a_rest_of_rounding_is_carried_through_the_period() -> None:
    till = Till(terms(rule(HALF_MILE, entry=Entry.PIECES)))
    assert till.spends("P1", 10) == "NO_REWARD/ROUNDED_TO_ZERO"
    assert till.spends("P2", 10) == "POSTED"
    till.spends("P3", 10, day=1, month=4)
    assert till.has() == {"P1": 0, "P2": 1, "P3": 0}
    till.back("P1", 10)
    assert till.has() == {"P1": 0, "P2": 0, "P3": 0}


def test_a_cap_of_spend_leaves_nothing_past_its_limit() -> None:
    till = Till(terms(rule(SPEND_CAP, entry=Entry.SPEND)))
    till.spends("P1", 700)
    till.spends("P2", 700)
    assert till.spends("P3", 5) == "NO_REWARD/CAP_REACHED"
    assert till.has() == {"P1": 70, "P2": 30, "P3": 0}
    till.back("P1", 700)
    assert till.has() == {"P1": 0, "P2": 70, "P3": 0}  # 5.00 more is no whole block


def test_spend_that_rounds_to_nothing_under_an_open_cap_of_spend_says_so() -> None:
    till = Till(terms(rule(SPEND_CAP, entry=Entry.SPEND)))
    assert till.spends("P1", 5) == "NO_REWARD/ROUNDED_TO_ZERO"
    assert till.back("P1", 1) == "NO_REWARD/ROUNDED_TO_ZERO"


def test_a_cap_of_spend_that_was_full_says_so_also_of_a_purchase_in_the_middle() -> None:
    till = Till(terms(rule(SPEND_CAP, entry=Entry.SPEND)))
    till.spends("P1", 15)
    till.spends("P2", 1_100)
    till.spends("P3", 20)
    assert till.has() == {"P1": 1, "P2": 99, "P3": 0}
    assert till.back("P3", 10) == "NO_REWARD/CAP_REACHED"
    assert till.back("P1", 6) == "POSTED"  # what P1 leaves goes to P2
    assert till.back("P1", 1) == "NO_REWARD/ROUNDED_TO_ZERO"  # 8.00 are left, the first of all
    assert till.has() == {"P1": 0, "P2": 100, "P3": 0}


def chain() -> tuple[Running, ...]:
    """Bands, then at most 50 a day, then at most 120 a month."""
    return (BANDS, cap(50, per=Per.DAY), cap(120))


def test_each_total_is_fed_what_the_one_before_lets_through() -> None:
    till = Till(terms(rule(*chain(), entry=Entry.SPEND, earn=None)))
    till.spends("P1", 600, day=2)  # 60 by the bands, 50 that day
    till.spends("P2", 400, day=3)  # 40
    till.spends("P3", 100, day=4)  # 30 at the higher rate, 30 that day
    assert till.spends("P4", 100, day=5) == "NO_REWARD/CAP_REACHED"
    assert till.has() == {"P1": 50, "P2": 40, "P3": 30, "P4": 0}
    shares = till.purchase("P1").grants[0].shares
    assert [(s.kind, s.period, s.entered, s.granted) for s in shares] == [
        ("bands", "2026-03", 60_000, 60), ("cap", "2026-03-02", 60, 50), ("cap", "2026-03", 50, 50),
    ]  # fmt: skip
    till.back("P2", 400)
    # Bands: 60, 0, 10, 10 of 800.00; days 50, 10, 10; the month has room for all of it.
    assert till.has() == {"P1": 50, "P2": 0, "P3": 10, "P4": 10}
    assert till.totals()["r", "cap", "A1", "2026-03"] == (70, 70)


def test_rules_that_share_a_cap_take_the_room_in_the_contracts_order() -> None:
    pool = cap(50)
    base = rule(pool)
    extra = rule(BANDS, pool, id="extra", entry=Entry.SPEND, earn=None)
    till = Till(terms(base, extra))
    till.spends("P1", 300)
    assert (till.has("r"), till.has("extra")) == ({"P1": 30}, {"P1": 20})
    till.back("P1", 100)
    assert (till.has("r"), till.has("extra")) == ({"P1": 20}, {"P1": 20})


def test_a_total_of_a_card_is_the_cards_own() -> None:
    till = Till(terms(rule(cap(50, scope=Scope.CARD))))
    till.spends("P1", 700, card_token="K1")
    till.spends("P2", 700, card_token="K2")
    assert till.has() == {"P1": 50, "P2": 50}
    assert till.totals() == {
        ("r", "cap", "K1", "2026-03"): (70, 50),
        ("r", "cap", "K2", "2026-03"): (70, 50),
    }


def test_a_membership_year_starts_on_the_anniversary_of_the_opening() -> None:
    till = Till(
        terms(rule(cap(50, per=Per.MEMBERSHIP_YEAR))),
        opened_on="2020-03-03", closed_on="", cycle_day="",
    )  # fmt: skip
    till.spends("P1", 400, day=2)
    till.spends("P2", 400, day=3)
    assert till.has() == {"P1": 40, "P2": 40}
    assert {period for *_, period in till.totals()} == {
        "2025-03-03..2026-03-02", "2026-03-03..2027-03-02",
    }  # fmt: skip


def test_a_rule_whose_periods_need_a_date_that_is_not_known_does_not_hold() -> None:
    till = Till(terms(rule(cap(50, per=Per.BILLING_CYCLE))))
    assert till.spends("P1", 400) == "NO_REWARD/NO_RULE"

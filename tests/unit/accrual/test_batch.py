"""A decision that breaks fails its own event; the others are decided as if it had not come."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from services.accrual.batch import Decided, Loaded, decide_account, reconsider_account
from services.accrual.contracts.book import Book
from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.parse import parse
from services.accrual.engine.waiting import Waiting
from services.accrual.intake import Recorded
from services.accrual.reach import total_keys
from services.kernel.transaction import CardTransaction
from tests.support import builders

RULE = {
    "id": "base", "award": "base", "earn": {"per_block": {"block": "10.00", "units": "1"}},
    "rounding": {"mode": "down", "scale": "0", "level": "per_transaction"},
    "cap": {"limit": "50", "of": "reward", "per": "month", "scope": "account", "beyond": "0"},
}  # fmt: skip
BAD_DAY = date(2026, 3, 9)


class Breaking:
    """Everybody is enrolled; a bug waits on one day."""

    def __init__(self, *, broken: bool = True) -> None:
        self.broken = broken

    def enrolled(self, program: str, day: date) -> bool:
        if self.broken and day == BAD_DAY:
            raise ZeroDivisionError("a bug")
        return True

    def product(self, card_token: str, day: date) -> str | None:
        return None


def _book() -> Book:
    text = builders.as_text(builders.contract(rules=[RULE]))
    return Book([compile_terms(parse(text, file="c").contract)])


def _recorded(*events: CardTransaction) -> list[Recorded]:
    return [
        Recorded(1, seq, seq, 0, None, "books", b"", UUID(int=seq).bytes, event)
        for seq, event in enumerate(events, start=1)
    ]


def _decided(events: list[Recorded]) -> Decided:
    return decide_account("A1", events, Loaded(), book=_book(), enrolments=Breaking())


def _good(name: str) -> CardTransaction:
    return builders.event(name)


def _bad(name: str) -> CardTransaction:
    return builders.event(name, at=builders.datetime(2026, 3, 9, 12, tzinfo=builders.UTC))


def test_a_broken_decision_fails_one_event_and_no_other() -> None:
    decided = _decided(_recorded(_good("p1"), _bad("p2"), _good("p3")))
    assert [outcome for _, (outcome, _) in sorted(decided.outcomes.items())] == [
        "POSTED", "FAILED", "POSTED",
    ]  # fmt: skip
    assert [recorded.event.event_id for recorded, _ in decided.failed] == ["p2"]
    assert sum(transfer.amount for transfer in decided.transfers) == 20


def test_what_a_batch_looks_up_does_not_break_on_the_event_that_will_fail() -> None:
    events = _recorded(_good("p1"), _bad("p2"))
    keys = total_keys("A1", events, Loaded(), book=_book(), enrolments=Breaking())
    assert [key.period for key in keys] == ["2026-03"]


def test_purchases_that_are_assessed_before_come_to_the_same() -> None:
    events = _recorded(*(_good(f"p{number}") for number in range(1, 8)))
    loaded = Loaded()
    total_keys("A1", events, loaded, book=_book(), enrolments=Breaking())
    assert sorted(loaded.assessed) == [event.seq for event in events]
    decided = decide_account("A1", events, loaded, book=_book(), enrolments=Breaking())
    assert decided.transfers == _decided(events).transfers
    assert [transfer.amount for transfer in decided.transfers] == [10] * 5, "the cap is 50"


def test_a_purchase_that_its_batch_refunds_is_not_assessed_before() -> None:
    refund = builders.event("r1", "REFUND", original_event_id="p1")
    loaded = Loaded()
    total_keys("A1", _recorded(_good("p1"), refund), loaded, book=_book(), enrolments=Breaking())
    assert loaded.assessed == {}


def test_an_event_that_names_a_failed_one_links_to_it_in_the_same_batch_as_in_a_later_one() -> None:
    refund = builders.event("r1", "REFUND", original_event_id="p2")
    decided = _decided(_recorded(_bad("p2"), refund))
    assert decided.outcomes[1, 2] == ("NO_REWARD", "NO_PRESENTMENT")


def test_a_failed_event_joins_when_the_account_is_reconsidered_without_the_bug() -> None:
    loaded = Loaded(failed=[Waiting(1, _bad("p2"))], complete=True)
    decided = reconsider_account(
        "A1", loaded, stream_id=1, seq=2, first_leg=1, on=date(2026, 4, 1), book=_book(),
        enrolments=Breaking(broken=False),
    )  # fmt: skip
    assert [transfer.amount for transfer in decided.transfers] == [10]

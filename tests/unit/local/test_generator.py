"""The demo's play: the same for a seed everywhere, plausible to a processor's own models, and
holding every hostile case.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter

import pytest
from lithic.types import CardTransactionUpdatedWebhookEvent

from services.accrual.members.activations import read_activations
from services.accrual.members.csv import read_members
from services.ingest.feeds import jsonlines, lithic
from services.ingest.feeds.feed import Feed
from services.kernel.card import contains_card_number
from services.kernel.errors import Rejected
from services.kernel.transaction import CardTransaction, Role
from services.local import airline, bank
from services.local.generator import scenes
from services.local.generator.network import APRIL
from services.local.generator.people import FIRST_BANK, PRIME, SECOND_BANK
from services.local.generator.plan import Plan, plan

SIZE = 1_000
_DIGEST = f"""
import hashlib
from services.local.generator.plan import plan
played = plan(seed=7, transactions={SIZE})
sent = (*played.main, *played.afterwards, *played.network, *played.network_later)
parts = [part for record in sent for part in record[1:]]
parts += [played.members.encode(), played.late_members.encode()]
parts += [played.repaired_members.encode(), played.activations.encode()]
print(hashlib.sha256(b"|".join(parts)).hexdigest())
"""


@pytest.fixture(scope="module")
def played() -> Plan:
    return plan(seed=7, transactions=SIZE)


def _parsers() -> dict[str, object]:
    def feed(issuer: str, layout: str) -> Feed:
        return Feed(issuer, issuer, Role.BOOKS, f"card-feed.{issuer}", layout, frozenset({"arn"}))

    return {
        FIRST_BANK: jsonlines.parser(feed(FIRST_BANK, "milepost-json")),
        SECOND_BANK: lithic.parser(feed(SECOND_BANK, "lithic-events")),
    }


def _told(played: Plan) -> list[tuple[bytes, CardTransaction | Rejected]]:
    parsers = _parsers()
    return [
        (sent.key, event)
        for sent in (*played.main, *played.afterwards)
        for event in parsers[sent.feed](sent.value)  # type: ignore[operator]
    ]


def _digest(**variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _DIGEST], env={**os.environ, **variables}, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout


def test_the_same_seed_plays_the_same_in_any_zone_locale_and_hash_seed() -> None:
    first = _digest(TZ="Pacific/Kiritimati", LC_ALL="C", PYTHONHASHSEED="1")
    assert first == _digest(TZ="America/Adak", LC_ALL="tr_TR.UTF-8", PYTHONHASHSEED="2")


def test_another_seed_plays_otherwise(played: Plan) -> None:
    assert [sent.value for sent in plan(seed=8, transactions=SIZE).main] != [
        sent.value for sent in played.main
    ]


@pytest.mark.parametrize("size", [500, 1_000, 4_000])
def test_a_play_has_about_the_size_that_was_asked_for(size: int) -> None:
    assert abs(len(plan(seed=1, transactions=size).main) - size) <= size // 20 + 80


def test_every_snapshot_is_one_by_the_processors_own_model(played: Plan) -> None:
    snapshots = [sent.value for sent in played.main if sent.feed == SECOND_BANK]
    assert len(snapshots) > SIZE // 5
    for value in snapshots:
        CardTransactionUpdatedWebhookEvent.model_validate_json(value, strict=False)


def test_an_event_has_the_same_content_in_every_snapshot(played: Plan) -> None:
    seen: dict[str, CardTransaction] = {}
    for _, event in _told(played):
        if isinstance(event, CardTransaction) and event.issuer_id == SECOND_BANK:
            assert seen.setdefault(event.event_id, event) == event


def test_records_are_keyed_by_the_account_of_their_events(played: Plan) -> None:
    for key, event in _told(played):
        if isinstance(event, CardTransaction):
            assert key == event.account_id.encode()


def test_only_the_rubbish_is_rejected_and_for_every_reason_that_was_meant(played: Plan) -> None:
    reasons = [event.reason for _, event in _told(played) if isinstance(event, Rejected)]
    assert set(reasons) == {
        "NOT_UTF8", "NOT_JSON", "NOT_AN_OBJECT", "DUPLICATE_KEY", "UNKNOWN_FIELD", "UNKNOWN_KIND",
        "UNKNOWN_CURRENCY", "WRONG_ISSUER", "WRONG_TYPE", "BAD_VALUE", "CARD_NUMBER",
    }  # fmt: skip
    assert len(reasons) == 3 * 11


def test_every_scene_plays_and_its_events_are_sent(played: Plan) -> None:
    sent = {event.event_id for _, event in _told(played) if isinstance(event, CardTransaction)}
    assert {scene.case for scene in played.scenes} == {*scenes.SCENES, scenes.SETTLED}
    for scene in played.scenes:
        assert set(scene.events.values()) <= sent


def test_refunds_of_settled_purchases_come_afterwards(played: Plan) -> None:
    main = b"".join(sent.value for sent in played.main)
    for scene in played.scenes:
        if scene.case == scenes.SETTLED:
            assert scene.events["refund"].encode() not in main


def test_the_member_files_are_read_without_a_problem_and_hold_everybody_once(played: Plan) -> None:
    early = read_members(played.members.encode(), file="members.csv").members
    late = read_members(played.late_members.encode(), file="members-late.csv").members
    assert late
    assert {row.account_id for row in late} == played.late_accounts
    assert not {row.account_id for row in early} & played.late_accounts
    numbers = {row.membership_number for row in early if row.partner}
    assert all(number and len(number) == 11 and number.isdigit() for number in numbers)
    assert any(row.program == "sky-rewards" and row.membership_number is None for row in early)


def test_whom_the_airline_refuses_has_spent_and_gets_another_number(played: Plan) -> None:
    early = read_members(played.members.encode(), file="members.csv")
    before = {row.account_id: row for row in early.members}
    repaired = read_members(played.repaired_members.encode(), file="members-repaired.csv").members
    spent = {sent.key.decode() for sent in played.main}
    assert {"NO-900011", "NO-900012"} <= {row.account_id for row in repaired} & spent
    for row in repaired:
        old = before[row.account_id].membership_number
        assert old in airline.KNOWN
        assert row.membership_number not in (old, *airline.KNOWN)


def test_members_have_dates_and_the_premium_ones_opt_in_some_of_them_told_late(
    played: Plan,
) -> None:
    dates = read_members(played.members.encode(), file="members.csv").dates
    assert all(row.opened_on and row.cycle_day for row in dates)
    assert len({row.cycle_day for row in dates}) > 20
    early = read_activations(played.activations.encode(), file="a.csv").activations
    late = read_activations(played.late_activations.encode(), file="b.csv").activations
    assert len(early) > len(late) > 0
    assert not {row.account_id for row in early} & {row.account_id for row in late}


def test_nearly_all_purchases_are_plain(played: Plan) -> None:
    premium = [row for row in read_members(played.members.encode(), file="m.csv").members
               if row.program == PRIME]  # fmt: skip
    accounts = {row.account_id.encode() for row in premium}
    own = sum(sent.key in accounts for sent in played.main)
    assert 0 < own * 10 < len(played.main)


def test_no_id_can_be_taken_for_a_card_number(played: Plan) -> None:
    for sent in played.main:
        if sent.feed == SECOND_BANK:
            webhook = json.loads(sent.value)
            for name in ("token", "account_token", "card_token"):
                assert not contains_card_number(webhook[name])


def test_members_come_late_and_have_spent_before_whatever_the_seed() -> None:
    for seed in range(1, 13):
        small = plan(seed=seed, transactions=500)
        spent = {sent.key.decode() for sent in small.main if b'"kind":"PRESENTMENT"' in sent.value}
        assert small.late_accounts & spent, seed


def test_a_bank_has_payments_to_refuse_and_to_return_whatever_the_seed() -> None:
    for seed in range(1, 4):
        small = plan(seed=seed, transactions=500)
        spent = {sent.key.decode() for sent in small.main if b'"kind":"PRESENTMENT"' in sent.value}
        payees = {line.split(",")[1] for line in small.payouts.splitlines()[2:]}
        assert len(payees & spent) > bank.RETURNED


@pytest.mark.parametrize("seed", range(1, 5))
def test_the_network_tells_what_the_bank_booked_but_for_what_is_planted(seed: int) -> None:
    small = plan(seed=seed, transactions=500 * seed)
    parse = _parsers()[FIRST_BANK]
    seen: list[CardTransaction] = []
    for sent in (*small.network, *small.network_later):
        (event,) = parse(sent.value)  # type: ignore[operator]
        assert isinstance(event, CardTransaction)
        seen.append(event)
    booked = {
        event.arn: event for _, event in _told(small)
        if isinstance(event, CardTransaction) and event.arn and (event.posted_on or 0) >= APRIL
    }  # fmt: skip
    assert len({event.event_id for event in seen}) == len(seen)
    assert {sent.feed for sent in small.network} == {"first-bank-network"}
    amounts = Counter((event.arn, event.billing_amount) for event in seen)
    amounts.subtract((arn, event.billing_amount) for arn, event in booked.items())
    arns = {event.event_id: event.arn for event in (*seen, *booked.values())}
    wrong = {key: times for key, times in amounts.items() if times}
    strange, lost, changed, doubled = small.planted
    assert wrong == {
        (arns[strange.mark], strange.amount): 1,
        (arns[lost.mark], -lost.amount): -1,
        (changed.mark, booked[changed.mark].billing_amount + changed.amount): 1,
        (changed.mark, booked[changed.mark].billing_amount): -1,
        (doubled.mark, doubled.amount): 1,
    }
    assert arns[strange.mark] not in booked
    assert len({one.code for one in small.planted}) == len(small.planted) == 4

"""One account under both books, counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from services.accrual.batch import Loaded
from services.accrual.contracts.book import Book
from services.accrual.engine.eligibility import Enrolments
from services.accrual.engine.folding import Part, fold, parts
from services.accrual.engine.waiting import Waiting
from services.accrual.lifecycle.net import weigh
from services.accrual.lifecycle.purchase import Grant, Purchase
from services.accrual.trial.drafted import Drafted
from services.accrual.trial.tally import Moved, Pair, Sold, Tally, pair_of


def try_recorded(
    account_id: str,
    loaded: Loaded,
    *,
    stream_id: int,
    drafted: Drafted,
    enrolments: Enrolments,
    member_id: str,
) -> Tally:
    """An account as it is stored, all of its purchases loaded: its grants beside the draft's."""
    account = loaded.open(
        account_id, stream_id=stream_id, book=drafted.new, enrolments=enrolments
    )  # fmt: skip
    paid: dict[int, list[Grant]] = {}
    for purchase in account.purchases.values():
        paid[purchase.number] = [
            grant for grant in purchase.grants if grant.contract == drafted.contract
        ]
        purchase.grants = []
    account.reconsider(seq=0, on=date.min)
    return _counted(account.purchases.values(), paid, drafted=drafted, member_id=member_id)


def try_events(
    account_id: str,
    events: Sequence[Waiting],
    *,
    drafted: Drafted,
    enrolments: Enrolments,
    member_id: str,
) -> Tally:
    """An account from its events: what the approved terms make of it beside the draft's."""
    paid: dict[int, list[Grant]] = {}
    old = fold(
        events, stream_id=0, account_id=account_id, book=drafted.old, enrolments=enrolments
    )  # fmt: skip
    for purchase in old.purchases.values():
        paid[purchase.number] = purchase.grants
    new = fold(
        events, stream_id=0, account_id=account_id, book=drafted.new, enrolments=enrolments
    )  # fmt: skip
    return _counted(new.purchases.values(), paid, drafted=drafted, member_id=member_id)


def _counted(
    purchases: Iterable[Purchase],
    paid: Mapping[int, list[Grant]],
    *,
    drafted: Drafted,
    member_id: str,
) -> Tally:
    """The sums of one account. `purchases` hold the draft's grants, `paid` the old ones."""
    tally = Tally(accounts=1)
    for purchase in purchases:
        tally.events += len(purchase.legs)
        if purchase.issuer_id != drafted.issuer:
            continue
        old = _parts(paid.get(purchase.number, ()), drafted.old, drafted)
        new = _parts(purchase.grants, drafted.new, drafted)
        if old or new:
            _count(tally, purchase, old, new, member_id)
    return tally


def _parts(grants: Iterable[Grant], book: Book, drafted: Drafted) -> dict[Part, int]:
    held = [grant for grant in grants if drafted.window.holds(grant.governing_on)]
    return parts(held, book) if held else {}


def _count(
    tally: Tally,
    purchase: Purchase,
    old: Mapping[Part, int],
    new: Mapping[Part, int],
    member_id: str,
) -> None:
    by_rule: dict[str, Pair] = {}
    _enter(tally, by_rule, old, new=False)
    _enter(tally, by_rule, new, new=True)
    total = Pair(
        sum(pair.old for pair in by_rule.values()), sum(pair.new for pair in by_rule.values())
    )
    tally.purchases += 1
    tally.total.old += total.old
    tally.total.new += total.new
    member = pair_of(tally.members, member_id)
    member.old += total.old
    member.new += total.new
    for rule, pair in by_rule.items():
        earning = pair_of(tally.earning, rule)
        earning.old += pair.old > 0
        earning.new += pair.new > 0
    tally.gained += total.difference > 0
    tally.lost += total.difference < 0
    if any(pair.difference for pair in by_rule.values()):
        tally.keep(_moved(purchase, next(iter(new or old)).governing_on, member_id, total, by_rule))


def _enter(tally: Tally, by_rule: dict[str, Pair], held: Mapping[Part, int], *, new: bool) -> None:
    """Add one side. A fee is no reward: the funder pays it beside."""
    for part, amount in held.items():
        fee = part.party != ""
        pairs = [pair_of(tally.sold, Sold(part.version, part.rule, fee))]
        if fee:
            pairs.append(pair_of(tally.fees, part.party))
        else:
            pairs += [
                pair_of(tally.funders, part.funder), pair_of(tally.rules, part.rule),
                pair_of(by_rule, part.rule),
            ]  # fmt: skip
        for pair in pairs:
            if new:
                pair.new += amount
            else:
                pair.old += amount


def _moved(
    purchase: Purchase, on: date, member_id: str, total: Pair, by_rule: Mapping[str, Pair]
) -> Moved:
    net = weigh(purchase.counted)
    first = net.first
    return Moved(
        account_id=purchase.account_id,
        member_id=member_id,
        issuer_id=purchase.issuer_id,
        purchase=purchase.label,
        on=on,
        merchant=None if first is None else first.merchant,
        mcc=None if first is None else first.mcc,
        net=net.net,
        currency=net.currency,
        old=total.old,
        new=total.new,
        rules=tuple((rule, pair.old, pair.new) for rule, pair in sorted(by_rule.items())),
    )

"""What the engine is measured on: contracts of two sizes, ordinary purchases, an account that has
reached its cap. The same every time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random

from services.accrual.batch import Loaded, decide_account
from services.accrual.contracts.book import Book
from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.parse import parse
from services.accrual.decoding import decode_event
from services.accrual.intake import Recorded
from services.accrual.members.roster import MemberRow, Roster
from services.ingest.feeds.encoding import encode
from services.kernel.identifiers import identity
from services.kernel.transaction import BOOKS, CardTransaction, Kind
from services.local.load import FIRST_DAY, ISSUER, MERCHANTS, contract_text

STREAM = 1
PROGRAM = "bench-miles"
UNREACHED, REACHED = "1000000", "30000"
"""Miles a month that nobody here earns, and that the account with many purchases has earned."""
_DAY_MICROS = 86_400_000_000
_EPOCH_DAYS = FIRST_DAY.toordinal() - date(1970, 1, 1).toordinal()
_MIDNIGHT = _EPOCH_DAYS * _DAY_MICROS


@dataclass(frozen=True, slots=True)
class Case:
    """Events of one account that are to be decided, and what is loaded of it: what the purchases
    that they may touch make, and how to read all of it.
    """

    account_id: str
    events: list[Recorded]
    loaded: Loaded
    whole: Loaded | None = None


def five_rules(limit: str = UNREACHED) -> Book:
    """A base rate with a cap, three categories that share it, and one merchant."""
    return _book(
        [_rule("base", 0, "1", own_cap=limit)]
        + [
            _rule(name, priority, "2", mcc=mcc)
            for priority, (name, mcc) in enumerate(
                (("dining", "5812-5814"), ("fuel", "5541-5542"), ("electronics", "5732")), 1
            )
        ]
        + [_rule("partner-shop", 4, "4", merchant=MERCHANTS[0][0])]
    )


def many_rules(count: int) -> Book:
    """So many rules: a base rate with a cap, and categories and merchants that share it."""
    rules = [_rule("base", 0, "1", own_cap=UNREACHED)]
    for nth in range(1, count):
        if nth % 2:
            rules.append(_rule(f"rule-{nth}", nth, "2", mcc=f"{5_400 + nth:04d}"))
        else:
            rules.append(_rule(f"rule-{nth}", nth, "3", merchant=MERCHANTS[nth % 1_000][0]))
    return _book(rules)


def roster(account_id: str) -> Roster:
    """A member of the programme with one card."""
    return Roster.of(
        [
            MemberRow(
                account_id, f"tok-{account_id}", PROGRAM, date(2026, 1, 1), None, "m-1",
                "BENCH-GOLD", "bench-air", "7000001",
            )
        ]
    )  # fmt: skip


def purchases(count: int, *, accounts: int, seed: int = 1) -> list[Recorded]:
    """Ordinary purchases of March, with the fields that a bank fills in."""
    random = Random(seed)
    found = []
    for number in range(count):
        account = f"acct-{number % accounts:07d}"
        merchant, name, mcc, channel = random.choice(MERCHANTS)
        day = 31 * number // count
        found.append(
            _recorded(
                CardTransaction(
                    event_id=f"bench-{number:010d}", issuer_id=ISSUER,
                    kind=Kind.PRESENTMENT.value, account_id=account, card_token=f"tok-{account}",
                    card_product="BENCH-GOLD", authorization_code=f"{number:06X}",
                    occurred_at=_MIDNIGHT + day * _DAY_MICROS + random.randrange(80_000) * 10**6,
                    posted_on=_EPOCH_DAYS + day + 1,
                    billing_amount=10_000 + int(random.random() ** 3 * 100_000),
                    billing_currency="NOK", merchant_id=merchant, merchant_name=name,
                    merchant_city="OSLO", merchant_country="NO", mcc=mcc, channel=channel,
                ),
                number + 1,
            )
        )  # fmt: skip
    return found


def refund_of(bought: Recorded, seq: int) -> Recorded:
    """Half of a purchase goes back, a week later."""
    event = bought.event
    return _recorded(
        CardTransaction(
            event_id=f"bench-{seq:010d}", issuer_id=ISSUER, kind=Kind.REFUND.value,
            original_event_id=event.event_id, account_id=event.account_id,
            card_token=event.card_token, occurred_at=event.occurred_at + 7 * _DAY_MICROS,
            posted_on=(event.posted_on or 0) + 7,
            billing_amount=(event.billing_amount + 1) // 2, billing_currency="NOK",
        ),
        seq,
    )  # fmt: skip


def stored(events: list[Recorded], book: Book) -> Loaded:
    """What the database holds of an account after these events of it."""
    account_id = events[0].event.account_id
    decided = decide_account(account_id, events, Loaded(), book=book, enrolments=roster(account_id))
    (account,) = decided.accounts
    return Loaded(
        purchases={
            (found.stream_id, found.number): (found.issuer_id, found.body())
            for found in account.purchases.values()
        },
        totals={
            key: (total.unit, total.total, total.granted) for key, total in account.totals.items()
        },
        known=account.known,
    )


def _recorded(event: CardTransaction, seq: int) -> Recorded:
    body = encode(event)
    key = identity(BOOKS, event.issuer_id, event.event_id)
    return Recorded(STREAM, seq, seq, 0, None, BOOKS, body, key, decode_event(body))


def _book(rules: list[str]) -> Book:
    text = contract_text(PROGRAM, "rules:\n" + "\n".join(rules))
    return Book([compile_terms(parse(text, file="bench.yaml").contract)])


def _rule(
    name: str, priority: int, units: str, *, mcc: str = "", merchant: str = "", own_cap: str = ""
) -> str:
    lines = [f"  - id: {name}", "    award: base"]
    if mcc:
        lines.append(f'    when: {{mcc: ["{mcc}"]}}')
    if merchant:
        lines.append(f"    when: {{merchant: [{merchant}]}}")
    cap = "{shared_with: base}"
    if own_cap:
        cap = f'{{limit: "{own_cap}", of: reward, per: month, scope: account, beyond: "0"}}'
    return "\n".join(
        (
            *lines, "    exclusive_group: spend", f"    priority: {priority}",
            f'    earn: {{per_block: {{block: "10.00", units: "{units}"}}}}',
            "    rounding: {mode: down, scale: 0, level: per_transaction}", f"    cap: {cap}",
        )
    )  # fmt: skip

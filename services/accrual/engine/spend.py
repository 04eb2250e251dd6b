"""From the net of a purchase to what enters a rule's first total."""

from __future__ import annotations

from fractions import Fraction

from msgspec.structs import replace

from services.accrual.contracts.terms import Eligible, Entry, Refunds, Rule, Terms, round_to_step
from services.accrual.lifecycle.net import ZERO, Net, weigh
from services.accrual.lifecycle.purchase import Leg
from services.kernel.rates import Rounding, round_ratio
from services.kernel.transaction import Kind

_GROSS, _WITHOUT_CASH = Eligible.GROSS, Eligible.WITHOUT_CASH
_NONE, _FULL, _PROPORTIONAL = Refunds.NONE, Refunds.FULL, Refunds.PROPORTIONAL
_RECOMPUTE = Refunds.RECOMPUTE
_GOING_BACK = frozenset(map(str, (Kind.REFUND, Kind.REFUND_REVERSAL, Kind.ADJUSTMENT_CREDIT)))


def net_under(terms: Terms, net: Net, legs: list[Leg]) -> Net:
    """The net that earns under a contract: its refund policy, without the kinds it ignores."""
    if terms.refunds is _RECOMPUTE and not terms.ignored:
        return net
    left_out = terms.ignored | _GOING_BACK if terms.refunds is _NONE else terms.ignored
    counting = [leg for leg in legs if leg.kind not in left_out]
    if len(counting) < len(legs):
        net = weigh(counting)
    if terms.refunds is _FULL and net.returned > 0:
        return replace(net, net=0)
    return net


def eligible_amount(net: Net, terms: Terms, rule: Rule) -> int:
    """e: the part of the net that counts, round_half_up(min(net, maximum) · (G − X) / G)."""
    eligible = terms.eligible
    if rule.maximum is None and (
        eligible is _GROSS or (net.cash if eligible is _WITHOUT_CASH else net.tip_fee_tax) is ZERO
    ):
        return net.net if net.gross else 0
    return _eligible(net.net, net, terms, rule)


def _eligible(amount: int, net: Net, terms: Terms, rule: Rule) -> int:
    if rule.maximum is not None and rule.maximum < amount:
        amount = rule.maximum
    if terms.eligible is _GROSS:
        return amount if net.gross else 0
    excluded = net.cash if terms.eligible is _WITHOUT_CASH else net.tip_fee_tax
    if not net.gross:
        return 0
    if not excluded:
        return amount
    share = (net.gross - excluded) * amount
    return round_ratio(share.numerator, share.denominator * net.gross, Rounding.HALF_UP)


def entered(rule: Rule, spend: int, net: Net, terms: Terms) -> int:
    """What the purchase adds to the rule's first total; without a total, its reward.

    `spend` is its eligible amount. Under proportional refunds the reward of all that was spent is
    taken in the share that is left, and rounded again.
    """
    left = net.net
    if terms.refunds is not _PROPORTIONAL or left == net.spent or left == 0:
        return rule.entered(spend, left)
    whole = rule.entered(_eligible(net.spent, net, terms, rule), net.spent)
    share = Fraction(whole * left, net.spent)
    return round_to_step(share, step=rule.step, rounding=rule.rounding)


def worth(rule: Rule, net: Net, terms: Terms) -> Fraction | int:
    """u, by which the best rule of a group is found."""
    spend = eligible_amount(net, terms, rule)
    if rule.entry is Entry.REWARD:
        return entered(rule, spend, net, terms)
    return rule.reward(spend, net.net)

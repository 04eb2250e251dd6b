"""A running total before a purchase and with it, as a person says it: how much room a cap had, how
far a threshold is, the how-manieth purchase it was, what rounding carries on.
"""

from __future__ import annotations

from typing import Any

from services.accrual.contracts.terms import Kind, Rule, Running, Terms
from services.accrual.engine.words import amount_words, exact_words
from services.accrual.lifecycle.purchase import Grant, Share
from services.kernel.units import major

Step = dict[str, Any]


def total_step(
    grant: Grant, share: Share, running: Running, *, terms: Terms, rule: Rule, before: int
) -> Step:
    """The step of one total that a grant goes through; `before` is T before it."""
    through = before + share.entered
    was, now = running.worth(before), running.worth(through)
    one = _Passed(grant, share, running, terms, rule, before, through, was, now)
    text, more = one.told()
    return {
        "step": "total", "rule": grant.rule, "text": f"{grant.rule}: {text}",
        "owner": share.owner, "kind": share.kind, "period": share.period,
        "scope_id": share.scope_id, "limit": running.limit, "before": before, "after": through,
        "granted_before": was, "granted_after": now, "came_out": now - was, "unit": grant.unit,
        **more,
    }  # fmt: skip


class _Passed:
    """One total, and what it was and is worth."""

    def __init__(
        self,
        grant: Grant,
        share: Share,
        running: Running,
        terms: Terms,
        rule: Rule,
        before: int,
        after: int,
        was: int,
        now: int,
    ) -> None:
        self.unit, self.currency = grant.unit, terms.spend_currency
        self.running, self.rule, self.share = running, rule, share
        self.before, self.after, self.was, self.now = before, after, was, now
        shared = "" if share.owner == grant.rule else f", shared with {share.owner}"
        self.head = f"{running.text}{shared} ({share.period})"

    def told(self) -> tuple[str, Step]:
        """The text, and the numbers that only this kind has."""
        match self.running.kind:
            case Kind.CAP:
                return self._cap(), {}
            case Kind.SPEND:
                return self._spend(), {}
            case Kind.THRESHOLD:
                return self._threshold()
            case Kind.COUNT:
                return self._count()
            case Kind.ROUNDING:
                return self._rounding()
            case _:
                return self._bands(), {}

    def _reward(self, minor: int) -> str:
        return amount_words(minor, self.unit)

    def _spent(self, minor: int) -> str:
        return amount_words(minor, self.currency)

    def _gives(self) -> str:
        more = self.now - self.was
        return f"{self._reward(more)} more" if more else "nothing more"

    def _cap(self) -> str:
        entered, came_out = self.share.entered, self.now - self.was
        if self.running.beyond and self.was >= self.running.limit:
            given = self._reward(came_out) if came_out else "nothing"
            return (
                f"{self.head}: it was full before this purchase, and past it "
                f"{self._percent()} % still counts: of {self._reward(entered)} {given}"
            )
        taken = f"{major(self.was, self.unit)} of it were" if self.was else "none of it was"
        if came_out == entered:
            return (
                f"{self.head}: {taken} taken before this purchase, so there is room "
                f"for all {self._reward(entered)}"
            )
        if not came_out:
            return f"{self.head}: it was full before this purchase, so nothing of {entered} fits"
        text = (
            f"{self.head}: {taken} taken before this purchase, so of "
            f"{self._reward(entered)} there is room for {self._reward(came_out)}"
        )
        return f"{text}{self._beyond()}"

    def _beyond(self) -> str:
        if not self.running.beyond:
            return ""
        return f" (past the cap {self._percent()} % still counts)"

    def _percent(self) -> str:
        return exact_words(self.running.beyond * 100, "MILE")

    def _spend(self) -> str:
        room = max(0, self.running.limit - self.before)
        entered = self.share.entered
        if not room:
            counts = f"the cap was full before this purchase, so none of {self._spent(entered)}"
        elif room < entered:
            counts = f"of {self._spent(entered)} the first {self._spent(room)}"
        else:
            counts = f"all of {self._spent(entered)}"
        text = f"{self.head}: {self._spent(self.before)} were spent before, {counts} count fully"
        return f"{text}{self._beyond()}: {self._gives()}"

    def _bands(self) -> str:
        reached = [start for start, _ in self.running.steps if self.before < start <= self.after]
        step = f", which reaches the step from {self._spent(reached[-1])}" if reached else ""
        return (
            f"{self.head}: spend goes from {major(self.before, self.currency)} to "
            f"{self._spent(self.after)}{step}; worth {major(self.was, self.unit)} before, "
            f"{self._reward(self.now)} with it: {self._gives()}"
        )

    def _threshold(self) -> tuple[str, Step]:
        text = (
            f"{self.head}: spend goes from {major(self.before, self.currency)} to "
            f"{self._spent(self.after)}"
        )
        reached = [step for step in self.running.steps if self.before < step[0] <= self.after]
        if reached:
            reach, units = reached[-1]
            text += f", which reaches {self._spent(reach)} ({self._reward(units)} in all): "
            text += self._gives()
        coming = [step for step in self.running.steps if step[0] > self.after]
        if not coming:
            return text if reached else f"{text}; all of it was reached before", {}
        reach, units = coming[0]
        missing = reach - self.after
        text += f"; {self._spent(missing)} are missing to {self._spent(reach)}, which "
        text += f"{'make' if self.now else 'give'} {self._reward(units)}"
        return text, {"next": reach, "missing": missing}

    def _count(self) -> tuple[str, Step]:
        every, units = self.running.steps[0] if self.running.steps else (1, 0)
        nth = (self.after - 1) % every + 1
        text = f"{self.head}: this is purchase {self.after}, number {nth} of {every}"
        if nth == every:
            return f"{text}: {self._gives()}", {"nth": nth, "every": every}
        left = every - nth
        text += f"; {left} more {'is' if left == 1 else 'are'} needed for {self._reward(units)}"
        return text, {"nth": nth, "every": every, "missing": left}

    def _rounding(self) -> tuple[str, Step]:
        each = self.running.each
        exact_before, exact = each * self.before, each * self.after
        carried = exact - self.now
        said = exact_words(carried, self.unit)
        rest = (
            f"{said} {self.unit} are carried on"
            if carried >= 0
            else f"{said[1:]} {self.unit} are given ahead"
        )
        text = (
            f"{self.head}: the exact sum goes from {exact_words(exact_before, self.unit)} to "
            f"{exact_words(exact, self.unit)} {self.unit}, rounded from "
            f"{major(self.was, self.unit)} to {self._reward(self.now)}: {self._gives()}, {rest}"
        )
        return text, {"carried": said}

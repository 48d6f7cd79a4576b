"""What was gained since a hand was learned: two shares of different drawings, and what of their difference may be chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

from qtdigits.core.score.metrics import Tally
from qtdigits.core.texts import percent_digits


@dataclass(frozen=True)
class Gain:
    """How many drawings were read right `before` and are `now`. Neither may be empty."""

    before: Tally
    now: Tally

    @property
    def change(self) -> float:
        """-1 to 1."""
        return self.now.accuracy - self.before.accuracy

    @property
    def interval(self) -> tuple[float, float]:
        """Of the change, at 95 %: Newcombe's from the Wilson intervals of both (1998, method 10)."""
        (low_before, high_before), (low, high) = self.before.interval, self.now.interval
        before, now = self.before.accuracy, self.now.accuracy
        return (
            self.change - math.hypot(now - low, high_before - before),
            self.change + math.hypot(high - now, before - low_before),
        )

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the interval of the change leaves out 0, on either side."""
        low, high = self.interval
        return low > 0 or high < 0

    @property
    def is_proven(self) -> bool:
        """Whether all of the interval lies above 0."""
        return self.interval[0] > 0

    @property
    def sentence(self) -> str:
        """Such as: Before, 61 of 74 were read right, 82.4 % (72.2 to 89.4 %). The gain of 17.6 points is more than chance …"""
        return f"Before, {right_text(self.before)}. {self._conclusion}"

    @property
    def _conclusion(self) -> str:
        low, high = self.interval
        what = "gain" if self.change > 0 else "loss"
        size = f"The {what} of {abs(100 * self.change):.1f} points"
        interval = f"(95 % interval {100 * low:+.1f} to {100 * high:+.1f})"
        if self.is_beyond_chance:
            return f"{size} is more than chance explains {interval}."
        if self.change == 0:
            return f"Nothing was gained or lost so far {interval}."
        return f"{size} may still be chance {interval}: draw on, and it will show."


def right_text(tally: Tally) -> str:
    """Such as: 61 of 74 were read right, 82.4 % (72.2 to 89.4 %)."""
    low, high = (percent_digits(bound) for bound in tally.interval)
    were = "was" if tally.n == 1 else "were"
    share = percent_digits(tally.accuracy)
    return f"{tally.correct:,} of {tally.n:,} {were} read right, {share} % ({low} to {high} %)"

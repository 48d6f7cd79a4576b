"""Champion and challenger: two models on the same drawings, and whether the new one should be used.

What counts is who read which drawing: the drawings that both read right, or both wrong, say nothing about the difference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.formatting import percent_digits
from qtdigits.core.score.metrics import Tally

GUARD_TOLERANCE = 0.001
"""So much of MNIST a challenger may lose: a tenth of a point, about what two trainings of the same recipe differ by."""
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class PairedComparison:
    """Two readers of the same `n` drawings: how many each read right, and the drawings that only one of them did.

    `fixed`, `broken` and `still_wrong` hold the drawings' ids where they are stored, otherwise their places in the set.
    """

    n: int
    before: int
    after: int
    fixed: tuple[int, ...] = ()
    broken: tuple[int, ...] = ()
    still_wrong: tuple[int, ...] = ()

    @classmethod
    def of(
        cls, is_right_before: NDArray[np.bool_], is_right_after: NDArray[np.bool_], ids: tuple[int, ...] = ()
    ) -> PairedComparison:
        """From `(n,)` whether each drawing was read right, by the one and by the other."""
        names = np.asarray(ids) if ids else np.arange(len(is_right_before))

        def chosen(where: NDArray[np.bool_]) -> tuple[int, ...]:
            return tuple(int(name) for name in names[where])

        return cls(
            len(is_right_before),
            int(is_right_before.sum()),
            int(is_right_after.sum()),
            chosen(~is_right_before & is_right_after),
            chosen(is_right_before & ~is_right_after),
            chosen(~is_right_before & ~is_right_after),
        )

    def combined_with(self, other: PairedComparison) -> PairedComparison:
        """Both sets of drawings as one; their ids must be of one store."""
        return PairedComparison(
            self.n + other.n,
            self.before + other.before,
            self.after + other.after,
            self.fixed + other.fixed,
            self.broken + other.broken,
            self.still_wrong + other.still_wrong,
        )

    @property
    def p_value(self) -> float:
        """How likely so uneven a split of fixed and broken is if neither model were better."""
        return mcnemar_exact(len(self.fixed), len(self.broken))

    @property
    def gain(self) -> float:
        """By how much the accuracy rose, -1 to 1; 0 where nothing was read."""
        return (self.after - self.before) / self.n if self.n else 0.0

    def to_json(self) -> dict[str, Any]:
        return {
            "n": self.n,
            "before": self.before,
            "after": self.after,
            "fixed": list(self.fixed),
            "broken": list(self.broken),
            "still_wrong": list(self.still_wrong),
            "p_value": self.p_value,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> PairedComparison:
        """The inverse of `to_json`. Raises `KeyError`, `TypeError` or `ValueError` for another form."""
        lists = (tuple(map(int, values[name])) for name in ("fixed", "broken", "still_wrong"))
        return cls(int(values["n"]), int(values["before"]), int(values["after"]), *lists)


def mcnemar_exact(fixed: int, broken: int) -> float:
    """McNemar's test in its exact, two-sided form (McNemar 1947): binomial tails of a fair coin."""
    n = fixed + broken
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, k) for k in range(min(fixed, broken) + 1))
    return float(min(1.0, 2 * tail / 2**n))


class Recommendation(StrEnum):
    """USE: safe to take. KEEP: the model in use is better. ASK: the figures do not say which is better."""

    USE = "use"
    KEEP = "keep"
    ASK = "ask"


@dataclass(frozen=True)
class Comparison:
    """A new model beside the one in use.

    `hold_out`: the writer's drawings that nothing is ever trained on. `guard`: MNIST's images that no personal training sees.
    `champion` is the name of the model in use. `newer`: the writer's drawings that were judged while the new model was
    trained: not held out, but neither model has learned from them.
    """

    hold_out: PairedComparison
    guard: PairedComparison
    champion: str = ""
    newer: PairedComparison = PairedComparison(0, 0, 0)

    @property
    def hand(self) -> PairedComparison:
        """All of the writer's drawings that neither model has learned from."""
        return self.hold_out.combined_with(self.newer)

    @property
    def advice(self) -> Recommendation:
        """The rule; docs/decisions.md has its reasons."""
        guard_is_worse = self._has_lost_others and self.guard.p_value < SIGNIFICANT
        hand, is_sure = self.hand, self.hand.p_value < SIGNIFICANT
        if (guard_is_worse and hand.gain <= 0) or (hand.gain < 0 and is_sure):
            return Recommendation.KEEP
        if hand.gain < 0 or self._has_lost_others or not self.guard.n:
            return Recommendation.ASK
        if hand.gain > 0 or (not hand.n and self.guard.gain > 0 and self.guard.p_value < SIGNIFICANT):
            return Recommendation.USE
        return Recommendation.ASK

    @property
    def sentence(self) -> str:
        """Such as "reads 97.1 → 99.0 % of your 103 held-out drawings; 4 fixed, 2 broken; MNIST 99.68 → 99.66 %"."""
        parts = []
        hand = self.hand
        if hand.n:
            drawings = "drawing" if hand.n == 1 else "drawings"
            which = f"{hand.n:,} held-out {drawings}"
            if self.newer.n:
                which = f"{hand.n:,} {drawings} that neither has learned from"
            parts.append(f"reads {_change(hand, 1)} of your {which}")
            parts.append(f"{len(hand.fixed)} fixed, {len(hand.broken)} broken")
        else:
            parts.append("there are no held-out drawings of yours yet")
        if self.guard.n:
            parts.append(f"MNIST {_change(self.guard, 2)}")
        return "; ".join(parts)

    @property
    def evidence(self) -> str:
        """Why to believe that one reads this hand better, or not. "" where both read the same drawings right."""
        fixed, broken = len(self.hand.fixed), len(self.hand.broken)
        if not fixed + broken:
            return ""
        return (
            f"If neither were better, so uneven a split as {fixed} fixed and {broken} broken "
            f"would come about by chance in {_rarity(self.hand.p_value)} of cases."
        )

    @property
    def recommendation(self) -> str:
        """The advice with its reason, in a sentence for the person."""
        match self.advice:
            case Recommendation.USE:
                return self._praise
            case Recommendation.KEEP if self.hand.gain < 0:
                return "It reads you worse: keep the model in use."
            case Recommendation.KEEP:
                return "It has forgotten some of MNIST: keep the model in use."
            case Recommendation.ASK if self.hand.gain > 0:
                return f"{self._gained}. {self._cost}"
            case Recommendation.ASK if not self.hand.n:
                return "Whether it reads you better shows when more of yours is held out: about one drawing in five is."
            case Recommendation.ASK if self.hand.before == self.hand.after == self.hand.n:
                return "Both read all of these drawings: as you like."
            case Recommendation.ASK:
                return "No clear difference on these drawings: as you like."

    @property
    def _has_lost_others(self) -> bool:
        return -self.guard.gain > GUARD_TOLERANCE

    @property
    def _cost(self) -> str:
        """What stands against a gain."""
        if not self.guard.n:
            return "What it has lost of other people's digits cannot be told without MNIST: as you like."
        perhaps = "" if self.guard.p_value < SIGNIFICANT else ", perhaps by chance"
        lost = f"{-100 * self.guard.gain:.1f} points of MNIST are lost{perhaps}"
        return f"It reads other people worse: {lost}. Use it where you alone draw."

    @property
    def _gained(self) -> str:
        if self.hand.p_value < SIGNIFICANT:
            return "It reads you better"
        return "It reads more of your drawings, though with so few that may be chance"

    @property
    def _praise(self) -> str:
        """No more than the figures say: of few drawings a gain may be chance, and a little of MNIST may be lost."""
        if not self.hand.n:
            return "It reads MNIST better; how it reads you is not known yet: use it."
        lost = "hardly any of MNIST" if self.guard.gain < 0 else "nothing of MNIST"
        return f"{self._gained}, and {lost} is lost: use it."

    def to_json(self) -> dict[str, Any]:
        return {
            "hold_out": self.hold_out.to_json(),
            "guard": self.guard.to_json(),
            "champion": self.champion,
            "newer": self.newer.to_json(),
            "advice": self.advice.value,
            "sentence": self.sentence,
            "recommendation": self.recommendation,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Comparison:
        """The inverse; advice and words are found anew."""
        return cls(
            PairedComparison.from_json(values["hold_out"]),
            PairedComparison.from_json(values["guard"]),
            str(values.get("champion", "")),
            PairedComparison.from_json(values["newer"]) if "newer" in values else PairedComparison(0, 0, 0),
        )


def _rarity(p: float) -> str:
    """Such as 63 %, 3 %, 0.2 % or less than 0.1 %."""
    if p < 0.001:
        return "less than 0.1 %"
    return f"{100 * p:.0f} %" if p >= 0.01 else f"{100 * p:.1f} %"


def _change(paired: PairedComparison, digits: int) -> str:
    before, after = (percent_digits(count / paired.n, digits) for count in (paired.before, paired.after))
    return f"{before} → {after} %"


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

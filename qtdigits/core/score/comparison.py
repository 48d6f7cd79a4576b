"""Two models on the same drawings: what changed, whether it may be chance, and whether the new one should be used.

Only drawings that one model reads and the other does not tell the two apart (McNemar 1947).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.formatting import counted, percent, percent_digits, percent_range
from qtdigits.core.score.metrics import Tally

METHOD = (
    "Both read the same drawings, each with a memory of all the others. No network had learned from the drawing that it read: "
    "those that the new one has learned from were read by trainings that left them out."
)
"""How a comparison is made, for the person."""

GUARD_TOLERANCE = 0.001
"""So much of MNIST a challenger may lose: a tenth of a point, about what two trainings of the same recipe differ by."""
SIGNIFICANT = 0.05
LEAST_P_SHOWN = 0.001


@dataclass(frozen=True)
class PairedComparison:
    """Two models, or a model before and after a training, on the same `n` drawings: how many each read right.

    `n_fixed` drawings only the second reads right, `n_broken` only the first. `fixed`, `broken` and `still_wrong` are the ids
    of these drawings, or their places in the set where they are not stored; empty where only numbers were kept.
    """

    n: int = 0
    before: int = 0
    after: int = 0
    n_fixed: int = 0
    n_broken: int = 0
    fixed: tuple[int, ...] = ()
    broken: tuple[int, ...] = ()
    still_wrong: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        is_right_before: NDArray[np.bool_],
        is_right_after: NDArray[np.bool_],
        ids: Sequence[int] | None = None,
    ) -> PairedComparison:
        """Compare by `(n,)` whether each drawing was read right. `ids` are kept where they are given."""
        changes = (
            ~is_right_before & is_right_after,
            is_right_before & ~is_right_after,
            ~is_right_before & ~is_right_after,
        )
        names = np.asarray([] if ids is None else ids, np.int64)
        kept = () if ids is None else tuple(tuple(names[where].tolist()) for where in changes)
        fixed, broken, _ = (int(where.sum()) for where in changes)
        return cls(
            len(is_right_before), int(is_right_before.sum()), int(is_right_after.sum()), fixed, broken, *kept
        )

    @classmethod
    def of_totals(cls, n: int, before: int, after: int) -> PairedComparison:
        """Assume that as few drawings changed as the totals allow: either none was broken, or none was fixed."""
        return cls(n, before, after, max(0, after - before), max(0, before - after))

    @classmethod
    def of_ids(
        cls,
        n: int,
        before: int,
        after: int,
        fixed: Sequence[int] = (),
        broken: Sequence[int] = (),
        still_wrong: Sequence[int] = (),
    ) -> PairedComparison:
        """Count the ids."""
        ids = tuple(fixed), tuple(broken), tuple(still_wrong)
        return cls(n, before, after, len(ids[0]), len(ids[1]), *ids)

    def combined_with(self, other: PairedComparison) -> PairedComparison:
        """Return both sets of drawings as one; their ids must be of one store."""
        values = ([getattr(found, field.name) for field in fields(found)] for found in (self, other))
        return PairedComparison(*(mine + its for mine, its in zip(*values, strict=True)))

    def without(self, ids: Collection[int]) -> PairedComparison:
        """Return the comparison without these drawings, as far as they are among the ids that were kept."""
        fixed, broken, still_wrong = (
            tuple(i for i in kept if i not in ids) for kept in (self.fixed, self.broken, self.still_wrong)
        )
        n_fixed, n_broken = len(self.fixed) - len(fixed), len(self.broken) - len(broken)
        return replace(
            self,
            n=self.n - n_fixed - n_broken - (len(self.still_wrong) - len(still_wrong)),
            before=self.before - n_broken,
            after=self.after - n_fixed,
            n_fixed=self.n_fixed - n_fixed,
            n_broken=self.n_broken - n_broken,
            fixed=fixed,
            broken=broken,
            still_wrong=still_wrong,
        )

    @property
    def tally_before(self) -> Tally:
        return Tally(self.n, self.before)

    @property
    def tally_after(self) -> Tally:
        return Tally(self.n, self.after)

    @property
    def p_value(self) -> float:
        """How likely so uneven a split of fixed and broken is if neither model were better."""
        return mcnemar_exact(self.n_fixed, self.n_broken)

    @property
    def is_significant(self) -> bool:
        return self.p_value < SIGNIFICANT

    @property
    def is_clear(self) -> bool:
        """Whether the difference is significant, and each accuracy lies outside the interval of the other."""
        if not self.n or not self.is_significant:
            return False
        worse, better = sorted((self.tally_before, self.tally_after), key=lambda tally: tally.correct)
        return better.accuracy > worse.interval[1] and worse.accuracy < better.interval[0]

    @property
    def gain(self) -> float:
        """By how much the accuracy rose, -1 to 1; 0 where nothing was read."""
        return (self.after - self.before) / self.n if self.n else 0.0

    @property
    def evidence(self) -> str:
        """Why to believe that the second reads better, or not. "" where both read the same drawings right."""
        if not self.n_fixed + self.n_broken:
            return ""
        split = f"{self.n_fixed} fixed and {self.n_broken} broken"
        if self.p_value >= 1:
            return f"{split}: that does not tell which is better."
        rarity = _rarity(self.p_value)
        return f"If neither were better, a split as uneven as {split} would occur by chance in {rarity} of cases."

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
        """The inverse of `to_json`, of a comparison with ids. Raises `KeyError`, `TypeError` or `ValueError` for another form."""
        lists = (tuple(map(int, values[name])) for name in ("fixed", "broken", "still_wrong"))
        return cls.of_ids(int(values["n"]), int(values["before"]), int(values["after"]), *lists)


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
    `champion` is the name of the model in use. `others`: the writer's other drawings, which were judged while the new model was
    trained, or read by trainings that left them out.
    """

    hold_out: PairedComparison
    guard: PairedComparison
    champion: str = ""
    others: PairedComparison = PairedComparison()

    @property
    def hand(self) -> PairedComparison:
        """All of the writer's drawings that were read by networks that have not learned from them."""
        return self.hold_out.combined_with(self.others)

    def without(self, ids: Collection[int]) -> Comparison:
        """Return the comparison without these drawings of the writer, whose labels may have been changed since."""
        return replace(self, hold_out=self.hold_out.without(ids), others=self.others.without(ids))

    @property
    def advice(self) -> Recommendation:
        """The rule; docs/decisions.md has its reasons."""
        guard_is_worse = self._has_lost_others and self.guard.is_significant
        hand = self.hand
        if (guard_is_worse and hand.gain <= 0) or (hand.gain < 0 and hand.is_significant):
            return Recommendation.KEEP
        if hand.gain < 0 or self._has_lost_others or not self.guard.n:
            return Recommendation.ASK
        if hand.gain > 0 or (not hand.n and self.guard.gain > 0 and self.guard.is_significant):
            return Recommendation.USE
        return Recommendation.ASK

    def headline(self, writer: str = "") -> str:
        """Such as: The new one reads 13 of your 13 held-out drawings right. The one in use: 12.

        `writer` is whose drawings they are, where those are not the person's own.
        """
        hand = self.hand
        if not hand.n:
            return "A new model is ready."
        drawings = counted(hand.n, self._kind)
        told = f"{drawings} by {writer}" if writer else f"your {drawings}"
        return f"The new one reads {hand.after:,} of {told} right. The one in use: {hand.before:,}."

    @property
    def _kind(self) -> str:
        return "drawing" if self.others.n else "held-out drawing"

    @property
    def intervals(self) -> str:
        """Wilson's 95 % intervals of both accuracies, "" where nothing was read."""
        if not self.hand.n:
            return ""
        before, after = (
            percent_range(*tally.interval) for tally in (self.hand.tally_before, self.hand.tally_after)
        )
        return f"95 % intervals: the new one {after}, the one in use {before}."

    @property
    def sentence(self) -> str:
        """Such as "reads 97.1 → 99.0 % of your 103 held-out drawings; 4 fixed, 2 broken; MNIST 99.68 → 99.66 %"."""
        parts = []
        hand = self.hand
        if hand.n:
            parts.append(f"reads {_change(hand, 1)} of your {counted(hand.n, self._kind)}")
            parts.append(f"{hand.n_fixed} fixed, {hand.n_broken} broken")
        else:
            parts.append("there are no drawings of yours to tell by yet")
        if self.guard.n:
            parts.append(f"MNIST {_change(self.guard, 2)}")
        return "; ".join(parts)

    @property
    def recommendation(self) -> str:
        """The advice with its reason, in a sentence for the person."""
        match self.advice:
            case Recommendation.USE:
                return self._praise
            case Recommendation.KEEP if self.hand.gain < 0:
                return "It reads you worse: keep the model in use."
            case Recommendation.KEEP:
                return "It reads the digits of other people (MNIST) worse: keep the model in use."
            case Recommendation.ASK if self.hand.gain > 0:
                return f"{self._gained}. {self._cost}"
            case Recommendation.ASK if self.hand.n and not self.hand.gain and self._has_lost_others:
                return f"It reads as many of your drawings. {self._cost}"
            case Recommendation.ASK if not self.hand.n:
                return "More drawings of yours are needed to tell."
            case Recommendation.ASK if self.hand.before == self.hand.after == self.hand.n:
                return "Both read all of these drawings: use either."
            case Recommendation.ASK:
                return "No clear difference on these drawings: use either."

    @property
    def _has_lost_others(self) -> bool:
        return -self.guard.gain > GUARD_TOLERANCE

    @property
    def _cost(self) -> str:
        """What stands against a gain."""
        if not self.guard.n:
            return "Whether it reads other people worse is unknown without MNIST: your choice."
        perhaps = "" if self.guard.is_significant else ", perhaps by chance"
        lost = f"{-100 * self.guard.gain:.1f} points of MNIST are lost{perhaps}"
        return f"It reads other people worse: {lost}. Use it only if you alone draw."

    @property
    def _gained(self) -> str:
        if self.hand.is_significant:
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
            "others": self.others.to_json(),
            "advice": self.advice.value,
            "sentence": self.sentence,
            "recommendation": self.recommendation,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Comparison:
        """The inverse; advice and words are found anew. Earlier versions said "newer" for "others"."""
        others = values.get("others", values.get("newer"))
        return cls(
            PairedComparison.from_json(values["hold_out"]),
            PairedComparison.from_json(values["guard"]),
            str(values.get("champion", "")),
            PairedComparison() if others is None else PairedComparison.from_json(others),
        )


def _rarity(p: float) -> str:
    """Such as 63 %, 3 %, 0.2 % or less than 0.1 %."""
    if p < LEAST_P_SHOWN:
        return f"less than {percent(LEAST_P_SHOWN)}"
    return percent(p, 0 if p >= 0.01 else 1)


def _change(paired: PairedComparison, digits: int) -> str:
    before, after = paired.tally_before.accuracy, paired.tally_after.accuracy
    return f"{percent_digits(before, digits)} → {percent(after, digits)}"


@dataclass(frozen=True)
class Gain:
    """How many drawings were read right `before` and are `now`, of different drawings. Neither may be empty."""

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

    def headline(self, writer: str = "") -> str:
        """Such as: Since it learned from you: 60 of 60 read right. Before: 55 of 60. `writer` as in `Comparison`."""
        now, before = (f"{tally.correct:,} of {tally.n:,}" for tally in (self.now, self.before))
        return f"Since it learned from {writer or 'you'}: {now} read right. Before: {before}."

    @property
    def recommendation(self) -> str:
        """What follows from it for the person, without figures."""
        if self.is_proven:
            return "That is more than chance explains."
        if self.is_beyond_chance:
            return "It reads you worse than before, by more than chance explains: go back to the old one."
        if self.change == 0:
            return "Nothing was gained or lost so far."
        return "That may still be chance: draw on, and it will show."

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


def memory_headline(found: PairedComparison, writer: str = "") -> str:
    """Such as: Your corrections already help: 48 of 50 read right. The network alone: 43.

    `found` has the network alone before, and what was shown after. "" where memory has changed nothing. `writer` as in
    `Comparison`.
    """
    if not found.n_fixed + found.n_broken:
        return ""
    whose = f"Corrections by {writer}" if writer else "Your corrections"
    helps = f"{whose} already help: " if found.gain > 0 else "With what it remembers, "
    return f"{helps}{found.after:,} of {found.n:,} read right. The network alone: {found.before:,}."


def right_text(tally: Tally) -> str:
    """Such as: 61 of 74 were read right, 82.4 % (72.2 to 89.4 %)."""
    were = "was" if tally.n == 1 else "were"
    share, within = percent(tally.accuracy), percent_range(*tally.interval)
    return f"{tally.correct:,} of {tally.n:,} {were} read right, {share} ({within})"

"""A guided session: which digit to ask for next, and when enough has been drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from qtdigits.core.score.metrics import wilson_interval

LEAST_DRAWINGS = 30
MOST_DRAWINGS = 300
EXPECTED_RIGHT, EXPECTED_WEIGHT = 0.99, 20
"""How much is right before anything is known, and how many drawings that guess weighs: only for saying how long it takes."""


def asked_order(labels: Sequence[str], seed: int) -> Iterator[str]:
    """Labels without end, in blocks: each block has every label once, shuffled, and no label comes twice in a row.

    So after any number of drawings no label was asked for more than once more than another (permuted blocks, as in
    clinical trials), and nobody can prepare for the next.
    """
    rng = np.random.default_rng(seed)
    last = ""
    while labels:
        block = [labels[i] for i in rng.permutation(len(labels))]
        if len(block) > 1 and block[0] == last:
            place = int(rng.integers(1, len(block)))
            block[0], block[place] = block[place], block[0]
        yield from block
        last = block[-1]


@dataclass(frozen=True)
class Goal:
    """When a guided session ends: the 95 % interval reaches no farther than `half_width` to either side, on average.

    Not before `least` drawings, and with `most` in any case: a model that reads badly would keep its writer for hours.
    """

    half_width: float
    least: int = LEAST_DRAWINGS
    most: int = MOST_DRAWINGS

    def is_reached(self, correct: int, n: int) -> bool:
        """After `n` drawings, `correct` of them read right."""
        low, high = wilson_interval(correct, n)
        return n >= self.most or (n >= self.least and (high - low) / 2 <= self.half_width)

    def about(self, correct: int, n: int) -> int:
        """About how many drawings it will take in all, if as many are right from now on as so far."""
        share = (correct + EXPECTED_RIGHT * EXPECTED_WEIGHT) / (n + EXPECTED_WEIGHT)
        rest = max(n, self.least)
        while rest < self.most and not self.is_reached(round(correct + share * (rest - n)), rest):
            rest += 1
        return min(self.most, 10 * math.ceil(rest / 10)) if rest > n else n


@dataclass(frozen=True)
class Judged:
    """One drawing of a guided session. `was_asked`: the truth is the digit that was asked for."""

    was_asked: bool
    is_right: bool


@dataclass(frozen=True)
class GuidedRun:
    """How far a guided session is; a value, so that taking a judgement back is going back to the value before.

    What was asked for and drawn as something else counts, as every judged drawing does, and is asked for again.
    """

    labels: tuple[str, ...]
    seed: int
    goal: Goal
    judged: tuple[Judged, ...] = ()
    skipped: int = 0

    @property
    def asked(self) -> str:
        """The label to draw next."""
        done = sum(j.was_asked for j in self.judged)
        return next(islice(asked_order(self.labels, self.seed), done, None), "")

    @property
    def n(self) -> int:
        return len(self.judged)

    @property
    def correct(self) -> int:
        return sum(j.is_right for j in self.judged)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, at 95 %, of the accuracy so far."""
        return wilson_interval(self.correct, self.n)

    @property
    def about(self) -> int:
        """About how many drawings the session will take in all."""
        return self.goal.about(self.correct, self.n)

    @property
    def is_done(self) -> bool:
        return self.goal.is_reached(self.correct, self.n)

    def with_drawing(self, truth: str, *, is_right: bool) -> GuidedRun:
        """`truth` is the label that was judged, which need not be the one that was asked for."""
        return replace(self, judged=(*self.judged, Judged(truth == self.asked, is_right)))

    def with_skipped(self, change: int = 1) -> GuidedRun:
        return replace(self, skipped=max(0, self.skipped + change))

    def without_last(self) -> GuidedRun:
        return replace(self, judged=self.judged[:-1])

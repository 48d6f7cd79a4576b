"""Whether answers are right as often as they say: a reliability diagram (Guo et al. 2017) as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.score.metrics import BINS, bin_of, wilson_interval


@dataclass(frozen=True)
class Bin:
    """Answers whose probability lies from `low` to `high`: how many, how sure on average, and how many are right."""

    low: float
    high: float
    n: int
    confidence: float
    correct: int

    @property
    def accuracy(self) -> float:
        """0 to 1; a bin is never empty."""
        return self.correct / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy."""
        return wilson_interval(self.correct, self.n)


Reliability = tuple[Bin, ...]
"""The bins that have answers in them, the least sure first."""


def reliability_of(
    confidence: NDArray[np.float32], is_right: NDArray[np.bool_], bins: int = BINS
) -> Reliability:
    """`(n,)` probabilities of the answers, in equal bins from 0 to 1, as the expected calibration error has them."""
    place = bin_of(confidence, bins)
    n = np.bincount(place, minlength=bins)
    total = np.bincount(place, confidence, minlength=bins)
    right = np.bincount(place, is_right, minlength=bins)
    return tuple(
        Bin(i / bins, (i + 1) / bins, int(n[i]), float(total[i] / n[i]), int(right[i]))
        for i in range(bins)
        if n[i]
    )


def reliability_to_json(reliability: Reliability) -> list[list[float]]:
    """A row for each bin: low, high, n, confidence, correct."""
    return [[round(b.low, 6), round(b.high, 6), b.n, round(b.confidence, 6), b.correct] for b in reliability]


def reliability_from_json(rows: Sequence[Sequence[float]]) -> Reliability:
    """The inverse of `reliability_to_json`. Raises `ValueError` when a row has another form."""
    return tuple(
        Bin(float(low), float(high), int(n), float(confidence), int(correct))
        for low, high, n, confidence, correct in rows
    )

"""Calibration: whether answers are right as often as they say, and below which probability an answer is "not sure".

A model answers every drawing with its best class, also a scribble or a letter. A threshold on the probability of that
class catches most of those and leaves a few real digits undecided; it is chosen on data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.score.metrics import Tally

BINS = 15
"""Of probabilities, where it is counted how often answers are right (Guo et al. 2017)."""

Confidence = NDArray[np.floating]
"""`(n,)`: the probability of each answer, 0 to 1."""


def bin_index(confidence: Confidence, bins: int = BINS) -> NDArray[np.int64]:
    """Return the number of each probability's bin, of so many equal ones from 0 to 1: `(n,)`."""
    return np.minimum((confidence * bins).astype(np.int64), bins - 1)


def expected_calibration_error(
    confidence: Confidence, is_right: NDArray[np.bool_], bins: int = BINS
) -> float:
    """Return the mean distance between the probability of an answer and how often such answers are right.

    Equal bins of confidence, weighted by their number (Guo et al. 2017). NaN when nothing was counted.
    """
    if not len(confidence):
        return math.nan
    surplus = np.bincount(bin_index(confidence, bins), confidence - is_right, minlength=bins)
    return float(np.abs(surplus).sum() / len(confidence))


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
        return Tally(self.n, self.correct).accuracy

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy."""
        return Tally(self.n, self.correct).interval


Reliability = tuple[Bin, ...]
"""The bins that have answers in them, the least sure first."""


def reliability_of(confidence: Confidence, is_right: NDArray[np.bool_], bins: int = BINS) -> Reliability:
    """Sort answers, `(n,)` each, into the bins of a reliability diagram, the same as of the expected calibration error."""
    place = bin_index(confidence, bins)
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


MOST_DIGITS_UNDECIDED = 0.005
"""How many of the real digits may be left undecided: one in two hundred."""

HIGHEST_THRESHOLD = 0.5
"""An answer that is more probable than all others together is given. Measured on writers who were left out of a training: one
half catches 98 % of their letters and 97 % of scribbles; 0.7 catches 98.5 and 98.5 %, at three times the cost in digits."""

_STEP = 1e-4


@dataclass(frozen=True)
class Threshold:
    """Readings below `undecided_below` (0: none) are undecided.

    `digits_undecided` is the part of the `n_digits` real digits that it leaves undecided, `others_caught` that of the
    `n_others` drawings of what is no digit, each None where there were none to choose by.
    """

    undecided_below: float
    n_digits: int
    digits_undecided: float | None
    n_others: int
    others_caught: float | None

    def to_json(self) -> dict[str, float | None]:
        return asdict(self)


def choose_threshold(
    digits: Confidence,
    others: Confidence,
    *,
    most_undecided: float = MOST_DIGITS_UNDECIDED,
    highest: float = HIGHEST_THRESHOLD,
) -> Threshold:
    """Return the highest threshold, up to `highest`, that leaves at most `most_undecided` of the real digits undecided.

    `digits` `(n,)` and `others` `(m,)` are the highest probabilities that the model gave real digits, which it was
    not trained on, and drawings that are no digits. Rounded down to four decimals; without digits it is 0.
    """
    digits = np.asarray(digits, np.float64)
    if not len(digits):
        return measure_threshold(0.0, digits, others)
    allowed = min(math.floor(most_undecided * len(digits) + 1e-9), len(digits) - 1)
    bound = math.floor(np.partition(digits, allowed)[allowed] / _STEP) * _STEP
    return measure_threshold(round(min(max(bound, 0.0), highest), 4), digits, others)


def measure_threshold(undecided_below: float, digits: Confidence, others: Confidence) -> Threshold:
    """Measure what a given threshold costs and catches; `digits` and `others` as for `choose_threshold`."""
    return Threshold(
        undecided_below,
        len(digits),
        _part_undecided(digits, undecided_below),
        len(others),
        _part_undecided(others, undecided_below),
    )


def are_undecided(confidence: Confidence, undecided_below: float) -> NDArray[np.bool_]:
    """Return for each highest probability whether it leaves its drawing undecided: `(n,)`."""
    return np.asarray(confidence, np.float64) < undecided_below


def _part_undecided(confidence: Confidence, undecided_below: float) -> float | None:
    return float(are_undecided(confidence, undecided_below).mean()) if len(confidence) else None

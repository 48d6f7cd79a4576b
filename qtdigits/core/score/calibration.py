"""Calibration: whether answers are right as often as they say, and when an answer is "not sure".

A model answers every drawing with its best class, also a scribble or a letter. Two thresholds catch most of those and leave a
few real digits undecided: one on the probability of that class, and one on how similar the drawing is to the most similar thing
that is known, the mean of a class or a remembered drawing. Both are chosen on data.
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

Similarity = NDArray[np.floating]
"""`(n,)`: the cosine of each drawing's embedding and the most similar one that is known, -1 to 1; `ALIKE` where nobody looked."""

ALIKE = 1.0
"""The similarity of what is the same."""


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


NO_CONFIDENCES = "How sure the answers were is not known."


def calibration_text(error: float | None, bins: Reliability) -> str:
    """The expected calibration error, and which way it errs."""
    if error is None or not bins:
        return NO_CONFIDENCES
    n = sum(found.n for found in bins)
    surplus = sum(found.n * found.confidence - found.correct for found in bins) / n
    way = "surer than it is right" if surplus > 0 else "less sure than it could be"
    text = f"Expected calibration error {100 * error:.1f} points over {n:,} answers"
    return f"{text}; on the whole it is {way}." if abs(surplus) >= 0.001 else f"{text}."


MOST_DIGITS_UNDECIDED = 0.005
"""How many of the real digits may be left undecided: one in two hundred."""

HIGHEST_THRESHOLD = 0.5
"""An answer that is more probable than all others together is given. Measured on writers who were left out of a training: one
half catches 98 % of their letters and 97 % of scribbles; 0.7 catches 98.5 and 98.5 %, at three times the cost in digits."""

MOST_DIGITS_UNLIKE = 0.02
"""How many of the real digits may resemble nothing that is known: one in fifty. With a memory of one drawing of each digit it is
a third of that; among the drawings that choose it are more odd ones than among a stranger's (docs/measurements/networks.md)."""

HIGHEST_SIMILARITY = 0.5
"""Measured on writers and letters that were left out of a training (docs/measurements/networks.md)."""

_STEP = 1e-4


@dataclass(frozen=True)
class Threshold:
    """Answers less probable than `undecided_below`, and those to drawings less similar to everything known than `unlike_below`,
    are undecided (0: none).

    `digits_undecided` is the part of the `n_digits` real digits that are left undecided, `others_caught` that of
    the `n_others` drawings of what is no digit, each None where there were none to choose by.
    """

    undecided_below: float
    n_digits: int
    digits_undecided: float | None
    n_others: int
    others_caught: float | None
    unlike_below: float = 0.0

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
    return measure_threshold(_highest(digits, most_undecided, highest), digits, others)


def choose_similarity(
    digits: Similarity, *, most_unlike: float = MOST_DIGITS_UNLIKE, highest: float = HIGHEST_SIMILARITY
) -> float:
    """Return the highest threshold, up to `highest`, that at most `most_unlike` of the real digits are less similar than.

    Rounded down to four decimals; without digits it is 0.
    """
    return _highest(digits, most_unlike, highest)


def measure_threshold(
    undecided_below: float,
    digits: Confidence,
    others: Confidence,
    *,
    unlike_below: float = 0.0,
    similarities: tuple[Similarity, Similarity] | None = None,
) -> Threshold:
    """Measure what given thresholds cost and catch; `digits` and `others` as for `choose_threshold`, and their `similarities`."""
    alike = similarities or (np.full(len(digits), ALIKE), np.full(len(others), ALIKE))
    costs, catches = (
        float(are_undecided(confidence, undecided_below, similarity, unlike_below).mean())
        if len(confidence)
        else None
        for confidence, similarity in zip((digits, others), alike, strict=True)
    )
    return Threshold(undecided_below, len(digits), costs, len(others), catches, unlike_below)


def are_undecided(
    confidence: Confidence | float,
    undecided_below: float,
    similarity: Similarity | float = ALIKE,
    unlike_below: float = 0.0,
    *,
    is_prototype: NDArray[np.bool_] | bool = False,
) -> NDArray[np.bool_]:
    """Return for each answer whether its probability, or what its drawing resembles, leaves it undecided: `(n,)`.

    Of a prototype, a class that only memory knows, the similarity alone tells, if it tells anything: the more prototypes there
    are, the less probable is each, and the network's threshold would leave every fourth of A-Z undecided, most of them right.
    """
    is_judged = ~np.asarray(is_prototype) | (unlike_below == 0)
    is_improbable = (np.asarray(confidence, np.float64) < undecided_below) & is_judged
    return is_improbable | are_unlike(similarity, unlike_below)


def are_unlike(similarity: Similarity | float, unlike_below: float) -> NDArray[np.bool_]:
    """Return for each drawing whether it resembles nothing that is known: `(n,)`."""
    return (np.asarray(similarity, np.float64) < unlike_below) & (unlike_below > 0)


def _highest(values: NDArray[np.floating], most_below: float, highest: float) -> float:
    """Return the highest threshold, up to `highest`, that leaves at most so large a part of the values below it."""
    values = np.asarray(values, np.float64)
    if not len(values):
        return 0.0
    allowed = min(math.floor(most_below * len(values) + 1e-9), len(values) - 1)
    bound = math.floor(np.partition(values, allowed)[allowed] / _STEP) * _STEP
    return round(min(max(float(bound), 0.0), highest), 4)

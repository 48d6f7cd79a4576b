"""When a reading is "not sure": below which probability, and what that costs.

A model answers every drawing with its best class, also a scribble or a letter. A threshold on the probability of
that class catches most of those and leaves a few real digits undecided; which threshold is chosen on data.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

MOST_DIGITS_UNDECIDED = 0.005
"""How many of the real digits may be left undecided: one in two hundred."""

HIGHEST_THRESHOLD = 0.5
"""An answer that is more probable than all others together is given. Measured on writers who were left out of a training: one
half catches 98 % of their letters and 97 % of scribbles; 0.7 catches 98.5 and 98.5 %, at three times the cost in digits."""

_STEP = 1e-4

Confidence = NDArray[np.floating]


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
    """The highest threshold, up to `highest`, that leaves at most `most_undecided` of the real digits undecided.

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
    """What a given threshold costs and catches; `digits` and `others` as for `choose_threshold`."""
    return Threshold(
        undecided_below,
        len(digits),
        _part_undecided(digits, undecided_below),
        len(others),
        _part_undecided(others, undecided_below),
    )


def are_undecided(confidence: Confidence, undecided_below: float) -> NDArray[np.bool_]:
    """For each highest probability of `(n,)` whether it leaves its drawing undecided."""
    return np.asarray(confidence, np.float64) < undecided_below


def _part_undecided(confidence: Confidence, undecided_below: float) -> float | None:
    return float(are_undecided(confidence, undecided_below).mean()) if len(confidence) else None

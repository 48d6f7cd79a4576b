"""How the running accuracy came about: from the outcomes, in the order of judging, to curves that can be drawn.

Each outcome is that of a drawing scored before it could be trained on (test-then-train, also "prequential": Dawid 1984;
Gama, Sebastião and Rodrigues 2013, who set the moving window beside the figure over all).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.score.metrics import Z_95

WINDOW = 50
MOST_POINTS = 600
"""A curve of more points shows no more: that is about what a panel has in pixels."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RunningCurve:
    """`after`, `share`, `low` and `high` are `(n,)`: after so many drawings this share was right, with Wilson's 95 % band.

    `moving_after` and `moving` are `(m,)`: the share of the last `window` drawings; empty until there are so many.
    """

    after: NDArray[np.int64]
    share: Floats
    low: Floats
    high: Floats
    moving_after: NDArray[np.int64]
    moving: Floats


def running_curve(
    outcomes: NDArray[np.bool_], *, window: int = WINDOW, most_points: int = MOST_POINTS
) -> RunningCurve:
    """Curves of `(n,)` outcomes, thinned to about `most_points` points each; the newest point is always there."""
    total = np.concatenate([[0], np.cumsum(outcomes, dtype=np.int64)])
    after = _spread(1, len(outcomes), most_points)
    low, high = wilson_band(total[after], after)
    share = total[after] / np.maximum(1, after)
    every = np.arange(window, len(outcomes) + 1)
    moving = (total[every] - total[every - window]) / window
    kept = _extremes(moving, most_points)
    return RunningCurve(after, share, low, high, every[kept], moving[kept])


def wilson_band(correct: NDArray[np.int64], n: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """`metrics.wilson_interval` for arrays, both `(n,)`; (0, 1) where nothing was counted."""
    counted = np.maximum(1, n)
    p, zz = correct / counted, Z_95 * Z_95
    centre = p + zz / (2 * counted)
    half = Z_95 * np.sqrt(p * (1 - p) / counted + zz / (4 * counted * counted))
    low = np.where(correct == 0, 0.0, np.maximum(0.0, (centre - half) / (1 + zz / counted)))
    high = np.where(correct == n, 1.0, np.minimum(1.0, (centre + half) / (1 + zz / counted)))
    return np.where(n == 0, 0.0, low), np.where(n == 0, 1.0, high)


def _spread(first: int, last: int, most: int) -> NDArray[np.int64]:
    """Whole numbers from `first` to `last`, both among them, at most `most` of them, evenly spread."""
    n = max(0, last - first + 1)
    if n <= most:
        return np.arange(first, last + 1)
    return np.rint(np.linspace(first, last, most)).astype(np.int64)


def _extremes(values: Floats, most: int) -> NDArray[np.int64]:
    """Positions of the lowest and the highest of each of `most / 2` equal pieces, ascending, and the last position.

    A dip that lasts a few drawings must not fall between two points.
    """
    n = len(values)
    if n <= most:
        return np.arange(n)
    size = -(-2 * n // most)
    pieces = np.pad(values, (0, -n % size), mode="edge").reshape(-1, size)
    starts = size * np.arange(len(pieces))
    found = np.concatenate([starts + pieces.argmin(axis=1), starts + pieces.argmax(axis=1), [n - 1]])
    return np.unique(np.minimum(found, n - 1)).astype(np.int64)

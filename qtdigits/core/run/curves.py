"""Curves of a run as numbers: where a point stands, how a curve is smoothed, and what of 20,000 points can be seen.

Arrays only grow. What was worked out for their beginning is kept, so that a new point costs what it brings.
"""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.run.history import History

Numbers = NDArray[np.float64]


class XAxis(StrEnum):
    """What the curves of a run are drawn over."""

    EPOCH = "epoch"
    STEP = "step"
    TIME = "time"
    CLOCK = "clock"


class Places:
    """Where the points of a run stand on an axis: batches and validation at their end, the mean over an epoch in its middle.

    NaN where that is not known: runs of earlier versions have not kept the time of day.
    """

    def __init__(self, history: History, *, steps_per_epoch: float, axis: XAxis) -> None:
        self._history = history
        self._steps_per_epoch = max(1.0, steps_per_epoch)
        self._axis = axis

    def batches(self) -> Numbers:
        """`(n,)`: a place for each of the history's batches, ascending; epochs as fractions, seconds, or seconds since 1970."""
        batches = self._history.batches
        match self._axis:
            case XAxis.EPOCH:
                return batches["step"] / self._steps_per_epoch
            case XAxis.STEP:
                return batches["step"]
            case XAxis.TIME:
                return batches["elapsed_s"]
            case XAxis.CLOCK:
                return batches["clock_s"]

    def epoch_ends(self) -> Numbers:
        """`(e,)`: where each epoch, and its validation, ended; in the units of `batches`."""
        epochs = self._history.epochs
        match self._axis:
            case XAxis.EPOCH:
                return epochs["epoch"]
            case XAxis.STEP:
                return epochs["step"]
            case XAxis.TIME:
                return epochs["elapsed_s"]
            case XAxis.CLOCK:
                return epochs["clock_s"]

    def epoch_middles(self) -> Numbers:
        """`(e,)`: where the mean over each epoch stands."""
        ends = self.epoch_ends()
        return (ends + np.concatenate([[self.began()], ends[:-1]])) / 2 if len(ends) else ends

    def best(self) -> float | None:
        """The end of the best epoch; None while there is none."""
        found = np.flatnonzero(self._history.epochs["epoch"] == self._history.best_epoch)
        at = float(self.epoch_ends()[found[0]]) if len(found) else math.nan
        return at if math.isfinite(at) else None

    def began(self) -> float:
        """Where the run begins on this axis: a time of day, as far as it is known, else 0."""
        return min(self._ends(), default=0.0) if self._axis is XAxis.CLOCK else 0.0

    def reached(self) -> float:
        """How far the run has come on this axis."""
        return max(self._ends(), default=0.0)

    def _ends(self) -> list[float]:
        """First and last known places."""
        known = [self.batches(), self.epoch_ends()]
        if self._axis is XAxis.CLOCK:
            known = [x[np.isfinite(x)] for x in known]
        return [float(place) for x in known if len(x) for place in (x[0], x[-1])]


class Smoothed:
    """An exponential moving average with its start put right (Kingma & Ba 2015, as TensorBoard smooths), of a growing array.

    `weight` from 0 (the curve as it is) to below 1. A value that is no number stays one and is passed over.
    """

    def __init__(self, weight: float) -> None:
        self.weight = weight
        self._values = np.empty(256)
        self._n = 0
        self._mean = 0.0
        self._share = 0.0
        """Sum of all weights so far: it falls short of 1 at the beginning."""

    def update(self, y: Numbers) -> Numbers:
        """The smoothed curve of `y` `(n,)`, which begins with what it was before; `(n,)`."""
        n = len(y)
        if n > len(self._values):
            self._values = np.concatenate([self._values[: self._n], np.empty(max(n, 2 * self._n) - self._n)])
        if n > self._n:
            self._values[self._n : n] = self._further(y[self._n :].tolist())
            self._n = n
        return self._values[:n]

    def _further(self, values: list[float]) -> list[float]:
        keep, mean, share = self.weight, self._mean, self._share
        smoothed = []
        for value in values:
            if math.isfinite(value):
                mean = keep * mean + (1 - keep) * value
                share = keep * share + (1 - keep)
                smoothed.append(mean / share)
            else:
                smoothed.append(math.nan)
        self._mean, self._share = mean, share
        return smoothed


class Thinned:
    """What of a growing curve can be seen between `start` and `end` in so many pixel columns: at most two points for each.

    Where points are few they come as they are, with one beyond either end, so that lines run to the edge. Where they are many,
    each column has its lowest and its highest, and only columns with new points are looked at again.
    """

    def __init__(self, *, start: float, end: float, columns: int) -> None:
        self.view = (start, end, columns)
        self._start, self._end, self._columns = start, end, columns
        self._scale = columns / max(end - start, 1e-300)
        self._low = np.full(columns, np.inf)
        self._high = np.full(columns, -np.inf)
        self._done = 0

    def update(self, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
        """`x` ascending and `y`, both `(n,)`, beginning with what they were before. The points to draw, both `(m,)`."""
        first = max(0, int(np.searchsorted(x, self._start, "left")) - 1)
        last = min(len(x), int(np.searchsorted(x, self._end, "right")) + 1)
        if last - first <= 2 * self._columns:
            return x[first:last], y[first:last]
        self._take_in(x, y)
        return self._extremes()

    def _take_in(self, x: Numbers, y: Numbers) -> None:
        new_x, new_y = x[self._done :], y[self._done :]
        self._done = len(x)
        column = np.floor((new_x - self._start) * self._scale).astype(np.int64)
        seen = (column >= 0) & (column < self._columns) & np.isfinite(new_y)
        np.minimum.at(self._low, column[seen], new_y[seen])
        np.maximum.at(self._high, column[seen], new_y[seen])

    def _extremes(self) -> tuple[Numbers, Numbers]:
        filled = np.flatnonzero(self._low <= self._high)
        low, high = self._low[filled], self._high[filled]
        # A falling curve goes through a column from its highest point to its lowest.
        middle = low + high
        falls = np.ones(len(low), bool)
        np.less(middle[1:], middle[:-1], out=falls[1:])
        pairs = np.empty((len(low), 2))
        pairs[:, 0] = np.where(falls, high, low)
        pairs[:, 1] = np.where(falls, low, high)
        return np.repeat(self._start + (filled + 0.5) / self._scale, 2), pairs.ravel()

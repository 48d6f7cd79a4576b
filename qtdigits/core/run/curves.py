"""Curves of a run as numbers: x positions, smoothing, downsampling, calm ranges of an axis, statistics of a range.

Arrays only grow. What was worked out for their beginning is kept, so that a new point costs what it brings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.formatting import duration
from qtdigits.core.run.history import Columns, History

Numbers = NDArray[np.float64]
Range = tuple[float, float]

NICE = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
DAY_S = 86_400
SHRINK_BELOW = 0.6
"""A range shrinks when less than this part of it is used, so that the axis does not tremble."""
LEAST_ERROR = 1e-5
"""On a logarithmic axis of accuracy everything right stands where one error in 100,000 would."""
MARGIN = 0.015


class XAxis(StrEnum):
    """What the curves of a run are drawn over."""

    EPOCH = "epoch"
    STEP = "step"
    TIME = "time"
    CLOCK = "clock"

    def text(self, x: float) -> str:
        """A position for a read-out, such as "epoch 2.25" or "1:30 elapsed"."""
        match self:
            case XAxis.TIME:
                return f"{duration(x)} elapsed"
            case XAxis.CLOCK:
                return f"{datetime.fromtimestamp(x).astimezone():%d %b %H:%M:%S}"
            case XAxis.STEP:
                return f"step {x:,.0f}"
            case XAxis.EPOCH:
                return f"epoch {x:.2f}"


@dataclass(frozen=True)
class Quantity:
    """What the values of one plot are.

    `is_share`: shares of 1, shown in per cent; their fixed end is 100 %, and their logarithmic axis is that of the error 1 - y.
    The fixed end of the others is 0. `least_spread`: an axis never shows less than this, in values.
    """

    name: str
    title: str
    is_share: bool = False
    least_spread: float = 1e-4
    empty_spread: float = 1.0

    def text(self, value: float) -> str:
        """A value for a read-out."""
        if not math.isfinite(value):
            return "no number"
        if self.is_share:
            return f"{100 * value:.2f} %"
        if abs(value) >= 100:
            return f"{value:,.0f}"
        return f"{value:.3g}" if 0 < abs(value) < 1e-2 else f"{value:.4f}"


LOSS = Quantity("loss", "Loss")
ACCURACY = Quantity("accuracy", "Accuracy", is_share=True, least_spread=0.005, empty_spread=0.2)
AUC = Quantity("auc", "AUC", is_share=True, least_spread=0.0005, empty_spread=0.02)
LEARNING_RATE = Quantity("learning_rate", "Learning rate", least_spread=1e-9, empty_spread=1e-3)
THROUGHPUT = Quantity("images_per_s", "Images per second", least_spread=1.0, empty_spread=1000.0)
QUANTITIES = (LOSS, ACCURACY, AUC, LEARNING_RATE, THROUGHPUT)


class XPositions:
    """Where the points of a run stand on an axis: batches and validation where they ended, the mean over an epoch in its middle.

    The epoch of a run that was stopped in the middle of it ends there. NaN where a position is not known: runs of earlier
    versions have not kept the time of day.
    """

    def __init__(self, history: History, *, steps_per_epoch: float, axis: XAxis) -> None:
        self._history = history
        self._steps_per_epoch = max(1.0, steps_per_epoch)
        self._axis = axis

    def batches(self) -> Numbers:
        """`(n,)`: a position for each of the history's batches, ascending: epochs, steps, seconds, or seconds since 1970."""
        return self._of(self._history.batches)

    def epoch_ends(self) -> Numbers:
        """`(e,)`: where each epoch, and its validation, ended; in the units of `batches`."""
        return self._of(self._history.epochs)

    def epoch_middles(self) -> Numbers:
        """`(e,)`: where the mean over each epoch stands."""
        ends = self.epoch_ends()
        return (ends + np.concatenate([[self.start()], ends[:-1]])) / 2 if len(ends) else ends

    def best(self) -> float | None:
        """The end of the best epoch; None while there is none."""
        found = np.flatnonzero(self._history.epochs["epoch"] == self._history.best_epoch)
        at = float(self.epoch_ends()[found[0]]) if len(found) else math.nan
        return at if math.isfinite(at) else None

    def start(self) -> float:
        """Where the run begins on this axis: a time of day, as far as it is known, else 0."""
        return min(self._ends(), default=0.0) if self._axis is XAxis.CLOCK else 0.0

    def reached(self) -> float:
        """How far the run has come on this axis."""
        return max(self._ends(), default=0.0)

    def _of(self, columns: Columns) -> Numbers:
        match self._axis:
            case XAxis.EPOCH:
                return columns["step"] / self._steps_per_epoch
            case XAxis.STEP:
                return columns["step"]
            case XAxis.TIME:
                return columns["elapsed_s"]
            case XAxis.CLOCK:
                return columns["clock_s"]

    def _ends(self) -> list[float]:
        """First and last known positions."""
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


class Downsampled:
    """What of a growing curve can be seen between `start` and `end` in so many pixel columns: at most two points for each.

    Where points are few they come as they are, with one beyond either end, so that lines run to the edge. Where they are many,
    each column has its lowest and its highest, in preallocated arrays whose views are handed out; only new points are looked at.
    """

    def __init__(self, *, start: float, end: float, columns: int) -> None:
        self.view = (start, end, columns)
        self._start, self._end, self._columns = start, end, columns
        self._per_x = columns / max(end - start, 1e-300)
        self._x, self._y = np.empty(2 * columns), np.empty(2 * columns)
        self._n = self._done = 0
        self._column = -1

    def update(self, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
        """`x` ascending and `y`, both `(n,)`, beginning with what they were before. The points to draw, both `(m,)`."""
        first = max(0, int(np.searchsorted(x, self._start, "left")) - 1)
        last = min(len(x), int(np.searchsorted(x, self._end, "right")) + 1)
        if last - first <= 2 * self._columns:
            return x[first:last], y[first:last]
        self._add(x[self._done :], y[self._done :])
        self._done = len(x)
        return self._x[: self._n], self._y[: self._n]

    def _add(self, x: Numbers, y: Numbers) -> None:
        column = np.floor((x - self._start) * self._per_x)
        seen = (column >= 0) & (column < self._columns) & np.isfinite(y)
        if not seen.any():
            return
        # A clock that was set back must not need more room than there is.
        column, y = np.maximum.accumulate(np.maximum(column[seen], self._column)), y[seen]
        begins = np.flatnonzero(np.concatenate([[True], column[1:] != column[:-1]]))
        low, high = np.minimum.reduceat(y, begins), np.maximum.reduceat(y, begins)
        if column[0] == self._column:
            self._n -= 2
            low[0] = min(low[0], *self._y[self._n : self._n + 2])
            high[0] = max(high[0], *self._y[self._n : self._n + 2])
        # A falling curve goes through a column from its highest point to its lowest.
        middle = low + high
        before = self._y[self._n - 2] + self._y[self._n - 1] if self._n else np.inf
        falls = middle < np.concatenate([[before], middle[:-1]])
        end = self._n + 2 * len(begins)
        self._x[self._n : end] = np.repeat(self._start + (column[begins] + 0.5) / self._per_x, 2)
        self._y[self._n : end : 2] = np.where(falls, high, low)
        self._y[self._n + 1 : end : 2] = np.where(falls, low, high)
        self._n, self._column = end, int(column[-1])


@dataclass(frozen=True)
class Scale:
    """Leads from the values of a quantity to heights on its axis, and back."""

    quantity: Quantity
    is_log: bool = False

    def heights(self, values: Numbers) -> Numbers:
        """Linear: the value itself. Logarithmic: powers of ten, of the error for shares. NaN for what has no height."""
        if not self.is_log:
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.quantity.is_share:
                return -np.log10(np.maximum(1.0 - values, LEAST_ERROR))
            return np.log10(np.where(values > 0, values, np.nan))

    def value(self, height: float) -> float:
        """The inverse of `heights`."""
        if not self.is_log:
            return height
        return float(1 - 10.0**-height if self.quantity.is_share else 10.0**height)


class CalmRange:
    """The range of an axis whose data grows: it grows at once, shrinks late, and its ends are round.

    `ignores_outliers`: a hundredth of the values may lie outside, so that one bad batch does not flatten the curves.
    """

    def __init__(self, scale: Scale, *, ignores_outliers: bool) -> None:
        self._scale = scale
        self._ignores_outliers = ignores_outliers
        self._spread = 0.0
        self._decades: Range | None = None

    def update(self, values: Sequence[Numbers]) -> Range:
        """The range of heights for what is to be seen of each curve."""
        if self._scale.is_log:
            return self._log_range(values)
        quantity = self._scale.quantity
        ends = [
            data_range(1 - v if quantity.is_share else v, ignores_outliers=self._ignores_outliers)
            for v in values
        ]
        tops = [top for _, top in filter(None, ends)]
        if tops:
            self._spread = calm_spread(self._spread, max([*tops, quantity.least_spread]))
        spread = self._spread or quantity.empty_spread
        low, high = (1 - spread, 1.0) if quantity.is_share else (0.0, spread)
        return low - MARGIN * spread, high + MARGIN * spread

    def _log_range(self, values: Sequence[Numbers]) -> Range:
        heights = self._scale.heights(np.concatenate([*values, np.empty(0)]))
        ends = data_range(heights, ignores_outliers=self._ignores_outliers)
        if ends is not None:
            # Ends at tenths of a power of ten: near enough to the data, and seldom moved.
            low, high = math.floor(ends[0] * 5) / 5, math.ceil(ends[1] * 5) / 5
            known = self._decades
            fits = known is not None and known[0] <= low and high <= known[1]
            if known is None or not fits or high - low < SHRINK_BELOW * (known[1] - known[0]):
                self._decades = (low, max(high, low + 0.2))
        low, high = self._decades or (-1.0, 0.0)
        margin = MARGIN * (high - low)
        return low - margin, high + margin


def data_range(values: Numbers, *, ignores_outliers: bool) -> Range | None:
    """Lowest and highest, or the hundredth and the ninety-ninth part; None without data."""
    kept = values[np.isfinite(values)]
    if not kept.size:
        return None
    last = kept.size - 1
    ends = (round(0.01 * last), round(0.99 * last)) if ignores_outliers else (0, last)
    low, high = np.partition(kept, ends)[list(ends)]  # np.percentile would load numpy.ma, a gap of 40 ms
    return float(low), float(high)


def fitted(ends: Range, *, least: float) -> Range:
    """A range round data, with a twentieth of room at either end and never less than `least` wide."""
    low, high = ends
    spare = max(least - (high - low), 0.0) / 2 + 0.05 * (high - low)
    return low - spare, high + spare


def calm_spread(current: float, wanted: float) -> float:
    """How far from its fixed end an axis has to reach so that `wanted` (> 0) is in it, as a round number."""
    nice = nice_above(wanted)
    return nice if nice > current or nice < SHRINK_BELOW * current else current


def nice_above(value: float, steps: Sequence[float] = NICE) -> float:
    """The smallest of `steps` (1, 1.5, 2, 3, … 10) times a power of ten that is not below `value` (> 0)."""
    power = 10.0 ** math.floor(math.log10(value))
    return next((n for n in steps if n * power >= value * (1 - 1e-9)), 10.0) * power


def next_axis_end(reached: float, *, first: float, whole: float = math.inf) -> float:
    """Where the axis of a run under way ends: `first`, doubled until it takes in what is `reached`; at most the `whole` run.

    So a short run is shown whole from the start, and the axis of a long one moves seldom.
    """
    shown = first
    while shown < reached:
        shown *= 2
    return min(whole, shown)


def clock_text(clock_s: float, *, every_s: float) -> str:
    """A tick of a local clock that has one every so many seconds: 07:31:52, 07:32, and at midnight 28 Nov."""
    local = datetime.fromtimestamp(clock_s).astimezone()
    if every_s >= DAY_S or (local.hour, local.minute, local.second) == (0, 0, 0):
        return f"{local:%d %b}"
    return f"{local:%H:%M:%S}" if every_s < 60 else f"{local:%H:%M}"


@dataclass(frozen=True)
class RangeStatistics:
    """Of the `n` points in a range: the first and the last value, the lowest, the highest, and the mean."""

    n: int
    first: float
    last: float
    lowest: float
    highest: float
    mean: float

    @property
    def change(self) -> float:
        """From the first to the last point, in the unit of the values."""
        return self.last - self.first


def statistics_of(x: Numbers, y: Numbers, shown: Range) -> RangeStatistics | None:
    """Of the points with `x`, ascending, in the range, its ends included. None where there is none."""
    low, high = shown
    seen = y[np.searchsorted(x, low) : np.searchsorted(x, high, "right")]
    seen = seen[np.isfinite(seen)]
    if not len(seen):
        return None
    ends = float(seen[0]), float(seen[-1])
    return RangeStatistics(len(seen), *ends, float(seen.min()), float(seen.max()), float(seen.mean()))

"""Axes of curves: which range to show so that it stays calm while data comes in, where ticks stand and what they say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from qtdigits.core.formatting import duration
from qtdigits.core.run.curves import Numbers, XAxis

Range = tuple[float, float]

NICE = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
TICK_STEPS = (1.0, 2.0, 5.0, 10.0)
DAY_S = 86_400
LAST_CLOCK_S = 4e9
"""Ticks have a time of day up to the year 2096; a view that leads farther has none."""
TIME_STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, DAY_S)
SHRINK_BELOW = 0.6
"""A range shrinks when less than this part of it is used, so that the axis does not tremble."""
LEAST_ERROR = 1e-5
"""On a logarithmic axis of accuracy everything right stands where one error in 100,000 would."""
MARGIN = 0.015


@dataclass(frozen=True)
class Quantity:
    """What the values of one plot are.

    `is_share`: shares of 1, shown in per cent; their fixed end is 100 %, and their logarithmic axis is that of the errors. The
    fixed end of the others is 0. `least_spread`: an axis never shows less than this, in values.
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


@dataclass(frozen=True)
class Scale:
    """Leads from the values of a quantity to heights on its axis, and back."""

    quantity: Quantity
    is_log: bool = False

    def heights(self, values: Numbers) -> Numbers:
        """Linear: the value itself. Logarithmic: tenfolds, of the error for shares. What has no height is NaN."""
        if not self.is_log:
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.quantity.is_share:
                return -np.log10(np.maximum(1.0 - values, LEAST_ERROR))
            return np.log10(np.where(values > 0, values, np.nan))

    def value(self, height: float) -> float:
        """The inverse of `heights`: the value at a height."""
        if not self.is_log:
            return height
        return float(1 - 10.0**-height if self.quantity.is_share else 10.0**height)

    def ticks(self, shown: Range, *, most: int) -> list[tuple[float, str]]:
        """Heights and texts, lowest first."""
        low, high = shown
        if self.is_log:
            return self._log_ticks(low, high, most)
        factor = 100.0 if self.quantity.is_share else 1.0
        step = tick_step((high - low) * factor, most)
        values = _multiples(low * factor, high * factor, step)
        return [(v / factor, self._tick_text(v, step)) for v in values]

    def _log_ticks(self, low: float, high: float, most: int) -> list[tuple[float, str]]:
        """Whole tenfolds, and 2 and 5 between them where there is room; a linear axis where less than a twofold is shown."""
        if high - low < 0.5:
            values = Scale(self.quantity).ticks((self.value(low), self.value(high)), most=most)
            placed = self.heights(np.array([value for value, _ in values])).tolist()
            return [
                (height, text)
                for height, (_, text) in zip(placed, values, strict=True)
                if math.isfinite(height)
            ]
        decades = range(math.floor(low), math.ceil(high) + 1)
        every = max(1, math.ceil(len(decades) / max(1, most)))
        parts = (1, 2, 5) if 3 * (high - low) <= most else (1,)
        heights = [d + math.log10(p) for d in decades if d % every == 0 for p in parts]
        if self.quantity.is_share:
            heights = [d - math.log10(p) for d in decades if d % every == 0 for p in parts]
        return [(h, self._log_text(h)) for h in sorted(heights) if low - 1e-9 <= h <= high + 1e-9]

    def _log_text(self, height: float) -> str:
        if self.quantity.is_share:
            error = 100 * 10.0**-height
            return f"{100 - error:.{max(0, math.ceil(-math.log10(error) - 1e-9))}f} %"
        value = 10.0**height
        return f"{value:,.0f}" if value >= 1 - 1e-9 else f"{value:.1g}"

    def _tick_text(self, value: float, step: float) -> str:
        decimals = max(0, math.ceil(-math.log10(step) - 1e-9))
        if decimals > 4:
            return "0" if abs(value) < step / 2 else f"{value:.2g}"
        return f"{value + 0.0:,.{decimals}f}{' %' if self.quantity.is_share else ''}"


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
        distances = [1 - v if quantity.is_share else v for v in values]
        tops = [top for d in distances if (top := self._top(d)) is not None]
        if tops:
            self._spread = calm_spread(self._spread, max([*tops, quantity.least_spread]))
        spread = self._spread or quantity.empty_spread
        low, high = (1 - spread, 1.0) if quantity.is_share else (0.0, spread)
        return low - MARGIN * spread, high + MARGIN * spread

    def _top(self, distances: Numbers) -> float | None:
        kept = distances[np.isfinite(distances)]
        if not kept.size:
            return None
        return float(np.percentile(kept, 99) if self._ignores_outliers else kept.max())

    def _log_range(self, values: Sequence[Numbers]) -> Range:
        heights = self._scale.heights(np.concatenate([*values, np.empty(0)]))
        ends = data_range(heights, ignores_outliers=self._ignores_outliers)
        if ends is not None:
            # Ends at tenths of a tenfold: near enough to the data, and seldom moved.
            low, high = math.floor(ends[0] * 5) / 5, math.ceil(ends[1] * 5) / 5
            known = self._decades
            fits = known is not None and known[0] <= low and high <= known[1]
            if known is None or not fits or high - low < SHRINK_BELOW * (known[1] - known[0]):
                self._decades = (low, max(high, low + 0.2))
        low, high = self._decades or (-1.0, 0.0)
        margin = MARGIN * (high - low)
        return low - margin, high + margin


def data_range(heights: Numbers, *, ignores_outliers: bool) -> Range | None:
    """Lowest and highest, or the hundredth and the ninety-ninth part; None without data."""
    kept = heights[np.isfinite(heights)]
    if not kept.size:
        return None
    if ignores_outliers:
        low, high = np.percentile(kept, (1, 99))
    else:
        low, high = kept.min(), kept.max()
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


def nice_above(value: float) -> float:
    """The smallest of 1, 1.5, 2, 3, … times a power of ten that is not below `value` (> 0)."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(n for n in NICE if n * power >= value * (1 - 1e-9)) * power


def tick_step(span: float, most: int) -> float:
    """A distance of 1, 2 or 5 times a power of ten that gives at most about `most` ticks."""
    wanted = max(span, 1e-300) / max(1, most)
    power = 10.0 ** math.floor(math.log10(wanted))
    return next((n for n in TICK_STEPS if n * power >= wanted * (1 - 1e-9)), 10.0) * power


def x_ticks(axis: XAxis, shown: Range, *, most: int) -> list[tuple[float, str]]:
    """Places and texts along the bottom: whole epochs once there is more than one, whole steps, times as 1:30, times of day."""
    low, high = shown
    step = tick_step(high - low, most)
    match axis:
        case XAxis.TIME:
            longer = (s for s in TIME_STEPS_S if s >= (high - low) / max(1, most))
            step = float(next(longer, step)) if high - low >= 1 else step
            return [(v, duration(v) if step >= 1 else f"{v:.2f} s") for v in _multiples(low, high, step)]
        case XAxis.CLOCK if not 0 < low <= high < LAST_CLOCK_S:
            return []
        case XAxis.CLOCK:
            days = DAY_S * max(1.0, tick_step((high - low) / DAY_S, most))
            wanted = next((s for s in TIME_STEPS_S if s >= (high - low) / max(1, most)), days)
            return [(v, clock_text(v, every_s=wanted)) for v in _clock_multiples(low, high, wanted)]
        case XAxis.STEP:
            step = max(1.0, step)
            return [(v, f"{v:,.0f}") for v in _multiples(low, high, step)]
        case XAxis.EPOCH:
            step = step if high - low < 2 else max(1.0, step)
            decimals = max(0, math.ceil(-math.log10(step) - 1e-9))
            return [(v, f"{v:.{decimals}f}") for v in _multiples(low, high, step)]


def x_text(axis: XAxis, x: float) -> str:
    """Where a read-out stands."""
    match axis:
        case XAxis.TIME:
            return f"{duration(x)} elapsed"
        case XAxis.CLOCK:
            return f"{datetime.fromtimestamp(x).astimezone():%d %b %H:%M:%S}"
        case XAxis.STEP:
            return f"step {x:,.0f}"
        case XAxis.EPOCH:
            return f"epoch {x:.2f}"


def clock_text(clock_s: float, *, every_s: float) -> str:
    """A tick of a local clock that has one every so many seconds: 07:31:52, 07:32, and at midnight 28 Nov."""
    local = datetime.fromtimestamp(clock_s).astimezone()
    if every_s >= DAY_S or (local.hour, local.minute, local.second) == (0, 0, 0):
        return f"{local:%d %b}"
    return f"{local:%H:%M:%S}" if every_s < 60 else f"{local:%H:%M}"


def uncovered_end(reached: float, *, first: float, whole: float = math.inf) -> float:
    """Where the axis of a run that goes on ends: `first`, doubled until it takes in what is `reached`; at most the `whole` run.

    So a short run is shown whole from the start, and the axis of a long one moves seldom.
    """
    shown = first
    while shown < reached:
        shown *= 2
    return min(whole, shown)


def _clock_multiples(low: float, high: float, step: float) -> list[float]:
    """Round times of day where this machine is."""
    offset = datetime.fromtimestamp(low).astimezone().utcoffset()
    ahead = offset.total_seconds() if offset else 0.0
    return [place - ahead for place in _multiples(low + ahead, high + ahead, step)]


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]

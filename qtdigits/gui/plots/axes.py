"""Axes of the plots: values with their unit, logarithms of losses and of errors, epochs, steps, times and times of day."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QFont
from typing_extensions import override

from qtdigits.core.formatting import duration
from qtdigits.core.run.curves import DAY_S, Scale, XAxis, clock_text, nice_above
from qtdigits.gui.widgets.colours import Theme

TICK_STEPS = (1.0, 2.0, 5.0)
TIME_STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, DAY_S)
LAST_CLOCK_S = 4e9
"""Ticks have a time of day up to the year 2096; a view that leads farther has none."""
NARROW_DECADES = 0.5
"""A logarithmic axis that shows less has the ticks of a linear one."""
LABEL_WIDTH_PX, LABEL_HEIGHT_PX = 80, 26
OPAQUE = 255
EDGE_PX = 20
"""Half of a label may stand beyond the end of its axis."""

Ticks = list[tuple[float | None, list[float]]]


class PlotAxis(pg.AxisItem):
    """An axis whose ticks are thin lines, one level of them, in the colours of a theme."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation, maxTickLength=-4)
        self.setStyle(
            tickAlpha=OPAQUE,
            maxTickLevel=0,
            maxTextLevel=0,
            autoExpandTextSpace=False,
        )
        self.enableAutoSIPrefix(False)

    @override
    def boundingRect(self) -> QRectF:
        bounds: QRectF = super().boundingRect()
        return bounds.adjusted(-EDGE_PX, -EDGE_PX, EDGE_PX, EDGE_PX)

    def dress(self, theme: Theme, font: QFont) -> None:
        self.setTickFont(font)
        self.setPen(QColor(theme.grid))
        self.setTickPen(QColor(theme.grid))
        self.setTextPen(QColor(theme.text_muted))


class ValueAxis(PlotAxis):
    """The axis at the left, of a `Scale`."""

    def __init__(self, scale: Scale) -> None:
        super().__init__("left")
        self.scale_of_values = scale

    def show_scale(self, scale: Scale) -> None:
        self.scale_of_values = scale
        self.picture = None
        self.update()

    @override
    def tickValues(self, minVal: float, maxVal: float, size: float) -> Ticks:
        most = max(2, int(size / LABEL_HEIGHT_PX))
        scale = self.scale_of_values
        if not scale.is_log:
            step = tick_step(maxVal - minVal, most)
            return [(step, multiples(minVal, maxVal, step))]
        if maxVal - minVal >= NARROW_DECADES:
            return [(None, _log_ticks(minVal, maxVal, most))]
        low, high = sorted((scale.value(minVal), scale.value(maxVal)))
        step = tick_step(high - low, most)
        heights = scale.heights(np.array(multiples(low, high, step)))
        return [(step, heights[np.isfinite(heights)].tolist())]

    @override
    def tickStrings(self, values: list[float], scale: float, spacing: float | None) -> list[str]:
        shown = self.scale_of_values
        if spacing is None:
            return [self._log_text(height) for height in values]
        return [self._text(shown.value(height), spacing) for height in values]

    def _log_text(self, height: float) -> str:
        value = self.scale_of_values.value(height)
        if self.scale_of_values.quantity.is_share:
            error = 100 * 10.0**-height
            return f"{100 - error:.{max(0, math.ceil(-math.log10(error) - 1e-9))}f} %"
        return f"{value:,.0f}" if value >= 1 - 1e-9 else f"{value:.1g}"

    def _text(self, value: float, step: float) -> str:
        if self.scale_of_values.quantity.is_share:
            value, step = 100 * value, 100 * step
        decimals = max(0, math.ceil(-math.log10(step) - 1e-9))
        if decimals > 4:
            return "0" if abs(value) < step / 2 else f"{value:.2g}"
        return f"{value + 0.0:,.{decimals}f}{' %' if self.scale_of_values.quantity.is_share else ''}"


class RunAxis(PlotAxis):
    """The axis at the bottom: whole epochs once there is more than one, whole steps, times as 1:30, times of day."""

    def __init__(self) -> None:
        super().__init__("bottom")
        self.axis = XAxis.EPOCH

    def show_axis(self, axis: XAxis) -> None:
        self.axis = axis
        self.picture = None
        self.update()

    @override
    def tickValues(self, minVal: float, maxVal: float, size: float) -> Ticks:
        step = self._step(minVal, maxVal, max(2, int(size / LABEL_WIDTH_PX)))
        if step is None:
            return []
        ahead = _ahead_of_utc_s(minVal) if self.axis is XAxis.CLOCK else 0.0
        return [(step, [value - ahead for value in multiples(minVal + ahead, maxVal + ahead, step)])]

    def _step(self, low: float, high: float, most: int) -> float | None:
        wanted = (high - low) / most
        step = tick_step(high - low, most)
        longer = next((float(seconds) for seconds in TIME_STEPS_S if seconds >= wanted), None)
        match self.axis:
            case XAxis.EPOCH:
                return step if high - low < 2 else max(1.0, step)
            case XAxis.STEP:
                return max(1.0, step)
            case XAxis.TIME:
                return (longer or step) if high - low >= 1 else step
            case XAxis.CLOCK:
                days = DAY_S * max(1.0, tick_step((high - low) / DAY_S, most))
                return (longer or days) if 0 < low <= high < LAST_CLOCK_S else None

    @override
    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        match self.axis:
            case XAxis.TIME:
                return [duration(value) if spacing >= 1 else f"{value:.2f} s" for value in values]
            case XAxis.CLOCK:
                return [clock_text(value, every_s=spacing) for value in values]
            case _:
                decimals = max(0, math.ceil(-math.log10(spacing) - 1e-9))
                return [f"{value + 0.0:,.{decimals}f}" for value in values]


def tick_step(span: float, most: int) -> float:
    """A distance of 1, 2 or 5 times a power of ten that gives at most about `most` ticks."""
    return nice_above(max(span, 1e-300) / max(1, most), TICK_STEPS)


def multiples(low: float, high: float, step: float) -> list[float]:
    """The multiples of `step` from `low` to `high`."""
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    """Whole powers of ten, and 2 and 5 between them where there is room; for errors these are 5 and 2."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    every = max(1, math.ceil(len(decades) / most))
    parts = (1, 2, 5) if 3 * (high - low) <= most else (1,)
    heights = [decade + math.log10(part) for decade in decades if decade % every == 0 for part in parts]
    return [height for height in heights if low - 1e-9 <= height <= high + 1e-9]


def _ahead_of_utc_s(clock_s: float) -> float:
    """So round times are round where this computer is."""
    offset = datetime.fromtimestamp(clock_s).astimezone().utcoffset()
    return offset.total_seconds() if offset else 0.0

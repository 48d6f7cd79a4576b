"""A plot that stays calm: colours of the window, no auto-range, no menu; the mouse moves and zooms x unless y is meant.

Its axes have values with their unit, logarithms of losses and of errors, epochs, steps, times and times of day.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QGraphicsItem, QWidget
from typing_extensions import override

from qtdigits.core.formatting import duration
from qtdigits.core.run.curves import DAY_S, Scale, XAxis, clock_text, nice_above
from qtdigits.gui.widgets.colours import Theme, theme_of

AXIS_WIDTH_PX = 58
LEAST_HEIGHT_PX = 96
PAN_PART = 0.1
"""Of what is in view; a key or a notch of the wheel moves the view by it."""
NOTCH = 120
LEAST_HIGH_DRAG_PX = 24
"""A marked rectangle that is less high is a stretch of the run, with whatever values are in it."""
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


class CalmView(pg.ViewBox):
    """A view without auto-range, whose mouse gestures change x unless they are meant for y."""

    def __init__(self) -> None:
        super().__init__(enableMenu=False, defaultPadding=0)
        self.disableAutoRange()
        self.pans_heights = self.marks_rectangle = False

    @override
    def wheelEvent(self, ev: Any, axis: int | None = None) -> None:
        """Zoom x; with Ctrl the heights; a wheel that turns sideways, or with Shift, moves the view."""
        with_ctrl, with_shift = (
            bool(ev.modifiers() & key)
            for key in (Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier)
        )
        if axis is None and (with_shift or ev.orientation() == Qt.Orientation.Horizontal):
            self.translateBy(x=-ev.delta() / NOTCH * PAN_PART * self.viewRect().width())
            ev.accept()
        else:
            super().wheelEvent(ev, int(with_ctrl) if axis is None else axis)

    @override
    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:
        is_left = ev.button() == Qt.MouseButton.LeftButton
        if ev.isStart():
            is_marking = self.marks_rectangle and is_left and axis is None
            self.setMouseMode(self.RectMode if is_marking else self.PanMode)
        is_marking = self.state["mouseMode"] == self.RectMode
        super().mouseDragEvent(ev, axis if is_marking or axis is not None or self.pans_heights else 0)
        if ev.isFinish():
            self.setMouseMode(self.PanMode)

    @override
    def showAxRect(self, ax: QRectF, **kwargs: Any) -> None:
        """Zoom to a marked rectangle."""
        rect = ax.normalized()
        is_high = rect.height() >= LEAST_HIGH_DRAG_PX * self.viewPixelSize()[1]
        heights = (rect.top(), rect.bottom()) if is_high else None
        self.setRange(xRange=(rect.left(), rect.right()), yRange=heights, padding=0)


class CalmPlot(pg.PlotWidget):
    """A `PlotWidget` in the colours of the window, with a horizontal grid, no menu, and ranges that are only set from outside.

    `is_cached`: axes are painted once for each range; not for pictures on paper, which may be larger than the screen.
    """

    def __init__(self, *, scale: Scale, is_cached: bool = True, parent: QWidget | None = None) -> None:
        self.value_axis, self.run_axis = ValueAxis(scale), RunAxis()
        self.view = CalmView()
        super().__init__(
            parent, viewBox=self.view, axisItems={"left": self.value_axis, "bottom": self.run_axis}
        )
        self.hideButtons()
        self.setMenuEnabled(False)
        self.value_axis.setWidth(AXIS_WIDTH_PX)
        self.value_axis.setGrid(255)
        self.getPlotItem().layout.setContentsMargins(0, 6, 20, 0)
        for axis in (self.value_axis, self.run_axis):
            axis.setZValue(-1)  # the grid below the curves
            if is_cached:
                axis.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self.setMinimumHeight(LEAST_HEIGHT_PX)
        self.setFrameShape(self.Shape.NoFrame)
        self.dress()

    def dress(self) -> None:
        """Take on the colours and the font of the widget."""
        self.theme = theme_of(self)
        self._dressed_in = self.theme, self.font()
        self.setBackground(self.theme.surface)
        for axis in (self.value_axis, self.run_axis):
            axis.dress(self.theme, self.font())
        self.run_axis.setHeight(self.fontMetrics().height() + 8)

    @override
    def sizeHint(self) -> QSize:
        return QSize(500, LEAST_HEIGHT_PX)  # a scene wishes for as much as it would hold

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        changed = event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange)
        if changed and self.plotItem is not None and self._dressed_in != (theme_of(self), self.font()):
            self.dress()


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

"""One plot of curves over epochs: axes in the theme's colours, and a range that stays calm while the data grows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg  # noqa: TID253 - this module is itself imported late, after the first paint
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QMouseEvent

from qtdigits.gui.overriding import override
from qtdigits.gui.theme import Theme

Numbers = NDArray[np.float64]

AXIS_WIDTH_PX = 50
LABEL_MARGIN_PX = 9
"""Half of a label at the very end of an axis."""
UNDER_THE_CURVES = -1000
"""pyqtgraph draws the grid of an axis over the curves (z 0.5, the curves' box being at -100)."""
WIDE_PEN_MOST_POINTS = 200
"""Qt draws lines wider than one pixel some 50 times slower."""
NICE = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


class CurvePlot(pg.PlotWidget):
    """Draws named curves. The range follows the data until the person zooms; a double click brings that back.

    `is_share`: the values are shares of 1, shown in per cent, and 100 % is the fixed end of the axis; else 0 is.
    """

    view_changed = Signal()

    def __init__(self, *, is_share: bool) -> None:
        self._values = _ValueAxis("left", unit=" %" if is_share else "")
        self._epochs = _EpochAxis("bottom")
        super().__init__(axisItems={"left": self._values, "bottom": self._epochs})
        self._is_share = is_share
        self._curves: dict[str, pg.PlotDataItem] = {}
        self._best = pg.InfiniteLine(angle=90, movable=False)
        self._best.hide()
        self.addItem(self._best, ignoreBounds=True)
        self._lengths: dict[str, int] = {}
        self._is_zoomed = False
        self._spread = 0.0
        self._empty_spread = 20.0 if is_share else 1.0
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.showGrid(x=False, y=True, alpha=1.0)
        self._values.setZValue(UNDER_THE_CURVES)
        self.getPlotItem().setContentsMargins(0, LABEL_MARGIN_PX, LABEL_MARGIN_PX, 0)
        self.getViewBox().setDefaultPadding(0)
        self.getViewBox().disableAutoRange()
        self.getViewBox().sigRangeChangedManually.connect(self._on_zoomed)

    def add_curve(self, name: str, *, is_dense: bool) -> None:
        curve = self.plot(antialias=True)
        if is_dense:
            # At most two points for each pixel, the lowest and the highest: a curve of 20,000 points costs what it shows.
            curve.setDownsampling(auto=True, method="peak")
            curve.setClipToView(True)
            curve.opts["autoDownsampleFactor"] = 0.5
        self._curves[name] = curve

    def set_curve(self, name: str, x: Numbers, y: Numbers) -> None:
        """`x` in epochs, `y` as it came (a share or a loss), both `(n,)`.

        Within a run arrays only grow, so the same length means the same points, and nothing is done.
        """
        if self._lengths.get(name) != len(x):
            self._lengths[name] = len(x)
            self._curves[name].setData(x, 100 * y if self._is_share else y)

    def set_pen(self, name: str, colour: QColor, *, width_px: int) -> None:
        self._curves[name].setPen(pg.mkPen(colour, width=width_px))

    def set_best(self, x: float | None) -> None:
        self._best.setVisible(x is not None)
        if x is not None:
            self._best.setValue(x)

    def show_range(self, *, x_end: float, values: Sequence[Numbers]) -> None:
        """Show everything up to `x_end` and what matters of `values`, unless the person has zoomed."""
        if self._is_zoomed:
            return
        distances = [100 * (1 - v) if self._is_share else v for v in values]
        self._spread = (
            calm_spread(self._spread, distances, least=0.5 if self._is_share else 1e-4) or self._empty_spread
        )
        low, high = (100 - self._spread, 100.0) if self._is_share else (0.0, self._spread)
        margin = 0.015 * self._spread
        self.setRange(
            xRange=(0, x_end), yRange=(low - margin, high + margin), padding=0, disableAutoRange=True
        )

    def forget(self) -> None:
        """A new run: no zoom, no range and no points from the one before."""
        self._lengths.clear()
        self._is_zoomed = False
        self._spread = 0.0

    def set_theme(self, theme: Theme) -> None:
        self.setBackground(theme.surface)
        for axis in (self._values, self._epochs):
            axis.setPen(pg.mkPen(None))
            axis.setTickPen(pg.mkPen(theme.grid))
            axis.setTextPen(pg.mkPen(theme.text_muted))
        self._best.setPen(pg.mkPen(theme.good, width=1, style=Qt.PenStyle.DashLine))

    def points(self, name: str) -> tuple[Numbers, Numbers]:
        """What is drawn of a curve, after thinning."""
        x, y = self._curves[name].getData()
        empty = np.empty(0)
        return (empty if x is None else x), (empty if y is None else y)

    @property
    def best(self) -> float | None:
        """Where the best epoch is marked."""
        return float(self._best.value()) if self._best.isVisible() else None

    @Slot()
    def _on_zoomed(self) -> None:
        self._is_zoomed = True

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._is_zoomed = False
        self.view_changed.emit()
        event.accept()


class _ValueAxis(pg.AxisItem):
    def __init__(self, orientation: str, *, unit: str) -> None:
        super().__init__(orientation)
        self._unit = unit
        self.enableAutoSIPrefix(False)
        self.setWidth(AXIS_WIDTH_PX)
        self.setStyle(tickLength=0, maxTickLevel=0, tickTextOffset=6, hideOverlappingLabels=False)

    @override
    def boundingRect(self) -> QRectF:
        """pyqtgraph leaves a label out that is not wholly beside the plot; those of 0 and 100 % stand at its corners."""
        rect: QRectF = super().boundingRect()
        return rect.adjusted(0, -LABEL_MARGIN_PX, 0, LABEL_MARGIN_PX)

    @override
    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        decimals = max(0, math.ceil(-math.log10(spacing) - 1e-9)) if spacing > 0 else 0
        return [f"{abs(v):.{decimals}f}{self._unit}" for v in values]


class _EpochAxis(pg.AxisItem):
    """Whole epochs only, once there is more than one."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.enableAutoSIPrefix(False)
        self.setStyle(tickLength=0, maxTickLevel=0, tickTextOffset=4, hideOverlappingLabels=False)

    @override
    def boundingRect(self) -> QRectF:
        rect: QRectF = super().boundingRect()
        return rect.adjusted(-LABEL_MARGIN_PX, 0, LABEL_MARGIN_PX, 0)

    @override
    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, float]]:  # noqa: N803
        levels: list[tuple[float, float]] = super().tickSpacing(minVal, maxVal, size)
        spacing = levels[0][0]
        for finer, _ in levels[1:]:
            if size / max(1e-9, (maxVal - minVal) / finer) >= 40:
                spacing = finer
        whole = spacing if maxVal - minVal < 2 else max(1.0, float(round(spacing)))
        return [(whole, 0)]


def calm_spread(current: float, distances: Sequence[Numbers], *, least: float) -> float:
    """How far from its fixed end an axis has to reach, as a round number.

    The highest 1 % is left out: one bad batch must not flatten the curves. A range grows at once, and shrinks only when
    less than 60 % of it is used, so that the axis does not tremble. Without data it stays as it is.
    """
    tops = [float(np.percentile(kept, 99)) for d in distances if (kept := d[np.isfinite(d)]).size]
    if not tops:
        return current
    wanted = nice_above(max([*tops, least]))
    return wanted if wanted > current or wanted < 0.6 * current else current


def nice_above(value: float) -> float:
    """The smallest of 1, 1.5, 2, 3, … times a power of ten that is not below `value` (> 0)."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(n for n in NICE if n * power >= value * (1 - 1e-9)) * power

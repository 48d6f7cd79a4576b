"""A curve on a plot: downsampled to what can be seen, and drawn by the item that is best for so many points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QPen

from qtdigits.core.run.curves import Downsampled, Range, Scale
from qtdigits.gui.plots.calm_plot import CalmPlot
from qtdigits.gui.plots.legend import colour_of
from qtdigits.gui.plots.run_series import Series

MOST_SPARSE_POINTS = 200
"""Qt draws lines wider than a pixel, dashed or with smooth edges many times slower: only curves of few points have them."""
MOST_MARKERS = 60
SYMBOLS = {"circle": "o", "diamond": "d"}


class DrawnCurve:
    """Shows one `Series` that grows. `is_cached`: markers are painted once, as a bitmap."""

    def __init__(self, plot: CalmPlot, *, is_cached: bool) -> None:
        self._plot, self._is_cached = plot, is_cached
        self._item: Any = None
        self._opacity = 1.0
        self._downsampled: Downsampled | None = None
        self._drawn: object = None
        self._kind: object = None

    def draw(self, curve: Series, scale: Scale, shown: Range, *, layer: float) -> None:
        """Only where there is something new."""
        columns = max(1, round(self._plot.view.width() * self._plot.devicePixelRatioF()))
        drawn = (len(curve.x), shown, columns)
        if self._drawn == drawn or (self._item is None and not len(curve.x)):
            return
        self._drawn = drawn
        if self._downsampled is None or self._downsampled.view != (*shown, columns):
            self._downsampled = Downsampled(start=shown[0], end=shown[1], columns=columns)
        x, y = self._downsampled.update(curve.x, curve.y)
        heights = scale.heights(y)
        known = np.isfinite(heights)
        if not known.all():
            x, heights = x[known], heights[known]
        kind = (min(len(x), 2), len(x) <= MOST_MARKERS, len(x) <= MOST_SPARSE_POINTS)
        if self._kind != kind:
            self._kind = kind
            self.remove()
            self._item = self._made(curve, len(x))
            self._item.setZValue(layer)
            self._item.setOpacity(self._opacity)
            self._plot.addItem(self._item)
        self._item.setData(x, heights)

    def forget(self) -> None:
        """Other points, another scale or other colours: nothing that was drawn can stay."""
        self._downsampled = self._drawn = self._kind = None

    def remove(self) -> None:
        if self._item is not None:
            self._plot.removeItem(self._item)

    def set_opacity(self, opacity: float) -> None:
        self._opacity = opacity
        if self._item is not None:
            self._item.setOpacity(opacity)

    def _made(self, curve: Series, n_points: int) -> Any:
        """Few points are drawn with dashes, markers and smooth edges; many by an item that does nothing but draw a thin line."""
        colour, style = colour_of(self._plot.theme, curve.style), curve.style
        is_sparse = n_points <= MOST_SPARSE_POINTS
        pen = QPen(colour, self._plot.devicePixelRatioF() * (2 if style.is_bold else 1) if is_sparse else 1)
        pen.setCosmetic(True)
        options = {"name": curve.name, "pen": pen, "connect": "all", "skipFiniteCheck": True}
        if not is_sparse:
            return pg.PlotCurveItem(**options)
        pen.setStyle(style.dash)
        has_markers = n_points == 1 or (bool(style.marker) and n_points <= MOST_MARKERS)
        return pg.PlotDataItem(
            **options,
            antialias=True,
            dynamicRangeLimit=None,
            symbol=SYMBOLS[style.marker or "circle"] if has_markers else None,
            symbolSize=8 if style.marker == "diamond" else 6,
            symbolPen=None,
            symbolBrush=colour,
            useCache=self._is_cached,
        )

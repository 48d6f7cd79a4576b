"""What is on a plot: curves, downsampled to what can be seen, and the cross-hair with what the curves say there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QLabel

from qtdigits.core.run.curves import Downsampled, Range, Scale
from qtdigits.gui.plots.calm_plot import CalmPlot
from qtdigits.gui.plots.legend import Style, colour_of
from qtdigits.gui.plots.run_series import Series
from qtdigits.gui.widgets.colours import Theme

MOST_SPARSE_POINTS = 200
"""Qt draws lines wider than a pixel, dashed or with smooth edges many times slower: only curves of few points have them."""
MOST_MARKERS = 60
SYMBOLS = {"circle": "o", "diamond": "d"}
MOST_NAME_PX = 220
GAP_PX = 12


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


@dataclass(frozen=True)
class CursorValue:
    """What a curve of a `run` ("" where there is only one) says at the cross-hair; `x` and `height` are those of its point."""

    style: Style
    run: str
    kind: str
    value: str
    x: float
    height: float

    @property
    def text(self) -> str:
        return f"{self.run}: {self.kind} {self.value}" if self.run else f"{self.kind} {self.value}"


class Cursor:
    """`x`: where it is, None while it is hidden."""

    def __init__(self, plot: CalmPlot) -> None:
        self._plot = plot
        self.x: float | None = None
        self._line = pg.InfiniteLine(angle=90)
        self._dots = pg.ScatterPlotItem(size=9, pxMode=True)
        for item, height in ((self._line, 10), (self._dots, 11)):
            item.setZValue(height)
            plot.addItem(item, ignoreBounds=True)
        self._box = QLabel(plot)
        self._box.setObjectName("cursorValues")
        self._box.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def dress(self, theme: Theme) -> None:
        self._line.setPen(QColor(theme.text_muted))
        self._dots.setPen(QColor(theme.surface))
        self._box.setStyleSheet(
            f"background: {theme.surface}; border: 1px solid {theme.border};"
            f" border-radius: 5px; padding: 3px 6px; color: {theme.text};"
        )

    def hide(self) -> None:
        for part in (self._line, self._dots, self._box):
            part.hide()

    def show_values(self, x: float, title: str, values: Sequence[CursorValue]) -> None:
        theme, metrics = self._plot.theme, self._plot.fontMetrics()

        def elided(name: str) -> str:
            return str(metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, MOST_NAME_PX))

        self._line.setValue(x)
        colours = [colour_of(theme, value.style) for value in values]
        places = [value.x for value in values], [value.height for value in values]
        self._dots.setData(*places, brush=colours or None)
        self._box.setText(_table(title, values, theme, elided))
        self._box.adjustSize()
        left, width = self._plot.view.mapViewToScene(QPointF(x, 0)).x(), self._box.width()
        has_room = left + GAP_PX + width <= self._plot.width()
        self._box.move(round(left + GAP_PX if has_room else max(0.0, left - GAP_PX - width)), 4)
        for part in (self._line, self._dots, self._box):
            part.show()


def _table(title: str, values: Sequence[CursorValue], theme: Theme, elided: Callable[[str], str]) -> str:
    """The read-out: of one run a row for each curve; of several a row for each run, and a column for each kind of curve."""
    kinds, rows = columns_and_rows(values)
    muted, right = f'style="color: {theme.text_muted}"', '<td align="right">&nbsp;&nbsp;'
    lines = [
        f'<td colspan="2" {muted}>{title}</td>'
        + "".join(f"{right}<span {muted}>{k}</span></td>" for k in kinds)
    ]
    for style, name, said in rows:
        dot = f'<td style="color: {colour_of(theme, style).name()}">●&nbsp;</td>'
        lines.append(
            f"{dot}<td>{escape(elided(name))}</td>" + "".join(f"{right}{text}</td>" for text in said)
        )
    return f'<table cellspacing="0">{"".join(f"<tr>{line}</tr>" for line in lines)}</table>'


def columns_and_rows(
    values: Sequence[CursorValue],
) -> tuple[tuple[str, ...], list[tuple[Style, str, tuple[str, ...]]]]:
    """Titles, and a row (style, name, values) for each curve of one run, or for each of several runs."""
    if not any(value.run for value in values):
        return ("",), [(value.style, value.kind, (value.value,)) for value in values]
    kinds = tuple(dict.fromkeys(value.kind for value in values))
    said = {(value.run, value.kind): value.value for value in values}
    runs = {value.run: value.style for value in values}
    return kinds, [
        (style, run, tuple(said.get((run, kind), "") for kind in kinds)) for run, style in runs.items()
    ]

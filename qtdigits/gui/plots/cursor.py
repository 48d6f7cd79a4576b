"""The cross-hair of a plot: a line, a dot on each curve, and a box beside it with what the curves say there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel

from qtdigits.gui.plots.calm_plot import CalmPlot
from qtdigits.gui.plots.legend import Style, colour_of
from qtdigits.gui.widgets.colours import Theme

MOST_NAME_PX = 220
GAP_PX = 12


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

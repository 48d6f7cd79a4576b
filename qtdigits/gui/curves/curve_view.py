"""What one plot of curves shows: a range that stays calm while the data grows, a cross-hair, a marked stretch.

It only shows; `curve_plot` lets a person look closer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from qtdigits.core.run.axes import CalmRange, Quantity, Range, Scale, data_range, fitted, x_text
from qtdigits.core.run.curves import Downsampled, Numbers, XAxis
from qtdigits.core.run.stretch_figures import StretchFigures, figures_over
from qtdigits.gui.curves.curve_painting import (
    MARKER_MOST_POINTS,
    Drawn,
    Frame,
    Look,
    Mark,
    Picture,
    first_change,
    paint_axes,
    paint_curves,
)
from qtdigits.gui.curves.curve_readout import Reading, paint_cursor
from qtdigits.gui.widgets.colours import Theme

LEAST_HEIGHT_PX = 90
SETTLED_PART = 0.1
"""The first tenth of a run falls too fast to set the range by."""
EPOCHS_TO_SETTLE = 4
"""From so many epochs on the first does not set the range either."""
SEAM_PX = 2
"""A line reaches so far beyond its points, at most."""
RANGE_EVERY = 1.01
"""The range is worked out anew when the curves have grown by a hundredth."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Points of a curve, `x` ascending, both `(n,)`; within a run the arrays only grow.

    `kind`: what of a training it shows; `run`: of which, "" where there is only one. `sets_range`: the calm range has it in view.
    """

    kind: str
    x: Numbers
    y: Numbers
    look: Look
    sets_range: bool = True
    run: str = ""

    @property
    def name(self) -> str:
        return f"{self.run}: {self.kind}" if self.run else self.kind


class CurveView(QWidget):
    """See the module. What plots share (the stretch of the run, the cross-hair) is set from outside."""

    def __init__(self, *, quantity: Quantity, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.quantity = quantity
        self._theme = theme
        self._axis = XAxis.EPOCH
        self._scale = Scale(quantity)
        self._ignores_outliers = True
        self._curves: dict[str, Curve] = {}
        self._thinned: dict[str, Downsampled] = {}
        self._marks: tuple[Mark, ...] = ()
        self._epoch_ends: Numbers = np.empty(0)
        self._stretch: Range = (0.0, 1.0)
        self._is_part = False
        self._heights_chosen: Range | None = None
        self._heights: Range = (0.0, 1.0)
        self._cursor: float | None = None
        self._marked: QRectF | None = None
        self._picture_map: QPixmap | None = None
        self._is_painted = False
        self._axes_map: QPixmap | None = None
        self._axes_shown: object = None
        self._shown: Picture | None = None
        self.set_scale(is_log=False, ignores_outliers=True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(LEAST_HEIGHT_PX)
        self.setAccessibleName(quantity.title)

    # What is shown.

    def set_curves(self, curves: Sequence[Curve]) -> None:
        self._curves = {curve.name: curve for curve in curves}
        self._thinned = {name: kept for name, kept in self._thinned.items() if name in self._curves}
        self._changed()

    def set_marks(self, marks: tuple[Mark, ...], *, epoch_ends: Numbers) -> None:
        self._marks, self._epoch_ends = marks, epoch_ends
        self._changed()

    def set_axis(self, axis: XAxis) -> None:
        self._axis = axis
        self.forget()

    def set_scale(self, *, is_log: bool, ignores_outliers: bool) -> None:
        self._scale = Scale(self.quantity, is_log)
        self._ignores_outliers = ignores_outliers
        self._heights_chosen = None
        self._start_range()

    def show_stretch(self, stretch: Range, *, is_part: bool) -> None:
        """Show this stretch of x.

        `is_part`: the person chose it, and the heights fit what is to be seen; else they keep their fixed end.
        """
        if (stretch, is_part) != (self._stretch, self._is_part):
            self._stretch, self._is_part = stretch, is_part
            self._range_at = 0
        n_points = sum(len(curve.x) for curve in self._curves.values())
        if n_points > RANGE_EVERY * self._range_at or n_points < self._range_at:
            self._range_at = n_points
            self._heights = self._heights_chosen or self._fitting_heights()
        self._changed()

    def set_cursor(self, x: float | None) -> None:
        """Show the cross-hair at `x`, or none."""
        self._cursor = x
        self.update()

    def set_marked(self, marked: QRectF | None) -> None:
        """Show this rectangle as marked, or none."""
        self._marked = marked
        self.update()

    def choose_heights(self, heights: Range | None) -> None:
        """Show these heights, whatever the curves do; None: those that fit them."""
        self._heights_chosen = heights
        self._range_at = 0

    def forget(self) -> None:
        """Another run: nothing is kept of ranges and points."""
        self._thinned.clear()
        self._heights_chosen = None
        self._start_range()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._changed()

    # What can be asked.

    @property
    def ranges(self) -> tuple[Range, Range]:
        """The stretch of x and the heights in view; heights are values, unless the scale is logarithmic."""
        return self._stretch, self._heights

    @property
    def has_chosen_heights(self) -> bool:
        return self._heights_chosen is not None

    @property
    def best(self) -> float | None:
        """Where the first best epoch is marked."""
        return self._marks[0].x if self._marks else None

    @property
    def cursor_x(self) -> float | None:
        return self._cursor

    @property
    def marked(self) -> QRectF | None:
        return self._marked

    @property
    def epoch_ends(self) -> Numbers:
        """XPositions of x."""
        return self._epoch_ends

    @property
    def densest(self) -> Numbers:
        """Where the curve with the most points has them; empty where there are none."""
        return max((curve.x for curve in self._curves.values()), key=len, default=np.empty(0))

    def frame(self) -> Frame:
        """What is where in the widget."""
        ranges = Picture(self._scale, self._axis, self._stretch, self._heights)
        return Frame(QRectF(self.rect()), ranges, line_height=QFontMetricsF(self.font()).height())

    def points(self, name: str) -> tuple[Numbers, Numbers]:
        """What is drawn of a curve, after thinning: places and values; empty when there is no such curve."""
        curve = self._curves.get(name)
        if curve is None:
            return np.empty(0), np.empty(0)
        return self._seen(curve, max(1, round(self.frame().inner.width() * self.devicePixelRatioF())))

    def picture(self, columns: int) -> Picture:
        """What is to be seen, thinned for so many pixel columns."""
        drawn = []
        for curve in self._curves.values():
            x, y = self._seen(curve, columns)
            drawn.append(Drawn.of(x, self._scale.heights(y), curve.look))
        return Picture(self._scale, self._axis, self._stretch, self._heights, tuple(drawn), marks=self._marks)

    def readings(self, x: float) -> tuple[Reading, ...]:
        """What the point nearest to `x` says, of each curve that has one."""
        found = []
        for curve in self._curves.values():
            if not len(curve.x):
                continue
            at = nearest(curve.x, x)
            value = float(curve.y[at])
            height = float(self._scale.heights(curve.y[at : at + 1])[0])
            said = self.quantity.text(value)
            found.append(Reading(curve.look, curve.run, curve.kind, said, float(curve.x[at]), height))
        return tuple(found)

    def figures(self) -> list[tuple[str, str, StretchFigures]]:
        """What each curve that has points in view says at the cross-hair, "" without one, and what it does in view."""
        found = [(curve, figures_over(curve.x, curve.y, self._stretch)) for curve in self._curves.values()]
        return [(curve.name, self._here(curve), figures) for curve, figures in found if figures is not None]

    def _here(self, curve: Curve) -> str:
        at = None if self._cursor is None else nearest(curve.x, self._cursor)
        return "" if at is None else self.quantity.text(float(curve.y[at]))

    # Painting.

    @override
    def sizeHint(self) -> QSize:
        return QSize(500, LEAST_HEIGHT_PX)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        picture_map = self._painted()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, picture_map)
        if self._cursor is not None and self._marked is None:
            readings = self.readings(self._cursor)
            title = x_text(self._axis, self._cursor)
            paint_cursor(
                painter, self.frame(), x=self._cursor, title=title, readings=readings, theme=self._theme
            )
        if self._marked is not None:
            colour = QColor(self._theme.accent)
            painter.setPen(QPen(colour, 1))
            colour.setAlphaF(0.15)
            painter.fillRect(self._marked, colour)
            painter.drawRect(self._marked)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._theme.accent), 1))
            painter.drawRect(self.frame().inner.adjusted(-1, -1, 1, 1))

    def _painted(self) -> QPixmap:
        """The picture without cross-hair: kept for as long as nothing changes, its axes for as long as the ranges stay."""
        size = QSize(self.width(), self.height()) * self.devicePixelRatioF()
        picture_map, axes_map = self._picture_map, self._axes_map
        if picture_map is None or axes_map is None or picture_map.size() != size:
            picture_map, axes_map = self._picture_map, self._axes_map = self._pixmap(size), self._pixmap(size)
            self._is_painted, self._axes_shown = False, None
        if not self._is_painted:
            self._is_painted = True
            self._paint_anew(picture_map, axes_map)
        return picture_map

    def _paint_anew(self, picture_map: QPixmap, axes_map: QPixmap) -> None:
        """What has changed since the last time: at a run's side mostly the end of the curves."""
        frame = self.frame()
        picture = self.picture(max(1, round(frame.inner.width() * self.devicePixelRatioF())))
        outer = QRectF(self.rect())
        shown = (self._scale, self._axis, self._stretch, self._heights, self._theme, self.font())
        if self._axes_shown != shown:
            self._axes_shown, self._shown = shown, None
            axes_map.fill(QColor(self._theme.surface))
            with self._painter(axes_map) as painter:
                paint_axes(painter, outer, picture, self._theme)
        changed = -math.inf if self._shown is None else first_change(self._shown, picture, frame)
        self._shown = picture
        if changed == math.inf:
            return
        strip = QRectF(outer)
        if changed > -math.inf:
            strip.setLeft(max(0, math.floor(frame.left_of(changed)) - SEAM_PX))
        with self._painter(picture_map) as painter:
            painter.setClipRect(strip)
            painter.drawPixmap(0, 0, axes_map)
            paint_curves(painter, outer, picture, self._theme, begin=frame.x_at(strip.left() - SEAM_PX))

    def _pixmap(self, size: QSize) -> QPixmap:
        made = QPixmap(size)
        made.setDevicePixelRatio(self.devicePixelRatioF())
        return made

    @contextmanager
    def _painter(self, device: QPixmap) -> Iterator[QPainter]:
        painter = QPainter(device)
        painter.setFont(self.font())
        yield painter
        painter.end()

    def _seen(self, curve: Curve, columns: int) -> tuple[Numbers, Numbers]:
        kept = self._thinned.get(curve.name)
        if kept is None or kept.view != (*self._stretch, columns):
            kept = self._thinned[curve.name] = Downsampled(
                start=self._stretch[0], end=self._stretch[1], columns=columns
            )
        return kept.update(curve.x, curve.y)

    def _changed(self) -> None:
        self._is_painted = False
        self.update()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._changed()

    # Ranges.

    def _start_range(self) -> None:
        self._calm = CalmRange(self._scale, ignores_outliers=self._ignores_outliers)
        self._range_at = 0

    def _fitting_heights(self) -> Range:
        curves = [c for c in self._curves.values() if c.sets_range] or list(self._curves.values())
        if not self._is_part:
            return self._calm.update([self._settled(curve) for curve in curves])
        low, high = self._stretch
        seen = [c.y[np.searchsorted(c.x, low) : np.searchsorted(c.x, high, "right")] for c in curves]
        heights = self._scale.heights(np.concatenate([*seen, np.empty(0)]))
        ends = data_range(heights, ignores_outliers=self._ignores_outliers)
        if ends is None:
            return self._heights
        return fitted(ends, least=1e-3 if self._scale.is_log else self.quantity.least_spread / 100)

    def _settled(self, curve: Curve) -> Numbers:
        """The values that the range is set by."""
        if not self._ignores_outliers or self._scale.is_log or not len(curve.x):
            return curve.y
        is_of_epochs = EPOCHS_TO_SETTLE <= len(curve.x) <= MARKER_MOST_POINTS
        begin = min(self._stretch[0], curve.x[0])
        settled_at = begin + SETTLED_PART * (curve.x[-1] - begin)
        first = max(int(np.searchsorted(curve.x, settled_at)), int(is_of_epochs))
        return curve.y[first:]


def nearest(x: Numbers, wanted: float) -> int:
    """The index of the value of an ascending array (not empty) that is nearest to `wanted`."""
    right = int(np.clip(np.searchsorted(x, wanted), 1, len(x) - 1)) if len(x) > 1 else 0
    return right - 1 if right and wanted - x[right - 1] <= x[right] - wanted else right

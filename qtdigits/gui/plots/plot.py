"""One plot of curves: calm ranges, a cross-hair, and a view that a person moves and resets.

By mouse: dragging moves the view, as the wheel with Shift does; the wheel zooms at the pointer (with Ctrl: the values; over an
axis: that axis); dragging with Shift zooms to what was marked; a click keeps the cross-hair there until the next click there; a
double click shows all. By keyboard (Tab leads here): arrows move the cross-hair, with Ctrl from epoch to epoch, with Shift they
move the view; up and down zoom, with Ctrl the values; Home and End lead to the ends; Backspace shows all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPalette
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from qtdigits.core.run.curves import (
    CalmRange,
    Numbers,
    Quantity,
    Range,
    RangeStatistics,
    Scale,
    XAxis,
    data_range,
    fitted,
    statistics_of,
)
from qtdigits.gui.plots.calm_plot import PAN_PART, CalmPlot
from qtdigits.gui.plots.legend import Style, colour_of
from qtdigits.gui.plots.plot_items import MOST_MARKERS, Cursor, CursorValue, DrawnCurve
from qtdigits.gui.plots.run_series import Series
from qtdigits.gui.widgets.colours import LIGHT

ZOOM_STEP = 1.25
SETTLED_PART = 0.1
"""The first tenth of a run falls too fast to set the range by."""
EPOCHS_TO_SETTLE = 4
"""From so many epochs on the first does not set the range either."""
RANGE_EVERY = 1.01
"""The range is worked out again when the curves have grown by a hundredth."""
OLD_OPACITY = 0.45


@dataclass(frozen=True)
class Mark:
    """An upright line with a word beside it: the best epoch of a run."""

    x: float
    text: str
    role: str = "best"


class Plot(CalmPlot):
    """One plot of curves. What plots share (the range of x, the cross-hair) is told by signal and set from outside.

    `range_chosen` carries the `Range` of x that the person has moved or zoomed to, or None for all; `cursor_moved` an x, or None;
    `cursor_kept` the x of a click.
    """

    range_chosen = Signal(object)
    cursor_moved = Signal(object)
    cursor_kept = Signal(object)

    def __init__(self, *, quantity: Quantity, is_cached: bool = True, parent: QWidget | None = None) -> None:
        self.quantity = quantity
        self._scale = Scale(quantity)
        self._series: dict[str, Series] = {}
        self._curves: dict[str, DrawnCurve] = {}
        self._marks: tuple[Mark, ...] = ()
        self._mark_lines: list[pg.InfiniteLine] = []
        self._epoch_ends: Numbers = np.empty(0)
        self._epochs_drawn: list[float] = []
        self._x_range: Range = (0.0, 1.0)
        self._is_part = False
        self._chosen_heights: Range | None = None
        self._heights: Range = (0.0, 1.0)
        self._is_setting = self._is_complete = False
        self._is_cached = is_cached
        super().__init__(scale=self._scale, is_cached=is_cached, parent=parent)
        self._epoch_lines = pg.VTickGroup([], yrange=[0, 1])
        self._epoch_lines.hide()
        self._epoch_lines.setZValue(-1)
        self.addItem(self._epoch_lines, ignoreBounds=True)
        self._cursor = Cursor(self)
        self._is_complete = True
        self.set_scale(is_log=False, ignores_outliers=True)
        self.dress()
        self.setAccessibleName(f"{quantity.title} curves")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMouseTracking(True)
        self.view.sigXRangeChanged.connect(self._on_x_range)
        self.view.sigYRangeChanged.connect(self._on_y_range)
        self.scene().sigMouseClicked.connect(self._on_clicked)

    # What is shown.

    def set_series(
        self, series: Sequence[Series], *, epoch_ends: Numbers, marks: Sequence[Mark] = ()
    ) -> None:
        """They are drawn by the next `set_x_range`."""
        self._series = {curve.name: curve for curve in series}
        self._epoch_ends = epoch_ends
        for name in self._curves.keys() - self._series.keys():
            self._curves.pop(name).remove()
        if tuple(marks) != self._marks:
            self._marks = tuple(marks)
            self._show_marks()

    def set_x_axis(self, axis: XAxis) -> None:
        self.run_axis.show_axis(axis)
        self.forget()

    def set_scale(self, *, is_log: bool, ignores_outliers: bool) -> None:
        """Logarithmic: of the value, of an accuracy that of the error 1 - y."""
        self._scale = Scale(self.quantity, is_log)
        self._ignores_outliers = ignores_outliers
        self.value_axis.show_scale(self._scale)
        self.forget()

    def set_x_range(self, shown: Range, *, is_chosen: bool) -> None:
        """Draw this range. `is_chosen`: by the person, and the heights fit what is to be seen; else they keep their fixed end."""
        if (shown, is_chosen) != (self._x_range, self._is_part):
            self._x_range, self._is_part = shown, is_chosen
            self._range_at = 0
        n_points = sum(len(curve.x) for curve in self._series.values())
        if n_points > RANGE_EVERY * self._range_at or n_points < self._range_at:
            self._range_at = n_points
            self._heights = self._chosen_heights or self._fitting_heights()
        with self._setting():
            self.view.setRange(xRange=self._x_range, yRange=self._heights, padding=0)
        for place, curve in enumerate(self._series.values()):
            if curve.name not in self._curves:
                self._curves[curve.name] = DrawnCurve(self, is_cached=self._is_cached)
            self._curves[curve.name].draw(curve, self._scale, self._x_range, layer=place / 100)
        self._show_epoch_lines()
        if self._cursor.x is not None:
            self.set_cursor(self._cursor.x)

    def choose_heights(self, heights: Range | None) -> None:
        """Show these heights, whatever the curves do; None: those that fit them."""
        self._chosen_heights = heights
        self.view.pans_heights = heights is not None
        self._range_at = 0

    def forget(self) -> None:
        """Another run, axis or way of drawing: nothing is kept of ranges and points."""
        for drawn in self._curves.values():
            drawn.forget()
        self.choose_heights(None)
        self._calm = CalmRange(self._scale, ignores_outliers=self._ignores_outliers)

    def set_cursor(self, x: float | None) -> None:
        """Show the cross-hair at `x`, or none."""
        self._cursor.x = x
        if x is not None and self._x_range[0] <= x <= self._x_range[1]:
            self._cursor.show_values(x, self.run_axis.axis.text(x), self.values_at(x))
        else:
            self._cursor.hide()

    def set_old(self, is_old: bool) -> None:
        """Whether these are the curves of a run that another one takes the place of."""
        for drawn in self._curves.values():
            drawn.set_opacity(OLD_OPACITY if is_old else 1.0)

    @override
    def dress(self) -> None:
        super().dress()
        if self._is_complete:
            self._epoch_lines.setPen(QColor(self.theme.grid))
            self._cursor.dress(self.theme)
            for drawn in self._curves.values():
                drawn.forget()
            self._show_marks()
            self.set_x_range(self._x_range, is_chosen=self._is_part)

    # What can be asked.

    @property
    def has_chosen_heights(self) -> bool:
        return self._chosen_heights is not None

    @property
    def marks(self) -> tuple[Mark, ...]:
        return self._marks

    @property
    def cursor_x(self) -> float | None:
        return self._cursor.x

    @property
    def densest(self) -> Numbers:
        """Where the curve with the most points has them; empty where there are none."""
        return max((curve.x for curve in self._series.values()), key=len, default=np.empty(0))

    def values_at(self, x: float) -> tuple[CursorValue, ...]:
        """What the point nearest to `x` says, of each curve that has one."""
        found = []
        for curve in self._series.values():
            if len(curve.x):
                at = nearest(curve.x, x)
                height = float(self._scale.heights(curve.y[at : at + 1])[0])
                said = self.quantity.text(float(curve.y[at]))
                found.append(
                    CursorValue(curve.style, curve.run, curve.kind, said, float(curve.x[at]), height)
                )
        return tuple(found)

    def statistics(self) -> list[tuple[str, str, RangeStatistics]]:
        """Name, value at the cross-hair ("" without one) and statistics of each curve that has points in view."""
        found = []
        for curve in self._series.values():
            if (numbers := statistics_of(curve.x, curve.y, self._x_range)) is not None:
                at = None if self._cursor.x is None else nearest(curve.x, self._cursor.x)
                found.append(
                    (curve.name, "" if at is None else self.quantity.text(float(curve.y[at])), numbers)
                )
        return found

    def copy_for_paper(self, *, width_px: int, height_px: int) -> Plot:
        """The same in another size and in light colours, without cross-hair; to be rendered, then closed."""
        copy = Plot(quantity=self.quantity, is_cached=False)
        light = QPalette()
        light.setColor(QPalette.ColorRole.Accent, QColor(LIGHT.accent))
        copy.setPalette(light)
        copy.resize(width_px, height_px)
        copy.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        copy.show()
        copy.set_x_axis(self.run_axis.axis)
        copy.set_scale(is_log=self._scale.is_log, ignores_outliers=self._ignores_outliers)
        copy.choose_heights(self._heights)
        copy.set_series(list(self._series.values()), epoch_ends=self._epoch_ends, marks=self._marks)
        copy.set_x_range(self._x_range, is_chosen=True)
        return copy

    # Drawing.

    def _show_marks(self) -> None:
        for line in self._mark_lines:
            self.removeItem(line)
        self._mark_lines = []
        for mark in self._marks:
            colour = colour_of(self.theme, Style(mark.role))
            paper = QColor(self.theme.surface)
            paper.setAlphaF(0.8)
            line = pg.InfiniteLine(
                mark.x,
                angle=90,
                pen=pg.mkPen(colour, style=Qt.PenStyle.DashLine),
                label=mark.text,
                # Where the curves of a finished run are not: losses end low, shares high.
                labelOpts={
                    "position": 0.08 if self.quantity.is_share else 0.92,
                    "color": colour,
                    "fill": paper,
                },
            )
            line.setZValue(5)
            self.addItem(line, ignoreBounds=True)
            self._mark_lines.append(line)

    def _show_epoch_lines(self) -> None:
        """Faint upright lines where epochs ended, as long as they can be told apart."""
        low, high = self._x_range
        ends = self._epoch_ends[(self._epoch_ends > low) & (self._epoch_ends < high)]
        shown = ends.tolist() if len(ends) <= MOST_MARKERS else []
        if shown != self._epochs_drawn:
            self._epochs_drawn = shown
            self._epoch_lines.setXVals(shown)
            self._epoch_lines.setVisible(bool(shown))

    # Ranges.

    @contextmanager
    def _setting(self) -> Iterator[None]:
        """What is set here was not chosen by the person."""
        before, self._is_setting = self._is_setting, True
        try:
            yield
        finally:
            self._is_setting = before

    def _on_x_range(self, _view: object, shown: tuple[float, float]) -> None:
        if not self._is_setting:
            self.range_chosen.emit((float(shown[0]), float(shown[1])))

    def _on_y_range(self, _view: object, shown: tuple[float, float]) -> None:
        if not self._is_setting:
            self.choose_heights((float(shown[0]), float(shown[1])))
            self.range_chosen.emit(self._x_range)

    def _fitting_heights(self) -> Range:
        curves = [c for c in self._series.values() if c.sets_range] or list(self._series.values())
        if not self._is_part:
            return self._calm.update([self._settled(curve) for curve in curves])
        low, high = self._x_range
        seen = [c.y[np.searchsorted(c.x, low) : np.searchsorted(c.x, high, "right")] for c in curves]
        heights = self._scale.heights(np.concatenate([*seen, np.empty(0)]))
        ends = data_range(heights, ignores_outliers=self._ignores_outliers)
        if ends is None:
            return self._heights
        return fitted(ends, least=1e-3 if self._scale.is_log else self.quantity.least_spread / 100)

    def _settled(self, curve: Series) -> Numbers:
        """The values that the range is set by."""
        if not self._ignores_outliers or self._scale.is_log or not len(curve.x):
            return curve.y
        is_of_epochs = EPOCHS_TO_SETTLE <= len(curve.x) <= MOST_MARKERS
        begin = min(self._x_range[0], curve.x[0])
        settled_at = begin + SETTLED_PART * (curve.x[-1] - begin)
        first = max(int(np.searchsorted(curve.x, settled_at)), int(is_of_epochs))
        return curve.y[first:]

    # By mouse.

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if event.buttons() == Qt.MouseButton.NoButton:
            scene = self.mapToScene(event.position().toPoint())
            is_inside = self.view.sceneBoundingRect().adjusted(-4, 0, 4, 0).contains(scene)
            self.cursor_moved.emit(self._snapped(self.view.mapSceneToView(scene).x()) if is_inside else None)
        elif self._cursor.x is not None:
            self.cursor_moved.emit(None)

    @override
    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        if not self.hasFocus():
            self.cursor_moved.emit(None)

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.view.marks_rectangle = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        super().mousePressEvent(event)

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        self._show_all()

    def _on_clicked(self, event: Any) -> None:
        is_single = event.button() == Qt.MouseButton.LeftButton and not event.double()
        if is_single and len(self.densest) and self.view.sceneBoundingRect().contains(event.scenePos()):
            self.cursor_kept.emit(self._snapped(self.view.mapSceneToView(event.scenePos()).x()))

    # By keyboard.

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        with_shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        with_ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        low, high = self._x_range
        here = high if self._cursor.x is None else self._cursor.x
        match event.key():
            case Qt.Key.Key_Left | Qt.Key.Key_Right:
                sign = 1 if event.key() == Qt.Key.Key_Right else -1
                if with_shift:
                    self.pan(sign)
                else:
                    self.cursor_moved.emit(self._next(here, sign, by_epoch=with_ctrl))
            case Qt.Key.Key_Up | Qt.Key.Key_Down:
                sign = 1 if event.key() == Qt.Key.Key_Up else -1
                if with_shift or with_ctrl:
                    self._change_heights(sign, moves=with_shift)
                else:
                    self.zoom(sign, at=min(max(here, low), high))
            case Qt.Key.Key_Home | Qt.Key.Key_End:
                self.cursor_moved.emit(self._snapped(low if event.key() == Qt.Key.Key_Home else high))
            case Qt.Key.Key_Backspace:
                self._show_all()
            case _:
                event.ignore()

    def zoom(self, sign: int, *, at: float | None = None) -> None:
        """Look closer (`sign` 1) or back (-1), at a position or in the middle."""
        low, high = self._x_range
        self.range_chosen.emit(
            scaled(self._x_range, (low + high) / 2 if at is None else at, ZOOM_STEP**-sign)
        )

    def pan(self, sign: int) -> None:
        """Move the view by a tenth of its width, to the right (`sign` 1) or to the left (-1)."""
        low, high = self._x_range
        by = sign * PAN_PART * (high - low)
        self.range_chosen.emit((low + by, high + by))

    def _change_heights(self, sign: int, *, moves: bool) -> None:
        bottom, top = self._heights
        by = sign * PAN_PART * (top - bottom)
        chosen = (
            (bottom + by, top + by) if moves else scaled((bottom, top), (bottom + top) / 2, ZOOM_STEP**-sign)
        )
        self.choose_heights(chosen)
        self.range_chosen.emit(self._x_range)

    def _show_all(self) -> None:
        self.choose_heights(None)
        self.range_chosen.emit(None)

    def _next(self, here: float, sign: int, *, by_epoch: bool) -> float:
        """The next epoch's end, or the next point that is at least a pixel away."""
        low, high = self._x_range
        if by_epoch:
            return _neighbour(self._epoch_ends, here, sign, least=1e-12 * max(1.0, abs(here)))
        return _neighbour(self.densest, here, sign, least=(high - low) / max(1.0, self.view.width()))

    def _snapped(self, x: float) -> float:
        """The nearest position that has a point, of the curve with the most points."""
        positions = self.densest
        return float(positions[nearest(positions, x)]) if len(positions) else x

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.view.setBorder(QColor(self.theme.accent))
        self.cursor_moved.emit(self._snapped(self._x_range[1]))

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.view.setBorder(None)
        self.cursor_moved.emit(None)


def nearest(x: Numbers, wanted: float) -> int:
    """The index of the value of an ascending array (not empty) that is nearest to `wanted`."""
    right = int(np.clip(np.searchsorted(x, wanted), 1, len(x) - 1)) if len(x) > 1 else 0
    return right - 1 if right and wanted - x[right - 1] <= x[right] - wanted else right


def scaled(shown: Range, fixed: float, factor: float) -> Range:
    """A range made wider or narrower by `factor`, with `fixed` at its place."""
    low, high = shown
    return fixed - (fixed - low) * factor, fixed + (high - fixed) * factor


def _neighbour(positions: Numbers, here: float, sign: int, *, least: float) -> float:
    """The first of the ascending `positions` that is `least` away in that direction, the last one where there is none."""
    if not len(positions):
        return here
    if sign > 0:
        at = int(np.searchsorted(positions, here + least, "left"))
    else:
        at = int(np.searchsorted(positions, here - least, "right")) - 1
    return float(positions[np.clip(at, 0, len(positions) - 1)])

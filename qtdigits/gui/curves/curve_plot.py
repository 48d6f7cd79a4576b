"""One plot of curves, in which a person looks closer and reads values.

By keyboard (Tab leads to it): arrows move the cross-hair, with Ctrl from epoch to epoch, with Shift they move the view; up and
down look closer and back; Home and End lead to the ends; Backspace shows all. By mouse: the wheel looks closer at the pointer
(with Ctrl: upwards), a click keeps the cross-hair there until the next click there, dragging looks at what was marked, dragging
with Shift or the middle button moves the view, a double click shows all.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from qtdigits.core.run.axes import Quantity, Range
from qtdigits.core.run.curves import Numbers
from qtdigits.gui.curves.curve_view import CurveView, nearest
from qtdigits.gui.widgets.colours import Theme

ZOOM_STEP = 1.25
PAN_PART = 0.1
LEAST_DRAG_PX = 6
LEAST_HIGH_DRAG_PX = 24
"""A drag that is less high marks a stretch of the run, with whatever heights are in it."""


class CurvePlot(CurveView):
    """See the module. What plots share (the stretch of the run, the cross-hair) is asked for by signal and set from outside.

    `stretch_wanted` carries a `Range` of x, or None for all; `cursor_wanted` an x, or None; `cursor_kept` the x of a click.
    """

    stretch_wanted = Signal(object)
    cursor_wanted = Signal(object)
    cursor_kept = Signal(object)

    def __init__(self, *, quantity: Quantity, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(quantity=quantity, theme=theme, parent=parent)
        self._marking_from: QPointF | None = None
        self._panned_to: QPointF | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    # By mouse.

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        is_left = event.button() == Qt.MouseButton.LeftButton
        with_shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.button() == Qt.MouseButton.MiddleButton or (is_left and with_shift):
            self._panned_to = event.position()
            self.cursor_wanted.emit(None)
        elif is_left:
            self._marking_from = event.position()

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._panned_to is not None:
            self._pan(self._panned_to, at)
            self._panned_to = at
        elif self._marking_from is not None:
            self.set_marked(self._mark(self._marking_from, at))
        else:
            frame = self.frame()
            is_inside = frame.inner.left() - 4 <= at.x() <= frame.inner.right() + 4
            self.cursor_wanted.emit(self._snapped(frame.x_at(at.x())) if is_inside else None)

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        marked, frame = self.marked, self.frame()
        is_click = marked is None and self._marking_from is not None
        if is_click and len(self.densest):
            self.cursor_kept.emit(self._snapped(frame.x_at(event.position().x())))
        self._end_drag()
        if marked is not None:
            is_part = marked.height() < frame.inner.height()
            heights = (frame.height_at(marked.bottom()), frame.height_at(marked.top())) if is_part else None
            self._want((frame.x_at(marked.left()), frame.x_at(marked.right())), heights=heights)

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._end_drag()
        self._want_all()

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        frame, at = self.frame(), event.position()
        stretch, heights = self.ranges
        factor = ZOOM_STEP ** (-event.angleDelta().y() / 120)
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._want(stretch, heights=scaled(heights, frame.height_at(at.y()), factor))
        else:
            self._want(scaled(stretch, frame.x_at(at.x()), factor))
        event.accept()

    @override
    def leaveEvent(self, event: object) -> None:
        if not self.hasFocus():
            self.cursor_wanted.emit(None)

    def _pan(self, start: QPointF, end: QPointF) -> None:
        frame = self.frame()
        by_x = frame.x_at(start.x()) - frame.x_at(end.x())
        by_height = frame.height_at(start.y()) - frame.height_at(end.y())
        stretch, heights = self.ranges
        self._want(moved(stretch, by_x), heights=moved(heights, by_height))

    def _mark(self, start: QPointF, end: QPointF) -> QRectF | None:
        """What a drag marks, None while that is nothing yet."""
        inner = self.frame().inner
        marked = QRectF(start, end).normalized()
        if marked.width() < LEAST_DRAG_PX:
            return None
        if marked.height() < LEAST_HIGH_DRAG_PX:
            marked.setTop(inner.top())
            marked.setBottom(inner.bottom())
        return marked.intersected(inner)

    def _end_drag(self) -> None:
        self._marking_from = self._panned_to = None
        self.set_marked(None)

    # By keyboard.

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        with_shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        with_ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        stretch, heights = self.ranges
        (low, high), (bottom, top) = stretch, heights
        here = high if self.cursor_x is None else self.cursor_x
        match event.key():
            case Qt.Key.Key_Left | Qt.Key.Key_Right:
                sign = 1 if event.key() == Qt.Key.Key_Right else -1
                if with_shift:
                    self._want(moved(stretch, sign * PAN_PART * (high - low)))
                elif with_ctrl:
                    self.cursor_wanted.emit(self._next_epoch(here, sign))
                else:
                    self.cursor_wanted.emit(self._next(here, sign))
            case Qt.Key.Key_Up | Qt.Key.Key_Down:
                sign = 1 if event.key() == Qt.Key.Key_Up else -1
                factor = ZOOM_STEP**-sign
                if with_shift:
                    self._want(stretch, heights=moved(heights, sign * PAN_PART * (top - bottom)))
                elif with_ctrl:
                    self._want(stretch, heights=scaled(heights, (bottom + top) / 2, factor))
                else:
                    self._want(scaled(stretch, min(max(here, low), high), factor))
            case Qt.Key.Key_Home | Qt.Key.Key_End:
                self.cursor_wanted.emit(self._snapped(low if event.key() == Qt.Key.Key_Home else high))
            case Qt.Key.Key_Backspace:
                self._want_all()
            case _:
                super().keyPressEvent(event)

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        (_, high), _ = self.ranges
        self.cursor_wanted.emit(self._snapped(high))

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.cursor_wanted.emit(None)

    def _next(self, here: float, sign: int) -> float:
        """The next point in that direction that is at least a pixel away."""
        (low, high), _ = self.ranges
        pixel = (high - low) / max(1.0, self.frame().inner.width())
        return _neighbour(self.densest, here, sign, least=pixel)

    def _next_epoch(self, here: float, sign: int) -> float:
        return _neighbour(self.epoch_ends, here, sign, least=1e-12 * max(1.0, abs(here)))

    # What is asked for.

    def _want(self, stretch: Range, *, heights: Range | None = None) -> None:
        """`heights`: None leaves them as they are chosen, or not."""
        if heights is not None:
            self.choose_heights(heights)
        self.stretch_wanted.emit(stretch)

    def _want_all(self) -> None:
        self.choose_heights(None)
        self.stretch_wanted.emit(None)

    def _snapped(self, x: float) -> float:
        """The nearest place that has a point, of the curve with the most points."""
        places = self.densest
        return float(places[nearest(places, x)]) if len(places) else x


def _neighbour(places: Numbers, here: float, sign: int, *, least: float) -> float:
    """The first of the ascending `places` that is `least` away in that direction, the last one where there is none."""
    if not len(places):
        return here
    if sign > 0:
        at = int(np.searchsorted(places, here + least, "left"))
    else:
        at = int(np.searchsorted(places, here - least, "right")) - 1
    return float(places[np.clip(at, 0, len(places) - 1)])


def moved(shown: Range, by: float) -> Range:
    low, high = shown
    return low + by, high + by


def scaled(shown: Range, fixed: float, factor: float) -> Range:
    """A range made wider or narrower by `factor`, with `fixed` at its place."""
    low, high = shown
    return fixed - (fixed - low) * factor, fixed + (high - fixed) * factor

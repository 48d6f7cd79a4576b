"""The canvas: where a person draws with mouse, stylus or finger.

The canvas turns events into strokes and shows ink; the ink itself belongs to the session. Coordinates are in thousandths of
the side of the canvas's square, y down, so that a drawing keeps its place when the window is resized.

One pointer draws at a time. Tablet events are accepted, so Qt makes no mouse events from them; mouse events that a system makes
from touch or pen are passed over; while a pen is near (or was, half a second ago), touch is the palm and is passed over too.
"""

from __future__ import annotations

import math
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QElapsedTimer, QEvent, QObject, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEventPoint,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QPointingDevice,
    QResizeEvent,
    QTabletEvent,
    QTouchEvent,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget
from typing_extensions import override

from qtdigits.core.drawing.ink import Ink
from qtdigits.gui.widgets.colours import theme_of
from qtdigits.gui.widgets.painting import draw_stroke
from qtdigits.gui.widgets.parts import heavy_font

UNITS = 1000.0
"""The side of the canvas's square in ink units."""
LEAST_SIDE_PX = 150
GUIDE_MARGIN = 0.14
"""The guide box keeps this part of the side free on every edge."""
PEN_WIDTH = 0.046
"""Width of the drawn line at full pressure, as a part of the side."""
ERASER_REACH = 0.035
TAP_UNITS = 6.0
"""A pointer that has not moved further since it was pressed makes a dot: a hand trembles."""
PALM_REST_MS = 500
INVITATION = "Draw a digit"
INVITING_DIGIT = (
    *((370, 290), (400, 190), (620, 190), (620, 320), (620, 420), (540, 445), (460, 445)),
    *((580, 445), (660, 490), (660, 590), (660, 740), (400, 760), (340, 650)),
)
"""A 3, in ink units: its first point, then the points of four cubic curves."""


class Pointer(Enum):
    """What is drawing at the moment."""

    MOUSE = "mouse"
    STYLUS = "stylus"
    TOUCH = "touch"


class Canvas(QWidget):
    """Shows ink and turns pointer events into strokes.

    `stroke_finished` carries an `(n, 4)` array (x, y, t in ms, pressure) and the device's name; `stroke_erased` carries the
    index of the stroke that the eraser end touched.
    """

    stroke_started = Signal()
    stroke_finished = Signal(object, str)
    stroke_erased = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self.setAccessibleName("Canvas")
        self.setAccessibleDescription("Draw a digit here with mouse, pen or finger.")
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setTabletTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setMinimumSize(LEAST_SIDE_PX, LEAST_SIDE_PX)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setSizePolicy(policy)
        self._ink = Ink()
        self._pointer: Pointer | None = None
        self._device = ""
        self._touch_id = -1
        self._points: list[tuple[float, float, float, float]] = []
        self._drawing_clock = QElapsedTimer()
        self._pen_seen = QElapsedTimer()
        self._hover: QPointF | None = None
        self._pixmap: QPixmap | None = None
        self._is_watching = False
        self._invites = False

    @property
    def shows_invitation(self) -> bool:
        return self._invites and self._ink.is_blank and not self._points

    def set_inviting(self, is_inviting: bool) -> None:
        """While it is blank, say by a faint digit and in words what the canvas is for."""
        if is_inviting != self._invites:
            self._invites = is_inviting
            self._redraw_all()

    @property
    def is_drawing(self) -> bool:
        return self._pointer is not None

    def show_ink(self, ink: Ink) -> None:
        """Show `ink`. A stroke that has just been drawn is on the screen already and is not drawn again."""
        drawn = self._ink
        self._ink = ink
        appended = len(ink.strokes) == len(drawn.strokes) + 1 and all(
            a is b for a, b in zip(ink.strokes, drawn.strokes, strict=False)
        )
        if ink.is_blank:
            self._drawing_clock.invalidate()
        if appended and self._points and len(self._points) == len(ink.strokes[-1]):
            self._points = []
        else:
            if not self.is_drawing:
                self._points = []
            self._redraw_all()

    # Events of the three kinds of pointer, all led to _press, _move and _release.

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._is_real_mouse(event):
            self._press(Pointer.MOUSE, event.position(), 1.0, event.device())

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pointer is Pointer.MOUSE and self._is_real_mouse(event):
            if event.buttons() & Qt.MouseButton.LeftButton:
                self._move(event.position(), 1.0)
            else:
                self._finish()

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._pointer is Pointer.MOUSE:
            self._release(event.position(), 1.0)

    @override
    def tabletEvent(self, event: QTabletEvent) -> None:
        event.accept()
        self._pen_seen.start()
        self._watch_pen()
        if self._pointer is Pointer.TOUCH:
            self._abandon()
        position = event.position()
        if event.pointerType() == QPointingDevice.PointerType.Eraser:
            if event.buttons() != Qt.MouseButton.NoButton:
                self._erase_at(position)
        elif event.type() == QEvent.Type.TabletPress and event.button() == Qt.MouseButton.LeftButton:
            self._press(Pointer.STYLUS, position, event.pressure(), event.device())
        elif event.type() == QEvent.Type.TabletMove and self._pointer is Pointer.STYLUS:
            if event.buttons() & Qt.MouseButton.LeftButton:
                self._move(position, event.pressure())
            else:
                self._finish()
        elif event.type() == QEvent.Type.TabletRelease and self._pointer is Pointer.STYLUS:
            self._release(position, self._points[-1][3])
        self._set_hover(None if self.is_drawing else position)

    @override
    def event(self, event: QEvent) -> bool:
        if isinstance(event, QTouchEvent):
            self._touch(event)
            return True
        if event.type() == QEvent.Type.Leave:
            self._set_hover(None)
        if event.type() == QEvent.Type.Hide and self.is_drawing:
            self._abandon()
        return super().event(event)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt tells the application, and no widget, that the pen has left."""
        if event.type() == QEvent.Type.TabletLeaveProximity:
            watched.removeEventFilter(self)
            self._is_watching = False
            if self._pointer is Pointer.STYLUS:
                self._finish()
            self._set_hover(None)
        return False

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        if self._pixmap is None:
            self._pixmap = self._drawn()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._pixmap)
        if self._hover is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(theme_of(self).text_muted), 1))
            radius = PEN_WIDTH * self._side / 2
            painter.drawEllipse(self._hover, radius, radius)
        painter.end()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._redraw_all()

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.DevicePixelRatioChange, QEvent.Type.PaletteChange):
            self._redraw_all()
        super().changeEvent(event)

    @override
    def sizeHint(self) -> QSize:
        return QSize(460, 460)

    @override
    def hasHeightForWidth(self) -> bool:
        return True

    @override
    def heightForWidth(self, width: int) -> int:
        return width

    def _is_real_mouse(self, event: QMouseEvent) -> bool:
        return event.source() == Qt.MouseEventSource.MouseEventNotSynthesized and not self._pen_is_near

    @property
    def _pen_is_near(self) -> bool:
        return self._pen_seen.isValid() and self._pen_seen.elapsed() < PALM_REST_MS

    def _watch_pen(self) -> None:
        """Hear of its leaving; only while there is one, as a filter sees every event of the application."""
        app = QApplication.instance()
        if app is not None and not self._is_watching:
            app.installEventFilter(self)
            self._is_watching = True

    def _touch(self, event: QTouchEvent) -> None:
        event.accept()
        if self._pen_is_near or event.type() == QEvent.Type.TouchCancel:
            if self._pointer is Pointer.TOUCH:
                self._abandon()
            return
        for point in event.points():
            self._touch_point(point, event.pointingDevice())

    def _touch_point(self, point: QEventPoint, device: QPointingDevice) -> None:
        """Follow the first finger; a second one does not draw."""
        state = point.state()
        if state == QEventPoint.State.Pressed and self._pointer is None:
            self._touch_id = point.id()
            self._press(Pointer.TOUCH, point.position(), 1.0, device)
        elif self._pointer is Pointer.TOUCH and point.id() == self._touch_id:
            if state == QEventPoint.State.Updated:
                self._move(point.position(), 1.0)
            elif state == QEventPoint.State.Released:
                self._release(point.position(), 1.0)

    def _press(self, pointer: Pointer, position: QPointF, pressure: float, device: object) -> None:
        if self._pointer is pointer:
            self._finish()
        if self._pointer is not None:
            return
        self._pointer = pointer
        name = device.name() if isinstance(device, QPointingDevice) else ""
        printable = "".join(filter(str.isprintable, name))  # on X11 there is more behind a name
        self._device = f"{pointer.value} {printable}".strip()
        self._points = []
        if not self._drawing_clock.isValid():
            self._drawing_clock.start()
        if self.shows_invitation:
            self._redraw_all()
        self._append(position, pressure)
        self.stroke_started.emit()

    def _move(self, position: QPointF, pressure: float) -> None:
        x, y, _, _ = self._points[-1]
        new_x, new_y = self._to_units(position)
        reach = TAP_UNITS if len(self._points) == 1 else 0.0
        if math.hypot(new_x - x, new_y - y) > reach:
            self._append(position, pressure)

    def _release(self, position: QPointF, pressure: float) -> None:
        self._move(position, pressure)
        self._finish()

    def _finish(self) -> None:
        """End the stroke where it is; of a pointer that has left, no release may have come."""
        self._pointer = None
        self.stroke_finished.emit(np.array(self._points, np.float32), self._device)

    def _abandon(self) -> None:
        """Give up the stroke that is being drawn, as if it had not been begun."""
        self._pointer = None
        self._points = []
        self._redraw_all()

    def _append(self, position: QPointF, pressure: float) -> None:
        x, y = self._to_units(position)
        self._points.append((x, y, float(self._drawing_clock.elapsed()), min(max(pressure, 0.0), 1.0)))
        if self._pixmap is not None:
            self._draw_newest(self._pixmap)

    def _draw_newest(self, pixmap: QPixmap) -> None:
        """Add the last segment of the live stroke to the picture, and repaint no more than that."""
        newest = np.array(self._points[-2:], np.float32)
        painter = self._ink_painter(pixmap)
        self._draw_stroke(painter, newest)
        painter.end()
        ends = [self._to_widget(x, y) for x, y in newest[:, :2]]
        reach = PEN_WIDTH * self._side
        box = QRectF(ends[0], ends[-1]).normalized().adjusted(-reach, -reach, reach, reach)
        self.update(box.toAlignedRect())

    def _erase_at(self, position: QPointF) -> None:
        index = stroke_near(self._ink, self._to_units(position), ERASER_REACH * UNITS)
        if index is not None:
            self.stroke_erased.emit(index)

    def _set_hover(self, position: QPointF | None) -> None:
        if position != self._hover:
            self._hover = position
            self.update()

    # The square and its units.

    @property
    def _side(self) -> float:
        return float(min(self.width(), self.height()))

    @property
    def _origin(self) -> QPointF:
        return QPointF((self.width() - self._side) / 2, (self.height() - self._side) / 2)

    def _to_units(self, position: QPointF) -> tuple[float, float]:
        scale = UNITS / self._side
        local = position - self._origin
        return local.x() * scale, local.y() * scale

    def _to_widget(self, x: float, y: float) -> QPointF:
        scale = self._side / UNITS
        return self._origin + QPointF(float(x) * scale, float(y) * scale)

    # Painting.

    def _redraw_all(self) -> None:
        self._pixmap = None
        self.update()

    def _drawn(self) -> QPixmap:
        """Background, guide box, hint and all ink, at the screen's own resolution."""
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(QColor(theme_of(self).canvas))
        painter = self._ink_painter(pixmap)
        self._draw_guide(painter)
        if self.shows_invitation:
            self._draw_invitation(painter)
        live = [np.array(self._points, np.float32)] if self._points else []
        for stroke in (*self._ink.strokes, *live):
            self._draw_stroke(painter, stroke)
        painter.end()
        return pixmap

    def _ink_painter(self, pixmap: QPixmap) -> QPainter:
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        return painter

    def _draw_guide(self, painter: QPainter) -> None:
        margin = GUIDE_MARGIN * self._side
        box = QRectF(self._origin, self._origin + QPointF(self._side, self._side))
        painter.setPen(QPen(QColor(theme_of(self).border), 1.5))
        painter.drawRoundedRect(box.adjusted(margin, margin, -margin, -margin), 6, 6)

    def _draw_invitation(self, painter: QPainter) -> None:
        theme = theme_of(self)
        places = [self._to_widget(x, y) for x, y in INVITING_DIGIT]
        path = QPainterPath(places[0])
        for first in range(1, len(places), 3):
            path.cubicTo(*places[first : first + 3])
        pen = QPen(QColor(theme.grid), PEN_WIDTH * self._side)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
        painter.setPen(QColor(theme.text_muted))
        painter.setFont(heavy_font(self, 1.1))
        line = QRectF(self._to_widget(0, 770), self._to_widget(UNITS, 850))
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, INVITATION)

    def _draw_stroke(self, painter: QPainter, stroke: NDArray[np.float32]) -> None:
        """A round pen along the points; its width follows the pressure."""
        positions = [self._to_widget(x, y) for x, y in stroke[:, :2]]
        widths = (0.45 + 0.55 * stroke[:, 3]) * PEN_WIDTH * self._side
        draw_stroke(painter, positions, widths, QColor(theme_of(self).ink))


def stroke_near(ink: Ink, point: tuple[float, float], reach: float) -> int | None:
    """The index of the last-drawn stroke whose line passes within `reach` of `point` (ink units), or None."""
    target = np.array(point, np.float32)
    for index in range(len(ink.strokes) - 1, -1, -1):
        xy = ink.strokes[index][:, :2]
        start, along = xy, np.diff(xy, axis=0, append=xy[-1:])
        length_sq = np.maximum((along**2).sum(axis=1), 1e-9)
        part = np.clip(((target - start) * along).sum(axis=1) / length_sq, 0, 1)
        nearest = start + part[:, None] * along
        if np.min(np.hypot(*(nearest - target).T)) <= reach:
            return index
    return None

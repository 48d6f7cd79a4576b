"""The picture of one plot: axes, curves and marks, painted from values onto a screen, a bitmap or a page."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF
from shiboken6 import Shiboken

from qtdigits.core.run.axes import Range, Scale, x_ticks
from qtdigits.core.run.curves import Numbers, XAxis
from qtdigits.gui.widgets.colours import Theme

Places = TypeVar("Places", float, Numbers)

AXIS_WIDTH_PX = 58
END_MARGIN_PX = 12
"""Half of a label at the very end of an axis."""
TICK_EVERY_X_PX = 80
TICK_EVERY_Y_PX = 28
WIDE_PEN_MOST_POINTS = 200
"""Qt draws lines wider than one pixel some 50 times slower; longer curves are drawn twice, a part of a pixel apart."""
ROUGH_PX = 2.0
MARKER_MOST_POINTS = 60
MARKER_PX = 3.2
FARTHEST_PX = 1e5
SAMPLE_PX = 14


@dataclass(frozen=True)
class Look:
    """How a curve is drawn. `role` names its colour: a kind of curve, or "run 0", "run 1", …

    Dash and marker tell curves apart without colour.
    """

    role: str
    is_faint: bool = False
    is_bold: bool = False
    dash: Qt.PenStyle = Qt.PenStyle.SolidLine
    marker: str = ""


@dataclass(frozen=True, eq=False)
class Drawn:
    """The points of a curve that are drawn: places, ascending, and heights, both `(n,)` and all of them numbers."""

    x: Numbers
    heights: Numbers
    look: Look

    @classmethod
    def of(cls, x: Numbers, heights: Numbers, look: Look) -> Drawn:
        """Without the points that are no numbers."""
        known = np.isfinite(heights)
        return cls(x, heights, look) if known.all() else cls(x[known], heights[known], look)

    @property
    def is_dense(self) -> bool:
        return len(self.x) > WIDE_PEN_MOST_POINTS

    @cached_property
    def trembling(self) -> float:
        """How far it goes up or down from point to point, on average."""
        return float(np.abs(np.diff(self.heights)).mean()) if len(self.heights) > 1 else 0.0


@dataclass(frozen=True)
class Mark:
    """An upright line with a word beside it."""

    x: float
    text: str
    role: str = "best"


@dataclass(frozen=True)
class Picture:
    """All that is to be seen of a plot."""

    scale: Scale
    axis: XAxis
    x_range: Range
    y_range: Range
    curves: tuple[Drawn, ...] = ()
    marks: tuple[Mark, ...] = ()


def colour_of(theme: Theme, look: Look) -> QColor:
    kinds = {
        "batches": theme.text_muted,
        "smoothed": theme.text_muted,
        "training": theme.series[3],
        "validation": theme.accent,
        "hold-out": theme.hold_out,
        "best": theme.good,
        "any run": theme.text_muted,
    }
    if look.role.startswith("run "):
        colour = QColor(theme.series[int(look.role[4:]) % len(theme.series)])
    else:
        colour = QColor(kinds[look.role])
    if look.is_faint:
        colour.setAlphaF(0.42 if theme.is_dark else 0.38)
    return colour


class Frame:
    """Where a picture's ranges lie within a rectangle. Takes arrays and single numbers alike."""

    def __init__(self, outer: QRectF, picture: Picture, *, line_height: float) -> None:
        self.inner = outer.adjusted(AXIS_WIDTH_PX, END_MARGIN_PX, -END_MARGIN_PX, -(line_height + 5))
        self._low_x, high_x = picture.x_range
        self._low_height, high = picture.y_range
        self._left, self._bottom = self.inner.left(), self.inner.bottom()
        self._per_x = self.inner.width() / max(high_x - self._low_x, 1e-300)
        self._per_height = self.inner.height() / max(high - self._low_height, 1e-300)

    def is_rough(self, curve: Drawn) -> bool:
        """What goes up and down in every pixel column does not get better by smooth edges, and takes twice as long."""
        return curve.is_dense and curve.trembling * self._per_height > ROUGH_PX

    def left_of(self, x: Places) -> Places:
        return self._left + (x - self._low_x) * self._per_x

    def top_of(self, heights: Places) -> Places:
        return self._bottom - (heights - self._low_height) * self._per_height

    def point(self, x: float, height: float) -> QPointF:
        return QPointF(self.left_of(x), self.top_of(height))

    def x_at(self, left_px: float) -> float:
        return self._low_x + (left_px - self._left) / max(self._per_x, 1e-300)

    def height_at(self, top_px: float) -> float:
        return self._low_height + (self._bottom - top_px) / max(self._per_height, 1e-300)


def paint_picture(painter: QPainter, outer: QRectF, picture: Picture, theme: Theme) -> None:
    """The whole plot without read-out, within `outer`."""
    paint_axes(painter, outer, picture, theme)
    paint_curves(painter, outer, picture, theme)


def first_change(before: Picture, now: Picture, frame: Frame) -> float:
    """The place from which on `now` is to be painted where `before` is painted already; minus infinity for all of it.

    A run only adds to the ends of its curves: nearly all of what was painted a moment ago stays.
    """
    if replace(before, curves=()) != replace(now, curves=()) or len(before.curves) != len(now.curves):
        return -math.inf
    return min(
        (_first_change(*pair, frame) for pair in zip(before.curves, now.curves, strict=True)),
        default=math.inf,
    )


def _first_change(before: Drawn, now: Drawn, frame: Frame) -> float:
    n = min(len(before.x), len(now.x))
    differs = (before.x[:n] != now.x[:n]) | (before.heights[:n] != now.heights[:n])
    n_same = int(differs.argmax()) if differs.any() else n
    pens = [(curve.look, curve.is_dense, frame.is_rough(curve)) for curve in (before, now)]
    if pens[0] == pens[1] and n_same == len(before.x) == len(now.x):
        return math.inf
    # One of a few points is cheap, and has dashes that may move.
    if pens[0] != pens[1] or not now.is_dense or not n_same:
        return -math.inf
    return float(now.x[n_same - 1])


def paint_curves(
    painter: QPainter, outer: QRectF, picture: Picture, theme: Theme, *, begin: float = -math.inf
) -> None:
    """What changes with every point: curves, at least from the place `begin` on, and marks."""
    metrics = QFontMetricsF(painter.font())
    frame = Frame(outer, picture, line_height=metrics.height())
    painter.save()
    painter.setClipRect(frame.inner.adjusted(-1, -1, 1, 1), Qt.ClipOperation.IntersectClip)
    for curve in picture.curves:
        _paint_curve(painter, frame, curve, theme, begin)
    painter.restore()
    for mark in picture.marks:
        _paint_mark(painter, frame, mark, theme, metrics, at_bottom=picture.scale.quantity.is_share)


def paint_axes(painter: QPainter, outer: QRectF, picture: Picture, theme: Theme) -> None:
    """What stays while the ranges do: grid, ticks and their words."""
    metrics = QFontMetricsF(painter.font())
    frame = Frame(outer, picture, line_height=metrics.height())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    inner, grid, text = frame.inner, QPen(QColor(theme.grid), 1), QColor(theme.text_muted)
    most = max(2, int(inner.height() / TICK_EVERY_Y_PX))
    for height, words in picture.scale.ticks(picture.y_range, most=most):
        y = round(frame.point(0, height).y())
        painter.setPen(grid)
        painter.drawLine(QPointF(inner.left(), y), QPointF(inner.right(), y))
        painter.setPen(text)
        left = inner.left() - 8 - metrics.horizontalAdvance(words)
        painter.drawText(QPointF(left, y + metrics.capHeight() / 2), words)
    most = max(2, int(inner.width() / TICK_EVERY_X_PX))
    for x, words in x_ticks(picture.axis, picture.x_range, most=most):
        left = frame.point(x, 0).x()
        if not inner.left() - 1 <= left <= inner.right() + 1:
            continue
        painter.setPen(grid)
        painter.drawLine(QPointF(round(left), inner.bottom()), QPointF(round(left), inner.bottom() + 4))
        painter.setPen(text)
        width = metrics.horizontalAdvance(words)
        placed = min(left - width / 2, inner.right() + END_MARGIN_PX - width)
        painter.drawText(QPointF(placed, inner.bottom() + 5 + metrics.ascent()), words)


def _paint_curve(painter: QPainter, frame: Frame, curve: Drawn, theme: Theme, begin: float) -> None:
    if not len(curve.x):
        return
    is_dense = curve.is_dense
    first = max(0, int(np.searchsorted(curve.x, begin)) - 1) if is_dense else 0
    left = np.clip(frame.left_of(curve.x[first:]), -FARTHEST_PX, FARTHEST_PX)
    top = np.clip(frame.top_of(curve.heights[first:]), -FARTHEST_PX, FARTHEST_PX)
    colour, look = colour_of(theme, curve.look), curve.look
    pen = QPen(colour, 1.8 if look.is_bold and not is_dense else 1.0, look.dash)
    pen.setCosmetic(is_dense or not look.is_bold)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, not frame.is_rough(curve))
    painter.setPen(pen)
    shift = 0.7 / painter.deviceTransform().m11() if painter.deviceTransform().m11() else 0.7
    for number in range(2 if look.is_bold and is_dense else 1):
        painter.drawPolyline(polygon(left + number * shift / 2, top + number * shift))
    if len(left) == 1 or (look.marker and len(curve.x) <= MARKER_MOST_POINTS):
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        for at_x, at_y in zip(left.tolist(), top.tolist(), strict=True):
            paint_marker(painter, QPointF(at_x, at_y), look.marker)
        painter.setBrush(Qt.BrushStyle.NoBrush)


def paint_marker(painter: QPainter, at: QPointF, marker: str) -> None:
    r = MARKER_PX
    match marker:
        case "diamond":
            r *= 1.3
            corners = [QPointF(0, -r), QPointF(r, 0), QPointF(0, r), QPointF(-r, 0)]
            painter.drawPolygon(QPolygonF([at + corner for corner in corners]))
        case "square":
            painter.drawRect(QRectF(at.x() - r * 0.9, at.y() - r * 0.9, 1.8 * r, 1.8 * r))
        case _:
            painter.drawEllipse(at, r, r)


def _paint_mark(
    painter: QPainter, frame: Frame, mark: Mark, theme: Theme, metrics: QFontMetricsF, *, at_bottom: bool
) -> None:
    left, inner = frame.point(mark.x, 0).x(), frame.inner
    if not inner.left() - 1 <= left <= inner.right() + 1:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    colour = colour_of(theme, Look(mark.role))
    painter.setPen(QPen(colour, 1, Qt.PenStyle.DashLine))
    painter.drawLine(QPointF(round(left), inner.top()), QPointF(round(left), inner.bottom()))
    width = metrics.horizontalAdvance(mark.text)
    words_left = left + 5 if left + 5 + width <= inner.right() else left - 5 - width
    # Where the curves of a finished run are not: losses end low, shares high.
    top = inner.bottom() - metrics.height() - 4 if at_bottom else inner.top() + 2
    place = QRectF(words_left - 2, top, width + 4, metrics.height())
    paper = QColor(theme.surface)
    paper.setAlphaF(0.8)
    painter.fillRect(place, paper)
    painter.setPen(colour)
    painter.drawText(QPointF(words_left, place.top() + metrics.ascent()), mark.text)


def paint_sample(
    painter: QPainter, start: QPointF, look: Look, theme: Theme, *, length_px: float = SAMPLE_PX
) -> None:
    """A piece of a curve's line, from `start` to the right, for legends."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = colour_of(theme, look)
    painter.setPen(QPen(colour, 2.0 if look.is_bold else 1.2, look.dash))
    painter.drawLine(start, start + QPointF(length_px, 0))
    if look.marker:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        paint_marker(painter, start + QPointF(length_px / 2, 0), look.marker)
        painter.setBrush(Qt.BrushStyle.NoBrush)


def polygon(left: Numbers, top: Numbers) -> QPolygonF:
    """Filled in one go: made of single `QPointF`s it would take longer than to draw it."""
    points = QPolygonF()
    points.resize(len(left))
    if len(left):
        memory = Shiboken.VoidPtr(points.data(), 16 * len(left), True)  # type: ignore[call-arg, arg-type]
        table = np.frombuffer(memory, np.float64).reshape(-1, 2)  # type: ignore[call-overload,unused-ignore]
        table[:, 0] = left
        table[:, 1] = top
    return points

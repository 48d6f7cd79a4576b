"""A small plot of shares in per cent over a count: bands, lines and points with error bars, painted in a millisecond."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from qtdigits.gui.widgets.colours import Theme

Numbers = NDArray[np.float64]

LEAST_LABEL_PX = 64
BAND_ALPHA = 0.16
STEPS = (1.0, 2.0, 5.0)
EMPTY_TEXT = "The curve begins with the first drawing that is judged."


@dataclass(frozen=True, eq=False)
class Curve:
    """A line through `(n,)` points, `y` as shares of 1, with a band from `low` to `high` where these are given.

    `colour` names a colour of the theme. `is_dotted`: points with error bars instead of a line with a band.
    """

    name: str
    x: Numbers
    y: Numbers
    colour: str
    low: Numbers | None = None
    high: Numbers | None = None
    is_dotted: bool = False


class SharePlot(QWidget):
    """`from_top`: 100 % is the fixed end of the axis (accuracy), otherwise 0 % (errors)."""

    def __init__(
        self, *, theme: Theme, title: str, x_title: str, from_top: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._x_title = x_title
        self._from_top = from_top
        self._curves: tuple[Curve, ...] = ()
        self._x_end = 1.0
        self._spread = 0.2
        self.setAccessibleName(title)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def curves(self) -> tuple[Curve, ...]:
        return self._curves

    def set_curves(self, curves: Sequence[Curve], description: str = "") -> None:
        """`description` is what the plot shows, in words."""
        self._curves = tuple(curve for curve in curves if len(curve.x))
        self._x_end = max((float(curve.x[-1]) for curve in self._curves), default=1.0) or 1.0
        distances = [np.abs(self._fixed - curve.y) for curve in self._curves]
        # The first points swing; the range is set by what most of the points need.
        tops = [float(np.percentile(d, 95 if len(d) > 20 else 100)) for d in distances]
        bands = [curve.low if self._from_top else curve.high for curve in self._curves]
        ends = [abs(self._fixed - float(band[-1])) for band in bands if band is not None]
        self._spread = nice_above(min(1.0, max([*(1.35 * top for top in tops), *ends, 0.04])))
        self.setAccessibleDescription(description if self._curves else EMPTY_TEXT)
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    @property
    def _fixed(self) -> float:
        return 1.0 if self._from_top else 0.0

    def _frame(self) -> QRectF:
        metrics = self.fontMetrics()
        left = metrics.horizontalAdvance("100 %") + 10
        return QRectF(self.rect()).adjusted(
            left, metrics.height() + 8, -metrics.averageCharWidth() * 2, -(metrics.height() + 8)
        )

    def _place(self, frame: QRectF, x: float, y: float) -> QPointF:
        distance = min(1.0, abs(self._fixed - y) / self._spread)
        top = frame.top() + distance * frame.height() if self._from_top else None
        return QPointF(
            frame.left() + x / self._x_end * frame.width(),
            frame.bottom() - distance * frame.height() if top is None else top,
        )

    def _paint_axes(self, painter: QPainter, frame: QRectF) -> None:
        metrics = self.fontMetrics()
        step = nice_above(self._spread / max(2, int(frame.height() / (2.2 * metrics.height()))), STEPS)
        muted = QColor(self._theme.text_muted)
        for i in range(int(self._spread / step + 1e-9) + 1):
            share = abs(self._fixed - i * step)
            y = self._place(frame, 0, share).y()
            painter.setPen(QPen(QColor(self._theme.grid), 1))
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            painter.setPen(muted)
            text = QRectF(0, y - metrics.height() / 2, frame.left() - 6, metrics.height())
            decimals = 0 if step >= 0.01 else 1
            painter.drawText(
                text,
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                f"{100 * share:.{decimals}f} %",
            )
        x_step = max(1.0, nice_above(self._x_end * LEAST_LABEL_PX / max(1.0, frame.width()), STEPS))
        for i in range(int(self._x_end / x_step) + 1):
            x = self._place(frame, i * x_step, self._fixed).x()
            text = QRectF(x - 40, frame.bottom() + 4, 80, metrics.height())
            painter.drawText(text, Qt.AlignmentFlag.AlignCenter, f"{i * x_step:,.0f}")

    def _paint_legend(self, painter: QPainter) -> None:
        metrics, right = self.fontMetrics(), float(self.width())
        middle = metrics.height() / 2
        painter.setPen(QColor(self._theme.text_muted))
        painter.drawText(QPointF(0, metrics.ascent()), self._x_title)
        used = metrics.horizontalAdvance(self._x_title) + 12
        for curve in reversed(self._curves):
            start = right - metrics.horizontalAdvance(curve.name)
            if start - 24 < used:
                return
            painter.setPen(QColor(self._theme.text_muted))
            painter.drawText(QPointF(start, metrics.ascent()), curve.name)
            painter.setPen(QPen(self._colour(curve), 2))
            if curve.is_dotted:
                painter.setBrush(self._colour(curve))
                painter.drawEllipse(QPointF(start - 12, middle), 2, 2)
            else:
                painter.drawLine(QPointF(start - 24, middle), QPointF(start - 6, middle))
            right = start - 40

    def _paint_curve(self, painter: QPainter, frame: QRectF, curve: Curve) -> None:
        colour = self._colour(curve)
        points = self._line(frame, curve.x, curve.y)
        if curve.is_dotted:
            self._paint_points(painter, frame, curve, colour)
            return
        if curve.low is not None and curve.high is not None:
            faint = QColor(colour)
            faint.setAlphaF(BAND_ALPHA)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(faint)
            upper, lower = self._line(frame, curve.x, curve.high), self._line(frame, curve.x, curve.low)
            painter.drawPolygon(QPolygonF([*upper, *reversed(lower)]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 1.5))
        if len(points) == 1:
            painter.drawEllipse(points[0], 2, 2)
        else:
            painter.drawPolyline(points)

    def _paint_points(self, painter: QPainter, frame: QRectF, curve: Curve, colour: QColor) -> None:
        painter.setPen(QPen(colour, 1.5))
        painter.setBrush(colour)
        for i, (x, y) in enumerate(zip(curve.x, curve.y, strict=True)):
            if curve.low is not None and curve.high is not None:
                painter.drawLine(
                    self._place(frame, x, float(curve.low[i])), self._place(frame, x, float(curve.high[i]))
                )
            painter.drawEllipse(self._place(frame, x, y), 3, 3)

    def _line(self, frame: QRectF, x: Numbers, y: Numbers) -> list[QPointF]:
        return [self._place(frame, a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]

    def _colour(self, curve: Curve) -> QColor:
        return QColor(getattr(self._theme, curve.colour))

    @override
    def sizeHint(self) -> QSize:
        return QSize(320, 160)

    @override
    def minimumSizeHint(self) -> QSize:
        line = self.fontMetrics().height()
        return QSize(12 * line, 9 * line)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = self._frame()
        if not self._curves:
            painter.setPen(QColor(self._theme.text_muted))
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, EMPTY_TEXT)
            return
        self._paint_axes(painter, frame)
        self._paint_legend(painter)
        for curve in self._curves:
            self._paint_curve(painter, frame, curve)


def nice_above(value: float, steps: Sequence[float] = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 8.0)) -> float:
    """The smallest of `steps` times a power of ten that is not below `value` (> 0)."""
    power = 10.0 ** np.floor(np.log10(value))
    nice = [*steps, 10.0]
    return float(next(n for n in nice if n * power >= value * (1 - 1e-9)) * power)

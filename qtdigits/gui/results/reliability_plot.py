"""A reliability diagram: how often answers are right against how sure they are, and how many there are of each."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget
from typing_extensions import override

from qtdigits.core.formatting import percent, percent_range
from qtdigits.core.score.calibration import Bin, Reliability
from qtdigits.gui.widgets.colours import Theme

LEAST_SIDE_PX = 180
COUNTS_PX = 46
EMPTY_TEXT = "How sure the answers were is not known."


class ReliabilityPlot(QWidget):
    """A dot and Wilson's 95 % interval for each bin of confidence; on the diagonal, answers are right as often as they say.

    Below it the number of answers in each bin, by its logarithm: nearly all of a good network's lie in the last one.
    """

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._bins: Reliability = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Calibration")
        self.set_bins(())

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_bins(self, bins: Reliability) -> None:
        self._bins = bins
        self.setAccessibleDescription("; ".join(map(bin_text, bins)) or EMPTY_TEXT)
        self.update()

    def _frame(self) -> QRectF:
        metrics = self.fontMetrics()
        left, line = metrics.horizontalAdvance("100 %") + 8, metrics.height()
        room = QRectF(self.rect()).adjusted(left, line + 8, -16, -(COUNTS_PX + 2 * line + 14))
        side = max(1.0, min(room.width(), room.height() * 1.6))
        return QRectF(room.left(), room.top(), side, room.height())

    def _place(self, frame: QRectF, x: float, y: float) -> QPointF:
        return QPointF(frame.left() + x * frame.width(), frame.bottom() - y * frame.height())

    def _paint_axes(self, painter: QPainter, frame: QRectF) -> None:
        metrics = self.fontMetrics()
        muted, grid = QColor(self._theme.text_muted), QColor(self._theme.grid)
        line = metrics.height()
        painter.setPen(muted)
        painter.drawText(QPointF(0, metrics.ascent()), "right, by how sure the answer was")
        foot = frame.bottom() + COUNTS_PX + 8
        for step in range(5):
            share = step / 4
            y, x = self._place(frame, 0, share).y(), self._place(frame, share, 0).x()
            painter.setPen(QPen(grid, 1))
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            painter.setPen(muted)
            text = QRectF(0, y - line / 2, frame.left() - 6, line)
            painter.drawText(
                text,
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                percent(share, 0),
            )
            painter.drawText(
                QRectF(x - 40, foot, 80, line),
                Qt.AlignmentFlag.AlignCenter,
                percent(share, 0),
            )
        counts = QRectF(0, frame.bottom() + 4, frame.left() - 6, COUNTS_PX)
        painter.drawText(counts, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, "n")
        painter.setPen(QPen(muted, 1, Qt.PenStyle.DashLine))
        painter.drawLine(self._place(frame, 0, 0), self._place(frame, 1, 1))

    def _paint_bins(self, painter: QPainter, frame: QRectF) -> None:
        colour = QColor(self._theme.accent)
        for found in self._bins:
            low, high = found.interval
            painter.setPen(QPen(colour, 1.5))
            painter.drawLine(
                self._place(frame, found.confidence, low), self._place(frame, found.confidence, high)
            )
            painter.setBrush(colour)
            painter.drawEllipse(self._place(frame, found.confidence, found.accuracy), 3.5, 3.5)

    def _paint_counts(self, painter: QPainter, frame: QRectF) -> None:
        """Bars hang under the diagram, each as wide as its bin."""
        most = math.log1p(max(found.n for found in self._bins))
        top, faint = frame.bottom() + 4, QColor(self._theme.accent)
        faint.setAlphaF(0.35)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(faint)
        for found in self._bins:
            height = max(2.0, COUNTS_PX * math.log1p(found.n) / most)
            left, right = (self._place(frame, x, 0).x() for x in (found.low, found.high))
            painter.drawRect(QRectF(left + 1, top + COUNTS_PX - height, right - left - 2, height))

    def _bin_at(self, position: QPointF) -> Bin | None:
        frame = self._frame()
        x = (position.x() - frame.left()) / frame.width()
        return next((found for found in self._bins if found.low <= x < found.high), None)

    @override
    def sizeHint(self) -> QSize:
        return QSize(340, 300)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(LEAST_SIDE_PX, LEAST_SIDE_PX + COUNTS_PX)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = self._frame()
        if not self._bins:
            painter.setPen(QColor(self._theme.text_muted))
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, EMPTY_TEXT)
            return
        self._paint_axes(painter, frame)
        self._paint_counts(painter, frame)
        self._paint_bins(painter, frame)

    @override
    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            found = self._bin_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), bin_text(found) if found else "", self)
            return True
        return super().event(event)


def bin_text(found: Bin) -> str:
    """Such as "93 to 100 % sure (98.4 % on average): 99.1 % of 5,812 right"."""
    return (
        f"{percent_range(found.low, found.high, 0)} sure ({percent(found.confidence)} on average): "
        f"{percent(found.accuracy)} of {found.n:,} right"
    )


def calibration_text(error: float | None, bins: Reliability) -> str:
    """The expected calibration error, and which way it errs."""
    if error is None or not bins:
        return EMPTY_TEXT
    n = sum(found.n for found in bins)
    surplus = sum(found.n * found.confidence - found.correct for found in bins) / n
    way = "surer than it is right" if surplus > 0 else "less sure than it could be"
    text = f"Expected calibration error {100 * error:.1f} points over {n:,} answers"
    return f"{text}; on the whole it is {way}." if abs(surplus) >= 0.001 else f"{text}."

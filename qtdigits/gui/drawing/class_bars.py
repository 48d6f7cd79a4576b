"""A bar for the probability of every class."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QSizePolicy,
    QWidget,
)
from typing_extensions import override

from qtdigits.gui.session import Reading
from qtdigits.gui.widgets.theme import Theme

MOST_BARS = 12
"""So many classes are shown at the most; with more, the most probable ones."""


class ClassBars(QWidget):
    """A bar for the probability of every class; a click on one chooses that class."""

    class_chosen = Signal(str)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._classes: tuple[str, ...] = ()
        self._rows: list[tuple[str, float]] = []
        self._best = ""
        self.setAccessibleName("Probability of every class")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.MinimumExpanding)
        self.setToolTip("Click a class to choose it as the right label")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_classes(self, classes: tuple[str, ...]) -> None:
        self._classes = classes
        self.show_reading(None)

    def show_reading(self, reading: Reading | None) -> None:
        if reading is None:
            self._rows, self._best = [(label, 0.0) for label in self._classes[:MOST_BARS]], ""
        else:
            values = [float(p) for p in reading.probabilities]
            shown = sorted(np.argsort(reading.probabilities)[::-1][:MOST_BARS])
            self._rows = [(reading.classes[i], values[i]) for i in shown]
            self._best = reading.answer
        said = ", ".join(f"{label}: {p:.1%}" for label, p in self._rows if p >= 0.005)
        self.setAccessibleDescription(said)
        self.updateGeometry()
        self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(180, 10 * self._row_height())

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(120, max(10, len(self._rows)) * self._row_height())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = self.fontMetrics()
        text_width = max((metrics.horizontalAdvance(label) for label, _ in self._rows), default=0)
        left = min(text_width, self.width() / 3) + 10
        for number, (label, p) in enumerate(self._rows):
            row = self._row_box(number)
            is_best = label == self._best
            painter.setPen(QColor(self._theme.text if is_best else self._theme.text_muted))
            elided = metrics.elidedText(label, Qt.TextElideMode.ElideRight, int(left) - 8)
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, row.top(), left - 10, row.height()), align, elided)
            bar = QRectF(left, row.center().y() - 4, self.width() - left, 8)
            self._draw_bar(painter, bar, p, is_best=is_best)
        painter.end()

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = int(event.position().y() // self._row_pitch())
        if 0 <= row < len(self._rows):
            self.class_chosen.emit(self._rows[row][0])

    def _draw_bar(self, painter: QPainter, bar: QRectF, p: float, *, is_best: bool) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.border))
        painter.drawRoundedRect(bar, 4, 4)
        if p > 0:
            filled = QRectF(bar)
            filled.setWidth(max(bar.width() * p, 3))
            painter.setBrush(QColor(self._theme.accent if is_best else self._theme.text_muted))
            painter.drawRoundedRect(filled, 4, 4)

    def _row_height(self) -> int:
        return self.fontMetrics().height() + 1

    def _row_pitch(self) -> float:
        return self.height() / max(1, len(self._rows))

    def _row_box(self, number: int) -> QRectF:
        pitch = self._row_pitch()
        return QRectF(0, number * pitch, self.width(), pitch)

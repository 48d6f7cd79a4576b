"""A bar for the probability of every class."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from qtdigits.core.drawing.labels import DIGITS, LabelSet
from qtdigits.core.formatting import percent
from qtdigits.core.judging import Reading
from qtdigits.gui.widgets.colours import theme_of
from qtdigits.gui.widgets.painting import draw_ring

MOST_BARS = 12
"""So many classes are shown at the most; with more, the most probable ones."""
FROM_MEMORY = "from memory"


class ClassBars(QWidget):
    """A bar for the probability of every class; a click on one chooses that class.

    A ring stands before those that only the memory knows.
    """

    class_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[tuple[str, float]] = []
        self._best = ""
        self._trained: LabelSet = DIGITS
        self.setObjectName("classBars")
        self.setAccessibleName("Probability of every class")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.MinimumExpanding)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_reading(self, reading: Reading | None, classes: tuple[str, ...], trained: LabelSet) -> None:
        """Without a reading, the `classes` stand there with empty bars. `trained` are those of the network."""
        self._trained = trained
        if reading is None:
            self._rows, self._best = [(label, 0.0) for label in classes[:MOST_BARS]], ""
        else:
            values = [float(p) for p in reading.probabilities]
            shown = sorted(np.argsort(reading.probabilities)[::-1][:MOST_BARS])
            self._rows = [(reading.classes[i], values[i]) for i in shown]
            self._best = reading.label
        told = [
            (f"{label} ({FROM_MEMORY})" if self._is_remembered(label) else label, p)
            for label, p in self._rows
        ]
        self.setAccessibleDescription(", ".join(f"{label}: {percent(p)}" for label, p in told if p >= 0.005))
        ring = f"\n○ {FROM_MEMORY}: the network has not learned it yet" if self._has_remembered else ""
        self.setToolTip(f"Click a class to choose it as the right label{ring}")
        self.updateGeometry()
        self.update()

    def _is_remembered(self, name: str) -> bool:
        return name not in self._trained

    @property
    def _has_remembered(self) -> bool:
        return any(self._is_remembered(name) for name, _ in self._rows)

    @override
    def sizeHint(self) -> QSize:
        return QSize(180, 10 * self._row_height())

    @override
    def minimumSizeHint(self) -> QSize:
        """The same whatever is shown: a class that only memory knows must not push the canvas."""
        return QSize(120, 10 * self._row_height())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics, theme = self.fontMetrics(), theme_of(self)
        text_width = max((metrics.horizontalAdvance(label) for label, _ in self._rows), default=0)
        left = min(text_width, self.width() / 3) + 10
        for number, (name, p) in enumerate(self._rows):
            row = self._row_box(number)
            is_best = name == self._best
            painter.setPen(QColor(theme.text if is_best else theme.text_muted))
            elided = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(left) - 8)
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, row.top(), left - 10, row.height()), align, elided)
            if self._is_remembered(name):
                draw_ring(painter, left - 7, row.center().y(), QColor(theme.accent))
            bar = QRectF(left, row.center().y() - 4, self.width() - left, 8)
            self._draw_bar(painter, bar, p, is_best=is_best)
        painter.end()

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = int(event.position().y() // self._row_pitch())
        if 0 <= row < len(self._rows):
            self.class_chosen.emit(self._rows[row][0])

    def _draw_bar(self, painter: QPainter, bar: QRectF, p: float, *, is_best: bool) -> None:
        theme = theme_of(self)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.border))
        painter.drawRoundedRect(bar, 4, 4)
        if p > 0:
            filled = QRectF(bar)
            filled.setWidth(max(bar.width() * p, 3))
            painter.setBrush(QColor(theme.accent if is_best else theme.text_muted))
            painter.drawRoundedRect(filled, 4, 4)

    def _row_height(self) -> int:
        return self.fontMetrics().height() + 1

    def _row_pitch(self) -> float:
        return self.height() / max(1, len(self._rows))

    def _row_box(self, number: int) -> QRectF:
        pitch = self._row_pitch()
        return QRectF(0, number * pitch, self.width(), pitch)

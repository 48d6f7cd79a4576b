"""One stored drawing, large: its strokes where it has some, otherwise its pixels."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.samples import Sample
from qtdigits.gui.widgets.ink_painting import draw_smooth_stroke
from qtdigits.gui.widgets.raster_image import colours, raster_image
from qtdigits.gui.widgets.theme import Theme

MARGIN = 0.14
"""So much of the side stays free around the ink."""
PEN_WIDTH = 0.045


class LargeDrawing(QWidget):
    """A square as wide as its place."""

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._sample: Sample | None = None
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName("The chosen drawing")

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def show_sample(self, sample: Sample | None) -> None:
        self._sample = sample
        self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(200, 200)

    @override
    def hasHeightForWidth(self) -> bool:
        return True

    @override
    def heightForWidth(self, width: int) -> int:
        return min(width, 260)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.setPen(QPen(QColor(self._theme.border), 1))
        painter.setBrush(QColor(self._theme.canvas))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        if self._sample is None:
            return
        side = float(min(self.width(), self.height()))
        square = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)
        if self._sample.ink is None or self._sample.ink.is_blank:
            inset = side * MARGIN / 2
            image = raster_image(self._sample.raster, colours(ink=self._theme.ink, paper=self._theme.canvas))
            painter.drawImage(square.adjusted(inset, inset, -inset, -inset), image)
        else:
            self._draw_ink(painter, self._sample.ink, square)

    def _draw_ink(self, painter: QPainter, ink: Ink, square: QRectF) -> None:
        """Fitted into the square, whatever its unit is."""
        left, top, right, bottom = ink.bounds
        side = square.width()
        scale = side * (1 - 2 * MARGIN) / max(right - left, bottom - top, 1e-6)
        middle = QPointF((left + right) / 2, (top + bottom) / 2)
        width, colour = PEN_WIDTH * side, QColor(self._theme.ink)
        for stroke in ink.strokes:
            positions = [
                square.center() + (QPointF(float(x), float(y)) - middle) * scale for x, y in stroke[:, :2]
            ]
            pressure = float(np.mean(stroke[:, 3]))
            draw_smooth_stroke(painter, positions, width * (0.45 + 0.55 * pressure), colour)

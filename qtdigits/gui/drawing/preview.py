"""What the network sees."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QWidget,
)
from typing_extensions import override

from qtdigits.gui.widgets.theme import Theme


class Preview(QWidget):
    """The 28x28 raster that the network sees, white on black as it is, every pixel a square."""

    SIDE = 84

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._image: QImage | None = None
        self.setFixedSize(self.SIDE, self.SIDE)
        self.setAccessibleName("What the network sees, 28 by 28 pixels")

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def show_raster(self, raster: np.ndarray | None) -> None:
        if raster is None:
            self._image = None
        else:
            pixels = np.ascontiguousarray(raster)
            height, width = pixels.shape
            self._image = QImage(
                pixels.tobytes(), width, height, width, QImage.Format.Format_Grayscale8
            ).copy()
        self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._image is None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self._theme.field))
            painter.drawRoundedRect(QRectF(self.rect()), 4, 4)
        else:
            painter.drawImage(QRectF(self.rect()), self._image)
        painter.end()

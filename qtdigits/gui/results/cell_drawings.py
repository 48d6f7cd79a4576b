"""The drawings behind a cell of a confusion matrix, side by side, each with how sure its reading was."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from qtdigits.core.score.readings import Readings
from qtdigits.gui.texts import percent
from qtdigits.gui.widgets.raster_image import colours, raster_image
from qtdigits.gui.widgets.theme import Theme

SIDE_PX = 56
GAP_PX = 8


class CellDrawings(QWidget):
    """As tall as what it shows: the page that it stands on scrolls."""

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._readings: Readings | None = None
        self._images: list[QImage] = []
        self.setMinimumWidth(2 * (SIDE_PX + GAP_PX))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.setAccessibleName("Drawings of the chosen cell")
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._table = colours(ink=theme.ink, paper=theme.canvas)
        self._make_images()

    def show_readings(self, readings: Readings | None) -> None:
        """Those of one cell, or nothing."""
        self._readings = readings
        self._make_images()
        said = [] if readings is None else [percent(float(p), 0) for p in readings.confidence[:20]]
        self.setAccessibleDescription(", ".join(said))

    def drawing_rect(self, index: int) -> QRectF:
        """Where a drawing is; what is said of it stands below."""
        row, column = divmod(index, self._columns())
        height = SIDE_PX + self.fontMetrics().height() + GAP_PX
        return QRectF(column * (SIDE_PX + GAP_PX) + 0.5, row * height + 0.5, SIDE_PX, SIDE_PX)

    def _columns(self) -> int:
        return max(1, (self.width() + GAP_PX) // (SIDE_PX + GAP_PX))

    def _make_images(self) -> None:
        readings = self._readings
        self._images = [] if readings is None else [raster_image(i, self._table) for i in readings.images]
        self._fit_height()
        self.update()

    def _fit_height(self) -> None:
        last = self.drawing_rect(len(self._images) - 1).bottom() if self._images else 0
        self.setMinimumHeight(round(last + self.fontMetrics().height() + GAP_PX) if self._images else 0)

    @override
    def sizeHint(self) -> QSize:
        return QSize(5 * (SIDE_PX + GAP_PX), self.minimumHeight())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        if self._readings is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 0.85)
        painter.setFont(font)
        for index, image in enumerate(self._images):
            rect = self.drawing_rect(index)
            if not event.rect().intersects(rect.adjusted(0, 0, 0, 24).toAlignedRect()):
                continue
            painter.drawImage(rect, image)
            painter.setPen(QPen(QColor(self._theme.border), 1))
            painter.drawRect(rect)
            painter.setPen(QColor(self._theme.text_muted))
            below = QRectF(rect.left() - 4, rect.bottom() + 1, rect.width() + 8, self.fontMetrics().height())
            sure = percent(float(self._readings.confidence[index]), 0)
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, sure)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()

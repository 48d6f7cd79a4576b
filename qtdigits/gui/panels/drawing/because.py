"""Why it was read so: the remembered drawings that spoke for the answer."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from qtdigits.core.formatting import percent
from qtdigits.core.judging import MOST_REASONS, Reading
from qtdigits.gui.widgets.colours import theme_of
from qtdigits.gui.widgets.painting import raster_image
from qtdigits.store.tables.queries import Thumbnail

CAPTION = "because of"


class BecauseRow(QWidget):
    """Up to three drawings under a caption, and their labels; blank, though as high, without any. A click chooses them all."""

    clicked = Signal()

    def __init__(self, *, width: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("becauseRow")
        self._drawings: list[Thumbnail] = []
        self._small = QFont(self.font())
        self._small.setPointSizeF(self.font().pointSizeF() * 0.9)
        self._line = QFontMetrics(self._small).height()
        self._side = width // MOST_REASONS - 2
        self.setFixedSize(width, 2 * self._line + self._side)
        self.show_drawings(None, ())

    def show_drawings(self, reading: Reading | None, drawings: Sequence[Thumbnail]) -> None:
        """Show the drawings behind a reading."""
        self._drawings = list(drawings)
        alike = {n.key: percent(n.similarity, 0) for n in reading.because} if reading else {}
        told = ", ".join(f"{found.label} ({alike[found.id]} alike)" for found in self._drawings)
        self.setAccessibleName(
            f"Read so because of your drawings: {told}" if told else "Because of no drawing of yours"
        )
        self.setToolTip(
            f"Your remembered drawings that spoke for this answer: {told}. Click to see them." if told else ""
        )
        self.setCursor(Qt.CursorShape.PointingHandCursor if told else Qt.CursorShape.ArrowCursor)
        self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._drawings:
            return
        painter, theme = QPainter(self), theme_of(self)
        painter.setFont(self._small)
        painter.setPen(QColor(theme.text_muted))
        painter.drawText(QRectF(0, 0, self.width(), self._line), Qt.AlignmentFlag.AlignCenter, CAPTION)
        pitch = self.width() / MOST_REASONS
        left = (self.width() - pitch * len(self._drawings)) / 2
        for place, found in enumerate(self._drawings):
            square = QRectF(left + place * pitch + 1, self._line, self._side, self._side)
            image = raster_image(found.raster, ink=theme.ink, paper=theme.canvas)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(square, image)
            painter.setPen(QColor(theme.border))
            painter.drawRect(square.adjusted(0.5, 0.5, -0.5, -0.5))
        self._draw_labels(painter, [left + place * pitch + 1 for place in range(len(self._drawings))])
        painter.end()

    def _draw_labels(self, painter: QPainter, lefts: Sequence[float]) -> None:
        """Under each drawing; one label that they share, as all do but where classes were merged, under all of them."""
        painter.setPen(QColor(theme_of(self).text))
        labels = [found.label for found in self._drawings]
        top, widths = self._line + self._side, [self._side] * len(labels)
        if len(set(labels)) == 1:
            labels, lefts, widths = labels[:1], [0], [self.width()]
        for text, left, width in zip(labels, lefts, widths, strict=True):
            text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, width)
            painter.drawText(QRectF(left, top, width, self._line), Qt.AlignmentFlag.AlignHCenter, text)

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._drawings:
            self.clicked.emit()

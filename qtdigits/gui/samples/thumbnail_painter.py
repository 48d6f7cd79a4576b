"""How one thumbnail looks: the raster, its label, and the marks of what is known of it."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPixmap, QPolygonF

from qtdigits.core.drawing.samples import Verdict
from qtdigits.gui.widgets.raster_image import colours, raster_image
from qtdigits.gui.widgets.theme import Theme
from qtdigits.store.tables.thumbnails import Thumbnail

SIDE_PX = 58
CELL_WIDTH_PX = 76
CELL_HEIGHT_PX = 90
_GAP_PX = 3
_CORNER_PX = 11
PIXMAPS_KEPT = 1500


class ThumbnailPainter:
    """Keeps the pictures that it has made, for one theme and one resolution at a time."""

    def __init__(self, *, theme: Theme, font: QFont) -> None:
        self._font = QFont(font)
        self._font.setWeight(QFont.Weight.DemiBold)
        self._small = QFont(font)
        self._small.setPointSizeF(font.pointSizeF() * 0.85)
        self._pixmaps: OrderedDict[int, QPixmap] = OrderedDict()
        self._ratio = 1.0
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._table = colours(ink=theme.ink, paper=theme.canvas)
        self._pixmaps.clear()

    def paint(
        self,
        painter: QPainter,
        cell: QRect,
        found: Thumbnail | None,
        *,
        is_selected: bool,
        is_current: bool,
        ratio: float,
    ) -> None:
        """`found` is None for a drawing that has just been removed; `ratio`: pixels of the screen for each of the window."""
        if found is None:
            return
        if ratio != self._ratio:
            self._ratio = ratio
            self._pixmaps.clear()
        theme = self._theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(cell).adjusted(_GAP_PX, _GAP_PX, -_GAP_PX, -_GAP_PX)
        if is_selected:
            tint = QColor(theme.accent)
            tint.setAlphaF(0.22 if theme.is_dark else 0.14)
            painter.setPen(QPen(QColor(theme.accent), 1.5))
            painter.setBrush(tint)
            painter.drawRoundedRect(frame, 6, 6)
        elif is_current:
            painter.setPen(QPen(QColor(theme.text_muted), 1, Qt.PenStyle.DotLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(frame, 6, 6)
        left = cell.center().x() - SIDE_PX / 2
        square = QRectF(left, cell.top() + 7, SIDE_PX, SIDE_PX)
        painter.drawPixmap(square.topLeft(), self._pixmap(found))
        painter.setPen(QPen(QColor(theme.warning if found.suspicion else theme.border), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(square.adjusted(-0.5, -0.5, 0.5, 0.5))
        self._draw_marks(painter, square, found)
        self._draw_label(painter, QRectF(left, square.bottom() + 1, SIDE_PX, 20), found)

    def _draw_marks(self, painter: QPainter, square: QRectF, found: Thumbnail) -> None:
        if found.held_out:
            corner = square.topRight()
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self._theme.hold_out))
            painter.drawConvexPolygon(
                QPolygonF([corner, corner - QPointF(_CORNER_PX, 0), corner + QPointF(0, _CORNER_PX)])
            )
        if found.suspicion is not None:
            badge = QRectF(square.left(), square.top(), 15, 15)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self._theme.warning))
            painter.drawRect(badge)
            painter.setFont(self._font)
            painter.setPen(QColor(self._theme.surface))
            painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, "?")

    def _draw_label(self, painter: QPainter, line: QRectF, found: Thumbnail) -> None:
        theme = self._theme
        painter.setFont(self._font)
        painter.setPen(QColor(theme.text))
        shown = painter.fontMetrics().elidedText(
            found.label, Qt.TextElideMode.ElideRight, int(line.width() - 24)
        )
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, shown)
        if found.verdict is Verdict.CORRECTED:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.error))
            painter.drawEllipse(QPointF(line.left() + 5, line.center().y()), 3, 3)
        if found.weight != 1:
            painter.setFont(self._small)
            painter.setPen(QColor(theme.text_muted))
            painter.drawText(
                line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, f"×{found.weight}"
            )

    def _pixmap(self, found: Thumbnail) -> QPixmap:
        """Smooth, in the theme's colours."""
        if found.id in self._pixmaps:
            self._pixmaps.move_to_end(found.id)
            return self._pixmaps[found.id]
        image = raster_image(found.raster, self._table)
        side = round(SIDE_PX * self._ratio)
        pixmap = QPixmap.fromImage(image.scaled(side, side, mode=Qt.TransformationMode.SmoothTransformation))
        pixmap.setDevicePixelRatio(self._ratio)
        self._pixmaps[found.id] = pixmap
        if len(self._pixmaps) > PIXMAPS_KEPT:
            self._pixmaps.popitem(last=False)
        return pixmap

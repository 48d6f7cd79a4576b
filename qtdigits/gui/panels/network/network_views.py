"""Pictures of what the network computes: a heat map over the drawing, and the outputs of a layer as tiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from qtdigits.core.drawing.samples import Raster
from qtdigits.gui.widgets.colours import theme_of
from qtdigits.gui.widgets.painting import ARROW_STEPS, raster_image, signed_colours

Heat = NDArray[np.float32]

LEAST_SIDE_PX = 180
MOST_SIDE_PX = 340
LEGEND_PX = 12
LEAST_SCALE = 0.02
"""A smaller change of probability than this is never painted in full colour."""
VEIL = 0.85


class HeatView(QWidget):
    """The drawing, with the pixels in blue that support the answer and in orange those against it, and a scale below.

    The pointer or the arrow keys go from pixel to pixel; `pixel_pointed_at` carries row and column, or None.
    """

    pixel_pointed_at = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._raster: Raster | None = None
        self._heat: Heat | None = None
        self._pixel: tuple[int, int] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setAccessibleName("What decided the answer, painted over the drawing")

    @property
    def scale(self) -> float:
        """The change of probability that is painted in full colour."""
        found = 0.0 if self._heat is None else float(np.abs(self._heat).max())
        return max(LEAST_SCALE, found)

    def show_drawing(self, raster: Raster | None, heat: Heat | None = None) -> None:
        """Show a drawing, with its heat map once that is known; None for an empty canvas."""
        self._raster, self._heat = raster, heat
        if raster is None:
            self._point_at(None)
        self.update()

    def pixel_at(self, position: QPointF) -> tuple[int, int] | None:
        """Return row and column at a place in the widget."""
        square = self._square()
        if self._raster is None or not square.contains(position):
            return None
        pixel = square.width() / 28
        row, column = (position.y() - square.top()) / pixel, (position.x() - square.left()) / pixel
        return min(27, int(row)), min(27, int(column))

    def _square(self) -> QRectF:
        room = self.height() - LEGEND_PX - self.fontMetrics().height() - 10
        return QRectF(0.5, 0.5, *[min(self.width() - 1.0, room, MOST_SIDE_PX)] * 2)

    def _point_at(self, pixel: tuple[int, int] | None) -> None:
        if pixel != self._pixel:
            self._pixel = pixel
            self.pixel_pointed_at.emit(pixel)
            self.update()

    def _paint_drawing(self, painter: QPainter, square: QRectF) -> None:
        theme = theme_of(self)
        if self._raster is None:
            painter.fillRect(square, QColor(theme.canvas))
            return
        ink = theme.ink if self._heat is None else theme.text_muted
        painter.drawImage(square, raster_image(self._raster, ink=ink, paper=theme.canvas))
        if self._heat is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(square, signed_colours(theme).veil(self._heat, self.scale, strongest=VEIL))
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=False)
        if self._pixel is not None:
            row, column = self._pixel
            side = square.width() / 28
            painter.setPen(QPen(QColor(theme.text), 1.5))
            painter.drawRect(QRectF(square.left() + column * side, square.top() + row * side, side, side))

    def _paint_legend(self, painter: QPainter, square: QRectF) -> None:
        theme = theme_of(self)
        bar = QRectF(square.left(), square.bottom() + 6, square.width(), LEGEND_PX)
        painter.drawImage(bar, signed_colours(theme).image(np.linspace(-1, 1, 200)[np.newaxis], 1.0))
        painter.setPen(QColor(theme.border))
        painter.drawRect(bar)
        painter.setPen(QColor(theme.text_muted))
        line = QRectF(bar.left(), bar.bottom() + 2, bar.width(), self.fontMetrics().height())
        most = f"{100 * self.scale:.0f}"
        for text, place in (
            (f"against: −{most}", Qt.AlignmentFlag.AlignLeft),
            ("0", Qt.AlignmentFlag.AlignHCenter),
            (f"for: {most} points", Qt.AlignmentFlag.AlignRight),
        ):
            painter.drawText(line, place, text)

    @override
    def sizeHint(self) -> QSize:
        return QSize(280, 280 + LEGEND_PX + self.fontMetrics().height() + 10)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(LEAST_SIDE_PX, LEAST_SIDE_PX + LEGEND_PX + self.fontMetrics().height() + 10)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        square = self._square()
        self._paint_drawing(painter, square)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        theme = theme_of(self)
        painter.setPen(QPen(QColor(theme.accent if self.hasFocus() else theme.border), 1))
        painter.drawRect(square)
        self._paint_legend(painter, square)

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(self.pixel_at(event.position()))

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self._point_at(None)

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._point_at(None)
        super().focusOutEvent(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = ARROW_STEPS.get(Qt.Key(event.key()))
        if step is None or self._raster is None:
            super().keyPressEvent(event)
            return
        row, column = self._pixel or (14, 14)
        self._point_at((min(27, max(0, row + step[0])), min(27, max(0, column + step[1]))))


Pictures = NDArray[np.float32]

GAP_PX = 8
MAP_PX = 64
FILTER_PX = 30
NEURON_PX = 34
FULL_COLOUR = 0.995
"""Share of a layer's numbers below the one with full colour: a few outliers must not leave the others pale."""
MOST_TILES = 512
"""Nobody looks at more of them one by one; a network may have thousands."""


@dataclass(frozen=True, eq=False)
class Tiles:
    """`outputs`: `(n, side, side)` maps or `(n,)` neurons; `filters` `(n, side, side)` beside them and `labels` below."""

    outputs: Pictures
    filters: Pictures | None = None
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return min(len(self.outputs), MOST_TILES)


class TileGrid(QWidget):
    """Tiles in as many columns as there is room for. All outputs have one scale, all filters another."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tiles = Tiles(np.zeros(0, np.float32))
        self._outputs, self._filters = QImage(), QImage()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

    def show_tiles(self, tiles: Tiles) -> None:
        is_other = len(tiles) != len(self._tiles) or _shape(tiles) != _shape(self._tiles)
        self._tiles = tiles
        self._colour()
        if is_other:
            self._fit_height()

    @property
    def labels(self) -> tuple[str, ...]:
        return self._tiles.labels

    def tile_rect(self, index: int) -> QRectF:
        """Return the place of a tile, without the gap around it."""
        width, height = self._tile_size()
        row, column = divmod(index, self._columns())
        return QRectF(column * (width + GAP_PX), row * (height + GAP_PX), width, height)

    def _colour(self) -> None:
        """Colour a layer at once, as one image with all tiles under one another."""
        tiles, n = self._tiles, len(self._tiles)
        outputs = tiles.outputs[:n]
        self._outputs = self._stacked(outputs if outputs.ndim == 3 else outputs[:, np.newaxis, np.newaxis])
        self._filters = QImage() if tiles.filters is None else self._stacked(tiles.filters[:n])
        self.update()

    def _stacked(self, pictures: Pictures) -> QImage:
        if not len(pictures):
            return QImage()
        most = float(np.quantile(np.abs(pictures), FULL_COLOUR))
        return signed_colours(theme_of(self)).image(pictures.reshape(-1, pictures.shape[-1]), most)

    def _tile_size(self) -> tuple[float, float]:
        label_px = self.fontMetrics().height() if self._tiles.labels else 0
        if self._tiles.outputs.ndim == 3:
            beside = FILTER_PX + 3 if self._tiles.filters is not None else 0
            return MAP_PX + beside, MAP_PX + label_px
        if self._tiles.filters is not None:
            return MAP_PX, MAP_PX + 3 + NEURON_PX / 2 + label_px
        return NEURON_PX, NEURON_PX + label_px

    def _columns(self) -> int:
        return max(1, int((self.width() + GAP_PX) // (self._tile_size()[0] + GAP_PX)))

    def _fit_height(self) -> None:
        lines = -(-len(self._tiles) // self._columns())
        height = round(lines * (self._tile_size()[1] + GAP_PX))
        if height != self.minimumHeight():
            self.setMinimumHeight(height)

    def _paint_tile(self, painter: QPainter, index: int, rect: QRectF) -> None:
        """Paint a map with its filter to the left, a neuron with its weights above."""
        tiles = self._tiles
        place = QRectF(rect)
        if tiles.labels:
            line = QRectF(rect.left(), rect.bottom() - self.fontMetrics().height(), rect.width(), 0)
            line.setHeight(self.fontMetrics().height())
            painter.setPen(self.palette().windowText().color())
            painter.drawText(line, Qt.AlignmentFlag.AlignCenter, tiles.labels[index])
            place.setBottom(line.top())
        if tiles.filters is not None:
            filter_px = FILTER_PX if tiles.outputs.ndim == 3 else MAP_PX
            self._paint_one(
                painter, QRectF(place.left(), place.top(), filter_px, filter_px), self._filters, index
            )
            if tiles.outputs.ndim == 3:
                place.setLeft(place.left() + filter_px + 3)
            else:
                place.setTop(place.top() + filter_px + 3)
        self._paint_one(painter, place, self._outputs, index)

    def _paint_one(self, painter: QPainter, place: QRectF, stack: QImage, index: int) -> None:
        side = stack.height() // len(self._tiles)
        painter.drawImage(place, stack, QRectF(0, index * side, stack.width(), side))
        painter.setPen(QPen(QColor(theme_of(self).border), 1))
        painter.drawRect(place)

    @override
    def sizeHint(self) -> QSize:
        return QSize(480, 240)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for index in range(len(self._tiles)):
            rect = self.tile_rect(index)
            if event.rect().intersects(rect.toAlignedRect()):
                self._paint_tile(painter, index, rect)

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()


def _shape(tiles: Tiles) -> tuple[int, bool, bool]:
    return tiles.outputs.ndim, tiles.filters is None, not tiles.labels

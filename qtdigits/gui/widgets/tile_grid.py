"""Many small pictures of numbers: what each part of a layer looks for, and what it puts out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from qtdigits.gui.widgets.signed_colours import SignedColours
from qtdigits.gui.widgets.theme import Theme

Pictures = NDArray[np.float32]

GAP_PX = 8
MAP_PX = 64
FILTER_PX = 30
NEURON_PX = 34
FULL_COLOUR = 0.995
"""Of all numbers of a layer; a few that stand out must not leave the others pale."""
MOST_TILES = 512
"""More are not looked at one by one; a network may have thousands."""


@dataclass(frozen=True, eq=False)
class Tiles:
    """`outputs`: `(n, side, side)` maps or `(n,)` neurons. `filters` `(n, side, side)` stand beside them, `labels` below."""

    outputs: Pictures
    filters: Pictures | None = None
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return min(len(self.outputs), MOST_TILES)


class TileGrid(QWidget):
    """As many tiles side by side as there is room for. All outputs have one scale, all filters another."""

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tiles = Tiles(np.zeros(0, np.float32))
        self._outputs, self._filters = QImage(), QImage()
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.setSizePolicy(policy)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._signed = SignedColours(theme)
        self._colour()

    def show_tiles(self, tiles: Tiles) -> None:
        is_other = len(tiles) != len(self._tiles) or _shape(tiles) != _shape(self._tiles)
        self._tiles = tiles
        self._colour()
        if is_other:
            self._fit_height()

    def tile_rect(self, index: int) -> QRectF:
        """Where a tile is; without the gap around it."""
        width, height = self._tile_size()
        row, column = divmod(index, self._columns())
        return QRectF(column * (width + GAP_PX), row * (height + GAP_PX), width, height)

    def _colour(self) -> None:
        """One image with all tiles under one another: a layer is coloured in one go."""
        tiles, n = self._tiles, len(self._tiles)
        outputs = tiles.outputs[:n]
        self._outputs = self._stacked(outputs if outputs.ndim == 3 else outputs[:, np.newaxis, np.newaxis])
        self._filters = QImage() if tiles.filters is None else self._stacked(tiles.filters[:n])
        self.update()

    def _stacked(self, pictures: Pictures) -> QImage:
        if not len(pictures):
            return QImage()
        most = float(np.quantile(np.abs(pictures), FULL_COLOUR))
        return self._signed.image(pictures.reshape(-1, pictures.shape[-1]), most)

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
        """A map has its filter to the left, a neuron what it weighs the pixels with above."""
        tiles = self._tiles
        place = QRectF(rect)
        if tiles.labels:
            line = QRectF(rect.left(), rect.bottom() - self.fontMetrics().height(), rect.width(), 0)
            line.setHeight(self.fontMetrics().height())
            painter.setPen(QColor(self._theme.text))
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
        painter.setPen(QPen(QColor(self._theme.border), 1))
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
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()


def _shape(tiles: Tiles) -> tuple[int, bool, bool]:
    return tiles.outputs.ndim, tiles.filters is None, not tiles.labels

"""Ink as lines on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from qtdigits.core.drawing.samples import Raster
from qtdigits.gui.widgets.colours import Theme


def draw_stroke(
    painter: QPainter, positions: Sequence[QPointF], widths: NDArray[np.floating], colour: QColor
) -> None:
    """A round pen along the points, `widths[i]` wide at the i-th; one point is a dot."""
    if len(positions) == 1:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(positions[0], widths[0] / 2, widths[0] / 2)
        return
    pen = QPen(colour, 1, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    if np.ptp(widths) == 0:
        pen.setWidthF(float(widths[0]))
        painter.setPen(pen)
        painter.drawPolyline(list(positions))
        return
    for start, end, width in zip(positions, positions[1:], widths[1:], strict=False):
        pen.setWidthF(float(width))
        painter.setPen(pen)
        painter.drawLine(start, end)


def draw_smooth_stroke(painter: QPainter, positions: Sequence[QPointF], width: float, colour: QColor) -> None:
    """As `draw_stroke`, of one width and without corners: a curve through the middles between the points."""
    if len(positions) < 3:
        draw_stroke(painter, positions, np.full(len(positions), width), colour)
        return
    path = QPainterPath(positions[0])
    for point, following in pairwise(positions[1:]):
        path.quadTo(point, (point + following) / 2)
    path.lineTo(positions[-1])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(
        QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    )
    painter.drawPath(path)


STEPS = {
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
}
"""By how many rows and columns a key leads on."""


ColourTable = NDArray[np.uint32]
"""`(256,)`: 0xffRRGGBB for each amount of ink."""


def raster_image(raster: Raster, table: ColourTable) -> QImage:
    """28x28 pixels, coloured by a table that `colours` has made."""
    height, width = raster.shape
    # QImage does not keep what it was made from, so it gets a copy of its own.
    return QImage(table[raster].tobytes(), width, height, 4 * width, QImage.Format.Format_RGB32).copy()


def colours(*, ink: str, paper: str) -> ColourTable:
    """From `paper` where there is no ink to `ink` where there is all of it."""
    first, last = (_rgb(name) for name in (paper, ink))
    mixed = np.rint(np.linspace(first, last, 256)).astype(np.int64)
    return (0xFF000000 | mixed[:, 0] << 16 | mixed[:, 1] << 8 | mixed[:, 2]).astype(np.uint32)


def _rgb(name: str) -> tuple[float, float, float]:
    colour = QColor(name)
    return float(colour.red()), float(colour.green()), float(colour.blue())


N_STEPS = 256


class SignedColours:
    """The colours of one theme."""

    def __init__(self, theme: Theme) -> None:
        above, zero, below = (_rgb_8bit(name) for name in (theme.accent, theme.canvas, theme.hold_out))
        up, down = (np.linspace(zero, end, N_STEPS) for end in (above, below))
        mixed = np.rint(np.concatenate([down[:0:-1], up])).astype(np.uint32)
        self._table = np.uint32(0xFF000000) | mixed[:, 0] << 16 | mixed[:, 1] << 8 | mixed[:, 2]
        self._ends = np.array([_rgb_8bit(theme.hold_out), _rgb_8bit(theme.accent)])

    def image(self, values: NDArray[np.floating], most: float) -> QImage:
        """`(height, width)` as an image of that size; `most` has the full colour, and so has all that is beyond."""
        places = np.rint(_scaled(values, most) * (N_STEPS - 1)).astype(np.int64) + N_STEPS - 1
        return _image(self._table[places], QImage.Format.Format_RGB32)

    def veil(self, values: NDArray[np.floating], most: float, *, strongest: float) -> QImage:
        """As `image`, but to lay over something: seen through where there is little, and never more opaque than `strongest`."""
        strength = _scaled(values, most)
        alpha = np.rint(np.abs(strength) * strongest * 255).astype(np.uint32)
        rgb = self._ends[(strength > 0).astype(int)].astype(np.uint32)
        return _image(
            alpha << 24 | rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2], QImage.Format.Format_ARGB32
        )


def _scaled(values: NDArray[np.floating], most: float) -> NDArray[np.float64]:
    """-1 to 1."""
    scaled: NDArray[np.float64] = np.clip(np.asarray(values, np.float64) / max(most, 1e-12), -1, 1)
    return scaled


def _image(pixels: NDArray[np.uint32], kind: QImage.Format) -> QImage:
    height, width = pixels.shape
    # QImage does not keep what it was made from, so it gets a copy of its own.
    return QImage(pixels.tobytes(), width, height, 4 * width, kind).copy()


def _rgb_8bit(name: str) -> tuple[int, int, int]:
    colour = QColor(name)
    return colour.red(), colour.green(), colour.blue()

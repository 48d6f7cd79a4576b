"""Ink, rasters and signed numbers as pictures, and the arrow keys in a grid of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from qtdigits.core.drawing.samples import Raster
from qtdigits.gui.widgets.colours import Theme

RING_PX = 5


def draw_stroke(
    painter: QPainter, positions: Sequence[QPointF], widths: NDArray[np.floating], colour: QColor
) -> None:
    """Draw a stroke with a round pen that is `widths[i]` wide at the i-th point; one point is a dot."""
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
    """Draw a stroke of one width without corners, as a curve through the midpoints of its points."""
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


ARROW_STEPS = {
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
}
"""Rows and columns that an arrow key moves by."""


def draw_ring(painter: QPainter, left: float, middle: float, colour: QColor) -> None:
    """Draw a small ring beside a word: a mark that a tooltip explains."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour, 1.2))
    painter.drawEllipse(QRectF(left, middle - RING_PX / 2, RING_PX, RING_PX))


def raster_image(raster: Raster, *, ink: str, paper: str) -> QImage:
    """Return a raster as an image of its size: `paper` where there is no ink, `ink` where there is all of it."""
    return _image(_ink_colours(ink, paper)[raster], QImage.Format.Format_RGB32)


@cache
def _ink_colours(ink: str, paper: str) -> NDArray[np.uint32]:
    """`(256,)`: 0xffRRGGBB for each amount of ink."""
    return _packed(np.linspace(_rgb(paper), _rgb(ink), 256))


N_STEPS = 256


class SignedColours:
    """Numbers as colours of a theme: blue above zero, orange below, the stronger the further."""

    def __init__(self, theme: Theme) -> None:
        above, zero, below = (_rgb(name) for name in (theme.accent, theme.canvas, theme.hold_out))
        up, down = (np.linspace(zero, end, N_STEPS) for end in (above, below))
        self._table = _packed(np.concatenate([down[:0:-1], up]))
        self._ends = _packed(np.array([below, above])) & np.uint32(0xFFFFFF)

    def image(self, values: NDArray[np.floating], most: float) -> QImage:
        """Return `(height, width)` numbers as an image of that size; `most`, and all beyond, has the full colour."""
        places = np.rint(_scaled(values, most) * (N_STEPS - 1)).astype(np.int64) + N_STEPS - 1
        return _image(self._table[places], QImage.Format.Format_RGB32)

    def veil(self, values: NDArray[np.floating], most: float, *, strongest: float) -> QImage:
        """Return an image to lay over another: transparent where a number is near zero, at most `strongest` opaque."""
        strength = _scaled(values, most)
        alpha = np.rint(np.abs(strength) * strongest * 255).astype(np.uint32)
        return _image(alpha << 24 | self._ends[(strength > 0).astype(int)], QImage.Format.Format_ARGB32)


@cache
def signed_colours(theme: Theme) -> SignedColours:
    return SignedColours(theme)


def _scaled(values: NDArray[np.floating], most: float) -> NDArray[np.float64]:
    """Return numbers from -1 to 1."""
    scaled: NDArray[np.float64] = np.clip(np.asarray(values, np.float64) / max(most, 1e-12), -1, 1)
    return scaled


def _image(pixels: NDArray[np.uint32], kind: QImage.Format) -> QImage:
    height, width = pixels.shape
    # QImage does not keep what it was made from, so it gets a copy of its own.
    return QImage(pixels.tobytes(), width, height, 4 * width, kind).copy()


def _rgb(name: str) -> tuple[int, int, int]:
    colour = QColor(name)
    return colour.red(), colour.green(), colour.blue()


def _packed(colours: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.uint32]:
    """Return `(n, 3)` red, green and blue as `(n,)` 0xffRRGGBB."""
    rgb = np.rint(colours).astype(np.uint32)
    packed: NDArray[np.uint32] = np.uint32(0xFF000000) | rgb[:, 0] << 16 | rgb[:, 1] << 8 | rgb[:, 2]
    return packed

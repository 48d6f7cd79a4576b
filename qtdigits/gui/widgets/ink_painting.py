"""Ink as lines on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen


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

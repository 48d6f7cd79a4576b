"""What a network is trained on. No Keras here, so that data can be gathered before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.ink import Ink


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Images once, and indices into them: what is trained on may count several times, what is validated on counts once.

    `images` `(n, 28, 28) uint8`, ink 255; `targets` `(n,)`, output indices; `training` `(m,)` and `validation` `(v,)`
    have no index in common. `inks` is empty, or has the ink of each image, None where there are only pixels. `sources`
    counts the different images that are trained on by where they come from. An image whose target is `NO_CLASS` is no digit, and
    the network learns to be unsure of it; those that are not trained on are in `outliers`, indices too. `remembered` are
    the images of a rehearsal: a network that goes on from a trained one shall keep its `answers` to them, `(r, k)` probabilities.
    `hold_out_images` `(h, 28, 28) uint8` and `hold_out_targets` `(h,)` are only looked at, after each epoch.
    """

    images: NDArray[np.uint8]
    targets: NDArray[np.int64]
    training: NDArray[np.int64]
    validation: NDArray[np.int64]
    sources: Mapping[str, int] = field(default_factory=dict)
    inks: Sequence[Ink | None] = ()
    is_rehearsal: bool = False
    remembered: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    answers: NDArray[np.float32] | None = None
    outliers: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    hold_out_images: NDArray[np.uint8] = field(default_factory=lambda: np.empty((0, 28, 28), np.uint8))
    hold_out_targets: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def has_outliers(self) -> bool:
        """Whether there are drawings of no class to choose the threshold of "not sure" by."""
        return bool(len(self.outliers))

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches in an epoch; the last one may be smaller."""
        return -(-len(self.training) // batch_size)

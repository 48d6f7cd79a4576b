"""The data a network is trained on. No Keras here, so that data can be gathered before Keras is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.ink import Ink

NOT_ASKED = -2
"""The target of an image that the network may give any answer to."""


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Each image once, and indices into the images; an index may occur several times in `training`.

    `images` `(n, 28, 28) uint8`, ink = 255; `targets` `(n,)`, output indices; `training` `(m,)` and `validation` `(v,)` are
    disjoint. `inks` is empty, or has the ink of each image, None for those without. `sources` counts the different training
    images of each source. An image with the target `NO_CLASS` is no digit, and the network learns to be unsure of it; `outliers`
    are indices of those that are not trained on. For an image with the target `NOT_ASKED` any answer will do: it is there for its
    character. `characters` `(n,)` are indices into `character_labels`, `NO_CLASS` for none; empty without a second head.
    `remembered` are indices of a rehearsal, for which the network is to keep the `answers` of its teacher, `(r, k)`
    probabilities. `hold_out_images` `(h, 28, 28) uint8` and `hold_out_targets` `(h,)` are only scored after each epoch.
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
    characters: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    character_labels: tuple[str, ...] = ()
    hold_out_images: NDArray[np.uint8] = field(default_factory=lambda: np.empty((0, 28, 28), np.uint8))
    hold_out_targets: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def has_outliers(self) -> bool:
        """Whether there are images of no class to choose the threshold of "not sure" by."""
        return bool(len(self.outliers))

    def steps_per_epoch(self, batch_size: int) -> int:
        """Return the number of batches in an epoch; the last one may be smaller."""
        return -(-len(self.training) // batch_size)

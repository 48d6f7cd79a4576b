"""One reading of one drawing: what a model, and the memory if there is one, say of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.memory import Neighbour


@dataclass(frozen=True, eq=False)
class Reading:
    """`(k,) float32` probabilities, one for each of `classes`, of the drawing whose raster is `(28, 28) uint8`.

    Below `undecided_below` the reading is not sure; `label` is the best guess then. `embedding` `(d,)` and `neighbours`, the most
    similar remembered drawings, most similar first, are there if a memory was consulted.
    """

    raster: NDArray[np.uint8]
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]
    undecided_below: float = 0.0
    embedding: NDArray[np.float32] | None = None
    neighbours: tuple[Neighbour, ...] = ()

    @property
    def label(self) -> str:
        return self.classes[int(self.probabilities.argmax())]

    @property
    def probability(self) -> float:
        return float(self.probabilities.max())

    @property
    def is_sure(self) -> bool:
        return self.probability >= self.undecided_below

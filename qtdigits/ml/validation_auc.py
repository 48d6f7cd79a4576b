"""The AUC of the validation part after each epoch, at a small part of what the epoch costs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from qtdigits.core.auc import macro_auc
from qtdigits.ml.training_data import TrainingData

MOST_IMAGES = 1000
"""Reading them once is under 1 % of what an epoch with MNIST multiplies, which reads 54,000 images and goes back through them."""


class ValidationAuc:
    """Looks at the same images every time, evenly spread over the validation part."""

    def __init__(self, data: TrainingData) -> None:
        part = data.validation
        chosen = part[:: -(-len(part) // MOST_IMAGES)] if len(part) else part
        self._images, self._targets = data.images[chosen], data.targets[chosen]

    def of(self, network: Any) -> float | None:
        """None where there is nothing to tell apart, or where an output is no number.

        The network is called as a function, in one go: `predict` would have a graph of its own made.
        """
        if not len(self._images):
            return None
        images = (self._images[..., np.newaxis] / np.float32(255)).astype(np.float32)
        answers = np.asarray(network(images, training=False), np.float32)
        found = macro_auc(self._targets, answers) if np.isfinite(answers).all() else math.nan
        return found if math.isfinite(found) else None

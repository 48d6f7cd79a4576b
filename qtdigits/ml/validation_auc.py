"""The AUC of the validation part after each epoch, at a small part of what the epoch costs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from qtdigits.core.auc import macro_auc
from qtdigits.ml.training_data import TrainingData

MOST_IMAGES = 2000
"""Of a validation part of 6,000 a third: one more pass of that length is 1 % of an epoch with MNIST."""
BATCH = 500


class ValidationAuc:
    """Looks at the same images every time, evenly spread over the validation part."""

    def __init__(self, data: TrainingData) -> None:
        part = data.validation
        chosen = part[:: -(-len(part) // MOST_IMAGES)] if len(part) else part
        self._images, self._targets = data.images[chosen], data.targets[chosen]

    def of(self, network: Any) -> float | None:
        """None where there is nothing to tell apart, or where an output is no number."""
        answers = [self._answers(network, first) for first in range(0, len(self._images), BATCH)]
        if not answers or not all(np.isfinite(part).all() for part in answers):
            return None
        found = macro_auc(self._targets, np.concatenate(answers))
        return found if math.isfinite(found) else None

    def _answers(self, network: Any, first: int) -> np.ndarray[Any, Any]:
        """By calling it, as `predict` would have a graph of its own made."""
        part = (self._images[first : first + BATCH, ..., np.newaxis] / np.float32(255)).astype(np.float32)
        return np.asarray(network(part, training=False), np.float32)

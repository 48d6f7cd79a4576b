"""What is found out after each epoch beyond Keras's own validation, at a small part of what the epoch costs.

The network is called as a function, in one go: `predict` and `evaluate` cost more in themselves than a small network takes to
read a thousand images.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from qtdigits.core.score.auc import macro_auc
from qtdigits.ml.batches import one_hot
from qtdigits.ml.networks import probabilities
from qtdigits.ml.training_data import TrainingData

MOST_IMAGES = 1000
"""Reading them once is under 1 % of what an epoch with MNIST multiplies, which reads 54,000 images and goes back through them."""


class ValidationAuc:
    """The area under the ROC curve, on the same images every time, evenly spread over the validation part."""

    def __init__(self, data: TrainingData) -> None:
        part = data.validation
        chosen = part[:: -(-len(part) // MOST_IMAGES)] if len(part) else part
        self._images, self._targets = data.images[chosen], data.targets[chosen]

    def of(self, network: Any) -> float | None:
        """None where there is nothing to tell apart, or where an output is no number."""
        if not len(self._images):
            return None
        answers = probabilities(network, self._images)
        found = macro_auc(self._targets, answers) if np.isfinite(answers).all() else math.nan
        return found if math.isfinite(found) else None


class HoldOut:
    """Loss and accuracy on the person's own hold-out; no weights are chosen by it."""

    def __init__(self, data: TrainingData) -> None:
        self._images, self._targets = data.hold_out_images, data.hold_out_targets

    def of(self, network: Any) -> dict[str, float]:
        """`hold_out_loss` by the network's own loss, and `hold_out_accuracy`; {} where nothing is held out."""
        if not len(self._images):
            return {}
        answers = probabilities(network, self._images)
        loss = network.compute_loss(
            y=one_hot(self._targets, answers.shape[1]), y_pred=answers, training=False
        )
        accuracy = np.mean(answers.argmax(axis=1) == self._targets)
        return {"hold_out_loss": float(loss), "hold_out_accuracy": float(accuracy)}

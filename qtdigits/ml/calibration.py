"""Probabilities that mean what they say: of the answers given with 90 %, nine in ten should be right.

One number, the temperature, divides the logits (Guo et al., On Calibration of Modern Neural Networks, 2017). It is fitted on the
validation part and then divided into the weights of the last layer, so that nothing else has to know of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

COLDEST, HOTTEST = 0.2, 5.0
_ROUNDS = 40


def temperature_of(probabilities: NDArray[np.float32], targets: NDArray[np.int64]) -> float:
    """The temperature with the lowest negative log-likelihood. `probabilities` `(n, k)` at temperature 1, `targets` `(n,)`."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-30))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        right = scaled[np.arange(len(targets)), targets]
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - right))

    return float(np.exp(_lowest(loss, np.log(COLDEST), np.log(HOTTEST))))


def apply_temperature(network: Any, temperature: float) -> None:
    """Divide the logits of `network`, whose last layer is a dense softmax, by `temperature`; no answer changes."""
    layer = network.layers[-1]
    layer.set_weights([array / np.float32(temperature) for array in layer.get_weights()])


def _lowest(loss: Any, low: float, high: float) -> float:
    """Golden-section search: the loss has one minimum, as it is convex in the inverse temperature."""
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(_ROUNDS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return (low + high) / 2

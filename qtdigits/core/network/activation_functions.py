"""The activations of a network as Keras defines them, on numpy arrays of float32."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

LEAK = 0.2
SELU_SCALE, SELU_ALPHA = 1.05070098, 1.67326324


def softmax(x: Values) -> Values:
    """`(k,)` to probabilities."""
    raised = np.exp(x - x.max())
    result: Values = raised / raised.sum()
    return result


def _sigmoid(x: Values) -> Values:
    """By tanh, which does not overflow."""
    result: Values = np.float32(0.5) * (np.tanh(np.float32(0.5) * x) + np.float32(1))
    return result


def _elu(x: Values) -> Values:
    result: Values = np.where(x > 0, x, np.expm1(np.minimum(x, 0)))
    return result


def _gelu(x: Values) -> Values:
    """The exact one, x Φ(x). numpy has no error function: Abramowitz & Stegun 7.1.26 is right to 1.5e-7."""
    z = np.abs(x) / np.float32(np.sqrt(2.0))
    t = 1 / (1 + np.float32(0.3275911) * z)
    series = np.polyval([1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592, 0.0], t)
    tail = np.float32(0.5) * series * np.exp(-z * z)
    return np.asarray(x * np.where(x < 0, tail, 1 - tail), np.float32)


ACTIVATION_FUNCTIONS: dict[str, Callable[[Values], Values]] = {
    "relu": lambda x: np.maximum(x, 0),
    "elu": _elu,
    "gelu": _gelu,
    "leaky_relu": lambda x: np.maximum(x, np.float32(LEAK) * x),
    "selu": lambda x: np.float32(SELU_SCALE) * np.where(x > 0, x, np.float32(SELU_ALPHA) * _elu(x)),
    "sigmoid": _sigmoid,
    "silu": lambda x: x * _sigmoid(x),
    "softplus": lambda x: np.logaddexp(x, np.float32(0)),
    "tanh": np.tanh,
    "linear": lambda x: x,
}

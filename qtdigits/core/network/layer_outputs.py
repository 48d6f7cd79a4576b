"""What every layer of a network puts out for one drawing, worked out from its stored weights with numpy alone.

This is how the window looks into a network without TensorFlow: the LiteRT program folds its layers into one another, and an
interpreter that keeps what lies between them knows them by no names of ours. Within 1e-5 of what Keras says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from qtdigits.core.network.activation_functions import ACTIVATION_FUNCTIONS, Values, softmax
from qtdigits.core.network.networks import ConvBlock, NetworkSpec
from qtdigits.errors import InputError

NORM_EPSILON = 1e-3
"""What Keras's batch normalisation adds to the variance."""

Weights = Mapping[str, Sequence[NDArray[np.float32]]]
"""As `Model.weights`: the name of a layer → its arrays."""


@dataclass(frozen=True, eq=False)
class LayerOutput:
    """What a layer puts out, after activation and pooling: `(side, side, channels)` of a block, `(neurons,)` of a dense layer."""

    name: str
    values: Values


def layer_names(spec: NetworkSpec) -> tuple[str, ...]:
    """Those of the layers that have an output to look at, in order: "block_1", "dense_1", "output"."""
    blocks = [f"block_{number}" for number in range(1, len(spec.blocks) + 1)]
    dense = [f"dense_{number}" for number in range(1, len(spec.dense) + 1)]
    return (*blocks, *dense, "output")


def layer_outputs(
    spec: NetworkSpec, weights: Weights, raster: NDArray[np.uint8], *, upto: str = "output"
) -> list[LayerOutput]:
    """`raster` `(28, 28)`, ink 255, through the layers up to and with the one named `upto`.

    Raises `InputError` when the weights are not those of this network.
    """
    found: list[LayerOutput] = []
    flow = (raster.astype(np.float32) / np.float32(255))[..., np.newaxis]
    try:
        for name, block in zip(layer_names(spec), spec.blocks, strict=False):
            flow = _convolved(flow, block, weights[name], weights.get(f"{name}_norm", ()))
            found.append(LayerOutput(name, flow))
            if name == upto:
                return found
        flow = flow.mean(axis=(0, 1)) if spec.pooling == "average" else flow.reshape(-1)
        for name, layer in zip(layer_names(spec)[len(spec.blocks) :], spec.dense, strict=False):
            flow = ACTIVATION_FUNCTIONS[layer.activation](_connected(flow, weights[name]))
            found.append(LayerOutput(name, flow))
            if name == upto:
                return found
        return [*found, LayerOutput("output", softmax(_connected(flow, weights["output"])))]
    except (KeyError, ValueError, IndexError) as error:
        raise InputError("The weights are not those of this network.") from error


def first_filters(spec: NetworkSpec, weights: Weights) -> Values:
    """`(n, side, side)`: the kernels of the first convolution, or what the first dense layer weighs every pixel with.

    Raises `InputError` when the weights are not those of this network.
    """
    first = layer_names(spec)[0]
    try:
        kernels = weights[first][0]
        if spec.blocks:
            return np.moveaxis(kernels[:, :, 0, :], -1, 0)
        return np.ascontiguousarray(kernels.T).reshape(-1, 28, 28)
    except (KeyError, ValueError, IndexError) as error:
        raise InputError("The weights are not those of this network.") from error


def _convolved(flow: Values, block: ConvBlock, kernels: Sequence[Values], norm: Sequence[Values]) -> Values:
    kernel = kernels[0]
    side, _, depth, filters = kernel.shape
    if block.padding == "same":
        flow = _padded_same(flow, side, block.stride)
    windows = sliding_window_view(flow, (side, side), axis=(0, 1))[:: block.stride, :: block.stride]
    height, width = windows.shape[:2]
    # channels last again, as the kernel has them: they lie side by side and are copied in one piece
    rows = windows.transpose(0, 1, 3, 4, 2).reshape(height * width, side * side * depth)
    result = rows @ kernel.reshape(-1, filters)
    if block.is_normalised:
        gamma, beta, mean, variance = norm
        scale = gamma / np.sqrt(variance + np.float32(NORM_EPSILON))
        result = result * scale + (beta - mean * scale)
    else:
        result = result + kernels[1]
    return _pooled(ACTIVATION_FUNCTIONS[block.activation](result).reshape(height, width, filters), block.pool)


def _padded_same(flow: Values, kernel: int, stride: int) -> Values:
    """TensorFlow's "same": where the number of zeros is odd, the one more comes after."""
    side = flow.shape[0]
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    before = total // 2
    return np.pad(flow, ((before, total - before), (before, total - before), (0, 0)))


def _pooled(flow: Values, pool: int) -> Values:
    if pool == 1:
        return flow
    side, filters = flow.shape[0] // pool, flow.shape[2]
    cut = flow[: side * pool, : side * pool].reshape(side, pool, side, pool, filters)
    result: Values = cut.max(axis=(1, 3))
    return result


def _connected(flow: Values, arrays: Sequence[Values]) -> Values:
    kernel, bias = arrays
    result: Values = flow @ kernel + bias
    return result

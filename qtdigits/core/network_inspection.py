"""Look into a network: the output of every layer for one drawing, and which pixels decided the answer.

Layer outputs are computed from the stored weights with numpy alone, within 1e-5 of Keras. The window needs no TensorFlow for
it, and the LiteRT program does not have them: it folds its layers into one another, under other names.

Occlusion sensitivity (Zeiler & Fergus 2014): a patch is moved over the drawing, and the fall of the answer's probability is
recorded. Their grey patch is two things at once on a drawing, so there are two patches here: one removes ink (which strokes
support the answer?), the other adds ink (which gaps do?). A pixel's figure is the mean over all patches that cover it. Its
limits: patches that matter only together are missed; nothing finer than the patch is seen; a drawing that really lacked the
ink would be centred anew, the patched one is not; and it explains this model and this answer, not how people read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from qtdigits.core.network_spec import ConvBlock, NetworkSpec
from qtdigits.errors import InputError

Values = NDArray[np.float32]

Weights = Mapping[str, Sequence[NDArray[np.float32]]]
"""As `Model.weights`: the name of a layer → its arrays."""

# Activations and batch normalisation as Keras defines them.
LEAK = 0.2
SELU_SCALE, SELU_ALPHA = 1.05070098, 1.67326324
NORM_EPSILON = 1e-3

SIDE_PX = 5
STEP_PX = 2
CORNERS = np.arange(0, 28 - SIDE_PX + STEP_PX, STEP_PX).clip(max=28 - SIDE_PX)
"""Where patches begin, along either axis: every pixel is covered."""
WITHOUT, WITH = 0, 255
"""The ink of a patch: none, or all."""


def softmax(x: Values) -> Values:
    """Turn logits `(k,)` into probabilities."""
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


@dataclass(frozen=True, eq=False)
class LayerOutput:
    """The output of a layer after activation and pooling: `(side, side, channels)` of a block, `(neurons,)` of a dense layer."""

    name: str
    values: Values


def layer_names(spec: NetworkSpec) -> tuple[str, ...]:
    """Return the names of the layers with an output to look at, in order, such as "block_1", "dense_1", "output"."""
    blocks = [f"block_{number}" for number in range(1, len(spec.blocks) + 1)]
    dense = [f"dense_{number}" for number in range(1, len(spec.dense) + 1)]
    return (*blocks, *dense, "output")


def layer_outputs(
    spec: NetworkSpec, weights: Weights, raster: NDArray[np.uint8], *, upto: str = "output"
) -> list[LayerOutput]:
    """Compute the outputs for `raster` `(28, 28)`, ink 255, of the layers up to and with the one named `upto`.

    Raises `InputError` when the weights are not those of this network.
    """
    found: list[LayerOutput] = []
    try:
        for output in _outputs(spec, weights, raster):
            found.append(output)
            if output.name == upto:
                break
    except (KeyError, ValueError, IndexError) as error:
        raise InputError("The weights are not those of this network.") from error
    return found


def _outputs(spec: NetworkSpec, weights: Weights, raster: NDArray[np.uint8]) -> Iterator[LayerOutput]:
    names = iter(layer_names(spec))
    flow = (raster.astype(np.float32) / np.float32(255))[..., np.newaxis]
    for block in spec.blocks:
        name = next(names)
        flow = _convolved(flow, block, weights[name], weights.get(f"{name}_norm", ()))
        yield LayerOutput(name, flow)
    flow = _flattened(flow, spec)
    for layer in spec.dense:
        name = next(names)
        flow = ACTIVATION_FUNCTIONS[layer.activation](_connected(flow, weights[name]))
        yield LayerOutput(name, flow)
    yield LayerOutput("output", softmax(_connected(flow, weights["output"])))


def features(spec: NetworkSpec, weights: Weights, rasters: NDArray[np.uint8]) -> Values:
    """`(n, 28, 28)`, ink 255, to `(n, d)`: what the output layer is given.

    Raises `InputError` when the weights are not those of this network.
    """
    try:
        found = np.empty((len(rasters), len(weights["output"][0])), np.float32)
        for row, raster in zip(found, rasters, strict=True):
            row[:] = _before_output(spec, weights, raster)
    except (KeyError, ValueError, IndexError) as error:
        raise InputError("The weights are not those of this network.") from error
    return found


def _before_output(spec: NetworkSpec, weights: Weights, raster: NDArray[np.uint8]) -> Values:
    """`(d,)`: what the output layer is given."""
    *layers, _ = layer_names(spec)
    if not layers:
        return raster.reshape(-1).astype(np.float32) / np.float32(255)
    flow = layer_outputs(spec, weights, raster, upto=layers[-1])[-1].values
    return _flattened(flow, spec) if flow.ndim == 3 else flow


def _flattened(flow: Values, spec: NetworkSpec) -> Values:
    return flow.mean(axis=(0, 1)) if spec.pooling == "average" else flow.reshape(-1)


def first_filters(spec: NetworkSpec, weights: Weights) -> Values:
    """Return the kernels of the first convolution, or the pixel weights of the first dense layer: `(n, side, side)`.

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
    """Pad as TensorFlow's "same": where the number of zeros is odd, there is one more after."""
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


@dataclass(frozen=True, eq=False)
class Occluded:
    """The drawing under every patch that changes it: `images` `(n, 28, 28)`, `corners` `(n, 2)` as row and column."""

    images: NDArray[np.uint8]
    corners: NDArray[np.int64]


def occlude(raster: NDArray[np.uint8], *, ink: int) -> Occluded:
    """Cover `raster` `(28, 28)` with patches of `ink`. Patches that change nothing are left out."""
    grid = np.stack(np.meshgrid(CORNERS, CORNERS, indexing="ij"), axis=-1).reshape(-1, 2)
    covered = sliding_window_view(raster, (SIDE_PX, SIDE_PX))[grid[:, 0], grid[:, 1]]
    corners = grid[(covered != ink).any(axis=(1, 2))]
    images = np.repeat(raster[np.newaxis], len(corners), axis=0)
    sliding_window_view(images, (SIDE_PX, SIDE_PX), axis=(1, 2), writeable=True)[
        np.arange(len(corners)), corners[:, 0], corners[:, 1]
    ] = ink
    return Occluded(images, corners)


def heat_map(
    corners: NDArray[np.int64], probabilities: NDArray[np.float32], before: float
) -> NDArray[np.float32]:
    """Return how far the answer's probability falls when a pixel is covered: `(28, 28)`, -1 to 1, below 0 where it rises.

    `probabilities` `(n,)` of the answer under each patch, `before` without one.
    """
    total = np.zeros((28, 28), np.float32)
    for (row, column), probability in zip(corners, probabilities, strict=True):
        total[row : row + SIDE_PX, column : column + SIDE_PX] += before - probability
    return total / _n_covering()


def _n_covering() -> NDArray[np.float32]:
    """Count the patches that cover each pixel: `(28, 28)`."""
    along = np.zeros(28, np.float32)
    for corner in CORNERS:
        along[corner : corner + SIDE_PX] += 1
    return np.outer(along, along)

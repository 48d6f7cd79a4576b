"""A network as it reads, for other programs: batch normalisation folded in, weights as the LiteRT program has them.

LiteRT folds batch normalisation into kernels that it then rounds to half precision. Other runtimes give the same answers only
with the same constants: computed with the weights before folding, the shipped default differs by up to 2e-3, and reads one of
MNIST's 10,000 test drawings otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.embedding import NO_FEATURES
from qtdigits.core.model import LayerWeights, Model
from qtdigits.core.network_inspection import NORM_EPSILON
from qtdigits.core.network_spec import NetworkSpec

Array = NDArray[np.float32]

HALF_STEP = 2.0**-10
"""At most so far, relatively, is a constant in half precision from the number that it stands for, if rounding was unlucky."""


@dataclass(frozen=True, eq=False)
class ReadingNetwork:
    """A network without batch normalisation: `weights` maps "block_1", …, "dense_1", …, "output" to kernel and bias.

    `whitening` is the kernel `(d, k)` and bias `(k,)` of its embedding, as in `core.embedding`; None where it has an embedding
    layer. `offset` is added to each feature before. `has_embedding` is False for the programs of older model files.
    """

    spec: NetworkSpec
    weights: Mapping[str, tuple[Array, Array]]
    whitening: tuple[Array, Array] | None
    offset: float
    has_embedding: bool


def reading_network(model: Model, constants: Iterable[NDArray[Any]]) -> ReadingNetwork:
    """Return the network of a model that was loaded with its weights, with the numbers of its LiteRT program: `constants`."""
    folded = folded_weights(model.network, model.weights)
    known = _Constants(constants)
    found: dict[str, tuple[Array, Array]] = {}
    # The bias of a linear dense layer, which LiteRT moves into the next one's: as in the file, and as in the program.
    before: tuple[Array, Array] | None = None
    activations = {f"dense_{number}": layer.activation for number, layer in enumerate(model.network.dense, 1)}
    for name, (kernel, bias) in folded.items():
        kernel = known.kernel(kernel)
        moved = None if before is None else (before[0] @ kernel, before[1] @ kernel)
        found[name] = (kernel, known.bias(bias, moved))
        before = (bias, found[name][1]) if activations.get(name) == "linear" else None
    spec = replace(
        model.network, blocks=tuple(replace(b, normalisation="none") for b in model.network.blocks)
    )
    features = found["output"][0].shape[0]
    whitening = None if spec.has_embedding_layer else known.whitening(features)
    offset = NO_FEATURES if spec.has_embedding_layer or known.has(NO_FEATURES) else 0.0
    return ReadingNetwork(spec, found, whitening, offset, spec.has_embedding_layer or whitening is not None)


def folded_weights(spec: NetworkSpec, weights: Mapping[str, LayerWeights]) -> dict[str, tuple[Array, Array]]:
    """Return kernel and bias of each layer, with batch normalisation in them."""
    folded: dict[str, tuple[Array, Array]] = {}
    for number, block in enumerate(spec.blocks, 1):
        kernel = weights[name := f"block_{number}"][0]
        if block.is_normalised:
            gamma, beta, mean, variance = weights[f"{name}_norm"]
            scale = gamma * (np.float32(1) / np.sqrt(variance + np.float32(NORM_EPSILON)))
            folded[name] = (kernel * scale, beta - mean * scale)
        else:
            folded[name] = (kernel, weights[name][1])
    for name in (*(f"dense_{number}" for number in range(1, len(spec.dense) + 1)), "output"):
        kernel, bias = weights[name]
        folded[name] = (kernel, bias)
    return folded


class _Constants:
    """The constants of a LiteRT program, found by what they should be; each is used once."""

    def __init__(self, constants: Iterable[NDArray[Any]]) -> None:
        self._left = [np.asarray(c, np.float32) for c in constants if c.dtype.kind == "f"]

    def kernel(self, expected: Array) -> Array:
        """LiteRT has the outputs first: `(out, in)` and `(out, height, width, in)`."""
        found = self._take(np.moveaxis(expected, -1, 0))
        return expected if found is None else np.ascontiguousarray(np.moveaxis(found, 0, -1))

    def bias(self, expected: Array, moved: tuple[Array, Array] | None) -> Array:
        """`moved` is what the layer before may have added to it, as the file has that layer's bias and as the program has it."""
        found = self._take(expected)
        if found is None and moved is not None and (found := self._take(expected + moved[0])) is not None:
            found = found - moved[1]
        return expected if found is None else found

    def has(self, number: float) -> bool:
        return any(c.shape == () and np.isclose(c, number, rtol=HALF_STEP, atol=0) for c in self._left)

    def whitening(self, features: int) -> tuple[Array, Array] | None:
        """The dense layer that is left over."""
        kernels = [c for c in self._left if c.ndim == 2 and c.shape[1] == features]
        for kernel in kernels:
            for bias in self._left:
                if bias.shape == kernel.shape[:1]:
                    return np.ascontiguousarray(kernel.T), bias
        return None

    def _take(self, expected: Array) -> Array | None:
        same: Sequence[int] = [i for i, c in enumerate(self._left) if c.shape == expected.shape]
        if not same:
            return None
        nearest = min(same, key=lambda i: float(np.abs(self._left[i] - expected).max()))
        if not np.allclose(self._left[nearest], expected, rtol=HALF_STEP, atol=2.0**-24):
            return None
        return self._left.pop(nearest)

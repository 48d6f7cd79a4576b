"""A chain of Keras layers as a network of ours: the spec, and weights in which everything else is folded.

Rescaling and batch normalisation scale and shift each channel, `x * scale + shift`. Where that comes after a linear layer, it is
folded into it; elsewhere it is carried along, through pooling and flattening, into the next layer with weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.keras_config import REMEDY, KerasLayer
from qtdigits.core.network_inspection import LEAK
from qtdigits.core.network_spec import ACTIVATIONS, INPUT_SIDE, ConvBlock, DenseLayer, NetworkSpec
from qtdigits.errors import InputError

Array = NDArray[np.float32]
WeightsOf = Callable[[KerasLayer], Sequence[Array]]
"""The arrays of a layer, in Keras's order."""

INPUT_SHAPES = ((784,), (INPUT_SIDE, INPUT_SIDE), (INPUT_SIDE, INPUT_SIDE, 1))
RISING = frozenset({"relu", "elu", "leaky_relu", "selu", "sigmoid", "softplus", "tanh"})
"""Activations that may as well come before pooling: they keep what is greatest."""


@dataclass(frozen=True, eq=False)
class ImportedNetwork:
    """`weights` maps the layers of `spec` to kernel and bias. `has_softmax`: the chain itself ends in one, not in logits."""

    spec: NetworkSpec
    weights: dict[str, tuple[Array, Array]]
    has_softmax: bool

    @property
    def n_classes(self) -> int:
        return int(self.weights["output"][1].shape[0])


@dataclass(eq=False)
class _Part:
    """A layer with weights, as long as something may still be folded into it."""

    layer: KerasLayer
    kernel: Array
    bias: Array
    activation: str
    pool: int = 1
    dropout: float = 0.0
    is_flattened: bool = False


def network_of(layers: Sequence[KerasLayer], weights_of: WeightsOf, *, highest: float) -> ImportedNetwork:
    """Return the network of a chain that was trained on images from 0 to `highest`; ours are given images from 0 to 1.

    Raises `InputError` that names the layer that cannot be expressed.
    """
    return _Builder(weights_of, highest).built(layers)


@dataclass(eq=False)
class _Builder:
    weights_of: WeightsOf
    highest: float
    parts: list[_Part] = field(default_factory=list)
    shape: tuple[int, ...] = ()
    pooling: str = "flatten"
    has_softmax: bool = False

    def built(self, layers: Sequence[KerasLayer]) -> ImportedNetwork:
        self.scale: Array = np.asarray(self.highest, np.float32)
        self.shift: Array = np.asarray(0, np.float32)
        for layer in layers:
            if self.has_softmax:
                layer.refuse("comes after the softmax")
            if not self.shape:
                self._begin(layer)
            try:
                with np.errstate(over="raise", divide="raise", invalid="raise"):
                    _STEPS[layer.kind](self, layer)
            except ArithmeticError:
                layer.refuse("has numbers that are too large, or divides by zero")
        if not self.parts or len(self.shape) != 1 or self.parts[-1].kernel.ndim != 2:
            raise InputError("It does not end in a Dense layer.", REMEDY)
        last = self.parts[-1]
        if last.activation != "linear" or np.any(self.scale != 1) or np.any(self.shift != 0):
            last.layer.refuse("is the last one, but does not end in a softmax or in logits")
        return ImportedNetwork(self._spec(), self._weights(), self.has_softmax)

    def _begin(self, layer: KerasLayer) -> None:
        given = layer.settings.get("batch_shape", layer.settings.get("batch_input_shape"))
        shape = tuple(given[1:]) if isinstance(given, list) else ()
        if shape not in INPUT_SHAPES:
            layer.refuse(f"takes {shape or 'images of unknown size'}, not 28x28 images")
        self.shape = shape

    def keep(self, layer: KerasLayer) -> None:
        """It changes no answer."""

    def rescale(self, layer: KerasLayer) -> None:
        scale, offset = layer.number("scale", 1.0), layer.number("offset", 0.0)
        self._affine(np.asarray(scale, np.float32), np.asarray(offset, np.float32))

    def reshape(self, layer: KerasLayer) -> None:
        if self.parts:
            layer.refuse("comes after the first layer with weights")
        shape = tuple(layer.settings.get("target_shape", ()))
        if -1 in shape:
            rest = -math.prod(shape)
            shape = tuple(784 // rest if size == -1 and rest else size for size in shape)
        if shape not in INPUT_SHAPES:
            layer.refuse(f"makes {shape} of the image")
        self.shape = shape

    def flatten(self, layer: KerasLayer) -> None:
        layer.require("data_format", "channels_last", None)
        if len(self.shape) == 3 and self.scale.ndim:
            places = self.shape[0] * self.shape[1]
            self.scale, self.shift = np.tile(self.scale, places), np.tile(self.shift, places)
        if self.parts:
            self.parts[-1].is_flattened = True
        self.shape = (math.prod(self.shape),)

    def average(self, layer: KerasLayer) -> None:
        layer.require("data_format", "channels_last", None)
        layer.require("keepdims", False)
        if len(self.shape) != 3 or not self.parts:
            layer.refuse("does not come after a convolution")
        self.pooling, self.shape = "average", self.shape[2:]
        self.parts[-1].is_flattened = True

    def convolve(self, layer: KerasLayer) -> None:
        for setting, value in (("data_format", "channels_last"), ("groups", 1)):
            layer.require(setting, value, None)
        layer.require("dilation_rate", [1, 1], 1)
        layer.require("padding", "valid", "same")
        if len(self.shape) != 3 or self.pooling == "average":
            layer.refuse("does not come after an image with channels")
        side, filters = layer.whole("kernel_size", 11), layer.whole("filters", 1024)
        kernel, bias = self._arrays(layer, (side, side, self.shape[2], filters))
        if layer.settings.get("padding") == "same" and np.any(self.shift):
            layer.refuse("has padding = 'same' after a layer that shifts its input")
        bias = bias + (kernel * self._column(self.shift)).sum(axis=(0, 1, 2))
        self._add(layer, kernel * self._column(self.scale), bias)
        self.shape = (*[self._block(self.parts[-1]).convolved_side(self.shape[0])] * 2, filters)

    def connect(self, layer: KerasLayer) -> None:
        if len(self.shape) != 1:
            layer.refuse("does not come after Flatten")
        kernel, bias = self._arrays(layer, (self.shape[0], layer.whole("units", 8192)))
        bias = bias + (kernel * self._column(self.shift)).sum(axis=0)
        self._add(layer, kernel * self._column(self.scale), bias)
        self.shape = bias.shape

    def pool(self, layer: KerasLayer) -> None:
        layer.require("data_format", "channels_last", None)
        size, side = layer.whole("pool_size", 8), self.shape[0]
        stride = size if layer.settings.get("strides") is None else layer.whole("strides", 8)
        if stride != size or (layer.settings.get("padding") == "same" and side % size):
            layer.refuse("overlaps or pads its windows")
        if len(self.shape) != 3 or not self.parts or self.parts[-1].pool > 1:
            layer.refuse("does not come directly after a convolution")
        if np.any(self.scale <= 0):
            layer.refuse("comes after batch normalisation that turns its input round")
        self.parts[-1].pool = size
        self.shape = (side // size, side // size, self.shape[2])

    def normalise(self, layer: KerasLayer) -> None:
        layer.require("axis", -1, [len(self.shape)], len(self.shape))
        channels = self.shape[-1]
        arrays = list(self.weights_of(layer))
        gamma = arrays.pop(0) if layer.settings.get("scale", True) else np.ones(channels, np.float32)
        beta = arrays.pop(0) if layer.settings.get("center", True) else np.zeros(channels, np.float32)
        if len(arrays) != 2 or any(array.shape != (channels,) for array in (gamma, beta, *arrays)):
            layer.refuse("has weights of another shape")
        mean, variance = arrays
        if np.any(variance < 0):
            layer.refuse("has a variance below 0")
        scale = gamma / np.sqrt(variance + np.float32(layer.number("epsilon", 1e-3)))
        self._affine(scale, beta - mean * scale)

    def drop(self, layer: KerasLayer) -> None:
        rate = layer.number("rate", 0.0)
        if not 0 <= rate < 1:
            layer.refuse(f"has rate = {rate}")
        if self.parts:
            self.parts[-1].dropout = round(max(rate, self.parts[-1].dropout), 4)

    def activate(self, layer: KerasLayer) -> None:
        self._activate(layer, _activation_of(layer))

    def _activate(self, layer: KerasLayer, name: str) -> None:
        if name == "linear":
            return
        last = self.parts[-1] if self.parts else None
        is_folded = not (np.any(self.scale != 1) or np.any(self.shift != 0))
        if last is None or last.activation != "linear" or not is_folded:
            layer.refuse("does not come after a layer that it can belong to")
        if name == "softmax":
            layer.require("axis", -1)
            self.has_softmax = True
        elif name not in ACTIVATIONS:
            layer.refuse(f"has the activation {name!r}")
        elif (last.pool > 1 and name not in RISING) or (last.is_flattened and self.pooling == "average"):
            layer.refuse("comes after pooling")
        else:
            last.activation = name

    def _affine(self, scale: Array, shift: Array) -> None:
        """`x * scale + shift` for every channel of what flows here."""
        last = self.parts[-1] if self.parts else None
        is_linear = last is not None and last.activation == "linear" and not last.is_flattened
        if last is not None and is_linear and (last.pool == 1 or np.all(scale > 0)):
            last.kernel, last.bias = last.kernel * scale, last.bias * scale + shift
            return
        self.scale, self.shift = self.scale * scale, self.shift * scale + shift

    @staticmethod
    def _column(values: Array) -> Array:
        """As a factor of a kernel's inputs, its last axis but one."""
        return values[:, np.newaxis] if values.ndim else values

    def _arrays(self, layer: KerasLayer, shape: tuple[int, ...]) -> tuple[Array, Array]:
        arrays = list(self.weights_of(layer))
        if not layer.settings.get("use_bias", True):
            arrays.append(np.zeros(shape[-1], np.float32))
        if [array.shape for array in arrays] != [shape, shape[-1:]]:
            layer.refuse(f"has weights of another shape than {shape}")
        return arrays[0], arrays[1]

    def _add(self, layer: KerasLayer, kernel: Array, bias: Array) -> None:
        self.parts.append(_Part(layer, kernel, bias, "linear"))
        self.scale, self.shift = np.asarray(1, np.float32), np.asarray(0, np.float32)
        self._activate(layer, _activation_of(layer))

    def _spec(self) -> NetworkSpec:
        blocks = tuple(self._block(part) for part in self.parts if part.kernel.ndim == 4)
        dense = tuple(
            DenseLayer(len(part.bias), part.activation, part.dropout)
            for part in self.parts[:-1]
            if part.kernel.ndim == 2
        )
        return NetworkSpec(blocks, dense, self.pooling)

    @staticmethod
    def _block(part: _Part) -> ConvBlock:
        layer = part.layer
        return ConvBlock(
            len(part.bias),
            part.kernel.shape[0],
            part.pool,
            part.dropout,
            part.activation,
            str(layer.settings.get("padding", "valid")),
            stride=1 if "strides" not in layer.settings else layer.whole("strides", 4),
        )

    def _weights(self) -> dict[str, tuple[Array, Array]]:
        blocks = [part for part in self.parts if part.kernel.ndim == 4]
        dense = [part for part in self.parts if part.kernel.ndim == 2]
        names = [f"block_{number}" for number in range(1, len(blocks) + 1)]
        names += [*(f"dense_{number}" for number in range(1, len(dense))), "output"]
        return {
            name: (part.kernel.astype(np.float32), part.bias.astype(np.float32))
            for name, part in zip(names, [*blocks, *dense], strict=True)
        }


def _activation_of(layer: KerasLayer) -> str:
    """Return the name of a layer's activation, as the layer or one of its settings says it."""
    match layer.kind:
        case "ReLU":
            for setting in ("max_value", "negative_slope", "threshold"):
                layer.require(setting, None, 0, 0.0)
            return "relu"
        case "LeakyReLU":
            slope = layer.number("alpha" if "alpha" in layer.settings else "negative_slope", 0.3)
            if not math.isclose(slope, LEAK, rel_tol=1e-6):
                layer.refuse(f"has the slope {slope:g}; only {LEAK:g} is known")
            return "leaky_relu"
        case "ELU":
            layer.require("alpha", 1.0)
            return "elu"
        case "Softmax":
            return "softmax"
    name = layer.settings.get("activation", "linear")
    if not isinstance(name, str):
        layer.refuse("has an activation that is no plain name")
    return {"swish": "silu"}.get(name, name)


_STEPS: dict[str, Callable[[_Builder, KerasLayer], None]] = {
    "InputLayer": _Builder.keep,
    "Rescaling": _Builder.rescale,
    "Reshape": _Builder.reshape,
    "Flatten": _Builder.flatten,
    "Conv2D": _Builder.convolve,
    "Dense": _Builder.connect,
    "MaxPooling2D": _Builder.pool,
    "GlobalAveragePooling2D": _Builder.average,
    "BatchNormalization": _Builder.normalise,
    "Dropout": _Builder.drop,
    "SpatialDropout2D": _Builder.drop,
    "Activation": _Builder.activate,
    "ReLU": _Builder.activate,
    "LeakyReLU": _Builder.activate,
    "ELU": _Builder.activate,
    "Softmax": _Builder.activate,
}

"""Network specs: the layers of a network as values, their short notation, and what each layer costs.

A network is any number of convolution blocks, then a way to flatten, then any number of dense layers, then a softmax over the
classes. Without blocks it is a multi-layer perceptron (MLP), with them a convolutional network (CNN).

The notation names the parts of a layer with colons and separates layers with commas; parts left out have defaults:

- dense layers: `neurons[:activation[:dropout]]`, such as `50, 50` or `256:relu:0.5`
- convolution blocks: `filters[:kernel[:pool[:dropout[:activation[:padding[:normalisation[:stride]]]]]]]`, such as
  `32:3, 64:3:2:0.25` or `64:3:2:0:relu:same:batch`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from qtdigits.errors import InputError

ACTIVATIONS = ("relu", "elu", "gelu", "leaky_relu", "selu", "sigmoid", "silu", "softplus", "tanh", "linear")
PADDINGS = ("valid", "same")
NORMALISATIONS = ("none", "batch")
POOLINGS = ("flatten", "average")
INPUT_SIDE = 28
MAX_LAYERS = 32


@dataclass(frozen=True)
class DenseLayer:
    """A fully connected layer, then dropout (0 to < 1)."""

    neurons: int
    activation: str = "relu"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        _check_whole("neurons", self.neurons, 1, 8192)
        _check_activation(self.activation)
        _check_dropout(self.dropout)

    def __str__(self) -> str:
        return _notation((self.neurons, self.activation, self.dropout), (None, "relu", 0.0))


@dataclass(frozen=True)
class ConvBlock:
    """A convolution, then max-pooling over `pool` x `pool` (1: none), then dropout (0 to < 1).

    `padding`: "valid" has none, "same" keeps the size. `normalisation`: "batch" puts batch normalisation between the convolution,
    which then has no bias, and its activation.
    """

    filters: int
    kernel: int = 3
    pool: int = 1
    dropout: float = 0.0
    activation: str = "relu"
    padding: str = "valid"
    normalisation: str = "none"
    stride: int = 1

    def __post_init__(self) -> None:
        _check_choice("padding", self.padding, PADDINGS)
        _check_choice("normalisation", self.normalisation, NORMALISATIONS)
        _check_whole("filters", self.filters, 1, 1024)
        _check_whole("kernel", self.kernel, 1, 11)
        _check_whole("pool", self.pool, 1, 8)
        _check_whole("stride", self.stride, 1, 4)
        _check_activation(self.activation)
        _check_dropout(self.dropout)

    def __str__(self) -> str:
        parts = (
            self.filters,
            self.kernel,
            self.pool,
            self.dropout,
            self.activation,
            self.padding,
            self.normalisation,
            self.stride,
        )
        return _notation(parts, (None, None, 1, 0.0, "relu", "valid", "none", 1))

    @property
    def is_normalised(self) -> bool:
        return self.normalisation == "batch"

    def output_side(self, side: int) -> int:
        """Return the pixels along a side after convolution, stride and pooling; below 1 where nothing is left."""
        return self.convolved_side(side) // self.pool

    def convolved_side(self, side: int) -> int:
        """Return the pixels along a side before pooling."""
        reach = side if self.padding == "same" else side - self.kernel + 1
        return -(-reach // self.stride)

    def n_parameters(self, depth: int) -> int:
        """Count the weights for `depth` input channels: batch normalisation has four for each filter, else there is one bias."""
        return (self.kernel**2 * depth + (4 if self.is_normalised else 1)) * self.filters


@dataclass(frozen=True)
class NetworkSpec:
    """Convolution blocks and dense layers, in that order; the softmax output is understood.

    `pooling` is what comes between: "flatten" keeps every place, "average" takes the mean of each channel over all places.
    """

    blocks: tuple[ConvBlock, ...] = ()
    dense: tuple[DenseLayer, ...] = ()
    pooling: str = "flatten"

    def __post_init__(self) -> None:
        _check_choice("pooling", self.pooling, POOLINGS)
        if len(self.blocks) + len(self.dense) > MAX_LAYERS:
            raise InputError(f"A network has at most {MAX_LAYERS} layers.", "Remove some.")
        side = INPUT_SIDE
        for number, block in enumerate(self.blocks, 1):
            side = block.output_side(side)
            if side < 1:
                raise InputError(
                    f"Nothing is left of the image after convolution block {number}.",
                    "Use fewer blocks, smaller kernels or less pooling.",
                )

    @property
    def kind(self) -> str:
        """ "cnn" with convolutions, "mlp" without."""
        return "cnn" if self.blocks else "mlp"

    @property
    def has_embedding_layer(self) -> bool:
        """Whether its last dense layer is linear. It adds nothing to the answers, but has an embedding trained for itself."""
        return bool(self.dense) and self.dense[-1].activation == "linear"

    @property
    def title(self) -> str:
        """Such as "MLP 50-50" or "CNN 32-64 + 256"."""
        dense = "-".join(str(layer.neurons) for layer in self.dense)
        if not self.blocks:
            return f"MLP {dense}" if dense else "softmax regression"
        blocks = "-".join(str(block.filters) for block in self.blocks)
        return f"CNN {blocks} + {dense}" if dense else f"CNN {blocks}"

    def n_parameters(self, n_classes: int) -> int:
        """Count the weights, biases included."""
        return sum(layer.n_parameters for layer in layers_of(self, n_classes))

    def to_json(self) -> dict[str, Any]:
        """Return all values, defaults too: `blocks`, `dense` and `pooling`."""
        return {
            "blocks": [asdict(b) for b in self.blocks],
            "dense": [asdict(d) for d in self.dense],
            "pooling": self.pooling,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> NetworkSpec:
        """Rebuild a spec, every value checked. Raises `InputError` for anything that is not a network spec."""
        try:
            if unknown := set(values) - {"blocks", "dense", "pooling"}:
                raise InputError(f"A network spec has no {', '.join(sorted(unknown))}.")
            blocks = tuple(ConvBlock(**b) for b in values["blocks"])
            dense = tuple(DenseLayer(**d) for d in values["dense"])
        except (KeyError, TypeError) as error:
            raise InputError(f"Not a network spec: {error}.") from error
        return cls(blocks, dense, str(values.get("pooling", "flatten")))


def parse_dense(text: str) -> tuple[DenseLayer, ...]:
    """Read dense layers from their notation. Raises `InputError` that names the layer."""
    return tuple(DenseLayer(*parts) for parts in _parse(text, "dense layer", (_whole, str, _number)))


def parse_blocks(text: str) -> tuple[ConvBlock, ...]:
    """Read convolution blocks from their notation. Raises `InputError` that names the block."""
    readers = (_whole, _whole, _whole, _number, str, str, str, _whole)
    return tuple(ConvBlock(*parts) for parts in _parse(text, "convolution block", readers))


def format_layers(layers: tuple[DenseLayer, ...] | tuple[ConvBlock, ...]) -> str:
    """Write layers in their notation: the inverse of `parse_dense` and `parse_blocks`."""
    return ", ".join(str(layer) for layer in layers)


def _parse(text: str, what: str, readers: tuple[Callable[[str], Any], ...]) -> list[list[Any]]:
    layers = []
    for number, item in enumerate(filter(None, (part.strip() for part in text.split(","))), 1):
        parts = [part.strip() for part in item.split(":")]
        if len(parts) > len(readers):
            raise InputError(
                f"{what.capitalize()} {number} ({item!r}) has too many parts.", "See the field's help."
            )
        try:
            layers.append([read(part) for read, part in zip(readers, parts, strict=False)])
        except ValueError as error:
            raise InputError(
                f"{what.capitalize()} {number} ({item!r}): {error}.", "See the field's help."
            ) from error
    return layers


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a whole number") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None


def _notation(parts: tuple[Any, ...], defaults: tuple[Any, ...]) -> str:
    """Join parts with colons, without the trailing ones that are defaults."""
    kept = len(parts)
    while kept > 1 and parts[kept - 1] == defaults[kept - 1]:
        kept -= 1
    return ":".join(f"{part:g}" if isinstance(part, float) else str(part) for part in parts[:kept])


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InputError(f"{name} is {value!r}, not a whole number from {low} to {high}.")


def _check_dropout(value: object) -> None:
    if not isinstance(value, int | float) or not 0 <= value < 1:
        raise InputError(f"dropout is {value!r}, not a number from 0 to below 1.")


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(f"{name} is {value!r}, which it cannot be.", f"Choose one of {', '.join(choices)}.")


def _check_activation(name: str) -> None:
    if name not in ACTIVATIONS:
        raise InputError(f"There is no activation {name!r}.", f"Choose one of {', '.join(ACTIVATIONS)}.")


@dataclass(frozen=True)
class LayerSummary:
    """One layer with what belongs to it (activation, pooling, dropout).

    `shape`: of the output, `(side, side, channels)` or `(neurons,)`. `multiply_adds`: of one reading; batch normalisation,
    activation and pooling are not counted (the first is folded into the convolution, the others multiply next to nothing).
    """

    name: str
    title: str
    details: str
    shape: tuple[int, ...]
    n_parameters: int
    multiply_adds: int

    @property
    def shape_text(self) -> str:
        """Such as "12×12×24"."""
        return "×".join(map(str, self.shape))


def layers_of(spec: NetworkSpec, n_classes: int) -> tuple[LayerSummary, ...]:
    """Summarise every block, every dense layer, and the output; named as the weights of a model file are."""
    layers = []
    side, depth = INPUT_SIDE, 1
    for number, block in enumerate(spec.blocks, 1):
        multiply_adds = block.convolved_side(side) ** 2 * block.kernel**2 * depth * block.filters
        n_parameters = block.n_parameters(depth)
        side, depth = block.output_side(side), block.filters
        shape, titles = (side, side, depth), (f"block_{number}", f"Convolution {number}")
        layers.append(LayerSummary(*titles, _block_details(block), shape, n_parameters, multiply_adds))
    width = depth if spec.pooling == "average" else side * side * depth
    for number, layer in enumerate(spec.dense, 1):
        layers.append(
            _dense(f"dense_{number}", f"Dense {number}", _dense_details(layer), width, layer.neurons)
        )
        width = layer.neurons
    return (*layers, _dense("output", "Answer", "softmax", width, n_classes))


def cost_of(layers: tuple[LayerSummary, ...]) -> int:
    """Count the multiply-adds of one reading."""
    return sum(layer.multiply_adds for layer in layers)


def _dense(name: str, title: str, details: str, width: int, neurons: int) -> LayerSummary:
    return LayerSummary(name, title, details, (neurons,), (width + 1) * neurons, width * neurons)


def _block_details(block: ConvBlock) -> str:
    parts = [f"{block.kernel}×{block.kernel}"]
    parts += [f"every {block.stride} px"] if block.stride > 1 else []
    parts += ["batch norm"] if block.is_normalised else []
    parts += [block.activation]
    parts += [f"max of {block.pool}×{block.pool}"] if block.pool > 1 else []
    return ", ".join(parts + _dropout(block.dropout))


def _dense_details(layer: DenseLayer) -> str:
    return ", ".join([layer.activation, *_dropout(layer.dropout)])


def _dropout(part: float) -> list[str]:
    return [f"dropout {part:g}"] if part else []

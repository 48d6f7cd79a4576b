"""What a network consists of, layer by layer, before it is built: for lists and for choosing a layer to look at."""

from __future__ import annotations

from dataclasses import dataclass

from qtdigits.core.network.networks import INPUT_SIDE, ConvBlock, DenseLayer, NetworkSpec


@dataclass(frozen=True)
class LayerSummary:
    """One layer with what belongs to it (activation, pooling, dropout).

    `shape`: of what comes out, `(side, side, channels)` or `(neurons,)`. `multiply_adds`: of one reading; batch normalisation,
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
    """Every block, every dense layer, and the output; named as the weights of a model file are."""
    layers = []
    side, depth = INPUT_SIDE, 1
    for number, block in enumerate(spec.blocks, 1):
        multiply_adds = _convolved_side(block, side) ** 2 * block.kernel**2 * depth * block.filters
        n_parameters = block.n_parameters(depth)
        side, depth = block.output_side(side), block.filters
        layers.append(
            LayerSummary(
                *(f"block_{number}", f"Convolution {number}", _block_details(block), (side, side, depth)),
                *(n_parameters, multiply_adds),
            )
        )
    width = depth if spec.pooling == "average" else side * side * depth
    for number, layer in enumerate(spec.dense, 1):
        layers.append(
            _dense(f"dense_{number}", f"Dense {number}", _dense_details(layer), width, layer.neurons)
        )
        width = layer.neurons
    return (*layers, _dense("output", "Answer", "softmax", width, n_classes))


def cost_of(layers: tuple[LayerSummary, ...]) -> int:
    """Multiply-adds of one reading."""
    return sum(layer.multiply_adds for layer in layers)


def _convolved_side(block: ConvBlock, side: int) -> int:
    """Before pooling."""
    reach = side if block.padding == "same" else side - block.kernel + 1
    return -(-reach // block.stride)


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

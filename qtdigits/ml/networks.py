"""Keras networks from network specs."""

from __future__ import annotations

from typing import Any

from qtdigits.core.networks import ConvBlock, DenseLayer, NetworkSpec
from qtdigits.core.recipes import Recipe
from qtdigits.ml.backend import keras

INPUT_SHAPE = (28, 28, 1)


def build_network(spec: NetworkSpec, n_classes: int) -> Any:
    """A `keras.Model`: `(n, 28, 28, 1) float32` from 0 to 1 in, `(n, n_classes) float32` probabilities out.

    Layers have names of their own ("block_1", "dense_1", …, "output"), so that a model file tells which weights are whose.
    """
    image = keras.Input(INPUT_SHAPE, name="image")
    flow = image
    for number, block in enumerate(spec.blocks, 1):
        flow = _convolve(flow, block, number)
    flow = keras.layers.Flatten(name="flatten")(flow)
    for number, layer in enumerate(spec.dense, 1):
        flow = _connect(flow, layer, number)
    output = keras.layers.Dense(n_classes, activation="softmax", name="output")(flow)
    return keras.Model(image, output, name=spec.kind)


def compile_network(network: Any, recipe: Recipe) -> None:
    """Give the network the recipe's optimizer and loss, and accuracy as its metric.

    Without XLA: on a processor it makes the convolutional network ten times slower and costs seconds before the first batch.
    """
    settings: dict[str, Any] = {"class_name": recipe.optimizer, "config": {}}
    if recipe.learning_rate > 0:
        settings["config"]["learning_rate"] = recipe.learning_rate
    network.compile(
        optimizer=keras.optimizers.get(settings),
        loss=recipe.loss,
        metrics=["categorical_accuracy"],
        jit_compile=False,
    )
    _make_variables(network)


def _make_variables(network: Any) -> None:
    """Make the variables of optimizer, loss and metrics now: left to the first batch, they have the graph built twice."""
    network.optimizer.build(network.trainable_variables)
    nothing = keras.ops.zeros((1, network.output_shape[-1]))
    network.compute_loss(y=nothing, y_pred=nothing)
    network.compute_metrics(x=None, y=nothing, y_pred=nothing, sample_weight=None)
    network.reset_metrics()


def _convolve(flow: Any, block: ConvBlock, number: int) -> Any:
    name = f"block_{number}"
    layers = [keras.layers.Conv2D(block.filters, block.kernel, activation=block.activation, name=name)]
    if block.pool > 1:
        layers.append(keras.layers.MaxPooling2D(block.pool, name=f"{name}_pool"))
    if block.dropout:
        layers.append(keras.layers.Dropout(block.dropout, name=f"{name}_dropout"))
    return _chained(flow, layers)


def _connect(flow: Any, layer: DenseLayer, number: int) -> Any:
    name = f"dense_{number}"
    layers = [keras.layers.Dense(layer.neurons, activation=layer.activation, name=name)]
    if layer.dropout:
        layers.append(keras.layers.Dropout(layer.dropout, name=f"{name}_dropout"))
    return _chained(flow, layers)


def _chained(flow: Any, layers: list[Any]) -> Any:
    for layer in layers:
        flow = layer(flow)
    return flow

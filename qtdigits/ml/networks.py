"""Keras networks from network specs, with their optimizers, learning rate schedules and losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.network_spec import ConvBlock, DenseLayer, NetworkSpec
from qtdigits.core.recipe import Recipe
from qtdigits.core.run.checkpoints import Stages
from qtdigits.ml.backend import keras, tf

INPUT_SHAPE = (28, 28, 1)

FIRST_PART = 0.1
"""Learning rate of the first step, as a part of the highest."""

LAST_PART = 0.002
"""Learning rate of the last step."""

EXTENSION_PART = 0.1
"""Learning rate with which an extension of a run begins."""

_POOLINGS = {"flatten": keras.layers.Flatten, "average": keras.layers.GlobalAveragePooling2D}


def build_network(spec: NetworkSpec, n_classes: int) -> Any:
    """Return a `keras.Model`: `(n, 28, 28, 1) float32` from 0 to 1 in, `(n, n_classes) float32` probabilities out.

    Its layers are named ("block_1", "dense_1", …, "output"), so that a model file can assign weights to layers.
    """
    image = keras.Input(INPUT_SHAPE, name="image")
    flow = image
    for number, block in enumerate(spec.blocks, 1):
        flow = _convolve(flow, block, number)
    flow = _POOLINGS[spec.pooling](name=spec.pooling)(flow)
    for number, layer in enumerate(spec.dense, 1):
        flow = _connect(flow, layer, number)
    # Always in float32: a softmax in bfloat16 has three digits.
    output = keras.layers.Dense(n_classes, activation="softmax", dtype="float32", name="output")(flow)
    return keras.Model(image, output, name=spec.kind)


def probabilities(network: Any, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Read `(n, 28, 28) uint8` images with the Keras network, all in one batch; return `(n, k)`."""
    return outputs_of(network, images)[0]


def outputs_of(network: Any, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
    """Return every output for `(n, 28, 28) uint8` images, all in one batch."""
    found = network((images[..., np.newaxis] / 255.0).astype(np.float32), training=False)
    return tuple(np.asarray(output, np.float32) for output in (found if isinstance(found, list) else [found]))


def compile_network(network: Any, recipe: Recipe, *, steps_per_epoch: int, stages: Stages = ()) -> None:
    """Compile the network with the recipe's optimizer and loss, and accuracy as its metric.

    `stages` are those of an extended run. XLA is off: on a processor it makes the convolutional network ten times slower and
    costs seconds before the first batch.
    """
    network.compile(
        optimizer=_optimizer(recipe, steps_per_epoch, stages or ((0, recipe.epochs),)),
        loss=_loss(recipe),
        metrics=[AccuracyOnDigits(name="categorical_accuracy")],
        jit_compile=False,
    )
    _make_variables(network)


@keras.saving.register_keras_serializable("qtdigits")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Linear rise over the first `warm_up` part of all steps, then linear fall to nearly 0.

    Ending near 0 makes the weights of the last epoch the best ones, without averaging: Smith, Super-convergence, 2018.

    `extensions` are pairs of steps: from the first to the second one the rate falls linearly from a tenth of the highest to
    nearly 0. At the rate that a cycle ends with, nothing more would be learned.
    """

    def __init__(
        self,
        highest: float,
        steps: int,
        warm_up: float = 0.15,
        extensions: Sequence[tuple[int, int]] = (),
    ) -> None:
        super().__init__()
        self.highest, self.steps, self.warm_up = highest, steps, warm_up
        self.extensions = tuple((int(begin), int(end)) for begin, end in extensions)

    def __call__(self, step: Any) -> Any:
        step = tf.cast(step, tf.float32)
        done = step / float(max(self.steps, 1))
        rising = FIRST_PART + (1.0 - FIRST_PART) * done / self.warm_up
        falling = tf.maximum((1.0 - done) / (1.0 - self.warm_up), LAST_PART)
        part = tf.where(done < self.warm_up, rising, falling)
        for begin, end in self.extensions:
            left = (float(end) - step) / float(max(end - begin, 1))
            part = tf.where(step < float(begin), part, tf.maximum(EXTENSION_PART * left, LAST_PART))
        return self.highest * part

    def get_config(self) -> dict[str, Any]:
        return {
            "highest": self.highest,
            "steps": self.steps,
            "warm_up": self.warm_up,
            "extensions": self.extensions,
        }


@keras.saving.register_keras_serializable("qtdigits")
class AccuracyOnDigits(keras.metrics.CategoricalAccuracy):
    """Categorical accuracy over the images that show a class; the others have no right answer."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Count `y_true` and `y_pred` `(b, k)`. Targets above 0.75 name a class; `sample_weight` is not used."""
        is_of_a_class = keras.ops.cast(keras.ops.max(y_true, axis=-1) > 0.75, y_pred.dtype)
        return super().update_state(y_true, y_pred, is_of_a_class)


def _make_variables(network: Any) -> None:
    """Create the variables of optimizer, loss and metrics now: created in the first batch, they have the graph built twice."""
    network.optimizer.build(network.trainable_variables)
    nothing = keras.ops.zeros(network.compute_output_shape((1, *INPUT_SHAPE)))
    network.compute_loss(y=nothing, y_pred=nothing)
    network.compute_metrics(x=None, y=nothing, y_pred=nothing, sample_weight=None)
    network.reset_metrics()


def _optimizer(recipe: Recipe, steps_per_epoch: int, stages: Stages) -> Any:
    optimizer = keras.optimizers.get({"class_name": recipe.optimizer, "config": {}})
    highest = recipe.learning_rate or float(optimizer.learning_rate)
    config: dict[str, Any] = {"learning_rate": highest}
    if recipe.schedule == "one-cycle":
        (_, steps), *extensions = ((begin * steps_per_epoch, end * steps_per_epoch) for begin, end in stages)
        config["learning_rate"] = OneCycle(highest, steps, extensions=extensions)
    if recipe.optimizer == "adamw":
        # Usual with one-cycle: the second moment must keep up with a rate that changes this fast.
        config |= {"weight_decay": recipe.weight_decay, "beta_2": 0.99}
    return _on_one_device(type(optimizer))(**config)


def _on_one_device(optimizer: type[Any]) -> type[Any]:
    """Return the optimizer class without the sum of gradients over devices.

    Keras takes that sum even on one device, as an operation whose gradient TensorFlow registers for the life of the process. So
    every training would leak its graph, and with it the weights: 40 MB each for the report's CNN.
    """
    overridden = {"_all_reduce_sum_gradients": lambda self, grads_and_vars: grads_and_vars}
    return type(optimizer.__name__, (optimizer,), overridden)


def _loss(recipe: Recipe) -> Any:
    if recipe.loss == "categorical_crossentropy" and recipe.label_smoothing:
        return keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)
    return recipe.loss


def _convolve(flow: Any, block: ConvBlock, number: int) -> Any:
    name = f"block_{number}"
    convolution: dict[str, Any] = {"strides": block.stride, "padding": block.padding, "name": name}
    if block.is_normalised:
        layers = [
            keras.layers.Conv2D(block.filters, block.kernel, use_bias=False, **convolution),
            keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_norm"),
            keras.layers.Activation(block.activation, name=f"{name}_activation"),
        ]
    else:
        layers = [
            keras.layers.Conv2D(block.filters, block.kernel, activation=block.activation, **convolution)
        ]
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

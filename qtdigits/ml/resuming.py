"""Training that starts from a trained model, or resumes from a checkpoint, instead of from random weights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from qtdigits.core.drawing.augmentation import augment_images
from qtdigits.core.drawing.labels import LabelSet
from qtdigits.core.model import LayerWeights, Model
from qtdigits.core.recipe import Recipe
from qtdigits.core.run.checkpoints import Arrays, Checkpoint
from qtdigits.errors import ModelFileError, TrainingError
from qtdigits.ml.backend import keras
from qtdigits.ml.networks import build_network, probabilities
from qtdigits.ml.training_data import TrainingData

MOST_IMPRINTED = 500
"""So many drawings are enough to find the middle of a class."""


class CheckpointMisfitError(TrainingError):
    """A checkpoint is of another network than the run to be resumed."""

    kind = "checkpoint"


def initialise_from(network: Any, base: Model, label_set: LabelSet) -> None:
    """Give `network`, built from the base's spec for `label_set`, the weights of `base`, which was loaded with them.

    A class that the base does not know gets the average output weights of the known ones: its logit is then far below the
    winner's, so that it takes nothing from the others until it is trained.

    Raises `ModelFileError` when the weights do not fit.
    """
    for layer in network.layers:
        if not layer.weights:
            continue
        if layer.name not in base.weights:
            raise _misfit(base, f"it has no layer {layer.name}")
        arrays = base.weights[layer.name]
        if layer.name == "output":
            arrays = _outputs_for(label_set, base, arrays)
        if [tuple(w.shape) for w in layer.weights] != [a.shape for a in arrays]:
            raise _misfit(base, f"the weights of layer {layer.name} have another shape")
        layer.set_weights(list(arrays))


def imprint(network: Any, base: Model, label_set: LabelSet, data: TrainingData) -> None:
    """Give the outputs of classes that `base` does not know weights with which their drawings are read right at once, or nearly.

    They point from the mean features of all drawings to those of the class, as far as those of the known classes do (imprinted
    weights: Qi, Brown, Lowe, Low-shot learning with imprinted weights, 2018). A training of seconds could not turn them that far.
    """
    new = [i for i, c in enumerate(label_set.classes) if c.id not in base.label_set.ids]
    if not new:
        return
    known = [i for i in range(len(label_set)) if i not in new]
    output = network.layers[-1]
    embedder = keras.Model(network.input, output.input)
    kernel, bias = (np.array(array) for array in output.get_weights())
    middle = kernel[:, known].mean(axis=1)
    length = np.linalg.norm(kernel[:, known] - middle[:, None], axis=0).mean()
    drawn = np.unique(data.training)
    drawn = drawn[data.targets[drawn] >= 0]
    centre = probabilities(embedder, data.images[drawn[:: -(-len(drawn) // MOST_IMPRINTED)]]).mean(axis=0)
    for place in new:
        drawings = drawn[data.targets[drawn] == place][:MOST_IMPRINTED]
        if not len(drawings):
            continue
        features = probabilities(embedder, data.images[drawings])
        direction = features.mean(axis=0) - centre
        kernel[:, place] = middle + length * direction / max(np.linalg.norm(direction), 1e-9)
        others = (features @ kernel[:, known] + bias[known]).max(axis=1)
        bias[place] = np.mean(others - features @ kernel[:, place])
    output.set_weights([kernel, bias])


def freeze(network: Any, *, last_blocks: int) -> None:
    """Freeze all but the last convolution blocks and the layers after them; 0: freeze no block.

    Batch normalisation always keeps its statistics: a few hundred drawings by one writer would distort them for everybody else.
    """
    numbers = {layer.name.split("_")[1] for layer in network.layers if layer.name.startswith("block_")}
    first_trained = len(numbers) - last_blocks + 1 if last_blocks else 1
    for layer in network.layers:
        is_early = layer.name.startswith("block_") and int(layer.name.split("_")[1]) < first_trained
        if is_early or isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


def with_teacher_answers(
    teacher: Model, data: TrainingData, recipe: Recipe, label_set: LabelSet
) -> TrainingData:
    """Return `data` with the teacher's answers to the images of its rehearsal, which are augmented once as the recipe says.

    `teacher` has the recipe's network and was loaded with its weights. Keeping its probabilities, right or wrong, forgets less
    than learning the labels again (Li and Hoiem, Learning without forgetting, 2016), and keeps the network calibrated. The
    teacher reads the augmented image: its answer to the original would be a new thing to learn, and worse for all. In a series of
    trainings the first model is the better teacher: from the one before, each would also learn what that had forgotten.
    """
    if not len(data.remembered):
        return data
    network = build_network(recipe.network, len(label_set))
    initialise_from(network, teacher, label_set)
    images = data.images.copy()
    if recipe.augmentation:
        rng = np.random.default_rng(recipe.seed)
        images[data.remembered] = augment_images(images[data.remembered], rng, recipe.augmentation_settings)
    inputs = (images[data.remembered][..., np.newaxis] / 255.0).astype(np.float32)
    answers = np.asarray(network.predict(inputs, batch_size=512, verbose=0), np.float32)
    return replace(data, images=images, answers=answers)


def checkpoint_of(network: Any) -> tuple[Arrays, Arrays]:
    """Return copies of all variables: `network` and `optimizer` of a `Checkpoint`."""
    of_network, of_optimizer = _variables(network)
    return _values(of_network), _values(of_optimizer)


def metrics_of(network: Any) -> Arrays:
    """Return the sums of the epoch so far."""
    return _values(network.metrics_variables)


def restore(network: Any, checkpoint: Checkpoint) -> None:
    """Set a network that was built and compiled in the same way to a checkpoint, all but the metrics.

    Raises `CheckpointMisfitError` and changes nothing when they do not fit.
    """
    pairs = list(zip(_variables(network), (checkpoint.network, checkpoint.optimizer), strict=True))
    for variables, values in pairs:
        if [tuple(v.shape) for v in variables] != [a.shape for a in values]:
            raise CheckpointMisfitError(
                "The checkpoint of this run does not fit its network any more.",
                "Train with the same recipe again.",
            )
    for variables, values in pairs:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def restore_metrics(network: Any, metrics: Arrays) -> None:
    """Restore the sums of an interrupted epoch. Keras sets them to 0 when an epoch begins, so call this after that."""
    for variable, value in zip(network.metrics_variables, metrics, strict=True):
        variable.assign(value)


def _outputs_for(label_set: LabelSet, base: Model, arrays: LayerWeights) -> LayerWeights:
    """Return kernel `(d, k)` and bias `(k,)` of the output layer, with the columns of `label_set`."""
    known = {c.id: place for place, c in enumerate(base.label_set.classes)}
    columns = [known.get(c.id) for c in label_set.classes]
    return tuple(
        np.stack([array.mean(axis=-1) if place is None else array[..., place] for place in columns], axis=-1)
        for array in arrays
    )


def _misfit(base: Model, reason: str) -> ModelFileError:
    where = base.path or base.name
    return ModelFileError(f"{where} cannot be trained further: {reason}.", "Train one from scratch instead.")


def _variables(network: Any) -> tuple[list[Any], list[Any]]:
    return list(network.variables), list(network.optimizer.variables)


def _values(variables: list[Any]) -> Arrays:
    return tuple(np.array(keras.ops.convert_to_numpy(variable)) for variable in variables)

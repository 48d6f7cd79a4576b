"""From trained Keras networks to models, which can be stored and read without Keras, and back."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.raster import PREPROCESSING_VERSION
from qtdigits.core.embedding import NO_FEATURES, whitening_of
from qtdigits.core.model import NO_MEANS, Golden, LayerWeights, Model
from qtdigits.core.network_spec import NetworkSpec
from qtdigits.core.run.history import History
from qtdigits.errors import ModelFileError, TrainingError
from qtdigits.ml.backend import keras, tf
from qtdigits.ml.networks import build_network, probabilities
from qtdigits.ml.training import TrainedNetwork
from qtdigits.quiet import quiet

N_GOLDEN = 20
N_GOLDEN_READABLE = 14
"""Golden drawings from the training data; the others are blank, full, or noise, where a network is least sure."""


def to_model(
    trained: TrainedNetwork,
    *,
    name: str,
    images: NDArray[np.uint8],
    targets: NDArray[np.int64],
    history: History,
    provenance: Mapping[str, Any],
) -> Model:
    """Return the model of a trained network, with its LiteRT program and golden drawings chosen from `images`.

    The weights are rounded to half precision first, as the LiteRT program stores them: so both give exactly the same answers, the
    file is a third smaller, and what is scored from here on is what will be used. No answer on MNIST's test set changes by that
    (measured). Weights too large for half precision are not rounded.

    Raises `TrainingError` when the network cannot be exported.
    """
    is_half = _round_to_half(trained.network) and not _has_constants(trained.recipe.network)
    golden_images = _golden_images(images, targets)
    return Model(
        name=name,
        network=trained.recipe.network,
        recipe=trained.recipe,
        label_set=trained.label_set,
        weights=_weights(trained.network),
        flatbuffer=_export(trained.network, trained.recipe.network, is_half=is_half),
        golden=Golden(golden_images, probabilities(trained.network, golden_images)),
        preprocessing_version=PREPROCESSING_VERSION,
        history=history,
        provenance=provenance,
    )


def with_embedding_output(model: Model) -> Model:
    """`model`, which was loaded with its weights, with a LiteRT program that gives the embedding too. Its answers stay the same.

    Raises `ModelFileError` when the weights do not give the golden answers, `TrainingError` when it cannot be exported.
    """
    network = from_model(model)
    with np.errstate(over="ignore"):
        is_half = all(
            np.array_equal(w, w.astype(np.float16)) for layer in model.weights.values() for w in layer
        )
    is_half = is_half and not _has_constants(model.network)
    return replace(model, flatbuffer=_export(network, model.network, is_half=is_half))


def weights_of(base: Model, trained: TrainedNetwork) -> Model:
    """Return `base` with the weights and classes of a further training: to start a training from, not to read with."""
    return replace(
        base,
        label_set=trained.label_set,
        weights=_weights(trained.network),
        flatbuffer=b"",
        unlike_below=0.0,
        class_means=NO_MEANS,
    )


def from_model(model: Model) -> Any:
    """Return the `keras.Model` of a model that was loaded with its weights, ready to be trained further.

    Raises `ModelFileError` when the weights do not fit the spec or do not give the golden answers.
    """
    network = build_network(model.network, len(model.label_set))
    layers = [layer for layer in network.layers if layer.weights]
    if [layer.name for layer in layers] != list(model.weights):
        raise _mismatch(model, "its layers are not those of its network")
    for layer in layers:
        arrays = model.weights[layer.name]
        if [w.shape for w in layer.weights] != [a.shape for a in arrays]:
            raise _mismatch(model, f"the weights of layer {layer.name} have the wrong shape")
        layer.set_weights(list(arrays))
    if not model.golden.agrees_with(probabilities(network, model.golden.images)):
        raise _mismatch(model, "its weights do not give its golden answers")
    return network


def _mismatch(model: Model, reason: str) -> ModelFileError:
    where = model.path or model.name
    return ModelFileError(f"{where} cannot be used: {reason}.", "Use another model, or train this one again.")


def _round_to_half(network: Any) -> bool:
    """Round all weights to half precision; return False and change nothing when one is too large."""
    weights = network.get_weights()
    largest = max(float(np.abs(array).max()) for array in weights)
    if largest > float(np.finfo(np.float16).max):
        return False
    network.set_weights([array.astype(np.float16).astype(np.float32) for array in weights])
    return True


def _has_constants(spec: NetworkSpec) -> bool:
    """Whether half precision would round more than the weights: SELU's two constants are part of the program."""
    return "selu" in {
        *(block.activation for block in spec.blocks),
        *(layer.activation for layer in spec.dense),
    }


def _weights(network: Any) -> dict[str, LayerWeights]:
    return {
        layer.name: tuple(np.asarray(array, np.float32) for array in layer.get_weights())
        for layer in network.layers
        if layer.weights
    }


def with_embedding(network: Any, spec: NetworkSpec) -> Any:
    """The network of `spec` with a second output, the embedding of `core.embedding`, whose whitening is measured here."""
    output = network.layers[-1]
    given = keras.Model(network.input, output.input)
    whitening = whitening_of(spec, lambda drawings: probabilities(given, drawings))
    arrays = None if whitening is None else (whitening.transform, -whitening.mean @ whitening.transform)
    return keras.Model(network.input, [network.output, embedding_of(network, arrays)])


def embedding_of(network: Any, whitening: LayerWeights | None, *, offset: float = NO_FEATURES) -> Any:
    """The tensor of the embedding of `network`; `whitening` are kernel and bias, None where the features need none."""
    features = network.layers[-1].input
    if offset:
        features = keras.layers.Rescaling(1.0, offset=offset, dtype="float32", name="offset")(features)
    if whitening is None:
        return keras.layers.UnitNormalization(dtype="float32", name="embedding")(features)
    unit = keras.layers.UnitNormalization(dtype="float32", name="unit_features")(features)
    layer = keras.layers.Dense(len(whitening[1]), dtype="float32", name="whitening")
    whitened = layer(unit)
    layer.set_weights(list(whitening))
    return keras.layers.UnitNormalization(dtype="float32", name="embedding")(whitened)


def _export(network: Any, spec: NetworkSpec, *, is_half: bool) -> bytes:
    """The LiteRT program: probabilities and embedding."""
    network = with_embedding(network, spec)
    settings: dict[str, Any] = {}
    if is_half:
        settings = {
            "optimizations": [tf.lite.Optimize.DEFAULT],
            "target_spec": {"supported_types": [tf.float16]},
        }
    try:
        with tempfile.TemporaryDirectory() as folder, quiet():
            path = Path(folder, "network.tflite")
            network.export(str(path), format="litert", verbose=False, **settings)
            return path.read_bytes()
    except OSError as error:
        raise TrainingError(
            f"The network could not be exported: {error.strerror or error}.",
            f"Make room in the temporary folder, {tempfile.gettempdir()}, and train again.",
        ) from error


def _golden_images(images: NDArray[np.uint8], targets: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return `(20, 28, 28)`: images of as many classes as possible, then blank, full, and noise from sparse to dense."""
    chosen = images[_one_of_each(targets)]
    flat = np.stack([np.zeros((28, 28), np.uint8), np.full((28, 28), 255, np.uint8)])
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (N_GOLDEN - len(chosen) - len(flat), 28, 28), np.uint8)
    for image, density in zip(noise, np.linspace(0.05, 1.0, len(noise)), strict=True):
        image[rng.random((28, 28)) > density] = 0
    return np.concatenate([chosen, flat, noise])


def _one_of_each(targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return indices: the first of each class, then the second of each, and so on, `N_GOLDEN_READABLE` at most."""
    rank = np.empty(len(targets), np.int64)
    for target in np.unique(targets):
        members = np.flatnonzero(targets == target)
        rank[members] = np.arange(len(members))
    return np.lexsort((targets, rank))[:N_GOLDEN_READABLE]

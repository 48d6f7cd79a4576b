"""The child process of an import: reads a Keras file of somebody else's, within limits, and rebuilds the model as one of ours."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import DIGITS, LabelSet
from qtdigits.core.drawing.samples import now
from qtdigits.core.embedding import reference_drawings
from qtdigits.core.keras_config import KerasLayer, layers_in
from qtdigits.core.keras_network import ImportedNetwork, network_of
from qtdigits.core.model import GOLDEN_TOLERANCE
from qtdigits.core.network_inspection import softmax
from qtdigits.core.network_spec import format_layers
from qtdigits.core.recipe import recipe_of
from qtdigits.core.run.history import History
from qtdigits.errors import InputError, QtDigitsError
from qtdigits.reader import Reader
from qtdigits.store.data.keras_files import KerasFile, open_keras_file
from qtdigits.store.model_files import save_model
from qtdigits.untrusted import converted, decoded
from qtdigits.version import __version__

MOST_MEMORY_BYTES = 12 << 30
"""Of addresses, most of which TensorFlow never uses."""
MOST_SECONDS = 300
TOLERANCE = 1e-5
"""The largest difference of a probability between the file's own layers and those that they were rebuilt as."""


@dataclass(frozen=True)
class Task:
    """What is imported: `highest` is the value of full ink in the images that it was trained on, 1 or 255."""

    path: str
    out: str
    name: str
    highest: float = 1.0
    classes: tuple[str, ...] = ()


def main(arguments: list[str]) -> int:
    """Do the task, a JSON object, and print what came of it."""
    _limit_resources()
    task = converted(decoded(arguments[0], dict), Task)
    sys.stdout.write(json.dumps(rebuild(task)) + "\n")
    return 0


def rebuild(task: Task) -> dict[str, Any]:
    """Write the model of a Keras file to `task.out`. Raises `InputError` that names the layer that cannot be imported."""
    with open_keras_file(Path(task.path)) as file:
        layers = layers_in(file.config)
        weights = {layer.name: file.weights_of(layer) for layer in layers if layer.kind in WEIGHTED}
        network = network_of(layers, lambda layer: weights[layer.name], highest=task.highest)
        label_set = _label_set(network.n_classes, file, task.classes)
    images, labels = reference_drawings()
    expected = _forward(layers, weights, network, images * np.float32(task.highest / 255))
    model, difference = _model(task, network, label_set, images, expected)
    save_model(model, Path(task.out))
    return {
        "title": model.network.title,
        "classes": list(label_set.labels),
        "difference": difference,
        "drawings": len(images),
        **_right(model, images, labels),
    }


WEIGHTED = frozenset({"Dense", "Conv2D", "BatchNormalization"})


def _model(
    task: Task,
    network: ImportedNetwork,
    label_set: LabelSet,
    images: NDArray[np.uint8],
    expected: NDArray[Any],
) -> tuple[Any, float]:
    """Return the model, and the largest difference of a probability from the file's own layers."""
    from qtdigits.ml.models import to_model
    from qtdigits.ml.networks import build_network, probabilities
    from qtdigits.ml.training import TrainedNetwork

    spec = network.spec
    values = {
        "blocks": format_layers(spec.blocks),
        "dense": format_layers(spec.dense),
        "pooling": spec.pooling,
    }
    recipe = recipe_of(values, name="imported")
    built = build_network(spec, network.n_classes)
    for name, arrays in network.weights.items():
        built.get_layer(name).set_weights(list(arrays))
    if not np.abs(probabilities(built, images) - expected).max() <= TOLERANCE:
        raise QtDigitsError(
            f"{task.path} was not imported: rebuilt, it does not answer as its own layers do.",
            "Please report this.",
        )
    model = to_model(
        TrainedNetwork(built, recipe, label_set, "imported", 0, 0),
        name=task.name,
        images=images,
        targets=expected.argmax(axis=1),
        history=History(),
        provenance=_provenance(task),
    )
    difference = float(np.abs(Reader(model).read_many(images) - expected).max())
    if not difference <= GOLDEN_TOLERANCE:
        raise QtDigitsError(
            f"{task.path} was not imported: in half precision its probabilities differ by {difference:.1e}.",
            "Train it with smaller weights.",
        )
    return model, difference


def _forward(
    layers: tuple[KerasLayer, ...],
    weights: dict[str, Any],
    network: ImportedNetwork,
    images: NDArray[np.float32],
) -> NDArray[np.float32]:
    """The probabilities of the file's own layers, in Keras."""
    from qtdigits.ml.keras_files import chain_of

    chain = chain_of(layers, lambda layer: weights[layer.name])
    found = np.asarray(chain(images.reshape(-1, *chain.input_shape[1:]), training=False), np.float32)
    return found if network.has_softmax else np.stack([softmax(row) for row in found])


def _label_set(n: int, file: KerasFile, classes: tuple[str, ...]) -> LabelSet:
    if classes:
        found = LabelSet.of(classes)
    elif "label_set" in file.facts:
        rows = converted(file.facts["label_set"], list[dict[str, str]], what="its classes")
        found = LabelSet.from_json(rows)
    else:
        found = DIGITS
    if len(found) != n:
        raise InputError(
            f"It has {n} outputs, but there are {len(found)} classes.",
            f"Name {n} classes in their order: --classes",
        )
    return found


def _provenance(task: Task) -> dict[str, Any]:
    return {
        "program": f"QtDigits {__version__}",
        "created_at": now().isoformat(),
        "imported_from": Path(task.path).name,
        "images_from_0_to": task.highest,
    }


def _right(model: Any, images: NDArray[np.uint8], labels: tuple[str, ...]) -> dict[str, Any]:
    """Count the synthetic digits that it reads right; none where it does not know digits."""
    known = model.label_set.labels
    answers = [known[i] for i in Reader(model, check=False).read_many(images).argmax(axis=1)]
    return (
        {"right": sum(a == b for a, b in zip(answers, labels, strict=True))}
        if set(labels) <= set(known)
        else {}
    )


def _limit_resources() -> None:
    """Let a file that wants too much end this process, and nothing else. Windows has no such limits."""
    if sys.platform == "win32":
        return
    import resource

    for kind, most in (
        (resource.RLIMIT_AS, MOST_MEMORY_BYTES),
        (resource.RLIMIT_CPU, MOST_SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (limit, limit))

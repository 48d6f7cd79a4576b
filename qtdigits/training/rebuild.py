"""The child process of an import: reads a model file of somebody else's within limits, and rebuilds one of Keras's as ours."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import replace
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
from qtdigits.errors import InputError, ModelFileError, QtDigitsError
from qtdigits.reader import Reader
from qtdigits.store.data.keras_files import KerasFile, open_keras_file
from qtdigits.store.model_files import check_model, is_model_file, save_model
from qtdigits.store.programs import Programs
from qtdigits.training.child import limit_resources, limit_time
from qtdigits.training.import_model import MOST_SECONDS, Task
from qtdigits.training.model_upgrade import built, compare_with_weights, with_own_program
from qtdigits.untrusted import converted, decoded
from qtdigits.version import __version__

READING_SECONDS, READING_BYTES_A_SECOND = 2, 20 << 20
"""The processor's time for reading a file, and how much each further second reads: in some damaged files HDF5 never ends."""
Limit = Callable[[int], object]
"""Is told how many more seconds of the processor's time there are."""
TOLERANCE = 1e-5
"""The largest difference of a probability between the file's own layers and those that they were rebuilt as."""


def _never(_seconds: int) -> None:
    """Limit nothing: this process has other things to do, too."""


def main(arguments: list[str]) -> int:
    """Do the task, a JSON object, and print what came of it."""
    limit_resources()
    task = converted(decoded(arguments[0], dict), Task)
    sys.stdout.write(json.dumps(rebuild(task, limit_time)) + "\n")
    return 0


def rebuild(task: Task, limit: Limit = _never) -> dict[str, Any]:
    """Write the model of a file to `task.out`. Raises `InputError`, which names the layer that cannot be imported.

    `limit` is told before each step how many seconds of the processor's time it may take.
    """
    path = Path(task.path)
    with contextlib.suppress(OSError):
        limit(READING_SECONDS + path.stat().st_size // READING_BYTES_A_SECOND)
    return _checked(path, task, limit) if is_model_file(path) else _rebuilt(path, task, limit)


def _checked(path: Path, task: Task, limit: Limit) -> dict[str, Any]:
    """Of one of our models. Its program is built anew, unless it is shipped; it is told where it is another network's."""
    if task.classes:
        raise InputError(f"{path} is a model of QtDigits, which knows its classes.", "Leave out --classes.")
    model = check_model(path)
    limit(MOST_SECONDS)
    is_own = True
    try:
        compare_with_weights(model)
        if not Programs(Path(task.out).parent).of(model):  # it is none of the shipped ones
            model = built(model)
    except ModelFileError:
        model, is_own = with_own_program(model), False
    save_model(replace(model, name=task.name), Path(task.out))
    return {"title": model.network.title, "has_new_program": not is_own}


def _rebuilt(path: Path, task: Task, limit: Limit) -> dict[str, Any]:
    """Of a model of Keras's."""
    with open_keras_file(path) as file:
        layers = layers_in(file.config)
        weights = {layer.name: file.weights_of(layer) for layer in layers if layer.kind in WEIGHTED}
        networks = {
            highest: network_of(layers, lambda layer: weights[layer.name], highest=highest)
            for highest in ([task.highest] if task.highest else HIGHEST)
        }
        label_set = _label_set(next(iter(networks.values())).n_classes, file, task.classes)
    limit(MOST_SECONDS)
    images, labels = reference_drawings()
    tried = []
    for highest, network in networks.items():
        expected = _forward(layers, weights, network, images * np.float32(highest / 255))
        right = _n_right(expected, label_set, labels)
        tried.append((right, highest, network, expected))
        if right is None or right >= len(images) / 2:
            break
    right, highest, network, expected = max(tried, key=lambda one: one[0] or 0)
    model, difference = _model(task, highest, network, label_set, images, expected)
    save_model(model, Path(task.out))
    return {
        "title": model.network.title,
        "classes": list(label_set.labels),
        "difference": difference,
        "n_drawings": len(images),
        "n_right": right,
        "images_from_0_to": highest,
    }


HIGHEST = (1.0, 255.0)
"""Full ink in the images of a Keras model, tried where nobody says it: the second if the first misreads most digits."""
WEIGHTED = frozenset({"Dense", "Conv2D", "BatchNormalization"})


def _model(
    task: Task,
    highest: float,
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
        provenance=_provenance(task, highest),
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


def _provenance(task: Task, highest: float) -> dict[str, Any]:
    return {
        "program": f"QtDigits {__version__}",
        "created_at": now().isoformat(),
        "imported_from": Path(task.path).name,
        "images_from_0_to": highest,
    }


def _n_right(probabilities: NDArray[np.float32], label_set: LabelSet, labels: tuple[str, ...]) -> int | None:
    """How many of the synthetic digits are read right; None where it does not know digits."""
    known = label_set.labels
    if not set(labels) <= set(known):
        return None
    answers = [known[i] for i in probabilities.argmax(axis=1)]
    return [a == b for a, b in zip(answers, labels, strict=True)].count(True)

"""Model files for tests that need a file, not a network: real HDF5, no real flatbuffer."""

from __future__ import annotations

import numpy as np

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.raster import PREPROCESSING_VERSION
from qtdigits.core.model import Golden, Model
from qtdigits.core.recipe import recipe_of
from qtdigits.store.model_files import save_model


def saved_model(path, *, drawn_accuracy, writer=""):
    """A softmax regression with weights of 0, stored at `path`, said to read drawings as well as `drawn_accuracy`.

    With a `writer`, it is said to have read half of that writer's hold-out.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    recipe = recipe_of({"dense": ""}, name="test")
    weights = {"output": (np.zeros((784, 10), np.float32), np.zeros(10, np.float32))}
    golden = Golden(np.zeros((1, 28, 28), np.uint8), np.full((1, 10), 0.1, np.float32))
    scores = {"pendigits": {"n": 100, "correct": round(100 * drawn_accuracy), "accuracy": drawn_accuracy}}
    if writer:
        scores["my hold-out"] = {"n": 10, "correct": 5, "accuracy": 0.5}
    model = Model(
        path.stem,
        recipe.network,
        recipe,
        DIGITS,
        weights,
        b"no real flatbuffer",
        golden,
        PREPROCESSING_VERSION,
        scores=scores,
        provenance={"drawings": {"writer": writer}} if writer else {},
    )
    return save_model(model, path)

"""When a model that has just been trained is "not sure": settled before it is scored, so that scores count the undecided too."""

from __future__ import annotations

from dataclasses import replace

from qtdigits.core.models import Model
from qtdigits.core.score.undecided import Confidence, choose_threshold, measure_threshold
from qtdigits.ml.training_data import TrainingData
from qtdigits.reader.reader import Reader

ENOUGH_OUTLIERS = 200
UNDECIDED = "undecided"
"""The entry of the provenance: the threshold, and what it costs and catches on what the model was not trained on."""


def with_threshold(
    model: Model, reader: Reader, data: TrainingData, *, digits: Confidence, base: Model | None
) -> Model:
    """`model` with the threshold of what it went on from, else the one chosen on `digits` and the outliers of `data`.

    `digits` `(n,)` are the highest probabilities that `reader` gave what was validated on. Without outliers none is chosen. A
    hand keeps its base's: a few drawings are not enough to choose one by, and its owner is used to how the base behaves. Only a
    training with `ENOUGH_OUTLIERS` of them chooses anew.
    """
    if base is None and not data.has_outliers:
        return model
    others = reader.read_many(data.images[data.outliers]).max(axis=1)
    if base is not None and len(others) < ENOUGH_OUTLIERS:
        found = measure_threshold(base.undecided_below, digits, others)
    else:
        found = choose_threshold(digits, others)
    return replace(
        model,
        undecided_below=found.undecided_below,
        provenance={**model.provenance, UNDECIDED: found.to_json()},
    )

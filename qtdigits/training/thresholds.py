"""When a new model is "not sure": its thresholds, and the means of its classes, measured at the end of a training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.embedding import class_means, similarity_to
from qtdigits.core.model import NO_MEANS, Model
from qtdigits.core.score.calibration import choose_similarity, choose_threshold, measure_threshold
from qtdigits.ml.training_data import TrainingData
from qtdigits.reader import Reader

ENOUGH_OUTLIERS = 200
"""With so many outliers a personal training chooses its own thresholds."""

MOST_OF_A_CLASS = 500
"""Drawings that the mean of a class is taken of. A hundred would do: what is refused and caught is the same within chance."""

UNDECIDED = "undecided"
"""Entry of the provenance: the thresholds, and what they cost and catch on data the model was not trained on."""


def with_thresholds(model: Model, reader: Reader, data: TrainingData, *, base: Model | None) -> Model:
    """Return `model` with thresholds of "not sure", so that its scores count the undecided too.

    They are chosen on the validation and the outliers of `data`; without outliers there are none. A personal training keeps those
    of its base: a few drawings are not enough to choose any. A model that has one for the probability keeps it.
    """
    if base is None and not data.has_outliers:
        return model
    kept = base if base is not None and len(data.outliers) < ENOUGH_OUTLIERS else None
    parts = [reader.read_and_embed(data.images[part]) for part in (data.validation, data.outliers)]
    digits, others = (probabilities.max(axis=1) for probabilities, _ in parts)
    has = (kept or model).undecided_below
    below = has if has or kept else choose_threshold(digits, others).undecided_below
    means, unlike_below, similarities = NO_MEANS, 0.0, None
    if model.network.has_embedding_layer and (kept is None or kept.unlike_below):
        means = _means_of(reader, data, len(model.label_set), base=base)
    if len(means):
        similarities = (similarity_to(means, parts[0][1]), similarity_to(means, parts[1][1]))
        unlike_below = kept.unlike_below if kept else choose_similarity(similarities[0])
    found = measure_threshold(below, digits, others, unlike_below=unlike_below, similarities=similarities)
    return replace(
        model,
        undecided_below=below,
        unlike_below=unlike_below,
        class_means=means if unlike_below else NO_MEANS,
        provenance={**model.provenance, UNDECIDED: found.to_json()},
    )


def _means_of(
    reader: Reader, data: TrainingData, n_classes: int, *, base: Model | None
) -> NDArray[np.float32]:
    """`(n_classes, d)`: the mean embedding of each class, of drawings that the model was trained on.

    A class that there are none of keeps the mean that `base` has; empty if it has none. Those of all others are new: embeddings
    move in a training so much that, with the old means, 3 % of a stranger's digits resembled nothing.
    """
    trained = np.unique(data.training)
    rng = np.random.default_rng(0)
    chosen = np.concatenate(
        [rng.permutation(trained[data.targets[trained] == k])[:MOST_OF_A_CLASS] for k in range(n_classes)]
    )
    means = class_means(reader.embed(data.images[chosen]), data.targets[chosen], n_classes)
    missing = np.flatnonzero(~means.any(axis=1))
    if len(missing):
        if base is None or not base.unlike_below or missing[-1] >= len(base.class_means):
            return NO_MEANS
        means[missing] = base.class_means[missing]
    return means

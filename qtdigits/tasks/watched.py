"""The hold-out that is looked at after each epoch of a training, and never trained on or chosen by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from qtdigits.core.drawing.labels import LabelSet
from qtdigits.core.drawing.samples import Dataset
from qtdigits.ml.training_data import TrainingData

MOST_WATCHED = 1000
"""More say no more in a curve; the scores at the end are those of all."""


def with_hold_out(data: TrainingData, hold_out: Dataset | None, label_set: LabelSet) -> TrainingData:
    """`data` with what of `hold_out` the network can be right about, or a part of that where it is much."""
    if hold_out is None:
        return data
    known = np.flatnonzero([label in label_set for label in hold_out.labels])
    # By chance, but each time the same: every fifth drawing of a person who draws 0 to 9 in turn would be of two digits only.
    chosen = np.sort(np.random.default_rng(1).permutation(known)[:MOST_WATCHED])
    targets = label_set.indices([hold_out.labels[i] for i in chosen])
    return replace(data, hold_out_images=hold_out.images[chosen], hold_out_targets=targets)

"""The area under the ROC curve: how well the probabilities put drawings in order, wherever a threshold would be set."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def macro_auc(targets: NDArray[np.int64], probabilities: NDArray[np.floating]) -> float:
    """One class against the rest, the mean over the classes: `targets` `(n,)`, `probabilities` `(n, k)`.

    For each class the chance that a drawing of it has a higher probability of it than another drawing has (Mann & Whitney's
    U, ties count half). Classes that all or none of the drawings belong to are left out; NaN when that leaves none.
    """
    areas = [
        _auc(targets == k, probabilities[:, k])
        for k in range(probabilities.shape[1])
        if 0 < np.count_nonzero(targets == k) < len(targets)
    ]
    return float(np.mean(areas)) if areas else math.nan


def _auc(is_of_it: NDArray[np.bool_], scores: NDArray[np.floating]) -> float:
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    n = np.count_nonzero(is_of_it)
    surplus = ranks[place][is_of_it].sum() - n * (n + 1) / 2
    return float(surplus / (n * (len(scores) - n)))

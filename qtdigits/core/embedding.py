"""Embeddings: what a network makes of a drawing just before its output layer, scaled so that a memory can compare them.

In some directions a network's features differ a lot between two drawings of one digit, in others hardly, though these tell digits
apart. Whitened by their covariance within a digit (the metric of linear discriminant analysis, Fisher 1936), their cosine tells
digits, and letters that the network never saw, apart much better. The covariance is measured on the program's own synthetic
digits, so that every network has it, whatever it was trained on. A network with an embedding layer needs none of this: its
cosines are what a second head was trained with (`ml.characters`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.core.network_spec import NetworkSpec

Floats = NDArray[np.float32]

N_REFERENCE, REFERENCE_SEED = 500, 123
SHRINKAGE = 0.5
"""How much of the average variance is added in every direction: 500 drawings do not measure small ones well."""
MOST_DIMENSIONS = 256
"""Wider features are first projected onto so many principal directions."""
NO_FEATURES = 1e-4
"""Is added to each feature: a drawing whose features are all zero would have no direction, and LiteRT divides by its length."""


@cache
def reference_drawings() -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """The synthetic digits that whitenings are measured on: rasters `(n, 28, 28) uint8` and labels."""
    inks, labels = synthetic_digits(N_REFERENCE, REFERENCE_SEED)
    return render_many(inks), tuple(labels)


@dataclass(frozen=True, eq=False)
class Whitening:
    """Unit features `(n, d)` to embeddings `(n, k)`: `mean` `(d,)` is taken off, `transform` `(d, k)` is applied."""

    mean: Floats
    transform: Floats

    @classmethod
    def of(cls, features: Floats, labels: Sequence[str]) -> Whitening:
        """Measure it on the features `(n, d)` of the reference drawings."""
        unit = unit_rows(features)
        mean = unit.mean(axis=0, dtype=np.float64)
        centred = unit.astype(np.float64) - mean
        directions = np.linalg.svd(centred, full_matrices=False)[2][:MOST_DIMENSIONS].T
        centred = centred @ directions
        groups = np.unique(np.asarray(labels), return_inverse=True)[1]
        within = np.concatenate(
            [centred[groups == g] - centred[groups == g].mean(axis=0) for g in set(groups)]
        )
        variances, axes = np.linalg.eigh(within.T @ within / len(within))
        variances = variances + SHRINKAGE * max(float(variances.mean()), 1e-9)
        transform = directions @ (axes / np.sqrt(variances))
        # the cosine does not depend on the scale; entries near 1 lose nothing in half precision
        return cls(mean.astype(np.float32), (transform / np.abs(transform).max()).astype(np.float32))

    def embed(self, features: Floats) -> Floats:
        """`(n, d)` features, as the output layer is given them, to `(n, k)` embeddings of unit length."""
        whitened = (unit_rows(features) - self.mean) @ self.transform
        return unit_rows(np.asarray(whitened, np.float32))


def whitening_of(
    spec: NetworkSpec, features: Callable[[NDArray[np.uint8]], Floats], *, batch: int = 100
) -> Whitening | None:
    """Return the whitening of a network, None where it has an embedding layer: its features are embeddings but for their length.

    `features` gives what the output layer is given, `(n, d)`, for drawings `(n, 28, 28) uint8`.
    """
    if spec.has_embedding_layer:
        return None
    drawings, labels = reference_drawings()
    parts = [features(drawings[first : first + batch]) for first in range(0, len(drawings), batch)]
    return Whitening.of(np.concatenate(parts), labels)


def class_means(embeddings: Floats, targets: NDArray[np.integer], n_classes: int) -> Floats:
    """Return the mean embedding of each class, `(n_classes, d)` of unit length; a class without drawings has zeros."""
    sums = np.zeros((n_classes, embeddings.shape[1]), np.float64)
    np.add.at(sums, targets, embeddings)
    return unit_rows(sums.astype(np.float32))


def similarity_to(known: Floats, embeddings: Floats) -> Floats:
    """Return the cosine of each of `(n, d)` embeddings and the most similar of those `known`, `(k, d)`: `(n,)`, -1 for none."""
    found: Floats = (embeddings @ known.T).max(axis=1, initial=-1.0)
    return found


def unit_rows(rows: Floats) -> Floats:
    """Each row at unit length; a row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Floats = rows / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit

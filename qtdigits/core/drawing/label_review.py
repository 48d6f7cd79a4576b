"""Find labels that are probably wrong: a fast classifier reads a person's drawings without knowing their own labels.

It is ridge regression on random cosine features (Rahimi and Recht 2007) of the directions of a drawing's edges.
One linear solve gives, in closed form, how it would read each drawing had that drawing not been learned (Allen's PRESS
1974), so a wrong label cannot support itself. How well it does: docs/label-review.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import DIGIT_LABELS, with_article
from qtdigits.core.drawing.samples import Suspicion

Floats = NDArray[np.float64]

CLASSIFIER_VERSION = 1
"""Changes with the meaning of a stored classifier: the features, their number, the random waves."""

MARGIN = 0.4
"""The least by which the suggested digit's score must exceed the given one's; scores are about 0 (no) to 1 (yes)."""
SURE_MARGIN = 0.6
"""Above this margin no similar own drawings are needed: a 4 that is a lone line may be among several such."""
CLOSENESS = 0.2
"""How much closer, as a natural logarithm, the nearest own drawing of the suggested digit must otherwise be."""
FEWEST = 3
"""With fewer own examples of a digit it is unknown how this person writes it."""

CELLS, DIRECTIONS, BLUR_PX = 7, 8, 2.0
COMPONENTS, COSINES = 60, 1000
BREADTH, RIDGE = 0.05, 1e-4
OWN_WEIGHT = 10.0
NEAREST, FARTHEST = 0.3, 3.0
"""Distances are clipped to this range: beyond it they carry no more information."""
_BATCH = 2048


@dataclass(frozen=True, eq=False)
class LabelClassifier:
    """A classifier that was trained on digits in general, ready to learn one person's drawings."""

    mean: Floats
    axes: Floats
    """`(features, COMPONENTS)`: the principal axes of the edge directions."""
    waves: Floats
    """`(COMPONENTS, COSINES)`."""
    phases: Floats
    gram: Floats
    """`(COSINES, COSINES)`, with the ridge."""
    moments: Floats
    """`(COSINES, 10)`."""

    @classmethod
    def of(cls, images: NDArray[np.uint8], labels: Sequence[str], *, seed: int = 0) -> LabelClassifier:
        """Learn from `(n, 28, 28)` images of digits and their labels "0" to "9"."""
        rng = np.random.default_rng(seed)
        features = edge_directions(images)
        mean = features.mean(axis=0)
        _, axes = np.linalg.eigh(np.cov((features - mean)[::2].T))
        axes = axes[:, ::-1][:, :COMPONENTS]
        places = (features - mean) @ axes
        spread = np.sqrt((places**2).sum(axis=1).mean())
        waves = rng.standard_normal((axes.shape[1], COSINES)) * (2.0 * np.sqrt(2.0 * BREADTH) / spread)
        phases = rng.random(COSINES) * 2.0 * np.pi
        blank = np.zeros((COSINES, COSINES)), np.zeros((COSINES, len(DIGIT_LABELS)))
        gram, moments = cls(mean, axes, waves, phases, *blank).with_drawings(
            places, label_targets(labels), 1.0
        )
        gram[np.diag_indices(COSINES)] += RIDGE * np.trace(gram) / COSINES
        return cls(mean, axes, waves, phases, gram, moments)

    def places(self, images: NDArray[np.uint8]) -> Floats:
        """Project images to `(n, COMPONENTS)`: drawings that look alike lie close together."""
        found: Floats = (edge_directions(images) - self.mean) @ self.axes
        return found

    def with_drawings(self, places: Floats, targets: Floats, weight: float) -> tuple[Floats, Floats]:
        """Return the Gram matrix and the moments with these drawings, each counting `weight` times."""
        gram, moments = self.gram.copy(), self.moments.copy()
        for part in _batches(len(places)):
            cosines = self._cosines(places[part])
            gram += weight * (cosines.T @ cosines)
            moments += weight * (cosines.T @ targets[part])
        return gram, moments

    def scores_without(self, places: Floats, labels: Sequence[str]) -> Floats:
        """Return each drawing's scores after learning all the *other* drawings with their labels: `(n, 10)`.

        With the leverage h and the scores f of learning it too, they are y - (y - f) / (1 - h): y cancels.
        """
        targets = label_targets(labels)
        gram, moments = self.with_drawings(places, targets, OWN_WEIGHT)
        inverse = np.linalg.inv(gram)
        weights = inverse @ moments
        scores = np.empty_like(targets)
        for part in _batches(len(places)):
            cosines = self._cosines(places[part])
            leverage = OWN_WEIGHT * ((cosines @ inverse) * cosines).sum(axis=1, keepdims=True)
            scores[part] = targets[part] - (targets[part] - cosines @ weights) / (1.0 - leverage)
        return scores + 1.0 / len(DIGIT_LABELS)

    def _cosines(self, places: Floats) -> Floats:
        found: Floats = np.cos(places @ self.waves + self.phases)
        return found


def find_suspects(
    classifier: LabelClassifier, images: NDArray[np.uint8], labels: Sequence[str]
) -> dict[int, Suspicion]:
    """Find the drawings of one person that look like another digit: beyond doubt, or like the person's own way of writing it.

    The keys are positions. Classes that are no digits, and digits of which there are fewer than `FEWEST` others, are not
    judged. The score is the classifier's margin, at most 1; it is no probability.
    """
    at = np.array([i for i, label in enumerate(labels) if label in DIGIT_LABELS], np.int64)
    if len(at) <= FEWEST:
        return {}
    given = np.array([DIGIT_LABELS.index(labels[i]) for i in at])
    places = classifier.places(images[at])
    scores = classifier.scores_without(places, [labels[i] for i in at])
    rows = np.arange(len(at))
    others = scores.copy()
    others[rows, given] = -np.inf
    suggested = others.argmax(axis=1)
    margins = scores[rows, suggested] - scores[rows, given]
    counts = np.bincount(given, minlength=len(DIGIT_LABELS))
    is_known = (counts[given] > FEWEST) & (counts[suggested] >= FEWEST)
    found = {}
    for row in np.flatnonzero((margins > MARGIN) & is_known):
        is_alike = _closeness(places, given, int(row), int(suggested[row])) > CLOSENESS
        if is_alike or margins[row] > SURE_MARGIN:
            found[int(at[row])] = _suspicion(
                float(margins[row]), DIGIT_LABELS[suggested[row]], labels[at[row]], is_alike=is_alike
            )
    return found


def _closeness(places: Floats, given: NDArray[np.int64], row: int, suggested: int) -> float:
    """Return by which log ratio the nearest drawing labelled `suggested` is nearer than the nearest other one of this label."""
    distances = np.sqrt(((places - places[row]) ** 2).sum(axis=1))
    distances[row] = np.inf
    to_given, to_suggested = (
        float(np.clip(distances[given == digit].min(), NEAREST, FARTHEST))
        for digit in (given[row], suggested)
    )
    return float(np.log(to_given / to_suggested))


def _suspicion(margin: float, suggested: str, given: str, *, is_alike: bool) -> Suspicion:
    rest = f"and like your own {suggested}s" if is_alike else f"hardly like {with_article(given)}"
    return Suspicion(min(1.0, margin), suggested, f"looks like {with_article(suggested)}, {rest}")


def edge_directions(images: NDArray[np.uint8]) -> Floats:
    """Return how much edge runs in each direction around each cell, as square roots: `(n, DIRECTIONS * CELLS * CELLS)`.

    Sobel gradients shared among the two nearest directions and blurred, after Liu et al. 2003.
    """
    centres = (np.arange(CELLS) + 0.5) * 28 / CELLS - 0.5
    blur = np.exp(-0.5 * ((np.arange(28)[:, None] - centres) / BLUR_PX) ** 2)
    blur = (blur / blur.sum(axis=0)).astype(np.float32)
    planes = np.empty((len(images), DIRECTIONS, CELLS, CELLS), np.float32)
    for part in _batches(len(images)):
        across, down = _gradients(images[part].astype(np.float32) / np.float32(255))
        strength = np.hypot(across, down)
        turn = np.arctan2(down, across) * np.float32(DIRECTIONS / (2 * np.pi))
        for direction in range(DIRECTIONS):
            away = np.abs((turn - direction + DIRECTIONS / 2) % DIRECTIONS - DIRECTIONS / 2)
            share = np.maximum(0, 1 - away) * strength
            planes[part, direction] = blur.T @ (share @ blur)
    found: Floats = np.sqrt(planes.reshape(len(images), -1)).astype(np.float64)
    return found


def _gradients(images: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    rows = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    columns = padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]
    return rows[:, :, 2:] - rows[:, :, :-2], columns[:, 2:] - columns[:, :-2]


def label_targets(labels: Sequence[str]) -> Floats:
    """`(n, 10)`: 1 for the label and 0 for the others, less their mean."""
    indices = [DIGIT_LABELS.index(label) for label in labels]
    targets: Floats = np.eye(len(DIGIT_LABELS))[indices] - 1.0 / len(DIGIT_LABELS)
    return targets


def _batches(n: int) -> list[slice]:
    return [slice(begin, begin + _BATCH) for begin in range(0, n, _BATCH)]

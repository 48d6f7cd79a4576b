"""Find labels that are probably wrong: a person's other drawings say what each drawing is, whatever its own label.

Ridge regression of the labels on the embeddings. One linear solve gives, in closed form, how each drawing would be read had it
not been learned (Allen's PRESS, 1974), so a wrong label cannot support itself. How well it does: docs/label-review.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qtdigits.core.drawing.labels import look_alikes_of, with_article
from qtdigits.core.drawing.samples import Suspicion

Floats = NDArray[np.float64]

MARGIN = 0.45
"""The least by which the suggested label's score must exceed the given one's; scores are about 0 (no) to 1 (yes)."""
FEWEST = 3
"""With fewer own examples of a class it is unknown how this person writes it."""
RIDGE = 0.1
EXAMPLE_WEIGHT = 0.3
"""How much an example of everybody's digits counts beside one of the person's own drawings."""


@dataclass(frozen=True, eq=False)
class Embedded:
    """Drawings as a network sees them: embeddings `(n, d)` of unit length, and labels."""

    embeddings: ArrayLike
    labels: Sequence[str]


def find_suspects(own: Embedded, examples: Embedded) -> dict[int, Suspicion]:
    """Find the drawings of one person that look like another class to the person's other drawings and to `examples`.

    The keys are positions in `own`. A drawing is judged if there are `FEWEST` others with its label, and as many with the
    suggested one. Nobody can tell look-alikes such as 0 and O apart, so they are never suggested for one another. The score is
    the margin, at most 1; it is no probability.
    """
    classes = tuple(dict.fromkeys((*own.labels, *examples.labels)))
    given = np.array([classes.index(label) for label in own.labels], np.int64)
    counts = np.bincount(given, minlength=len(classes))
    if len(given) <= FEWEST:
        return {}
    scores = scores_without(own, examples, classes)
    rows = np.arange(len(given))
    others = np.where(counts >= FEWEST, scores, -np.inf)
    for index, label in enumerate(classes):
        alike = [classes.index(other) for other in look_alikes_of(label) if other in classes]
        others[np.ix_(given == index, alike)] = -np.inf
    suggested = others.argmax(axis=1)
    margins = others[rows, suggested] - scores[rows, given]
    vectors = np.asarray(own.embeddings, np.float64)
    found = {}
    for row in np.flatnonzero((margins > MARGIN) & (counts[given] > FEWEST)).tolist():
        similarities = vectors @ vectors[row]
        similarities[row] = -np.inf
        to_suggested, to_given = (
            similarities[given == label].max() for label in (suggested[row], given[row])
        )
        found[row] = _suspicion(
            float(margins[row]),
            classes[suggested[row]],
            own.labels[row],
            is_alike=bool(to_suggested > to_given),
        )
    return found


def scores_without(own: Embedded, examples: Embedded, classes: Sequence[str]) -> Floats:
    """Return the scores `(n, k)` of each own drawing after learning the examples and all the *other* own ones with their labels.

    With the leverage h and the scores f of learning it too, they are y - (y - f) / (1 - h): y cancels.
    """
    vectors, targets = _problem(own, classes)
    known, answers = _problem(examples, classes)
    gram = vectors.T @ vectors + EXAMPLE_WEIGHT * known.T @ known + RIDGE * np.eye(vectors.shape[1])
    inverse = np.linalg.inv(gram)
    weights = inverse @ (vectors.T @ targets + EXAMPLE_WEIGHT * known.T @ answers)
    leverage = ((vectors @ inverse) * vectors).sum(axis=1, keepdims=True)
    scores: Floats = targets - (targets - vectors @ weights) / (1.0 - leverage)
    return scores + 1.0 / len(classes)


def _problem(drawings: Embedded, classes: Sequence[str]) -> tuple[Floats, Floats]:
    """The embeddings `(n, d)`, and the targets `(n, k)`: 1 for the label and 0 for the others, less their mean."""
    targets = np.array([[label == one for one in classes] for label in drawings.labels], np.float64)
    return np.asarray(drawings.embeddings, np.float64), targets - 1.0 / len(classes)


def _suspicion(margin: float, suggested: str, given: str, *, is_alike: bool) -> Suspicion:
    rest = f"and like your own {suggested}s" if is_alike else f"hardly like {with_article(given)}"
    return Suspicion(min(1.0, margin), suggested, f"looks like {with_article(suggested)}, {rest}")

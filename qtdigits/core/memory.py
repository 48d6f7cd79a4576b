"""Memory: the embeddings of judged drawings, consulted at every reading.

A network answers with probabilities p. Memory adds what similar drawings of the same hand turned out to be. The score of a class
is log p - ABSENCE (only if the class is remembered) + the sum of α/j exp(-β (1 - cosine)) over those of the five most similar
remembered drawings that have its label, the j-th most similar counting 1/j. The scores are divided by 1 + SATURATION times all
that memory added. Beside classes that only memory knows, those of the network of which nothing is remembered count as remembered
by the mean of what they were trained on; and the less a drawing resembles anything that the network knows, the more the others
gain. The idea is that of cache models (Grave et al., Unbounded cache model, 2017; Zhang et al., Tip-Adapter, 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qtdigits.core.drawing.labels import clean_label
from qtdigits.errors import InputError

Floats = NDArray[np.float32]

ALPHA = 65.0
"""How much the most similar drawing counts if it looks the same, against the logarithm of the network's probability."""
BETA = 7.0
"""How fast that falls with the cosine distance."""
NEAREST = 5
"""How many remembered drawings are asked."""
ABSENCE = 3.0
"""What a class loses by being remembered: drawings of it are expected to look like those. Others cannot have confirmed it yet."""
SATURATION = 0.14
"""Keeps many similar drawings from making an answer surer than it is; changes no answer. At most e^(1/SATURATION) to one."""
PROTOTYPE_PROBABILITY = 0.01
"""What a class that the network was not trained on, a prototype, is given before memory is asked.

Of one remembered drawing of each sign the others are read more often the higher it is; from 0.03 on, prototypes take over digits
that the network itself is not sure of (docs/decisions.md).
"""
FOREIGN_BELOW, FOREIGN_GAIN = 0.5, 10.0
"""What a prototype gains where a drawing is less similar than `FOREIGN_BELOW` to all that the network knows: `FOREIGN_GAIN` times
the difference. The network is as sure that a heart is a 0 as it is of a 0; their embeddings differ (docs/decisions.md).
"""
LEAST_SIMILARITY = 0.42
"""Below it a remembered drawing hardly matters: from here on it multiplies the odds of its label by e and more."""
UNIT_TOLERANCE = 1e-6
NOT_KNOWN: Floats = np.empty(0, np.float32)

_FIRST_CAPACITY = 64
_BOUNDED_FROM = 2048
"""With more drawings than this, most are passed over by a bound of their similarity that takes reading fewer numbers."""
_BOUND_AXES, _BOUND_SAMPLE = 64, 4096
_BOUND_SLACK = 1e-5
"""More than single precision can be wrong by."""


@dataclass(frozen=True)
class Neighbour:
    """A remembered drawing: its label, its cosine similarity to the one that was read, and its key in the memory."""

    label: str
    similarity: float
    key: int


class Memory:
    """Embeddings `(d,) float32` of unit length with their labels. Everything added counts from the next reading on.

    An embedding belongs to the network that made it: one memory serves one model. They are kept in the order of their keys, the
    newest last, so that readings depend on what is remembered, not on when it was added. Not thread-safe.
    """

    def __init__(self, *, alpha: float = ALPHA, beta: float = BETA, nearest: int = NEAREST) -> None:
        self.alpha, self.beta, self.nearest = alpha, beta, nearest
        self._embeddings: Floats = np.empty((0, 0), np.float32)
        # The directions in which remembered embeddings differ most, and the embeddings as `_shadow` has them: only of many.
        self._axes: Floats | None = None
        self._shadows: Floats = np.empty((0, 0), np.float32)
        self._labels: list[str] = []
        self._label_set: tuple[str, ...] | None = None  # of what is remembered now, once asked for
        self._keys: NDArray[np.int64] = np.empty(0, np.int64)
        self._next_key = 1

    def __len__(self) -> int:
        return len(self._labels)

    def __contains__(self, key: int) -> bool:
        at = self._place(key)
        return at < len(self) and bool(self._keys[at] == key)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that are remembered, each once, in the order of the keys."""
        if self._label_set is None:
            self._label_set = tuple(dict.fromkeys(self._labels))
        return self._label_set

    def add(self, embedding: ArrayLike, label: str, *, key: int | None = None) -> int:
        """Remember a drawing by its embedding; return its key (such as a sample's id; by default the next free number).

        Raises `InputError` for an embedding of another length, or one that is not finite, or a key that is known.
        """
        vector, label = _unit(embedding), clean_label(label)
        if len(self) and len(vector) != self._embeddings.shape[1]:
            raise InputError(
                f"An embedding has {len(vector)} numbers; those of this memory have {self._embeddings.shape[1]}.",
                "Use one memory for one model.",
            )
        key = self._next_key if key is None else key
        if key in self:
            raise InputError(f"Key {key} is in the memory already.", "Forget it first.")
        self._make_room(len(vector))
        at, n = self._place(key), len(self)
        for kept in (self._embeddings, self._keys, self._shadows):
            kept[at + 1 : n + 1] = kept[at:n]
        self._embeddings[at], self._keys[at] = vector, key
        if self._axes is not None:
            self._shadows[at] = self._shadow(self._axes, vector)
        self._labels.insert(at, label)
        self._label_set = None
        self._next_key = max(self._next_key, key + 1)
        return key

    def embedding(self, key: int) -> Floats:
        """`(d,)` of a remembered drawing. Raises `InputError` if unknown."""
        if key not in self:
            raise InputError(f"Key {key} is not in the memory.")
        found: Floats = self._embeddings[self._place(key)].copy()
        return found

    def update(self, other: Memory) -> None:
        """Remember what `other` remembers too, in place of what is remembered under the same keys."""
        for place, key in enumerate(int(key) for key in other._keys[: len(other)]):
            if key in self:
                self.forget(key)
            self.add(other._embeddings[place], other._labels[place], key=key)

    def forget(self, key: int) -> None:
        """Forget a drawing: readings are from now on what they were had it never been added. Raises `InputError` if unknown."""
        if key not in self:
            raise InputError(f"Key {key} is not in the memory.")
        at, n = self._place(key), len(self)
        for kept in (self._embeddings, self._keys, self._shadows):
            kept[at : n - 1] = kept[at + 1 : n]
        del self._labels[at]
        self._label_set = None

    def neighbours(self, embedding: ArrayLike, n: int | None = None) -> tuple[Neighbour, ...]:
        """The `n` (by default `nearest`) most similar remembered drawings, most similar first; of equal ones the newer first."""
        count = min(self.nearest if n is None else n, len(self))
        if count == 0:
            return ()
        places, similarities = self._candidates(_unit(embedding), count)
        least = np.partition(similarities, -count)[-count]
        newest_first = np.flatnonzero(similarities >= least)[::-1]
        order = newest_first[np.argsort(-similarities[newest_first], kind="stable")][:count]
        return tuple(
            Neighbour(self._labels[places[i]], float(min(similarities[i], 1.0)), int(self._keys[places[i]]))
            for i in order
        )

    def combine(
        self,
        classes: Sequence[str],
        probabilities: Floats,
        neighbours: Sequence[Neighbour],
        likeness: Floats = NOT_KNOWN,
    ) -> tuple[tuple[str, ...], Floats]:
        """The network's `(k,)` probabilities of `classes`, changed by what the neighbours were.

        Remembered labels that the network does not know are appended as classes of their own (prototypes). Beside them a class
        of the network of which nothing is remembered counts as remembered by the mean of what it was trained on: `likeness`,
        `(k,)`, is how similar the drawing is to that, empty if unknown. Where it is little, prototypes gain. Without neighbours
        the probabilities stay what they are, to the last bit.
        """
        if not neighbours:
            return tuple(classes), probabilities
        remembered = self.labels
        place = {label: i for i, label in enumerate(dict.fromkeys((*classes, *remembered)))}
        alike = [(neighbour.similarity, place[neighbour.label]) for neighbour in neighbours]
        expected = {place[label] for label in remembered}
        if len(likeness) and len(place) > len(classes):
            absent = [i for i in range(len(classes)) if i not in expected]
            alike = sorted([*alike, *((float(likeness[i]), i) for i in absent)], key=lambda one: -one[0])
            alike = alike[: self.nearest]
            expected.update(absent)
        known = [*map(float, likeness), *(similarity for similarity, i in alike if i < len(classes))]
        gain = FOREIGN_GAIN * max(0.0, FOREIGN_BELOW - max(known)) if len(likeness) else 0.0
        scores = np.full(len(place), np.log(PROTOTYPE_PROBABILITY) + gain)
        scores[: len(classes)] = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
        scores[[i for i in expected if i < len(classes)]] -= ABSENCE
        similarities = np.array([similarity for similarity, _ in alike])
        added = self.alpha / np.arange(1, len(alike) + 1) * np.exp(-self.beta * (1.0 - similarities))
        np.add.at(scores, [i for _, i in alike], added)
        scores /= 1.0 + SATURATION * added.sum()
        raised = np.exp(scores - scores.max())
        return tuple(place), (raised / raised.sum()).astype(np.float32)

    def _place(self, key: int) -> int:
        """Where a key is, or belongs."""
        return int(np.searchsorted(self._keys[: len(self)], key))

    def _candidates(self, query: Floats, count: int) -> tuple[NDArray[np.int64], Floats]:
        """The places, in order, and the similarities of all that can be among the `count` most similar."""
        places = np.arange(len(self))
        if self._axes is None:
            return places, _similarities(self._embeddings[: len(self)], query)
        bounds = self._shadows[: len(self)] @ self._shadow(self._axes, query)
        likely = np.argpartition(bounds, -count)[-count:]
        least = _similarities(self._embeddings[likely], query).min()
        places = np.flatnonzero(bounds >= least - _BOUND_SLACK)
        return places, _similarities(self._embeddings[places], query)

    @staticmethod
    def _shadow(axes: Floats, vectors: Floats) -> Floats:
        """`(…, d)` vectors along the axes, and the length of what remains of each: the product of two shadows is at least that of
        the vectors (Cauchy and Schwarz)."""
        along = vectors @ axes
        squares = (vectors * vectors).sum(axis=-1) - (along * along).sum(axis=-1)
        return np.concatenate([along, np.sqrt(np.maximum(squares, 0))[..., np.newaxis]], axis=-1)

    def _make_room(self, length: int) -> None:
        if len(self) < len(self._embeddings):
            return
        capacity = max(_FIRST_CAPACITY, 2 * len(self))
        embeddings, keys = np.zeros((capacity, length), np.float32), np.zeros(capacity, np.int64)
        embeddings[: len(self)] = self._embeddings[: len(self)].reshape(-1, length)
        keys[: len(self)] = self._keys[: len(self)]
        self._embeddings, self._keys = embeddings, keys
        if capacity > _BOUNDED_FROM:
            sample = embeddings[: len(self) : 1 + len(self) // _BOUND_SAMPLE]
            axes: Floats = np.linalg.eigh(sample.T @ sample)[1][:, -_BOUND_AXES:]
            self._axes, self._shadows = axes, np.zeros((capacity, axes.shape[1] + 1), np.float32)
            self._shadows[: len(self)] = self._shadow(axes, embeddings[: len(self)])


def _similarities(embeddings: Floats, query: Floats) -> Floats:
    """Row by row, so that each is the same to the last bit whatever the other rows are; a matrix product is not."""
    found: Floats = np.einsum("ij,j->i", embeddings, query)
    return found


def _unit(embedding: ArrayLike) -> Floats:
    vector = np.asarray(embedding, np.float32)
    if vector.ndim != 1 or not len(vector) or not np.isfinite(vector).all():
        raise InputError(f"An embedding is a row of finite numbers, not {vector.shape}.")
    length = float(np.linalg.norm(vector))
    # what has unit length already stays what it is, to the last bit
    return vector / np.float32(length) if length > 0 and abs(length - 1) > UNIT_TOLERANCE else vector

"""Figures of a model on a set of drawings: accuracy with its interval, confusion matrix, per-class figures, AUC.

Also the drawings behind the cells of a confusion matrix.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import LabelSet, look_alikes_of
from qtdigits.untrusted import Count, Share, Text

Floats = NDArray[np.float64]

Z_95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""


def wilson_band(correct: NDArray[np.integer], n: NDArray[np.integer]) -> tuple[Floats, Floats]:
    """Return the Wilson score interval (Wilson 1927) at 95 % of each of `(n,)` proportions; (0, 1) where nothing was counted.

    Unlike the textbook interval it stays inside 0 to 1 and is honest for few trials and for none wrong.
    """
    counted = np.maximum(1, n)
    p, zz = correct / counted, Z_95 * Z_95
    centre = p + zz / (2 * counted)
    half = Z_95 * np.sqrt(p * (1 - p) / counted + zz / (4 * counted * counted))
    low = np.where(correct == 0, 0.0, np.maximum(0.0, (centre - half) / (1 + zz / counted)))
    high = np.where(correct == n, 1.0, np.minimum(1.0, (centre + half) / (1 + zz / counted)))
    return np.where(n == 0, 0.0, low), np.where(n == 0, 1.0, high)


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """`wilson_band` of one proportion."""
    low, high = wilson_band(np.array([correct]), np.array([n]))
    return float(low[0]), float(high[0])


@dataclass(frozen=True)
class Tally:
    """How many of `n` drawings were read rightly."""

    n: int
    correct: int

    @property
    def accuracy(self) -> float:
        """0 to 1; NaN when nothing was counted."""
        return self.correct / self.n if self.n else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, at 95 %."""
        return wilson_interval(self.correct, self.n)

    def to_json(self) -> dict[str, Any]:
        """`accuracy` is None when nothing was counted."""
        accuracy = self.accuracy if self.n else None
        return {"n": self.n, "correct": self.correct, "accuracy": accuracy, "interval": list(self.interval)}


@dataclass(frozen=True)
class RunningAccuracy:
    """Trials of one writer with one model: every one scored before it could be trained on.

    `doubted` others do not count until their labels have been reviewed. `earlier` are trials with other models, where there are
    none with this one yet.
    """

    writer: str
    model: str
    correct: int
    n: int
    doubted: int = 0
    earlier: Tally = Tally(0, 0)

    @property
    def tally(self) -> Tally:
        return Tally(self.n, self.correct)

    @property
    def interval(self) -> tuple[float, float]:
        return self.tally.interval


def confusion_matrix(truth: NDArray[np.int64], answer: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """`(k, k)`: row = true class, column = answer."""
    return np.bincount(truth * k + answer, minlength=k * k).reshape(k, k).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Score:
    """How a model reads a set of drawings. `confusion` is `(k, k)`, row = truth, column = answer.

    Every drawing counts with the best class. `undecided` says of how many the model was not sure, and `undecided_correct` how
    many of those its best class was right about. `reliability` has the bins of a reliability diagram, a row each as
    `core.score.calibration` writes them. These and `calibration_error` are None where only the answers are known, not their
    probabilities.
    """

    classes: tuple[str, ...]
    confusion: NDArray[np.int64]
    calibration_error: float | None = None
    undecided: int | None = None
    undecided_correct: int | None = None
    reliability: Sequence[Sequence[float]] | None = None

    @classmethod
    def of(cls, label_set: LabelSet, truth: NDArray[np.int64], probabilities: NDArray[np.float32]) -> Score:
        """Score `(n, k)` probabilities against `(n,)` true indices; the most probable class counts."""
        answer = np.asarray(probabilities).argmax(axis=1) if len(truth) else np.empty(0, np.int64)
        return cls(label_set.labels, confusion_matrix(truth, answer, len(label_set)))

    @property
    def n(self) -> int:
        return int(self.confusion.sum())

    @property
    def correct(self) -> int:
        return int(np.trace(self.confusion))

    @property
    def tally(self) -> Tally:
        return Tally(self.n, self.correct)

    @property
    def accuracy(self) -> float:
        """0 to 1; NaN when nothing was counted."""
        return self.tally.accuracy

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy."""
        return self.tally.interval

    @property
    def decided(self) -> int:
        """How many drawings the model was sure of; all where undecided ones were not counted."""
        return self.n - (self.undecided or 0)

    @property
    def decided_correct(self) -> int:
        return self.correct - (self.undecided_correct or 0)

    @property
    def decided_accuracy(self) -> float:
        """Of the drawings that the model was sure of; NaN when there are none."""
        return self.decided_correct / self.decided if self.decided else math.nan

    @property
    def look_alikes_as_one(self) -> Tally:
        """Counted with 0 and O, 1 and l and all other look-alikes as one class."""
        shape = [look_alikes_of(label)[0] for label in self.classes]
        is_right = np.equal.outer(shape, shape) if shape else np.zeros((0, 0), bool)
        return Tally(self.n, int(self.confusion[is_right].sum()))

    def worst_confusions(self, most: int = 5) -> list[tuple[str, str, int]]:
        """(truth, answer, count), the most frequent first."""
        wrong = self.confusion.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(wrong, axis=None, kind="stable")[::-1][:most]
        pairs = [divmod(int(i), len(self.classes)) for i in order]
        return [(self.classes[t], self.classes[a], int(wrong[t, a])) for t, a in pairs if wrong[t, a]]

    def to_json(self) -> dict[str, object]:
        """What `evaluate --json` prints of a score; figures of nothing are None, as JSON has no NaN."""
        low, high = self.interval
        return {
            "n": self.n,
            "correct": self.correct,
            "accuracy": self.accuracy if self.n else None,
            "interval": [low, high],
            "confusion": self.confusion.tolist(),
            "classes": list(self.classes),
            "calibration_error": self.calibration_error if self.n else None,
            "undecided": self.undecided,
            "decided_correct": None if self.undecided is None else self.decided_correct,
            "decided_accuracy": self.decided_accuracy
            if self.decided and self.undecided is not None
            else None,
            "reliability": self.reliability,
        }


class ScoreValues(msgspec.Struct):
    """What is read of a `Score.to_json()`."""

    n: Count = 0
    correct: Count = 0
    accuracy: Share | None = None
    interval: tuple[Share, Share] | None = None
    classes: list[Text] = []
    confusion: list[list[Count]] = []
    calibration_error: Share | None = None
    undecided: Count | None = None
    decided_correct: Count | None = None
    decided_accuracy: Share | None = None
    reliability: list[list[float]] | None = None

    def __post_init__(self) -> None:
        if self.n and self.accuracy is None:
            raise ValueError("what was counted has an accuracy")
        if {len(self.classes)} != {len(self.confusion), *map(len, self.confusion)}:
            raise ValueError("a confusion matrix has a row and a column for each class")


@dataclass(frozen=True)
class ClassFigures:
    """One class: `drawn` times drawn, `answered` times the answer, `correct` times both."""

    label: str
    drawn: int
    answered: int
    correct: int

    @property
    def recall(self) -> float:
        """Part of the drawings of this class that are read as it; NaN when there are none."""
        return Tally(self.drawn, self.correct).accuracy

    @property
    def precision(self) -> float:
        """Part of the answers of this class that are right; NaN when there are none."""
        return Tally(self.answered, self.correct).accuracy

    @property
    def recall_interval(self) -> tuple[float, float]:
        """Wilson's, at 95 %."""
        return Tally(self.drawn, self.correct).interval

    @property
    def precision_interval(self) -> tuple[float, float]:
        """Wilson's, at 95 %."""
        return Tally(self.answered, self.correct).interval


def class_figures(score: Score) -> tuple[ClassFigures, ...]:
    """In the order of the score's classes."""
    drawn, answered = score.confusion.sum(axis=1), score.confusion.sum(axis=0)
    return tuple(
        ClassFigures(label, int(drawn[i]), int(answered[i]), int(score.confusion[i, i]))
        for i, label in enumerate(score.classes)
    )


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


MOST_IN_CELL = 100
MOST_RIGHT_IN_CELL = 40
"""There are thousands of drawings that are read rightly; the least sure of them are worth looking at."""


@dataclass(frozen=True, eq=False)
class ReadDrawings:
    """`images` `(n, 28, 28) uint8`, `truth` and `answer` `(n,)` indices into `classes`, `confidence` `(n,)` from 0 to 1."""

    classes: tuple[str, ...]
    images: NDArray[np.uint8]
    truth: NDArray[np.int64]
    answer: NDArray[np.int64]
    confidence: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.images)

    def of_cell(self, truth: int, answer: int) -> ReadDrawings:
        """What was drawn as `truth` and read as `answer`: the surest mistake first, or the least sure right answer."""
        found = np.flatnonzero((self.truth == truth) & (self.answer == answer))
        order = self.confidence[found] if truth == answer else -self.confidence[found]
        return self.take(found[np.argsort(order, kind="stable")])

    def selection_to_store(self) -> ReadDrawings:
        """The first of every cell, so many that a person may want to look at them."""
        wrong, right = self.truth != self.answer, self.truth == self.answer
        place = np.arange(len(self))
        kept = [
            self._first_of_cells(place[wrong], MOST_IN_CELL),
            self._first_of_cells(place[right], MOST_RIGHT_IN_CELL),
        ]
        return self.take(np.sort(np.concatenate(kept)))

    def take(self, chosen: NDArray[np.int64]) -> ReadDrawings:
        """Those at the places `chosen` `(m,)`, in that order."""
        return replace(
            self,
            images=self.images[chosen],
            truth=self.truth[chosen],
            answer=self.answer[chosen],
            confidence=self.confidence[chosen],
        )

    def _first_of_cells(self, among: NDArray[np.int64], most: int) -> NDArray[np.int64]:
        """At most `most` of every cell, in the order of `of_cell`; `among` are all wrong or all right."""
        if not len(among):
            return among
        cell = self.truth[among] * len(self.classes) + self.answer[among]
        is_right = self.truth[among[0]] == self.answer[among[0]]
        sure = self.confidence[among] if is_right else -self.confidence[among]
        order = np.lexsort((sure, cell))
        begins = np.flatnonzero(np.r_[True, np.diff(cell[order]) != 0])
        rank = np.arange(len(order)) - np.repeat(begins, np.diff(np.r_[begins, len(order)]))
        chosen: NDArray[np.int64] = among[order[rank < most]]
        return chosen

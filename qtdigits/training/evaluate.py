"""Scoring a model on drawings that it may or may not have been trained on."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.model import Model
from qtdigits.core.score.calibration import are_undecided, reliability_of, reliability_to_json
from qtdigits.core.score.metrics import ReadDrawings, Score, confusion_matrix, expected_calibration_error
from qtdigits.errors import InputError
from qtdigits.reader import Reader

CHUNK = 1024
MOST_THREADS = 2
"""What reads beside the window must leave it some processors."""


def evaluate(model: Model, dataset: Dataset) -> Score:
    """How `model` reads `dataset`.

    A label that the model does not know counts as wrong: it has a row of its own in the confusion matrix, after the model's
    classes, and a column of zeros. Raises `ModelFileError` when the model cannot be used.
    """
    return score_with(Reader(model), dataset)


def evaluate_by_writer(model: Model, dataset: Dataset) -> dict[str, Score]:
    """A score for each writer, by name. Raises `InputError` when the dataset does not say who wrote what."""
    return scores_by_writer(answers_of(Reader(model), dataset), dataset)


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model answered: `truth` and `answer`, `(n,)` indices into `classes`, and the `(n,)` probabilities of the answers.

    Those below `undecided_below` are undecided; they count all the same.
    """

    classes: tuple[str, ...]
    truth: NDArray[np.int64]
    answer: NDArray[np.int64]
    confidence: NDArray[np.float32]
    undecided_below: float = 0.0

    @property
    def score(self) -> Score:
        is_right = self.is_right
        undecided = are_undecided(self.confidence, self.undecided_below)
        return Score(
            self.classes,
            confusion_matrix(self.truth, self.answer, len(self.classes)),
            expected_calibration_error(self.confidence, is_right),
            undecided=int(undecided.sum()),
            undecided_correct=int((undecided & is_right).sum()),
            reliability=reliability_to_json(reliability_of(self.confidence, is_right)),
        )

    def readings(self, images: NDArray[np.uint8]) -> ReadDrawings:
        """With the `(n, 28, 28)` drawings that were read."""
        return ReadDrawings(self.classes, images, self.truth, self.answer, self.confidence)

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """`(n,)`: a label that the model does not know is never read right."""
        right: NDArray[np.bool_] = self.answer == self.truth
        return right

    @property
    def misread(self) -> NDArray[np.int64]:
        """Indices of the misread drawings, the surest mistake first."""
        wrong = np.flatnonzero(~self.is_right)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")]

    def take(self, chosen: NDArray[np.bool_]) -> Answers:
        """Those where `chosen` `(n,)` is true."""
        return replace(
            self,
            truth=self.truth[chosen],
            answer=self.answer[chosen],
            confidence=self.confidence[chosen],
        )

    def caption(self, index: int) -> str:
        """Such as "4 as 9, 97 %": what it is, what it was taken for, and how surely."""
        truth, answer = self.classes[self.truth[index]], self.classes[self.answer[index]]
        return f"{truth} as {answer}, {100 * self.confidence[index]:.0f} %"


def scores_by_writer(answers: Answers, dataset: Dataset) -> dict[str, Score]:
    """The answers to `dataset`, scored for each writer. Raises `InputError` when it does not say who wrote what."""
    if len(dataset.writers) != len(dataset):
        raise InputError(f"{dataset.name} does not say who wrote what.", "Choose data with writers.")
    by = np.asarray(dataset.writers)
    return {writer: answers.take(by == writer).score for writer in sorted(set(dataset.writers))}


def score_with(
    reader: Reader, dataset: Dataset, *, progress: Callable[[int, int], None] = lambda done, total: None
) -> Score:
    """As `evaluate`, by a reader; `progress` gets how many of how many are read, and may raise to give up."""
    return answers_of(reader, dataset, progress=progress).score


def answers_of(
    reader: Reader, dataset: Dataset, *, progress: Callable[[int, int], None] = lambda done, total: None
) -> Answers:
    """Read every drawing. `classes` are the model's, then the labels that it does not know.

    `progress` hears how many of how many are done, and may raise to give up.
    """
    known = reader.label_set.labels
    classes = (*known, *sorted(set(dataset.labels) - set(known)))
    place = {label: number for number, label in enumerate(classes)}
    truth = np.array([place[label] for label in dataset.labels], np.int64)
    answer = np.empty(len(dataset), np.int64)
    confidence = np.empty(len(dataset), np.float32)
    threads = max(1, min(MOST_THREADS, os.cpu_count() or 1))
    for first in range(0, len(dataset), CHUNK):
        progress(first, len(dataset))
        part = slice(first, first + CHUNK)
        probabilities = reader.read_many(dataset.images[part], threads=threads)
        answer[part], confidence[part] = probabilities.argmax(axis=1), probabilities.max(axis=1)
    return Answers(classes, truth, answer, confidence, reader.undecided_below)

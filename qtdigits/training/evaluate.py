"""Scoring a model on a dataset."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.formatting import percent
from qtdigits.core.model import Model
from qtdigits.core.score.calibration import (
    are_undecided,
    expected_calibration_error,
    reliability_of,
    reliability_to_json,
)
from qtdigits.core.score.metrics import ReadDrawings, Score, confusion_matrix
from qtdigits.errors import DataMissingError, InputError
from qtdigits.paths import user_data_dir
from qtdigits.reader import Reader
from qtdigits.store.data.datasets import read_dataset
from qtdigits.store.data.mnist import find_mnist, load_mnist

CHUNK = 1024
MOST_THREADS = 2
"""Reading in the background must leave processors to the window."""


def evaluate(
    model: Model | Reader | str | os.PathLike[str],
    data: Dataset | str | os.PathLike[str],
    *,
    data_dir: str | os.PathLike[str] | None = None,
) -> Score:
    """How a model reads data: its accuracy with interval, confusion matrix and calibration.

    `model` is a `Reader`, a `Model`, a name ("default", "champion") or a path; `data` a file of any kind that can be read (ink
    JSONL, UNIPEN, a CSV pair, IDX, `.npz`, a folder of pictures, `samples.db`), "mnist" for MNIST's test set where it is, or a
    `Dataset`. A label that the model does not know counts as wrong: it has a row of its own in the confusion matrix, after the
    model's classes, and a column of zeros. Raises `ModelFileError` when the model cannot be used, `InputError` for unusable data.
    """
    if isinstance(model, Model):
        model = Reader(model)
    elif not isinstance(model, Reader):
        model = Reader.open(model, data_dir=data_dir)
    if not isinstance(data, Dataset):
        data = _mnist_test_set(user_data_dir(data_dir)) if data == "mnist" else read_dataset(Path(data))
    return score_with(model, data)


def _mnist_test_set(folder: Path) -> Dataset:
    path = find_mnist(folder=folder)
    if path is None:
        raise DataMissingError(
            "MNIST is not on this machine.",
            "Set QTDIGITS_MNIST to mnist.npz, or run: qtdigits evaluate default --on mnist",
        )
    return load_mnist(path).test


def evaluate_by_writer(model: Model, dataset: Dataset) -> dict[str, Score]:
    """Score `model` for each writer, by name. Raises `InputError` when the dataset has no writers."""
    return scores_by_writer(answers_of(Reader(model), dataset), dataset)


@dataclass(frozen=True, eq=False)
class Answers:
    """A model's answers: `truth` and `answer`, `(n,)` indices into `classes`, and the `(n,)` probabilities of the answers.

    Answers below `undecided_below` are undecided, and count all the same.
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
        """Return the answers with the `(n, 28, 28)` drawings that were read."""
        return ReadDrawings(self.classes, images, self.truth, self.answer, self.confidence)

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """`(n,)`; always false for a label that the model does not know."""
        right: NDArray[np.bool_] = self.answer == self.truth
        return right

    @property
    def misread(self) -> NDArray[np.int64]:
        """Indices of the misread drawings, the surest mistake first."""
        wrong = np.flatnonzero(~self.is_right)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")]

    def take(self, chosen: NDArray[np.bool_]) -> Answers:
        """Return those where `chosen` `(n,)` is true."""
        return replace(
            self,
            truth=self.truth[chosen],
            answer=self.answer[chosen],
            confidence=self.confidence[chosen],
        )

    def caption(self, index: int) -> str:
        """Return label, answer and probability of a drawing, such as "4 as 9, 97 %"."""
        truth, answer = self.classes[self.truth[index]], self.classes[self.answer[index]]
        return f"{truth} as {answer}, {percent(float(self.confidence[index]), 0)}"


def scores_by_writer(answers: Answers, dataset: Dataset) -> dict[str, Score]:
    """Score the answers to `dataset` for each writer. Raises `InputError` when it has no writers."""
    if len(dataset.writers) != len(dataset):
        raise InputError(f"{dataset.name} does not say who wrote what.", "Choose data with writers.")
    by = np.asarray(dataset.writers)
    return {writer: answers.take(by == writer).score for writer in sorted(set(dataset.writers))}


def score_with(
    reader: Reader, dataset: Dataset, *, progress: Callable[[int, int], None] = lambda done, total: None
) -> Score:
    """Score as `evaluate` does, with a reader; `progress` gets done and total, and may raise to cancel."""
    return answers_of(reader, dataset, progress=progress).score


def answers_of(
    reader: Reader, dataset: Dataset, *, progress: Callable[[int, int], None] = lambda done, total: None
) -> Answers:
    """Read every drawing. `classes` are the model's, then the labels that it does not know.

    `progress` gets done and total, and may raise to cancel.
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

"""Scoring a model on drawings that it may or may not have been trained on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from qtdigits.core.metrics import Score, confusion_matrix, expected_calibration_error
from qtdigits.core.models import Model
from qtdigits.core.samples import Dataset
from qtdigits.errors import InputError
from qtdigits.reader.reader import Reader

CHUNK = 1024


def evaluate(model: Model, dataset: Dataset) -> Score:
    """How `model` reads `dataset`.

    A label that the model does not know counts as wrong: it has a row of its own in the confusion matrix, after the model's
    classes, and a column of zeros. Raises `ModelFileError` when the model cannot be used.
    """
    return score_with(Reader(model), dataset)


def evaluate_by_writer(model: Model, dataset: Dataset) -> dict[str, Score]:
    """A score for each writer, by name. Raises `InputError` when the dataset does not say who wrote what."""
    if len(dataset.writers) != len(dataset):
        raise InputError(f"{dataset.name} does not say who wrote what.", "Choose data with writers.")
    reader = Reader(model)
    by = np.asarray(dataset.writers)
    return {
        writer: score_with(reader, dataset.take(np.flatnonzero(by == writer)))
        for writer in sorted(set(dataset.writers))
    }


def score_with(
    reader: Reader, dataset: Dataset, *, progress: Callable[[int, int], None] = lambda done, total: None
) -> Score:
    """As `evaluate`, by a reader; `progress` gets how many of how many are read, and may raise to give up."""
    known = reader.label_set.labels
    classes = (*known, *sorted(set(dataset.labels) - set(known)))
    place = {label: number for number, label in enumerate(classes)}
    truth = np.array([place[label] for label in dataset.labels], np.int64)
    answer = np.empty(len(dataset), np.int64)
    confidence = np.empty(len(dataset), np.float32)
    for first in range(0, len(dataset), CHUNK):
        progress(first, len(dataset))
        part = slice(first, first + CHUNK)
        probabilities = reader.read_many(dataset.images[part])
        answer[part], confidence[part] = probabilities.argmax(axis=1), probabilities.max(axis=1)
    error = expected_calibration_error(confidence, answer == truth)
    return Score(classes, confusion_matrix(truth, answer, len(classes)), error)

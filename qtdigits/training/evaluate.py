"""Scoring a model on a dataset."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import LabelSet
from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.formatting import percent
from qtdigits.core.memory import Memory
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


@dataclass(frozen=True, eq=False)
class Answers:
    """A model's answers: `truth` and `answer`, `(n,)` indices into `classes`, and the `(n,)` probabilities of the answers.

    Those that are `undecided`, `(n,)` (None: nobody looked), count all the same.
    """

    classes: tuple[str, ...]
    truth: NDArray[np.int64]
    answer: NDArray[np.int64]
    confidence: NDArray[np.float32]
    undecided: NDArray[np.bool_] | None = None

    @property
    def score(self) -> Score:
        is_right, undecided = self.is_right, self.undecided
        return Score(
            self.classes,
            confusion_matrix(self.truth, self.answer, len(self.classes)),
            expected_calibration_error(self.confidence, is_right),
            undecided=None if undecided is None else int(undecided.sum()),
            undecided_correct=None if undecided is None else int((undecided & is_right).sum()),
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
            undecided=None if self.undecided is None else self.undecided[chosen],
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
    dataset = _as_shown(reader, dataset)
    classes, truth = _classes_and_truth(reader, dataset)
    answer = np.empty(len(dataset), np.int64)
    confidence, similarity = np.empty(len(dataset), np.float32), np.empty(len(dataset), np.float32)
    for part in _chunks(len(dataset), progress):
        probabilities, similarity[part] = reader.read_and_compare(dataset.images[part], threads=_threads())
        answer[part], confidence[part] = probabilities.argmax(axis=1), probabilities.max(axis=1)
    undecided = are_undecided(confidence, reader.undecided_below, similarity, reader.unlike_below)
    return Answers(classes, truth, answer, confidence, undecided)


def are_first_of_class(dataset: Dataset, n: int) -> NDArray[np.bool_]:
    """Whether each drawing is among the first `n` of its class by its writer. Data without writers is one writer's."""
    seen: Counter[tuple[str, str]] = Counter()
    flags = np.zeros(len(dataset), bool)
    for i, key in enumerate(zip(_writers_of(dataset), dataset.labels, strict=True)):
        flags[i] = seen[key] < n
        seen[key] += 1
    return flags


def answers_with_memory(
    reader: Reader,
    dataset: Dataset,
    are_remembered: NDArray[np.bool_],
    *,
    among_all: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Answers:
    """Read each writer's drawings with a memory of those that `are_remembered` `(n,)`; return the answers to all others.

    An answer is one of the dataset's labels, or with `among_all` one of those that the model or the memory knows. The model's
    probabilities are scaled to add up to one over these before memory has its say.
    """
    dataset = _as_shown(reader, dataset)
    classes, truth = _classes_and_truth(reader, dataset)
    answer, confidence = np.zeros(len(dataset), np.int64), np.zeros(len(dataset), np.float32)
    probabilities, embeddings = _read_and_embed(reader, dataset.images, progress)
    writers = _writers_of(dataset)
    memories = {writer: Memory() for writer in writers}
    for i in np.flatnonzero(are_remembered):
        memories[writers[i]].add(embeddings[i], dataset.labels[i])
    known, drawn = reader.label_set.labels, set(dataset.labels)
    possible = [k for k, label in enumerate(known) if among_all or label in drawn]
    candidates, given = tuple(known[k] for k in possible), probabilities[:, possible]
    if len(possible) < len(known):
        given = given / np.maximum(given.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    place = {label: number for number, label in enumerate(classes)}
    likeness = reader.likeness(embeddings)
    if reader.unlike_below:
        likeness = likeness[:, possible]
    similarity = reader.similarity_of(likeness)
    is_prototype = np.zeros(len(dataset), bool)
    for i in np.flatnonzero(~are_remembered):
        memory = memories[writers[i]]
        neighbours = memory.neighbours(embeddings[i])
        similarity[i] = max([similarity[i], *(one.similarity for one in neighbours[:1])])
        labels, found = memory.combine(candidates, given[i], neighbours, likeness[i])
        if not labels:  # nobody knows any of the dataset's labels: the answer is wrong whatever it is
            labels, found = known, probabilities[i]
        best = int(found.argmax())
        answer[i], confidence[i] = place[labels[best]], found[best]
        is_prototype[i] = len(memory) > 0 and best >= len(candidates)
    undecided = are_undecided(
        *(confidence, reader.undecided_below, similarity, reader.unlike_below), is_prototype=is_prototype
    )
    return Answers(classes, truth, answer, confidence, undecided).take(~are_remembered)


class EmbeddingReader(Protocol):
    """Reads drawings and embeds them; a `Reader` does."""

    @property
    def label_set(self) -> LabelSet: ...

    def meaning_of(self, label: str, *, is_id: bool = False) -> str:
        """Return the label by which it calls the class of drawings with `label`, or of those with this id."""

    def read_and_embed(
        self, images: NDArray[np.uint8], *, threads: int = 1
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """`(n, 28, 28) uint8` to probabilities `(n, k)` and embeddings `(n, d)` of unit length."""


def answers_as_used(
    reader: EmbeddingReader,
    dataset: Dataset,
    *,
    are_read: NDArray[np.bool_] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Answers, Answers]:
    """Read drawings with the network alone, and with a memory of all other drawings by their writer; return both answers.

    Those that `are_read` `(n,)` (default: all) are read; all are remembered.
    """
    dataset = _as_shown(reader, dataset)
    classes, truth = _classes_and_truth(reader, dataset)
    are_read = np.ones(len(dataset), bool) if are_read is None else are_read
    probabilities, embeddings = _read_and_embed(reader, dataset.images, progress)
    alone = Answers(classes, truth, probabilities.argmax(axis=1), probabilities.max(axis=1, initial=0))
    answer, confidence = alone.answer.copy(), alone.confidence.copy()
    writers, known = _writers_of(dataset), reader.label_set.labels
    memories = {writer: Memory() for writer in writers}
    for i, (writer, label) in enumerate(zip(writers, dataset.labels, strict=True)):
        memories[writer].add(embeddings[i], label, key=i)
    n_of = Counter(zip(writers, dataset.labels, strict=True))
    place = {label: number for number, label in enumerate(classes)}
    for number, i in enumerate(np.flatnonzero(are_read).tolist()):
        if number % CHUNK == 0:
            progress(len(dataset), len(dataset))
        writer, label = writers[i], dataset.labels[i]
        memory = memories[writer]
        is_only_one = n_of[writer, label] == 1
        if is_only_one:  # without it the class is not remembered at all
            memory.forget(i)
        found = [one for one in memory.neighbours(embeddings[i], memory.nearest + 1) if one.key != i]
        labels, combined = memory.combine(known, probabilities[i], found[: memory.nearest])
        if is_only_one:
            memory.add(embeddings[i], label, key=i)
        best = int(combined.argmax())
        answer[i], confidence[i] = place[labels[best]], combined[best]
    used = replace(alone, answer=answer, confidence=confidence)
    return alone.take(are_read), used.take(are_read)


def _read_and_embed(
    reader: EmbeddingReader, images: NDArray[np.uint8], progress: Callable[[int, int], None]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    parts = [
        reader.read_and_embed(images[part], threads=_threads()) for part in _chunks(len(images), progress)
    ] or [reader.read_and_embed(images)]
    return np.concatenate([p for p, _ in parts]), np.concatenate([e for _, e in parts])


def _chunks(n: int, progress: Callable[[int, int], None]) -> Iterator[slice]:
    for first in range(0, n, CHUNK):
        progress(first, n)
        yield slice(first, first + CHUNK)


def _threads() -> int:
    return max(1, min(MOST_THREADS, os.cpu_count() or 1))


def _as_shown(reader: EmbeddingReader, dataset: Dataset) -> Dataset:
    """Return the data with the labels by which the reader calls the classes."""
    is_id = dataset.labels_are_ids
    meanings = {label: reader.meaning_of(label, is_id=is_id) for label in set(dataset.labels)}
    return replace(dataset, labels=tuple(meanings[label] for label in dataset.labels), labels_are_ids=False)


def _classes_and_truth(
    reader: EmbeddingReader, dataset: Dataset
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The model's classes, then the labels that it does not know; and the place of each drawing's label among them, `(n,)`."""
    known = reader.label_set.labels
    classes = (*known, *sorted(set(dataset.labels) - set(known)))
    place = {label: number for number, label in enumerate(classes)}
    return classes, np.array([place[label] for label in dataset.labels], np.int64)


def _writers_of(dataset: Dataset) -> tuple[str, ...]:
    return dataset.with_default_writer("").writers

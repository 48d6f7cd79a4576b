"""Measures the writer matrix: a model learns from each writer in turn, and each of these models reads every writer's drawings.

The hold-out is never trained on. A writer's own model is scored on the writer's hold-out, all other models, which have seen
none of the writer's drawings, on all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.classes import AS_TRAINED, Classes
from qtdigits.core.drawing.samples import MNIST, Dataset
from qtdigits.core.model import Model
from qtdigits.core.recipe_files import load_recipe
from qtdigits.core.run.control import Control
from qtdigits.core.score.comparison import PairedComparison
from qtdigits.core.score.writers import ALL_OTHERS, BASE, MatrixRow, WriterMatrix
from qtdigits.errors import CancelledError, InputError
from qtdigits.reader import Reader
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.compare import held_out_of
from qtdigits.training.consolidate import RECIPE, Learner
from qtdigits.training.data_cache import DataCache, Progress
from qtdigits.training.evaluate import answers_of
from qtdigits.training.model_upgrade import readable


def writer_matrix(
    drawings: Dataset,
    *,
    held_out: NDArray[np.bool_],
    base: Model,
    learner: Learner,
    writers: Collection[str] | None = None,
    progress: Progress = lambda what, done, total: None,
    control: Control | None = None,
    classes: Classes = AS_TRAINED,
) -> WriterMatrix:
    """Return the matrix of the `writers` (None: all) of `drawings`, with `base`, which was loaded with its weights.

    `held_out`, `(n,)`, marks drawings that are not trained on; `classes` are what outputs of models
    stand for. A stop returns the complete rows, a cancel raises
    `CancelledError`. Raises `InputError` for fewer than two writers.
    """
    if len(drawings.writers) != len(drawings):
        raise InputError(f"{drawings.name} does not say who wrote what.", "Choose ink with writers.")
    names = [name for name in dict.fromkeys(drawings.writers) if writers is None or name in writers]
    if len(names) < 2:
        raise InputError("A writer matrix needs the drawings of two writers.", "Add another writer.")
    base = replace(base, label_set=classes.current(base.label_set))
    return _Measurement(
        drawings, held_out, base, learner, tuple(names), progress, control or Control(), classes
    ).matrix()


@dataclass(frozen=True, eq=False)
class _Measurement:
    drawings: Dataset
    held_out: NDArray[np.bool_]
    base: Model
    learner: Learner
    writers: tuple[str, ...]
    progress: Progress
    control: Control
    classes: Classes

    def matrix(self) -> WriterMatrix:
        before = self._is_right(self.base)
        first = {name: PairedComparison.of(before[by], before[by]) for name, by in self._columns()}
        rows = [MatrixRow(BASE, BASE, 0, first)]
        is_whole = True
        try:
            for row in self._learned_rows(before):
                rows.append(row)  # noqa: PERF402 - what came before a stop is kept
        except CancelledError:
            if self.control.is_cancelled:
                raise
            is_whole = False
        return WriterMatrix(self.base.name, self.drawings.name, self.writers, tuple(rows), is_whole)

    def _learned_rows(self, before: NDArray[np.bool_]) -> Iterator[MatrixRow]:
        """Yield a row for each writer with drawings to learn from, then that of the models that learned from all but one."""
        total = 2 * len(self.writers)
        after = before
        for done, writer in enumerate(self.writers):
            own = self._by(writer)
            chosen = own & ~self.held_out
            if not chosen.any():
                continue
            self.progress(writer, done, total)
            after = self._after_learning(chosen)
            cells = {}
            for name, by in self._columns():
                read = by & self.held_out if name == writer else by
                cells[name] = PairedComparison.of(before[read], after[read])
            yield MatrixRow("writer", writer, int(chosen.sum()), cells)
        left_out = {}
        everybody = np.isin(np.asarray(self.drawings.writers), self.writers)
        for done, (name, by) in enumerate(self._columns(), len(self.writers)):
            chosen = everybody & ~by & ~self.held_out
            if chosen.any():
                self.progress(f"all but {name}", done, total)
                after = self._after_learning(chosen)
                left_out[name] = PairedComparison.of(before[by], after[by])
        yield MatrixRow(ALL_OTHERS, ALL_OTHERS, 0, left_out)
        self.progress("", total, total)

    def _columns(self) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Yield each writer, and `(n,)` which drawings are the writer's."""
        return ((name, self._by(name)) for name in self.writers)

    def _by(self, writer: str) -> NDArray[np.bool_]:
        is_by: NDArray[np.bool_] = np.asarray(self.drawings.writers) == writer
        return is_by

    def _after_learning(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return `(n,)`: whether each drawing is read right by the model that learned from the `chosen`."""
        self.control.raise_if_stopping()
        own = self.drawings.take(np.flatnonzero(chosen))
        model = self.learner.learned_model(self.base, own, name="learned", control=self.control)
        self.control.raise_if_stopping()  # an interrupted training says nothing about the writer
        return self._is_right(model)

    def _is_right(self, model: Model) -> NDArray[np.bool_]:
        answers = answers_of(
            Reader(model, classes=self.classes),
            self.drawings,
            progress=lambda done, total: self.control.raise_if_cancelled(),
        )
        return answers.is_right


@dataclass(frozen=True, eq=False)
class WriterDrawings:
    """All stored drawings with their ink, and `(n,)` which are held out; without `n_doubted` others, whose labels are doubted."""

    drawings: Dataset
    held_out: NDArray[np.bool_]
    n_doubted: int
    classes: Classes

    @classmethod
    def of(cls, folder: Path) -> WriterDrawings:
        """Read the store in `folder`. Raises `StoreError`."""
        with SampleStore.open(folder) as store:
            drawings = store.dataset(with_ink=True)
            held_out, n_doubted = held_out_of(store, drawings), store.count(is_suspect=True)
            return cls(drawings, held_out, n_doubted, store.class_table.all())


def stored_writer_matrix(
    folder: Path, *, model: Path, cache: DataCache, control: Control, progress: Progress
) -> WriterMatrix:
    """Return the matrix of the store in `folder`, with the model at `model` as the base.

    A stop returns the complete rows, a cancel raises `CancelledError`. Raises errors that name what cannot be used.
    """
    progress("Reading the drawings", 0, 0)
    stored = WriterDrawings.of(folder)
    base = readable(model, folder)
    control.raise_if_stopping()
    mnist = cache.mnist(folder=folder)
    if mnist is None:
        rehearsal = cache.rehearsal(lambda done, total: progress("Drawing synthetic ink", done, total))
    else:
        rehearsal = replace(mnist.training, name=MNIST)

    def report(what: str, done: int, total: int) -> None:
        progress(f"Learning from {what}" if what else "Done", done, total)

    return writer_matrix(
        stored.drawings,
        held_out=stored.held_out,
        base=base,
        learner=Learner(load_recipe(RECIPE), rehearsal),
        progress=report,
        control=control,
        classes=stored.classes,
    )

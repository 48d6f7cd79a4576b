"""Replay: models scored on drawings that were made long ago, kept apart by what a model can know of them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.metrics import wilson_interval
from qtdigits.core.models import Model
from qtdigits.core.samples import Dataset
from qtdigits.reader.reader import Reader
from qtdigits.store.model_files import load_model
from qtdigits.store.samples import SampleStore

CHUNK = 4096
MOST_THREADS = 2
"""What reads beside the window must leave it some processors."""

Progress = Callable[[int, int], None]


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
        accuracy = self.accuracy if self.n else None
        return {"n": self.n, "correct": self.correct, "accuracy": accuracy, "interval": list(self.interval)}


@dataclass(frozen=True)
class Replayed:
    """One model on all drawings; `name` is that of its file, by which it is found again.

    `hold_out`: never trained on by anybody. `not_learned`: might be trained on, but this model was not. `learned`: this model
    was, or may have been, trained on them, so that they say little about the next drawing.
    """

    name: str
    path: Path
    hold_out: Tally
    not_learned: Tally
    learned: Tally

    def to_json(self) -> dict[str, Any]:
        parts = {part: getattr(self, part).to_json() for part in ("hold_out", "not_learned", "learned")}
        return {"name": self.name, "path": str(self.path), **parts}


@dataclass(frozen=True, eq=False)
class Drawings:
    """Stored drawings, read once for all models. `is_held_out` is `(n,)`."""

    dataset: Dataset
    is_held_out: NDArray[np.bool_]

    @classmethod
    def of(cls, store: SampleStore, *, writer: str | None = None) -> Drawings:
        """Every drawing of `writer`, None: of everybody. Ink that an older preprocessing rendered is rendered anew."""
        dataset = store.dataset(writer=writer)
        held_out = store.ids(writer=writer, held_out=True)
        return cls(dataset, np.isin(np.asarray(dataset.ids, np.int64), held_out))

    def __len__(self) -> int:
        return len(self.dataset)


def replay(
    paths: Sequence[Path], drawings: Drawings, *, progress: Progress = lambda done, total: None
) -> list[Replayed]:
    """Each model on each drawing. Raises `ModelFileError` for a model that cannot be used; `progress` may raise to give up."""
    total = len(paths) * len(drawings)
    found = []
    for number, path in enumerate(paths):

        def report(done: int, before: int = number * len(drawings)) -> None:
            progress(before + done, total)

        model = load_model(path, weights=False)
        right = _are_right(Reader(model), drawings.dataset, report)
        learned = ~drawings.is_held_out & may_have_learned(model, drawings.dataset)
        rest = ~drawings.is_held_out & ~learned
        parts = (drawings.is_held_out, rest, learned)
        found.append(Replayed(path.stem, path, *(Tally(int(p.sum()), int(right[p].sum())) for p in parts)))
    progress(total, total)
    return found


def may_have_learned(model: Model, dataset: Dataset) -> NDArray[np.bool_]:
    """`(n,)`: which drawings the model was, or may have been, trained on, if they were not held out.

    A model that learned one hand had the drawings of others for rehearsal, so it does not matter whose they are. One that does
    not say up to which drawing it was trained may have learned from all of them.
    """
    drawings = model.provenance.get("drawings")
    last = drawings.get("last_sample") if isinstance(drawings, Mapping) else None
    if isinstance(last, int):
        return np.array([sample <= last for sample in dataset.ids], bool)
    sources = model.provenance.get("sources") or ()
    return np.full(len(dataset), any(source.get("name") == "drawings" for source in sources))


def _are_right(reader: Reader, dataset: Dataset, progress: Callable[[int], None]) -> NDArray[np.bool_]:
    """`(n,)`; a label that the model does not know is never read rightly."""
    place = {label: number for number, label in enumerate(reader.label_set.labels)}
    truth = np.array([place.get(label, -1) for label in dataset.labels], np.int64)
    answer = np.empty(len(dataset), np.int64)
    threads = max(1, min(MOST_THREADS, os.cpu_count() or 1))
    for first in range(0, len(dataset), CHUNK):
        progress(first)
        part = slice(first, first + CHUNK)
        answer[part] = reader.read_many(dataset.images[part], threads=threads).argmax(axis=1)
    right: NDArray[np.bool_] = answer == truth
    return right

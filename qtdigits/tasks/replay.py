"""Replay: models scored on drawings that were made long ago, kept apart by what a model can know of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.models import Model
from qtdigits.core.score.metrics import Tally
from qtdigits.errors import ModelFileError
from qtdigits.reader.reader import Reader
from qtdigits.store.model.model_files import load_model
from qtdigits.store.tables.database import FILE_NAME
from qtdigits.store.tables.samples import SampleStore
from qtdigits.tasks.evaluate import answers_of

Progress = Callable[[int, int], None]


NOTHING = Tally(0, 0)


@dataclass(frozen=True)
class Parts:
    """One model on stored drawings, kept apart by what it can know of them.

    `hold_out`: never trained on by anybody. `not_learned`: might be trained on, but this model was not. `learned`: this model
    was, or may have been, trained on them, so that they say little about the next drawing.
    """

    hold_out: Tally = NOTHING
    not_learned: Tally = NOTHING
    learned: Tally = NOTHING

    @classmethod
    def of(
        cls, is_right: NDArray[np.bool_], is_held_out: NDArray[np.bool_], is_learned: NDArray[np.bool_]
    ) -> Parts:
        """From `(n,)` each: what is held out is not learned, whatever `is_learned` says."""
        learned = ~is_held_out & is_learned
        chosen = (is_held_out, ~is_held_out & ~learned, learned)
        return cls(*(Tally(int(part.sum()), int(is_right[part].sum())) for part in chosen))

    def to_json(self) -> dict[str, Any]:
        return {part: getattr(self, part).to_json() for part in ("hold_out", "not_learned", "learned")}


@dataclass(frozen=True)
class Replayed:
    """One model on all drawings; `name` is that of its file, by which it is found again. `error`: why it could not read them."""

    name: str
    path: Path
    parts: Parts = Parts()
    error: str = ""

    @property
    def hold_out(self) -> Tally:
        return self.parts.hold_out

    @property
    def not_learned(self) -> Tally:
        return self.parts.not_learned

    @property
    def learned(self) -> Tally:
        return self.parts.learned

    def to_json(self) -> dict[str, Any]:
        about = {"name": self.name, "path": str(self.path)}
        return {**about, **self.parts.to_json(), "error": self.error or None}


@dataclass(frozen=True, eq=False)
class Drawings:
    """Stored drawings, read once for all models. `is_held_out` is `(n,)`."""

    dataset: Dataset
    is_held_out: NDArray[np.bool_]

    @classmethod
    def of(cls, store: SampleStore, *, writer: str | None = None) -> Drawings:
        """Every drawing of `writer`, None: of everybody. Ink that an older preprocessing rendered is rendered anew."""
        dataset = store.dataset(writer=writer)
        return cls(dataset, held_out_of(store, dataset))

    def __len__(self) -> int:
        return len(self.dataset)


def replay(
    paths: Sequence[Path], drawings: Drawings, *, progress: Progress = lambda done, total: None
) -> list[Replayed]:
    """Each model on each drawing; one that cannot be used says so in its place. `progress` may raise to give up."""
    total = len(paths) * len(drawings)
    found = []
    for number, path in enumerate(paths):

        def report(done: int, _of: int, before: int = number * len(drawings)) -> None:
            progress(before + done, total)

        try:
            model = load_model(path, weights=False)
            right = answers_of(Reader(model), drawings.dataset, progress=report).is_right
        except ModelFileError as error:
            found.append(Replayed(path.stem, path, error=str(error)))
            continue
        learned = may_have_learned(model, drawings.dataset)
        found.append(Replayed(path.stem, path, Parts.of(right, drawings.is_held_out, learned)))
    progress(total, total)
    return found


def held_out_of(store: SampleStore, dataset: Dataset) -> NDArray[np.bool_]:
    """`(n,)`: which drawings of `dataset`, which was read from `store`, are held out."""
    is_held_out: NDArray[np.bool_] = np.isin(np.asarray(dataset.ids, np.int64), store.ids(held_out=True))
    return is_held_out


def parts_of_file(
    model: Model, dataset: Dataset, is_right: NDArray[np.bool_], *, path: Path, own_store: Path
) -> Parts:
    """How `model` read `dataset`, the drawings of the store at `path`, kept apart. Raises `StoreError`.

    In another store than `own_store`, the ids that a model remembers mean other drawings: if it learned from any, it may have
    learned from these, which could have been merged.
    """
    file = path / FILE_NAME if path.is_dir() else path
    with SampleStore.open_read_only(file) as store:
        held_out = held_out_of(store, dataset)
    if own_store.exists() and file.samefile(own_store):
        learned = may_have_learned(model, dataset)
    else:
        learned = np.full(len(dataset), model.has_learned_from_stored)
    return Parts.of(is_right, held_out, learned)


def may_have_learned(model: Model, dataset: Dataset) -> NDArray[np.bool_]:
    """`(n,)`: which drawings the model was, or may have been, trained on, if they were not held out.

    A model that learned one hand had the drawings of others for rehearsal, so it does not matter whose they are. One that does
    not say up to which drawing it was trained may have learned from all of them.
    """
    last = model.last_learned_sample
    if last is not None:
        return np.array([sample <= last for sample in dataset.ids], bool)
    return np.full(len(dataset), model.has_learned_from_stored)

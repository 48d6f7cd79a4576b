"""Replay: models scored on drawings that were made long ago, kept apart by what a model can know of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.samples import Dataset, Origin
from qtdigits.core.models import Model
from qtdigits.core.score.metrics import Tally
from qtdigits.errors import ModelFileError
from qtdigits.reader.reader import Reader
from qtdigits.store.model.model_files import load_model
from qtdigits.store.tables.database import FILE_NAME
from qtdigits.store.tables.samples import SampleStore
from qtdigits.tasks.evaluate import answers_of
from qtdigits.tasks.lineage import Headers, files_learned

Progress = Callable[[int, int], None]


NOTHING = Tally(0, 0)


@dataclass(frozen=True)
class Parts:
    """One model on stored drawings, kept apart by what it can know of them.

    `hold_out`: never trained on by anybody. `not_learned`: might be trained on, but this model was not. `learned`: this model
    was, or may have been, trained on them, so that they say little about the next drawing. `of_files`: imported, while the model
    was trained on files; these may be the same, so that nobody knows what they say.
    """

    hold_out: Tally = NOTHING
    not_learned: Tally = NOTHING
    learned: Tally = NOTHING
    of_files: Tally = NOTHING

    @classmethod
    def of(
        cls,
        is_right: NDArray[np.bool_],
        is_held_out: NDArray[np.bool_],
        is_learned: NDArray[np.bool_],
        is_of_files: NDArray[np.bool_],
    ) -> Parts:
        """From `(n,)` each: what is held out is not learned from the store, whatever `is_learned` says, but may be of a file."""
        learned = ~is_held_out & is_learned
        of_files = ~learned & is_of_files
        clean = ~learned & ~of_files
        chosen = (clean & is_held_out, clean & ~is_held_out, learned, of_files)
        return cls(*(Tally(int(part.sum()), int(is_right[part].sum())) for part in chosen))

    @property
    def n(self) -> int:
        return sum(part.n for part in (self.hold_out, self.not_learned, self.learned, self.of_files))

    def to_json(self) -> dict[str, Any]:
        return {part.name: getattr(self, part.name).to_json() for part in fields(self)}


@dataclass(frozen=True)
class Replayed:
    """One model on all drawings; `name` is that of its file, by which it is found again. `error`: why it could not read them."""

    name: str
    path: Path
    parts: Parts = Parts()
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        about = {"name": self.name, "path": str(self.path)}
        return {**about, **self.parts.to_json(), "error": self.error or None}


@dataclass(frozen=True, eq=False)
class Drawings:
    """Stored drawings, read once for all models. `is_held_out` and `origins` are `(n,)`."""

    dataset: Dataset
    is_held_out: NDArray[np.bool_]
    origins: NDArray[np.str_]

    @classmethod
    def of(cls, store: SampleStore, *, writer: str | None = None) -> Drawings:
        """Every drawing of `writer`, None: of everybody. Ink that an older preprocessing rendered is rendered anew."""
        dataset = store.dataset(writer=writer)
        return cls(dataset, held_out_of(store, dataset), origins_of(store, dataset))

    def __len__(self) -> int:
        return len(self.dataset)


def replay(
    paths: Sequence[Path],
    drawings: Drawings,
    *,
    header_of: Headers,
    progress: Progress = lambda done, total: None,
) -> list[Replayed]:
    """Each model on each drawing; one that cannot be used says so in its place. `progress` may raise to give up.

    `header_of` looks up the models that they were trained on from.
    """
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
        of_files = may_be_of_files(model, drawings.origins, header_of)
        found.append(Replayed(path.stem, path, Parts.of(right, drawings.is_held_out, learned, of_files)))
    progress(total, total)
    return found


def held_out_of(store: SampleStore, dataset: Dataset) -> NDArray[np.bool_]:
    """`(n,)`: which drawings of `dataset`, which was read from `store`, are held out."""
    is_held_out: NDArray[np.bool_] = np.isin(np.asarray(dataset.ids, np.int64), store.ids(held_out=True))
    return is_held_out


def origins_of(store: SampleStore, dataset: Dataset) -> NDArray[np.str_]:
    """`(n,)`: the `Origin` of each drawing of `dataset`, which was read from `store`."""
    ids = np.asarray(dataset.ids, np.int64)
    is_of = [np.isin(ids, store.ids(origin=origin)) for origin in Origin]
    return np.select(is_of, [origin.value for origin in Origin], "")


def parts_of_file(
    model: Model,
    dataset: Dataset,
    is_right: NDArray[np.bool_],
    *,
    path: Path,
    own_store: Path,
    header_of: Headers,
) -> Parts:
    """How `model` read `dataset`, the drawings of the store at `path`, kept apart. Raises `StoreError`.

    In another store than `own_store`, the ids that a model remembers mean other drawings: if it learned from any, it may have
    learned from these, which could have been merged.
    """
    file = path / FILE_NAME if path.is_dir() else path
    with SampleStore.open_read_only(file) as store:
        held_out, origins = held_out_of(store, dataset), origins_of(store, dataset)
    if own_store.exists() and file.samefile(own_store):
        learned = may_have_learned(model, dataset)
    else:
        learned = np.full(len(dataset), model.has_learned_from_stored)
    return Parts.of(is_right, held_out, learned, may_be_of_files(model, origins, header_of))


def may_have_learned(model: Model, dataset: Dataset) -> NDArray[np.bool_]:
    """`(n,)`: which drawings the model was, or may have been, trained on, if they were not held out.

    A model that learned one hand had the drawings of others for rehearsal, so it does not matter whose they are. One that does
    not say up to which drawing it was trained may have learned from all of them.
    """
    last = model.last_learned_sample
    if last is not None:
        return np.array([sample <= last for sample in dataset.ids], bool)
    return np.full(len(dataset), model.has_learned_from_stored)


def may_be_of_files(model: Model, origins: NDArray[np.str_], header_of: Headers) -> NDArray[np.bool_]:
    """`(n,)`: which drawings were imported from files such as the model was trained on: of each file only a digest is known.

    A CSV pair holds other drawings than an ink collection does; ink files and pictures are not told apart.
    """
    files = files_learned(model, header_of)
    has_csv, has_others = any(".csv" in name for name in files), any(".csv" not in name for name in files)
    is_csv, is_drawn = origins == Origin.CSV_PAIR, origins == Origin.DRAWN
    found: NDArray[np.bool_] = (is_csv & has_csv) | (~is_csv & ~is_drawn & has_others)
    return found

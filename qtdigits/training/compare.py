"""Models compared: their ancestors, their scores on drawings by what each can have learned from them, and a learning curve.

Replay scores models on drawings that were made long ago. A new model is compared with the champion on drawings that neither may
have been trained on. The points of a learning curve are models that were judged on a writer's drawings before learning from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.classes import AS_TRAINED, Classes
from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import BUILT_IN_SOURCES, Dataset, Origin, guard_split
from qtdigits.core.model import Model
from qtdigits.core.run.checkpoints import digest_of
from qtdigits.core.score.comparison import Comparison, PairedComparison
from qtdigits.core.score.learning import LearningPoint
from qtdigits.core.score.metrics import Tally
from qtdigits.errors import ModelFileError, QtDigitsError
from qtdigits.reader import Reader
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_header, load_model
from qtdigits.store.tables.database import FILE_NAME
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.evaluate import answers_as_used, answers_of

Headers = Callable[[str], Model | None]
"""The header of a model by its name or path, None where the file is missing or cannot be read."""

Progress = Callable[[int, int], None]

MOST_GUARDS = 3000
"""Images of the guard that both models read: three of them are a tenth of a percentage point."""

NOTHING = Tally(0, 0)

NO_DRAWINGS = Dataset("nothing", np.empty((0, 28, 28), np.uint8), ())


def headers_of(library: ModelLibrary) -> Headers:
    """Return a cached look-up of model headers in `library`."""

    @cache
    def header_of(name: str) -> Model | None:
        try:
            return load_header(library.find(name))
        except QtDigitsError:
            return None

    return header_of


def ancestors(model: Model, header_of: Headers) -> Iterator[Model]:
    """Yield `model`, the model its training started from, and so on, as far as they are known."""
    seen: set[str] = set()
    known: Model | None = model
    while known is not None and known.name not in seen:
        yield known
        seen.add(known.name)
        base = Path(str(known.provenance.get("base") or "")).stem
        known = header_of(base) if base else None


def files_learned(model: Model, header_of: Headers) -> frozenset[str]:
    """Return the names of the files that the model and its ancestors were trained on, as far as they say."""
    return frozenset(str(source.get("name")) for source in _sources(model, header_of)) - BUILT_IN_SOURCES


def was_trained_on(model: Model, drawings: Dataset, header_of: Headers) -> bool:
    """Whether the model or one of its ancestors was trained on exactly these drawings; a part of them is not recognised."""
    digest = digest_of(drawings)
    return any(source.get("sha256") == digest for source in _sources(model, header_of))


def root_ancestor(model: Model, library: ModelLibrary) -> Model:
    """Return the model before the personal trainings that led to this one, with its weights; itself where there were none.

    It still reads everybody as it was trained to. The search ends where a file is missing, damaged, or of another network.
    """
    line: list[Model] = []
    for known in ancestors(model, headers_of(library)):
        if known.recipe.network != model.recipe.network:
            break
        line.append(known)
        if not known.recipe.is_personal:
            break
    for first in reversed(line[1:]):
        try:
            return library.load(library.find(first.name), weights=True)
        except QtDigitsError:
            continue
    return model


@dataclass(frozen=True)
class Parts:
    """One model on stored drawings, split by whether it can have learned from them.

    `hold_out`: no model is ever trained on them. `not_learned`: this model was not trained on them. `learned`: this model was, or
    may have been, trained on them, so that they say little about the next drawing. `of_files`: imported drawings, while the model
    was trained on files that may be the same, so that they prove nothing.
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
        """Count from `(n,)` flags. Held-out drawings are never learned from the store, but may be of a file."""
        learned = ~is_held_out & is_learned
        of_files = ~learned & is_of_files
        clean = ~learned & ~of_files
        chosen = (clean & is_held_out, clean & ~is_held_out, learned, of_files)
        return cls(*(Tally(int(part.sum()), int(is_right[part].sum())) for part in chosen))

    @property
    def fair(self) -> Tally:
        """What the model was not trained on, held out or not."""
        return Tally(self.hold_out.n + self.not_learned.n, self.hold_out.correct + self.not_learned.correct)

    @property
    def n(self) -> int:
        return sum(part.n for part in (self.hold_out, self.not_learned, self.learned, self.of_files))

    def to_json(self) -> dict[str, Any]:
        return {part.name: getattr(self, part.name).to_json() for part in fields(self)}


@dataclass(frozen=True)
class Replayed:
    """One model on all drawings. `name` is the file's, by which it is found; `error` says why it could not read them.

    `with_memory` is how it reads each drawing with a memory of all others by the same writer, as the window does; None for an
    older model, whose program gives no embedding.
    """

    name: str
    path: Path
    parts: Parts = Parts()
    error: str = ""
    with_memory: Parts | None = None

    def to_json(self) -> dict[str, Any]:
        about = {"name": self.name, "path": str(self.path)}
        with_memory = self.with_memory.to_json() if self.with_memory else None
        return {**about, **self.parts.to_json(), "with_memory": with_memory, "error": self.error or None}


@dataclass(frozen=True, eq=False)
class Drawings:
    """Stored drawings, read once for all models. `is_held_out` and `origins` are `(n,)`.

    `n_doubted` others do not count: their labels are doubted. `classes` are what the outputs of models stand for.
    """

    dataset: Dataset
    is_held_out: NDArray[np.bool_]
    origins: NDArray[np.str_]
    n_doubted: int = 0
    classes: Classes = AS_TRAINED

    @classmethod
    def of(cls, store: SampleStore, *, writer: str | None = None, class_set: str = "") -> Drawings:
        """Read what counts of `writer`, None: of everybody, and of the classes of a set.

        Ink rendered by an older preprocessing is rendered again.
        """
        classes = store.class_table.all(class_set)
        dataset = store.dataset(writer=writer, among=classes.among)
        n_doubted = store.count(writer=writer, is_suspect=True, among=classes.among)
        return cls(dataset, held_out_of(store, dataset), origins_of(store, dataset), n_doubted, classes)

    def __len__(self) -> int:
        return len(self.dataset)


def replay(
    paths: Sequence[Path],
    drawings: Drawings,
    *,
    header_of: Headers,
    load: Callable[[Path], Model] = load_model,
    progress: Progress = lambda done, total: None,
) -> list[Replayed]:
    """Score each model on each drawing; one that cannot be used has an `error`. `progress` may raise to cancel.

    `load` is `ModelLibrary.load` where files may come from elsewhere.
    """
    total = len(paths) * len(drawings)
    found = []
    for number, path in enumerate(paths):

        def report(done: int, _of: int, before: int = number * len(drawings)) -> None:
            progress(before + done, total)

        try:
            model = load(path)
            reader = Reader(model, classes=drawings.classes)
            if reader.has_embedding:
                alone, used = answers_as_used(reader, drawings.dataset, progress=report)
            else:
                alone, used = answers_of(reader, drawings.dataset, progress=report), None
        except ModelFileError as error:
            found.append(Replayed(path.stem, path, error=str(error)))
            continue
        learned = may_have_learned(model, drawings.dataset)
        of_files = may_be_of_files(model, drawings.origins, header_of)
        flags = drawings.is_held_out, learned, of_files
        with_memory = Parts.of(used.is_right, *flags) if used else None
        found.append(Replayed(path.stem, path, Parts.of(alone.is_right, *flags), with_memory=with_memory))
    progress(total, total)
    return found


def held_out_of(store: SampleStore, dataset: Dataset) -> NDArray[np.bool_]:
    """Return `(n,)`: which drawings of `dataset`, which was read from `store`, are held out."""
    is_held_out: NDArray[np.bool_] = np.isin(np.asarray(dataset.ids, np.int64), store.ids(held_out=True))
    return is_held_out


def origins_of(store: SampleStore, dataset: Dataset) -> NDArray[np.str_]:
    """Return `(n,)`: the `Origin` of each drawing of `dataset`, which was read from `store`."""
    ids = np.asarray(dataset.ids, np.int64)
    is_of = [np.isin(ids, store.ids(origin=origin)) for origin in Origin]
    return np.select(is_of, [origin.value for origin in Origin], "")


def n_doubted_in(path: Path) -> int:
    """Return how many drawings of the store at `path`, a file or a data folder, do not count because their labels are doubted."""
    with SampleStore.open_read_only(_file_of(path)) as store:
        return store.count(is_suspect=True)


def _file_of(store: Path) -> Path:
    return store / FILE_NAME if store.is_dir() else store


def parts_of_file(
    model: Model,
    dataset: Dataset,
    is_right: NDArray[np.bool_],
    *,
    path: Path,
    own_store: Path,
    header_of: Headers,
) -> Parts:
    """Split how `model` read `dataset`, the drawings of the store at `path`. Raises `StoreError`.

    In another store than `own_store`, the ids that a model remembers mean other drawings: if it learned from any, it may have
    learned from these, as stores can be merged.
    """
    file = _file_of(path)
    with SampleStore.open_read_only(file) as store:
        held_out, origins = held_out_of(store, dataset), origins_of(store, dataset)
    if own_store.exists() and file.samefile(own_store):
        learned = may_have_learned(model, dataset)
    else:
        learned = np.full(len(dataset), model.has_learned_from_stored)
    return Parts.of(is_right, held_out, learned, may_be_of_files(model, origins, header_of))


def may_have_learned(model: Model, dataset: Dataset) -> NDArray[np.bool_]:
    """Return `(n,)`: which drawings the model was, or may have been, trained on, if they were not held out.

    It does not matter whose they are: a model that learned one hand rehearsed with the drawings of others. A model that does not
    name the last drawing it was trained on may have learned from all.
    """
    last = model.last_learned_sample
    if last is not None:
        return np.array([sample <= last for sample in dataset.ids], bool)
    return np.full(len(dataset), model.has_learned_from_stored)


def may_be_of_files(model: Model, origins: NDArray[np.str_], header_of: Headers) -> NDArray[np.bool_]:
    """Return `(n,)`: which drawings were imported from files of the kind that the model was trained on.

    Only the digest of a whole file is known. CSV pairs hold other drawings than ink collections; ink files and pictures are not
    told apart.
    """
    files = files_learned(model, header_of)
    has_csv, has_others = any(".csv" in name for name in files), any(".csv" not in name for name in files)
    is_csv, is_drawn = origins == Origin.CSV_PAIR, origins == Origin.DRAWN
    found: NDArray[np.bool_] = (is_csv & has_csv) | (~is_csv & ~is_drawn & has_others)
    return found


@dataclass(frozen=True, eq=False)
class Rivals:
    """The model in use `old` and a new one that began as `base` (None: from scratch), on the stored drawings of a writer.

    Both read as they are used: each drawing with a memory of all others.
    """

    old: Model
    new: Model
    base: Model | None
    drawings: Drawings

    @property
    def are_learned(self) -> NDArray[np.bool_]:
        """`(n,)`: the drawings that only the new model has learned from: it needs others to read them in its place."""
        return self._are_drawn & ~self._learned_before & may_have_learned(self.new, self.drawings.dataset)

    @property
    def _are_drawn(self) -> NDArray[np.bool_]:
        """Drawn here and not held out. A model may have learned from an imported file elsewhere."""
        is_drawn: NDArray[np.bool_] = self.drawings.origins == Origin.DRAWN
        return is_drawn & ~self.drawings.is_held_out

    @property
    def _learned_before(self) -> NDArray[np.bool_]:
        """What the model in use, or the one that the new one began as, may have learned from."""
        known = [model for model in (self.old, self.base) if model is not None]
        learned: NDArray[np.bool_] = np.any(
            [may_have_learned(model, self.drawings.dataset) for model in known], axis=0
        )
        return learned

    def compare(
        self,
        reader: Reader,
        *,
        guard: Dataset = NO_DRAWINGS,
        out_of_fold: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None,
    ) -> Comparison:
        """Compare the new model, as read by `reader`, with the one in use; MNIST's `guard` is read without memory.

        `out_of_fold`: which learned drawings were read by networks that had not learned from them, and which right, `(n,)` each.
        Raises `ModelFileError` when the model in use cannot be used.
        """
        dataset, in_use = self.drawings.dataset, Reader(self.old)
        of_others = (answers_of(in_use, guard).is_right, answers_of(reader, guard).is_right)
        for one in (in_use, reader):
            one.show_as(self.drawings.classes)
        before, after = (answers_as_used(one, dataset)[1].is_right for one in (in_use, reader))
        are_new = self._are_drawn & ~self._learned_before & ~may_have_learned(self.new, dataset)
        if out_of_fold is not None:
            are_read, are_right = out_of_fold
            after = np.where(are_read, are_right, after)
            are_new |= are_read

        def paired(chosen: NDArray[np.bool_]) -> PairedComparison:
            ids = np.asarray(dataset.ids, np.int64)[chosen].tolist()
            return PairedComparison.of(before[chosen], after[chosen], ids)

        return Comparison(
            paired(self.drawings.is_held_out),
            PairedComparison.of(*of_others, range(len(guard))),
            self.old.name,
            paired(are_new),
        )


def guard_of(mnist_training: Dataset) -> Dataset:
    """Return `MOST_GUARDS` of the guard's images among MNIST's 60,000."""
    _, guard = guard_split(mnist_training.targets(DIGITS))
    return mnist_training.take(guard[:: max(1, len(guard) // MOST_GUARDS)][:MOST_GUARDS])


def learning_points(
    store: SampleStore, library: ModelLibrary, writer: str, *, model: Path | None
) -> tuple[LearningPoint, ...]:
    """Return a point for each model that was judged on the writer's drawings before it could be trained on them.

    Only models with the network of `model`, the champion, count: otherwise the step from a simple network to a better one would
    look like learning. A model whose file is missing or unreadable is left out, as it is unknown what it had learned from.
    """
    header_of = headers_of(library)
    in_use = header_of(str(model)) if model else None
    if in_use is None:
        return ()
    found = []
    for name, right, judged in store.judgements.models(writer):
        header = header_of(name)
        if header is not None and header.recipe.network == in_use.recipe.network:
            found.append(LearningPoint(_learned(store, writer, header, header_of), judged - right, judged))
    return tuple(sorted(found))


def learned_by(store: SampleStore, library: ModelLibrary, writer: str, model: Path | None) -> int:
    """Return how many of the writer's drawings the model has learned from."""
    header_of = headers_of(library)
    header = header_of(str(model)) if model else None
    return _learned(store, writer, header, header_of) if header else 0


def _sources(model: Model, header_of: Headers) -> Iterator[dict[str, Any]]:
    """Yield the training sources in the provenance of the model and its ancestors."""
    for known in ancestors(model, header_of):
        yield from known.provenance.get("sources") or ()


def _learned(store: SampleStore, writer: str, model: Model, header_of: Headers) -> int:
    """Return the number for the latest ancestor that learned this writer's drawings: another's hand adds nothing."""
    for known in ancestors(model, header_of):
        drawings = known.provenance.get("drawings") or {}
        if drawings and drawings.get("writer") in (None, "", writer):
            return store.judgements.n_trainable(writer, int(drawings.get("last_sample") or 0))
    return 0

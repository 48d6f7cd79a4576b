"""Replay: models scored on drawings that were made long ago, kept apart by what a model can know of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import OF_THE_PROGRAM, Dataset, Origin, guard_split
from qtdigits.core.model import Model
from qtdigits.core.run.checkpoints import digest_of
from qtdigits.core.score.comparison import Comparison, PairedComparison
from qtdigits.core.score.learning import Amount
from qtdigits.core.score.metrics import Tally
from qtdigits.errors import ModelFileError, QtDigitsError
from qtdigits.reader import Reader
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_header, load_model
from qtdigits.store.tables.database import FILE_NAME
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.evaluate import answers_of

Headers = Callable[[str], Model | None]


def headers_of(library: ModelLibrary) -> Headers:
    """Looks models up by name or path, each once; None where the file is gone or cannot be read."""

    @cache
    def header_of(name: str) -> Model | None:
        try:
            return load_header(library.find(name))
        except QtDigitsError:
            return None

    return header_of


def ancestors(model: Model, header_of: Headers) -> Iterator[Model]:
    """`model`, the one that it was trained on from, and so on, as far as they are known."""
    seen: set[str] = set()
    known: Model | None = model
    while known is not None and known.name not in seen:
        yield known
        seen.add(known.name)
        base = Path(str(known.provenance.get("base") or "")).stem
        known = header_of(base) if base else None


def files_learned(model: Model, header_of: Headers) -> frozenset[str]:
    """The names of the files that it, or one that it was trained on from, was trained on, as far as they say."""
    return (
        frozenset(
            str(source.get("name"))
            for known in ancestors(model, header_of)
            for source in known.provenance.get("sources") or ()
        )
        - OF_THE_PROGRAM
    )


def was_trained_on(model: Model, drawings: Dataset, header_of: Headers) -> bool:
    """Whether it, or one that it was trained on from, says that it was trained on exactly these drawings.

    Of a part of what a model was trained on this cannot be told.
    """
    digest = digest_of(drawings)
    return any(
        source.get("sha256") == digest
        for known in ancestors(model, header_of)
        for source in known.provenance.get("sources") or ()
    )


def root_ancestor(model: Model, library: ModelLibrary) -> Model:
    """The model with which the personal trainings began that led to this one, with its weights; itself where there were none.

    It is the one that still reads everybody as it was trained to. The way back ends where a file is gone, damaged, or of
    another network.
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
            return load_model(library.find(first.name))
        except QtDigitsError:
            continue
    return model


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


MOST_GUARDS = 3000
"""Images of the guard that are read by both models: a tenth of a point is three of them."""


NO_DRAWINGS = Dataset("nothing", np.empty((0, 28, 28), np.uint8), ())


def compare_with(
    champion: Path,
    new: Model,
    reader: Reader,
    *,
    hold_out: Dataset = NO_DRAWINGS,
    guard: Dataset = NO_DRAWINGS,
    drawn: Dataset = NO_DRAWINGS,
) -> Comparison:
    """`new`, read with by `reader`, beside the model at `champion`, by what each reads right.

    Raises `ModelFileError` when the champion cannot be used.

    Of the stored drawings `drawn`, those count that neither of the two may have learned from.
    """
    old = load_model(champion, weights=False)
    readers = Reader(old), reader
    fresh = drawn.take(np.flatnonzero(~may_have_learned(old, drawn) & ~may_have_learned(new, drawn)))
    return Comparison(
        _paired(*readers, hold_out), _paired(*readers, guard), old.name, _paired(*readers, fresh)
    )


def drawn_since(folder: Path, sample_id: int, *, writer: str) -> Dataset:
    """What `writer` ("": anybody) has drawn here and judged after the drawing `sample_id`, without what is held out or doubted.

    Not what was imported: a model may have learned from the same file elsewhere. Raises `StoreError`.
    """
    with SampleStore.open(folder) as store:
        return store.dataset(held_out=False, origin=Origin.DRAWN, writer=writer or None, newer_than=sample_id)


def guard_of(mnist_training: Dataset) -> Dataset:
    """The guard's images among MNIST's 60,000, as many as are read."""
    _, guard = guard_split(mnist_training.targets(DIGITS))
    return mnist_training.take(guard[:: max(1, len(guard) // MOST_GUARDS)][:MOST_GUARDS])


def _paired(old: Reader, new: Reader, dataset: Dataset) -> PairedComparison:
    return PairedComparison.of(
        answers_of(old, dataset).is_right, answers_of(new, dataset).is_right, dataset.ids
    )


def learning_points(
    store: SampleStore, library: ModelLibrary, writer: str, *, model: Path | None
) -> tuple[Amount, ...]:
    """One amount for each model that was judged on the writer's drawings, before those could be trained on.

    Only models with the network of `model`, the one in use: otherwise the step from a simple network to a better one would
    look as if a hand had been learned. A model whose file is gone, or cannot be read, is left out: nobody knows what it
    had learned from.
    """
    header_of = headers_of(library)
    in_use = header_of(str(model)) if model else None
    if in_use is None:
        return ()
    found = []
    for name, right, judged in store.judgements.models(writer):
        header = header_of(name)
        if header is not None and header.recipe.network == in_use.recipe.network:
            found.append(Amount(_learned(store, writer, header, header_of), judged - right, judged))
    return tuple(sorted(found))


def learned_by(store: SampleStore, library: ModelLibrary, writer: str, model: Path | None) -> int:
    """How many of the writer's drawings that model has learned from."""
    header_of = headers_of(library)
    header = header_of(str(model)) if model else None
    return _learned(store, writer, header, header_of) if header else 0


def _learned(store: SampleStore, writer: str, model: Model, header_of: Headers) -> int:
    """A model that learned another's hand knows of this one what the model knew from which it went on."""
    for known in ancestors(model, header_of):
        drawings = known.provenance.get("drawings") or {}
        if drawings and drawings.get("writer") in (None, "", writer):
            return store.judgements.n_trainable(writer, int(drawings.get("last_sample") or 0))
    return 0

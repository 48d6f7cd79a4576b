"""Gathers everything that a run is trained and scored on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import DIGITS, LabelSet
from qtdigits.core.drawing.samples import DRAWINGS, MNIST, MNIST_TEST, MY_HOLD_OUT, Dataset
from qtdigits.core.drawing.synthetic import is_no_digit
from qtdigits.core.run.control import Control
from qtdigits.errors import TrainingError
from qtdigits.ml.training_data import TrainingData
from qtdigits.store.data.csv_pair import read_csv_pair
from qtdigits.store.data.datasets import read_dataset, read_samples
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.characters import character_sources, invented_source, turned, with_share
from qtdigits.training.compare import guard_of
from qtdigits.training.consolidate import rehearsal_source, scribble_source, writer_sources
from qtdigits.training.data_cache import DataCache, Progress
from qtdigits.training.jobs import TrainingJob
from qtdigits.training.mixing import Source, mix, some_of

MOST_HOLD_OUT = 1000
"""Drawings of the hold-out that are scored after each epoch: more would not change the curve. The final scores use all."""

REHEARSAL_NOTICE = (
    "MNIST was not found and cannot be downloaded, so synthetic ink stands in for it: "
    "good to try things out, not for a model to keep. Put mnist.npz into the data folder, or set QTDIGITS_MNIST to its path."
)


@dataclass(frozen=True, eq=False)
class TrainingInputs:
    """The data of a run. `records` are those of its sources, for the provenance.

    `tests` are the sets that the model is scored on at the end, by the name of the score. `last_sample` is the highest id of the
    stored drawings that are trained on, 0 without any; `newest_sample` that of all stored drawings that were read. `guard` are
    images of MNIST on which every new model is compared with the champion. `own_ids` `(n,)` are the ids of the images of `data`
    that are stored drawings by the writer, 0 for all others.
    """

    data: TrainingData
    label_set: LabelSet
    records: list[dict[str, Any]]
    tests: dict[str, Dataset]
    last_sample: int = 0
    guard: Dataset | None = None
    newest_sample: int = 0
    own_ids: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


def gather(
    job: TrainingJob,
    *,
    cache: DataCache,
    control: Control,
    progress: Progress,
    known: LabelSet = DIGITS,
    among: frozenset[str] | None = None,
) -> TrainingInputs:
    """Read all data that the job names.

    `known` are the classes of the model that the training starts from: they keep their places. `among`: the hold-out has the
    drawings of the classes with these ids only. Raises `CancelledError` on a
    stop, and errors that name the file.
    """
    gathering = _Gathering(job, cache, control, progress, known, among)
    gathering.gather_mnist()
    gathering.gather_synthetic()
    gathering.gather_drawings()
    gathering.gather_files()
    gathering.gather_outliers()
    gathering.gather_characters()
    return gathering.finish()


def with_hold_out(data: TrainingData, hold_out: Dataset | None, label_set: LabelSet) -> TrainingData:
    """Return `data` with up to `MOST_HOLD_OUT` drawings of `hold_out`, only of classes that the network has."""
    if hold_out is None:
        return data
    known = np.flatnonzero([label in label_set for label in hold_out.labels])
    # Chosen by a fixed seed: every fifth drawing of a person who draws 0 to 9 in turn would be of two digits only.
    chosen = np.sort(np.random.default_rng(1).permutation(known)[:MOST_HOLD_OUT])
    targets = label_set.indices([hold_out.labels[i] for i in chosen])
    return replace(data, hold_out_images=hold_out.images[chosen], hold_out_targets=targets)


class _Gathering:
    """The sources found so far, and the sets to score on."""

    def __init__(
        self,
        job: TrainingJob,
        cache: DataCache,
        control: Control,
        progress: Progress,
        first: LabelSet,
        among: frozenset[str] | None,
    ) -> None:
        self._job, self._recipe = job, job.recipe
        self._cache, self._control, self._progress = cache, control, progress
        self._folder = Path(job.data_dir)
        self._first, self._among = first, among
        self._known = DIGITS
        self._last_sample = self._newest_sample = 0
        self._guard: Dataset | None = None
        self._sources: list[Source] = []
        self._tests: dict[str, Dataset] = {}
        self._is_rehearsal = False

    def gather_mnist(self) -> None:
        if not self._recipe.mnist_images:
            return
        self._report("Loading MNIST")
        mnist = self._cache.mnist(explicit=self._job.mnist, folder=self._folder)
        if mnist is None:
            self._report("Downloading MNIST")
            mnist = self._cache.fetch_mnist(
                self._folder, lambda done, total: self._report("Downloading MNIST", done, total)
            )
        if mnist is None:
            self._is_rehearsal = True
            found = self._cache.rehearsal(
                lambda done, total: self._report("Drawing synthetic ink", done, total)
            )
            self._sources.append(Source(self._some_of(found)))
            return
        training = replace(mnist.training, name=MNIST)
        if self._recipe.is_personal:
            self._sources.append(rehearsal_source(training, self._recipe, sha256=mnist.sha256))
        else:
            self._sources.append(Source(self._some_of(training), sha256=mnist.sha256))
        self._tests[MNIST_TEST] = mnist.test
        self._guard = guard_of(training)

    def gather_synthetic(self) -> None:
        if n := self._recipe.synthetic_images:
            report = partial(self._report, "Drawing synthetic ink")
            self._sources.append(Source(self._cache.synthetic(n, self._recipe.seed, report)))

    def gather_drawings(self) -> None:
        if not self._job.use_drawings:
            return
        self._report("Reading the drawings")
        with SampleStore.open(self._folder) as store:
            self._known = store.classes()
            drawings = self._trained_on(store) if self._recipe.drawings_weight else None
            hold_out = store.dataset(
                held_out=True,
                writer=self._job.writer or None,
                not_newer_than=self._newest,
                among=self._among,
            )
        self._newest_sample = max((*(drawings.ids if drawings else ()), *hold_out.ids, 0))
        if drawings is not None and len(drawings):
            self._last_sample = max(drawings.ids)
            if self._recipe.is_personal:
                self._sources.extend(writer_sources(drawings, self._recipe, writer=self._job.writer))
            else:
                # Not split by writer: the hold-out shows how well one's own hand is read.
                self._sources.append(Source(replace(drawings, writers=()), self._recipe.drawings_weight))
        if len(hold_out):
            self._tests[MY_HOLD_OUT] = hold_out

    def _trained_on(self, store: SampleStore) -> Dataset:
        """Read the drawings to train on. Ink is decoded only when it is augmented."""
        return store.dataset(
            held_out=False, with_ink=self._recipe.augmentation > 0, not_newer_than=self._newest
        )

    @property
    def _newest(self) -> int | None:
        return self._job.newest_sample or None

    def gather_files(self) -> None:
        """CSV pairs are corrections of one's own hand and weigh as much as drawings; ink collections count once."""
        for images, labels in self._job.csv_pairs:
            pair = Path(images), Path(labels)
            is_raw = self._job.csv_is_raw
            corrections = Dataset(pair[0].name, *read_csv_pair(*pair)) if is_raw else self._read(*pair)
            self._sources.append(Source(corrections, max(1, self._recipe.drawings_weight)))
        self._sources.extend(
            Source(self._trained_part(self._read(Path(file)))) for file in self._job.ink_files
        )
        for file in map(Path, self._job.score_on):
            self._report(f"Reading {file.name}")
            self._tests[file.name.partition(".")[0]] = self._cache.file(
                file, "to score on", partial(read_dataset, file)
            )

    def gather_outliers(self) -> None:
        """Add what is no digit: letters of files that are not shaped like a digit, and synthetic scribbles."""
        for file in self._job.not_digits:
            if file in self._job.all_characters:
                continue
            found = self._read(Path(file))
            no_digits = [i for i, label in enumerate(found.labels) if is_no_digit(label)]
            self._sources.append(Source(self._without_left_out(found.take(no_digits)), is_outlier=True))
        if self._recipe.scribbles:
            self._report("Drawing scribbles")
            self._sources.append(scribble_source(self._recipe))

    def gather_characters(self) -> None:
        """Add the drawings that the second head alone learns from."""
        for file in self._job.characters:
            self._sources += self._characters_of(file)
        signs: list[Source] = []
        for file in self._job.turned_characters:
            signs += self._characters_of(file, are_turned=True)
        if self._recipe.characters_weight and self._recipe.invented_characters:
            self._report("Inventing characters")
            signs.append(invented_source(self._recipe))
        self._sources += with_share(signs, self._recipe.signs_share)

    def _characters_of(self, file: str, *, are_turned: bool = False) -> Iterator[Source]:
        found = self._without_left_out(self._read(Path(file)))
        found = turned(found) if are_turned else found
        return character_sources(found, are_not_digits=file in self._job.not_digits)

    def _trained_part(self, found: Dataset) -> Dataset:
        """Return `found` without the writers who are left out; their drawings are scored at the end."""
        left_out = [i for i, writer in enumerate(found.writers) if self._is_left_out(writer)]
        if left_out:
            self._tests[f"{found.name.partition('.')[0]}, left out"] = found.take(left_out)
        return self._without_left_out(found)

    def _without_left_out(self, found: Dataset) -> Dataset:
        if not self._job.leave_out or not found.writers:
            return found
        return found.take([i for i, writer in enumerate(found.writers) if not self._is_left_out(writer)])

    def _is_left_out(self, writer: str) -> bool:
        return any(fnmatchcase(writer, pattern) for pattern in self._job.leave_out)

    def finish(self) -> TrainingInputs:
        if not any(len(source.dataset) for source in self._sources if source.is_of_label_set):
            raise TrainingError("There is nothing to train on.", "Add MNIST images, drawings or files.")
        digits = (s.dataset for s in self._sources if s.is_of_label_set)
        label_set = self._label_set(list(digits))
        data, records, new_writers = mix(
            _with_unique_names(self._sources),
            label_set,
            fraction=self._recipe.validation_fraction,
            seed=self._recipe.seed,
            is_rehearsal=self._is_rehearsal,
            has_second_head=self._recipe.characters_weight > 0,
        )
        watched = (
            Path(self._job.score_on[0]).name.partition(".")[0] if self._job.watches_file else MY_HOLD_OUT
        )
        data = with_hold_out(data, self._tests.get(watched), label_set)
        for name, drawings in new_writers.items():
            self._tests.setdefault(name.partition(".")[0], drawings)
        ids = ((s.name == DRAWINGS and s.dataset.ids) or (0,) * len(s.dataset) for s in self._sources)
        return TrainingInputs(
            *(data, label_set, records, self._tests, self._last_sample, self._guard, self._newest_sample),
            own_ids=np.array([i for of_source in ids for i in of_source], np.int64),
        )

    def _label_set(self, datasets: Sequence[Dataset]) -> LabelSet:
        """Return the digits, or the base model's classes, then the other classes that occur: those of the store, or new ones."""
        occurring = {label for one in datasets if not one.labels_are_ids for label in set(one.labels)}
        others = (
            c
            for c in self._known
            if c.label in occurring and c.label not in self._first.labels and c.id not in self._first.ids
        )
        ids = {label for one in datasets if one.labels_are_ids for label in set(one.labels)}
        return LabelSet((*self._first.classes, *others)).with_labels(sorted(occurring | ids))

    def _some_of(self, dataset: Dataset) -> Dataset:
        return some_of(dataset, self._recipe.mnist_images, self._recipe.seed)

    def _read(self, path: Path, labels: Path | None = None) -> Dataset:
        """Return a file of drawings or images, with its ink only when that is augmented."""
        found = self._cache.file(path, labels, partial(self._read_anew, path, labels))
        return found if self._recipe.augmentation else replace(found, inks=())

    def _read_anew(self, path: Path, labels: Path | None) -> Dataset:
        """Read it, and check for a stop every 100 drawings."""
        self._report(f"Reading {path.name}")
        rasters, names, writers, inks = [], [], [], []
        for sample in read_samples(path, labels=labels, writer=""):
            rasters.append(sample.raster)
            names.append(sample.label)
            writers.append(sample.writer)
            inks.append(sample.ink)
            if len(rasters) % 100 == 0:
                self._report(f"Reading {path.name}", len(rasters))
        images = np.stack(rasters) if rasters else np.empty((0, 28, 28), np.uint8)
        return Dataset(
            path.name,
            images,
            tuple(names),
            tuple(writers) if any(writers) else (),
            tuple(inks) if any(inks) else (),
        )

    def _report(self, what: str, done: int = 0, total: int = 0) -> None:
        self._control.raise_if_stopping()
        self._progress(what, done, total)


def _with_unique_names(sources: Sequence[Source]) -> list[Source]:
    """Number sources of the same name, such as files in different folders, so that counts and records are unambiguous."""
    named: dict[str, Source] = {}
    for source in sources:
        name, number = source.name, 2
        while name in named:
            name, number = f"{source.name} ({number})", number + 1
        named[name] = replace(source, dataset=replace(source.dataset, name=name))
    return list(named.values())

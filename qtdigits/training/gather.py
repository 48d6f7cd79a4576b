"""Everything that a run is trained and scored on, brought together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from qtdigits.core.drawing.labels import DIGITS, LabelSet
from qtdigits.core.drawing.samples import MNIST, MNIST_TEST, MY_HOLD_OUT, Dataset
from qtdigits.core.drawing.synthetic import is_no_digit
from qtdigits.core.run.control import Control
from qtdigits.errors import TrainingError
from qtdigits.ml.training_data import TrainingData
from qtdigits.store.data.datasets import read_dataset, read_samples
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.compare import guard_of
from qtdigits.training.consolidate import rehearsal_source, scribble_source, writer_sources
from qtdigits.training.data_cache import DataCache
from qtdigits.training.jobs import TrainingJob
from qtdigits.training.mixing import Source, mix, some_of

MOST_WATCHED = 1000
"""More say no more in a curve; the scores at the end are those of all."""


def with_hold_out(data: TrainingData, hold_out: Dataset | None, label_set: LabelSet) -> TrainingData:
    """`data` with what of `hold_out` the network can be right about, or a part of that where it is much."""
    if hold_out is None:
        return data
    known = np.flatnonzero([label in label_set for label in hold_out.labels])
    # By chance, but each time the same: every fifth drawing of a person who draws 0 to 9 in turn would be of two digits only.
    chosen = np.sort(np.random.default_rng(1).permutation(known)[:MOST_WATCHED])
    targets = label_set.indices([hold_out.labels[i] for i in chosen])
    return replace(data, hold_out_images=hold_out.images[chosen], hold_out_targets=targets)


REHEARSAL_NOTICE = (
    "MNIST was not found and cannot be downloaded, so synthetic ink stands in for it: "
    "good for a rehearsal, not for a model to keep. Put mnist.npz into the data folder, or set QTDIGITS_MNIST to its path."
)

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it, and of how much (0: nobody knows)."""


@dataclass(frozen=True, eq=False)
class TrainingInputs:
    """`tests` are the sets that the model is scored on at the end, by the name of the score. `records`: for the provenance.

    `last_sample` is the highest id of the stored drawings that are trained on, 0 without any. `guard` are the
    images of MNIST by which every new model is compared with the one in use. `newest_sample` is the highest id of all
    the stored drawings that were read.
    """

    data: TrainingData
    label_set: LabelSet
    records: list[dict[str, Any]]
    tests: dict[str, Dataset]
    last_sample: int = 0
    guard: Dataset | None = None
    newest_sample: int = 0


def gather(
    request: TrainingJob,
    *,
    cache: DataCache,
    control: Control,
    progress: Progress,
    known: LabelSet = DIGITS,
) -> TrainingInputs:
    """Read all that the request names. Raises `CancelledError` when the run is stopped meanwhile, and errors that name files.

    `known` are the classes of the model that the run goes on from: they keep their places.
    """
    gathering = _Gathering(request, cache, control, progress, known)
    gathering.gather_mnist()
    gathering.gather_synthetic()
    gathering.gather_drawings()
    gathering.gather_files()
    gathering.gather_outliers()
    return gathering.finish()


class _Gathering:
    """The sources found so far, and the sets to score on."""

    def __init__(
        self,
        request: TrainingJob,
        cache: DataCache,
        control: Control,
        progress: Progress,
        first: LabelSet,
    ) -> None:
        self._request, self._recipe = request, request.recipe
        self._cache, self._control, self._progress = cache, control, progress
        self._folder = Path(request.data_dir)
        self._first = first
        self._known = DIGITS
        self._last_sample = self._newest_sample = 0
        self._guard: Dataset | None = None
        self._sources: list[Source] = []
        self._tests: dict[str, Dataset] = {}
        self._is_rehearsal = False

    def gather_mnist(self) -> None:
        if not self._recipe.mnist_images:
            return
        self._say("Loading MNIST")
        mnist = self._cache.mnist(explicit=self._request.mnist, folder=self._folder)
        if mnist is None:
            self._say("Downloading MNIST")
            mnist = self._cache.fetch_mnist(
                self._folder, lambda done, total: self._say("Downloading MNIST", done, total)
            )
        if mnist is None:
            self._is_rehearsal = True
            found = self._cache.rehearsal(lambda done, total: self._say("Drawing synthetic ink", done, total))
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
            report = partial(self._say, "Drawing synthetic ink")
            self._sources.append(Source(self._cache.synthetic(n, self._recipe.seed, report)))

    def gather_drawings(self) -> None:
        if not self._request.use_drawings:
            return
        self._say("Reading the drawings")
        with SampleStore.open(self._folder) as store:
            self._known = store.classes()
            drawings = self._trained_on(store) if self._recipe.drawings_weight else None
            hold_out = store.dataset(
                held_out=True, writer=self._request.writer or None, not_newer_than=self._newest
            )
        self._newest_sample = max((*(drawings.ids if drawings else ()), *hold_out.ids, 0))
        if drawings is not None and len(drawings):
            self._last_sample = max(drawings.ids)
            if self._recipe.is_personal:
                self._sources.extend(writer_sources(drawings, self._recipe, writer=self._request.writer))
            else:
                # one's own hand is what these are for, so they are not split by writer: the hold-out tells how well it is read
                self._sources.append(Source(replace(drawings, writers=()), self._recipe.drawings_weight))
        if len(hold_out):
            self._tests[MY_HOLD_OUT] = hold_out

    def _trained_on(self, store: SampleStore) -> Dataset:
        """Ink is decoded only where it is going to be varied."""
        return store.dataset(
            held_out=False, with_ink=self._recipe.augmentation > 0, not_newer_than=self._newest
        )

    @property
    def _newest(self) -> int | None:
        return self._request.newest_sample or None

    def gather_files(self) -> None:
        """CSV pairs are corrections by one's own hand and weigh as much as drawings; ink collections count once."""
        for images, labels in self._request.csv_pairs:
            corrections = self._read(Path(images), Path(labels))
            self._sources.append(Source(corrections, max(1, self._recipe.drawings_weight)))
        self._sources.extend(
            Source(self._trained_part(self._read(Path(file)))) for file in self._request.ink_files
        )
        for file in map(Path, self._request.score_on):
            self._say(f"Reading {file.name}")
            self._tests[file.name.partition(".")[0]] = read_dataset(file)

    def gather_outliers(self) -> None:
        """What is no digit: letters of files, as far as they are not shaped like one, and scribbles of the program's own."""
        for file in self._request.not_digits:
            found = self._read(Path(file))
            shown = [i for i, label in enumerate(found.labels) if is_no_digit(label)]
            self._sources.append(Source(self._without_left_out(found.take(shown)), is_outlier=True))
        if self._recipe.scribbles:
            self._say("Drawing scribbles")
            self._sources.append(scribble_source(self._recipe))

    def _trained_part(self, found: Dataset) -> Dataset:
        """`found` without the writers who are left out; their drawings are scored at the end."""
        left_out = [i for i, writer in enumerate(found.writers) if self._is_left_out(writer)]
        if left_out:
            self._tests[f"{found.name.partition('.')[0]}, left out"] = found.take(left_out)
        return self._without_left_out(found)

    def _without_left_out(self, found: Dataset) -> Dataset:
        if not self._request.leave_out or not found.writers:
            return found
        return found.take([i for i, writer in enumerate(found.writers) if not self._is_left_out(writer)])

    def _is_left_out(self, writer: str) -> bool:
        return any(fnmatchcase(writer, pattern) for pattern in self._request.leave_out)

    def finish(self) -> TrainingInputs:
        if not any(len(source.dataset) for source in self._sources if not source.is_outlier):
            raise TrainingError(
                "There is nothing to train on.", "Take MNIST images, drawings or files into the recipe."
            )
        digits = (s.dataset for s in self._sources if not s.is_outlier)
        label_set = self._label_set([label for dataset in digits for label in set(dataset.labels)])
        data, records, new_writers = mix(
            _with_names_of_their_own(self._sources),
            label_set,
            fraction=self._recipe.validation_fraction,
            seed=self._recipe.seed,
            is_rehearsal=self._is_rehearsal,
        )
        data = with_hold_out(data, self._tests.get(MY_HOLD_OUT), label_set)
        for name, drawings in new_writers.items():
            self._tests.setdefault(name.partition(".")[0], drawings)
        return TrainingInputs(
            data, label_set, records, self._tests, self._last_sample, self._guard, self._newest_sample
        )

    def _label_set(self, labels: Sequence[str]) -> LabelSet:
        """The digits, or the classes of the model to go on from; then the others that occur: as the store knows them, or new."""
        occurring = set(labels)
        others = (c for c in self._known if c.label in occurring and c not in self._first.classes)
        return LabelSet((*self._first.classes, *others)).with_labels(sorted(occurring))

    def _some_of(self, dataset: Dataset) -> Dataset:
        return some_of(dataset, self._recipe.mnist_images, self._recipe.seed)

    def _read(self, path: Path, labels: Path | None = None) -> Dataset:
        """A file of drawings or images, given up within a batch of drawings when the run is."""
        self._say(f"Reading {path.name}")
        rasters, names, writers, inks = [], [], [], []
        for sample in read_samples(path, labels=labels, writer=""):
            rasters.append(sample.raster)
            names.append(sample.label)
            writers.append(sample.writer)
            inks.append(sample.ink)
            if len(rasters) % 100 == 0:
                self._say(f"Reading {path.name}", len(rasters))
        images = np.stack(rasters) if rasters else np.empty((0, 28, 28), np.uint8)
        return Dataset(
            path.name,
            images,
            tuple(names),
            tuple(writers) if any(writers) else (),
            tuple(inks) if self._recipe.augmentation and any(inks) else (),
        )

    def _say(self, what: str, done: int = 0, total: int = 0) -> None:
        self._control.raise_if_stopping()
        self._progress(what, done, total)


def _with_names_of_their_own(sources: Sequence[Source]) -> list[Source]:
    """Two files in different folders may have the same name; counts and records tell them apart by a number."""
    named: dict[str, Source] = {}
    for source in sources:
        name, number = source.name, 2
        while name in named:
            name, number = f"{source.name} ({number})", number + 1
        named[name] = replace(source, dataset=replace(source.dataset, name=name))
    return list(named.values())

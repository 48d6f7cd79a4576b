"""From sources to training data: the validation split, the weights, and a record for the provenance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import LabelSet
from qtdigits.core.drawing.samples import Dataset, validation_split
from qtdigits.core.drawing.synthetic import NO_CLASS
from qtdigits.core.run.checkpoints import digest_of
from qtdigits.errors import TrainingError
from qtdigits.ml.training_data import NOT_ASKED, TrainingData

HALF_SHARE_AT = 20
"""So many drawings get half their share: a handful must not bend a network that reads everybody."""

FEWEST_WRITERS = 5
"""A collection with so many writers is split by writer; with fewer, one writer would be too large a part."""

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Source:
    """A part of the data. Each image counts `weight` times in an epoch. `is_outlier`: it shows no digits. `is_character`: its
    labels are for the second head alone, and the network is not asked about it, unless it is an outlier, too.

    With a `share` above 0, weights are chosen so that the source makes up that part of an epoch, or less where it is small;
    of characters, some then count once more than others.
    `validation` `(n,)` marks the images for validation, None: chosen at random. `is_remembered`: a rehearsal, for which the
    network is to keep its teacher's answers. `sha256` is the digest of the source's file, "" where there is not exactly one.
    """

    dataset: Dataset
    weight: int = 1
    sha256: str = ""
    is_outlier: bool = False
    is_character: bool = False
    share: float = 0.0
    is_remembered: bool = False
    validation: NDArray[np.bool_] | None = None

    @property
    def name(self) -> str:
        return self.dataset.name

    def targets(self, label_set: LabelSet) -> Indices:
        """Return `(n,)` output indices, or `NO_CLASS`, `NOT_ASKED`. Raises `InputError` for a label that the set lacks."""
        if self.is_of_label_set:
            return self.dataset.targets(label_set)
        return np.full(len(self.dataset), NOT_ASKED if self.is_only_character else NO_CLASS, np.int64)

    def with_ids(self, label_set: LabelSet) -> Source:
        """Return it with ids of classes for labels, where it has classes: renaming one must not change what is trained."""
        if not self.is_of_label_set:
            return self
        ids = tuple(label_set.ids[target] for target in self.targets(label_set))
        return replace(self, dataset=replace(self.dataset, labels=ids, labels_are_ids=True))

    @property
    def is_of_label_set(self) -> bool:
        """Whether its labels are classes that the network learns to tell apart."""
        return not (self.is_outlier or self.is_character)

    @property
    def is_only_character(self) -> bool:
        return self.is_character and not self.is_outlier

    @property
    def characters(self) -> tuple[str, ...]:
        """What the second head learns of each image, "" for nothing."""
        return self.dataset.labels if self.is_character or not self.is_outlier else ("",) * len(self.dataset)


def mix(
    sources: Sequence[Source],
    label_set: LabelSet,
    *,
    fraction: float,
    seed: int,
    is_rehearsal: bool,
    has_second_head: bool = False,
) -> tuple[TrainingData, list[dict[str, Any]], dict[str, Dataset]]:
    """Return the training data, a provenance record of each source, and the drawings of writers that are only validated on.

    `fraction` of each class goes to validation; of a collection with several writers, whole writers instead. The split comes
    before the weights, so that no image is in both parts. Raises `TrainingError` when there is too little data.
    """
    sources = [source.with_ids(label_set) for source in sources]
    images = _joined(sources)
    targets = np.concatenate([np.empty(0, np.int64), *(source.targets(label_set) for source in sources)])
    is_validation = _chosen_for_validation(sources, targets, fraction, seed)
    weights = _weights(sources, is_validation, seed)
    training = np.flatnonzero(~is_validation)
    validation = np.flatnonzero(is_validation & (targets >= 0))
    if not (targets[training] >= 0).any() or not len(validation):
        raise TrainingError(
            f"{len(targets)} images are too few to train on.", "Draw more, or train on MNIST as well."
        )
    parts = np.split(is_validation, np.cumsum([len(source.dataset) for source in sources])[:-1])
    new_writers = {
        s.name: s.dataset.take(np.flatnonzero(part))
        for s, part in zip(sources, parts, strict=True)
        if s.validation is None and is_split_by_writer(s.dataset) and s.is_of_label_set
    }
    characters, character_labels = _characters(sources) if has_second_head else (training[:0], ())
    data = TrainingData(
        images,
        targets,
        training=np.repeat(training, weights[training]),
        validation=validation,
        sources={s.name: int((~part).sum()) for s, part in zip(sources, parts, strict=True)},
        is_rehearsal=is_rehearsal,
        inks=_inks_of(sources),
        remembered=np.flatnonzero(
            ~is_validation & np.repeat([s.is_remembered for s in sources], [len(s.dataset) for s in sources])
        ),
        outliers=np.flatnonzero(is_validation & (targets == NO_CLASS)),
        characters=characters,
        character_labels=character_labels,
    )
    return data, [_record(source, part) for source, part in zip(sources, parts, strict=True)], new_writers


def some_of(dataset: Dataset, wanted: int, seed: int) -> Dataset:
    """Return at most `wanted` of the drawings, chosen at random by the seed."""
    if wanted >= len(dataset):
        return dataset
    rng = np.random.default_rng(seed)
    return dataset.take(np.sort(rng.permutation(len(dataset))[:wanted]))


def is_split_by_writer(dataset: Dataset) -> bool:
    return len(set(dataset.writers)) >= FEWEST_WRITERS


def writer_split(writers: Sequence[str], fraction: float, seed: int) -> NDArray[np.bool_]:
    """Return `(n,)`: true for drawings of random writers, until they are `fraction` of all; at least one writer stays."""
    names = sorted(set(writers))
    order = np.random.default_rng(seed).permutation(len(names))
    by = np.asarray(writers)
    is_chosen = np.zeros(len(writers), bool)
    for number in order[:-1]:
        if is_chosen.sum() >= fraction * len(writers):
            break
        is_chosen |= by == names[number]
    return is_chosen


def _characters(sources: Sequence[Source]) -> tuple[Indices, tuple[str, ...]]:
    """Return what the second head learns, `(n,)` with `NO_CLASS` for nothing, and the labels that these are indices of."""
    of_each = [label for source in sources for label in source.characters]
    labels = tuple(sorted(set(of_each) - {""}))
    index = {"": NO_CLASS, **{label: i for i, label in enumerate(labels)}}
    return np.array([index[label] for label in of_each], np.int64), labels


def _weights(sources: Sequence[Source], is_validation: NDArray[np.bool_], seed: int) -> Indices:
    """Return `(n,)`: how often each image counts in an epoch."""
    parts = [_weights_within(source) for source in sources]
    trained = np.split(~is_validation, np.cumsum([len(part) for part in parts])[:-1])
    counts = [int(part[chosen].sum()) for part, chosen in zip(parts, trained, strict=True)]
    rest = sum(count for source, count in zip(sources, counts, strict=True) if not source.share)
    shares = [
        s.share * (1.0 if s.is_character else (n := len(s.dataset)) / (n + HALF_SHARE_AT)) for s in sources
    ]
    for source, share, part, chosen, count in zip(sources, shares, parts, trained, counts, strict=True):
        wanted = share / (1.0 - sum(shares)) * rest
        if source.is_character and wanted > count > 0:
            order = np.random.default_rng(seed).permutation(np.flatnonzero(chosen))
            part[:] = np.bincount(np.resize(order, round(wanted)), minlength=len(part))
        elif share and count and rest:
            part *= max(1, round(wanted / count))
    return np.concatenate([np.empty(0, np.int64), *parts])


def _weights_within(source: Source) -> Indices:
    if source.dataset.weights:
        return np.asarray(source.dataset.weights, np.int64) * source.weight
    return np.full(len(source.dataset), source.weight, np.int64)


def _joined(sources: Sequence[Source]) -> NDArray[np.uint8]:
    """Return all images, without a copy where there is only one source: MNIST is 47 MB."""
    if len(sources) == 1:
        return sources[0].dataset.images
    return np.concatenate([np.empty((0, 28, 28), np.uint8), *(source.dataset.images for source in sources)])


def _inks_of(sources: Sequence[Source]) -> tuple[Ink | None, ...]:
    """Return the ink of each image, or an empty tuple when there is none."""
    if not any(source.dataset.inks for source in sources):
        return ()
    return tuple(ink for s in sources for ink in (s.dataset.inks or (None,) * len(s.dataset)))


def _chosen_for_validation(
    sources: Sequence[Source], targets: Indices, fraction: float, seed: int
) -> NDArray[np.bool_]:
    """Return `(n,)`: true for what is validated on. Characters are not, but those by its writers are not trained on either."""
    is_validation = np.zeros(len(targets), bool)
    by_class = np.ones(len(targets), bool)
    writers: set[str] = set()
    ends = np.cumsum([len(source.dataset) for source in sources]).tolist()
    spans = [(s, slice(end - len(s.dataset), end)) for s, end in zip(sources, ends, strict=True)]
    for source, span in sorted(spans, key=lambda pair: pair[0].is_only_character):
        if source.validation is not None:
            is_validation[span] = source.validation
        elif source.is_only_character:
            is_validation[span] = [
                writer in writers for writer in source.dataset.writers or ("",) * len(source.dataset)
            ]
        elif is_split_by_writer(source.dataset):
            is_validation[span] = writer_split(source.dataset.writers, fraction, seed)
            writers.update(source.dataset.take(np.flatnonzero(is_validation[span])).writers)
        else:
            continue
        by_class[span] = False
    members = np.flatnonzero(by_class)
    is_validation[members[validation_split(targets[members], fraction, seed)[1]]] = True
    if not is_validation.any() and len(members) > 1:
        # So few of each class that a part of them rounds to none: choose among all of them.
        n = max(1, round(fraction * len(members)))
        is_validation[np.random.default_rng(seed).permutation(members)[:n]] = True
    return is_validation


def _record(source: Source, is_validation: NDArray[np.bool_]) -> dict[str, Any]:
    record: dict[str, Any] = {
        "name": source.name,
        "n_training": int((~is_validation).sum()),
        "n_validation": int(is_validation.sum()),
        "weight": source.weight,
        "sha256": source.sha256 or digest_of(source.dataset),
    }
    if source.share:
        record["share"] = source.share
    if source.is_outlier:
        record["is_outlier"] = True
    if source.is_character:
        record |= {"is_character": True, "n_classes": len(set(source.dataset.labels))}
    if source.dataset.writers:
        record["n_writers"] = len(set(source.dataset.writers))
    return record

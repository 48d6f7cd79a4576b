"""Samples, trials and datasets: what was drawn, by whom, and how a model read it; hold-out and validation splits.

Also the names under which sources of training data, scored sets and the default writer are stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import LabelSet

T = TypeVar("T")

Raster = NDArray[np.uint8]
"""`(28, 28) uint8`, background 0, ink 255."""


# Sources of training data, as a model's provenance and a run's events name them.
MNIST = "MNIST"
SYNTHETIC = "synthetic ink"
SCRIBBLES = "scribbles"
INVENTED = "invented characters"
DRAWINGS = "drawings"
DRAWINGS_OF_OTHERS = "drawings of others"
STORED_SOURCES = (DRAWINGS, DRAWINGS_OF_OTHERS)
BUILT_IN_SOURCES = frozenset({MNIST, SYNTHETIC, SCRIBBLES, INVENTED, *STORED_SOURCES})

# Sets that models are scored on, as model files and results name them.
MY_HOLD_OUT = "my hold-out"
MNIST_TEST = "MNIST test"
VALIDATION = "validation"

DEFAULT_WRITER = "me"


class Origin(StrEnum):
    """Where a sample came from."""

    DRAWN = "drawn"
    INK_FILE = "ink file"
    IMAGE = "image"
    CSV_PAIR = "csv pair"


class Verdict(StrEnum):
    """The person's judgement of an answer."""

    CONFIRMED = "confirmed"
    CORRECTED = "corrected"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Suspicion:
    """A label that may be wrong: `score` from 0 to 1 (sure), `suggestion`, the label that it should have, and the reason."""

    score: float
    suggestion: str
    reason: str


def now() -> datetime:
    """Return the present time in UTC, to the millisecond that the store keeps."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@dataclass(frozen=True, eq=False)
class Sample:
    """One labelled drawing or image.

    `ink` is None for an imported image; `raster` is always there, made by the program's one preprocessing function.
    `id` is None until the store has given one; the store also decides `held_out`, once, for good. `weight` is how often
    the sample counts in a training. A sample with a suspicion is not trained on until it was reviewed; `is_reviewed`: it was,
    and the label is right.
    """

    label: str
    raster: Raster
    writer: str
    ink: Ink | None = None
    origin: Origin = Origin.DRAWN
    held_out: bool = False
    device: str = ""
    drawn_at: datetime = field(default_factory=now)
    id: int | None = None
    weight: int = 1
    suspicion: Suspicion | None = None
    is_reviewed: bool = False


@dataclass(frozen=True)
class Trial:
    """One reading of one drawing by one model, with the verdict.

    `probabilities` are those that were shown (memory included), one for each of `classes`, in that order. `truth` is None when
    skipped. `network_answer` is what the network alone answered, "" if unknown.
    """

    writer: str
    model: str
    answer: str
    verdict: Verdict
    truth: str | None
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    sample_id: int | None = None
    judged_at: datetime = field(default_factory=now)
    id: int | None = None
    network_answer: str = ""

    @property
    def is_right(self) -> bool:
        """Whether the person confirmed the answer; neither a corrected nor a skipped drawing was read right."""
        return self.verdict is Verdict.CONFIRMED


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rasters with labels, ready to train on or to score: `images` `(n, 28, 28) uint8`, `labels` n strings.

    `inks` is empty, or has for each image the ink that it was rendered from, None where there is none.
    `writers` is empty where they are unknown; `name` says what the data is, for messages and provenance. `ids` are the
    store's, empty for data that is not stored; `weights` say how often each image counts, empty: once. Where `labels_are_ids`, a
    label is that of the class with this id: MNIST calls a seven 7 whatever that class is called now, and whatever is called 7.
    """

    name: str
    images: NDArray[np.uint8]
    labels: tuple[str, ...]
    writers: tuple[str, ...] = ()
    inks: tuple[Ink | None, ...] = ()
    ids: tuple[int, ...] = ()
    weights: tuple[int, ...] = ()
    labels_are_ids: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Sequence[int] | NDArray[np.int64]) -> Dataset:
        """Return the images at `indices`, in that order, with all that is known of them."""
        chosen = [int(i) for i in indices]
        return replace(
            self,
            images=self.images[chosen],
            labels=tuple(self.labels[i] for i in chosen),
            writers=_picked(self.writers, chosen),
            inks=_picked(self.inks, chosen),
            ids=_picked(self.ids, chosen),
            weights=_picked(self.weights, chosen),
        )

    def with_default_writer(self, name: str) -> Dataset:
        """Return the data with `name` as the writer of all of it, where it does not say who drew it."""
        return self if self.writers else replace(self, writers=(name,) * len(self))

    def targets(self, label_set: LabelSet) -> NDArray[np.int64]:
        """Return the output index of each label, `(n,)`."""
        return label_set.indices(self.labels, are_ids=self.labels_are_ids)


def _picked(values: tuple[T, ...], chosen: Sequence[int]) -> tuple[T, ...]:
    """Return the values at the places `chosen`; empty where nothing is known."""
    return tuple(values[i] for i in chosen) if values else ()


HOLD_OUT_BLOCK = 5
"""One of so many samples of a writer's class is held out."""


def is_held_out(writer: str, class_id: str, ordinal: int) -> bool:
    """Whether the `ordinal`-th sample (from 0) of a writer's class belongs to the hold-out.

    Of every five successive samples of one class by one writer exactly one is held out, at a place that depends on
    writer, class and block alone: the choice is balanced, cannot be guessed from the order of drawing, never changes. It is
    never the very first: a class that was just added is learned from its first drawing on.
    """
    block, place = divmod(ordinal, HOLD_OUT_BLOCK)
    digest = hashlib.sha256(f"{writer}\0{class_id}\0{block}".encode()).digest()
    chosen = digest[0] % HOLD_OUT_BLOCK
    if not (block or chosen):
        chosen = 1 + digest[1] % (HOLD_OUT_BLOCK - 1)
    return place == chosen


def validation_split(
    targets: Sequence[int] | NDArray[np.int64], fraction: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split into indices (training, validation), each ascending; `fraction` of every class, rounded, goes to validation.

    A class with one sample stays in training.
    """
    labels = np.asarray(targets)
    rng = np.random.default_rng(seed)
    chosen = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        chosen.append(members[: min(round(len(members) * fraction), len(members) - 1)])
    validation = np.sort(np.concatenate(chosen)) if chosen else np.empty(0, np.int64)
    training = np.setdiff1d(np.arange(len(labels)), validation, assume_unique=True)
    return training.astype(np.int64), validation.astype(np.int64)


GUARD_FRACTION, GUARD_SEED = 0.1, 1


def guard_split(targets: Sequence[int] | NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split MNIST's training images into (training, guard) indices. The guard is the same for all models, to compare them by.

    No personal training ever sees it. A training from scratch validates on part of it and may train on the rest: measured, a
    network reads both parts equally well (0.9988 and 0.9986), and loses the same on both when it adapts to an unusual hand.
    """
    return validation_split(targets, GUARD_FRACTION, GUARD_SEED)

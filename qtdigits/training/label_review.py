"""Label review: finds stored drawings whose label is probably wrong and marks them, so that they are not trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from qtdigits.core.drawing.label_review import LabelClassifier, find_suspects
from qtdigits.core.drawing.labels import DIGIT_LABELS
from qtdigits.core.drawing.samples import Dataset, Suspicion
from qtdigits.core.formatting import awaiting_review
from qtdigits.core.run.control import Control
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.data_cache import DataCache, Progress

MNIST_IMAGES, SYNTHETIC_IMAGES = 8000, 6000
_SYNTHETIC_SEED = 1


@dataclass(frozen=True)
class Review:
    """The number of drawings that were reviewed, and the ids of those whose labels are doubted now."""

    n: int
    doubted: tuple[int, ...]


def learn_label_classifier(cache: DataCache, folder: Path, control: Control) -> LabelClassifier:
    """Train the classifier on synthetic ink, and on MNIST where it is found. Takes a minute; one is shipped with the program."""

    def check(done: int, total: int) -> None:
        control.raise_if_stopping()

    learned = [cache.synthetic(SYNTHETIC_IMAGES, _SYNTHETIC_SEED, check)]
    mnist = cache.mnist(folder=folder)
    if mnist is not None:
        learned.insert(0, mnist.training.take(range(MNIST_IMAGES)))
    check(0, 0)
    return LabelClassifier.of(
        np.concatenate([part.images for part in learned]),
        [label for part in learned for label in part.labels],
    )


def review(
    store: SampleStore,
    classifier: LabelClassifier,
    control: Control,
    *,
    writer: str | None = None,
    reviewed: dict[tuple[Path, str], bytes] | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Review:
    """Review the drawings of `writer`, None: of everybody, each among those of the same writer.

    Drawings that a person has reviewed stay as they are, and count as examples. Doubts that no longer hold are removed. A
    writer whose drawings and labels are unchanged since `reviewed` is skipped; otherwise `reviewed` is updated.
    """
    known = {} if reviewed is None else reviewed
    writers = store.writers() if writer is None else [writer]
    n = 0
    for done, name in enumerate(writers):
        control.raise_if_stopping()
        progress("Checking the labels", done, len(writers))
        drawings = store.dataset(writer=name, with_doubted=True)
        n += sum(label in DIGIT_LABELS for label in drawings.labels)
        digest = _digest_of(drawings)
        if known.get((store.path, name)) != digest:
            _mark(store, classifier, drawings, writer=name)
            known[store.path, name] = digest
    return Review(n, tuple(int(i) for i in store.ids(writer=writer, is_suspect=True)))


def review_before_training(
    folder: Path, *, cache: DataCache, control: Control, progress: Progress, notice: Callable[[str], None]
) -> None:
    """Review all labels, and give notice of how many are doubted. Raises `StoreError`, and `CancelledError` on a stop."""
    with SampleStore.open(folder) as store:
        if not store.count(held_out=False):
            return
        review(store, cache.label_classifier(), control, reviewed=cache.reviewed, progress=progress)
        if waiting := store.count(held_out=False, is_suspect=True):
            notice(awaiting_review(waiting))


def _mark(store: SampleStore, classifier: LabelClassifier, drawings: Dataset, *, writer: str) -> None:
    """Write doubts that are new, have changed, or are gone."""
    before = {sample.id: sample.suspicion for sample in store.samples(writer=writer, is_suspect=True)}
    found = {
        drawings.ids[row]: doubt
        for row, doubt in find_suspects(classifier, drawings.images, drawings.labels).items()
    }
    marks: dict[int, Suspicion | None] = {i: None for i in before if i is not None and i not in found}
    for i, doubt in found.items():
        old = before.get(i)
        if old is None or old.suggestion != doubt.suggestion:
            marks[i] = doubt
    if marks:
        store.mark_suspects(marks)


def _digest_of(drawings: Dataset) -> bytes:
    digest = blake2b(np.asarray(drawings.ids, np.int64).tobytes())
    digest.update("\n".join(drawings.labels).encode())
    return digest.digest()

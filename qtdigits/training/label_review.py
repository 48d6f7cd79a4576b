"""Looking for wrong labels among stored drawings, and marking them so that they wait for somebody to look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from qtdigits.core.drawing.label_review import DIGIT_LABELS, LabelClassifier, find_suspects
from qtdigits.core.drawing.samples import Dataset, Suspicion
from qtdigits.core.formatting import awaiting_review
from qtdigits.core.run.control import Control
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.data_cache import DataCache

MNIST_IMAGES, SYNTHETIC_IMAGES = 8000, 6000
_SYNTHETIC_SEED = 1

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it, and of how much."""


@dataclass(frozen=True)
class Review:
    """How many drawings were looked at, and the ids of those whose labels are doubted now."""

    n: int
    doubted: tuple[int, ...]


def learn_witness(cache: DataCache, folder: Path, control: Control) -> LabelClassifier:
    """From MNIST where it is found, else from synthetic ink alone. A minute's work: `store.witness_file` has one."""

    def go_on(done: int, total: int) -> None:
        control.raise_if_stopping()

    learned = [cache.synthetic(SYNTHETIC_IMAGES, _SYNTHETIC_SEED, go_on)]
    mnist = cache.mnist(folder=folder)
    if mnist is not None:
        learned.insert(0, mnist.training.take(range(MNIST_IMAGES)))
    go_on(0, 0)
    return LabelClassifier.of(
        np.concatenate([part.images for part in learned]),
        [label for part in learned for label in part.labels],
    )


def review(
    store: SampleStore,
    witness: LabelClassifier,
    control: Control,
    *,
    writer: str | None = None,
    looked_through: dict[tuple[Path, str], bytes] | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Review:
    """Look through the drawings of `writer`, None: of everybody, each among those of the same hand.

    What somebody has reviewed stays as it is, and counts as an example. A doubt that no longer holds is taken away. A
    writer whose drawings and labels are those of `looked_through` is passed over, and noted there otherwise.
    """
    known = {} if looked_through is None else looked_through
    writers = store.writers() if writer is None else [writer]
    n = 0
    for done, name in enumerate(writers):
        control.raise_if_stopping()
        progress("Checking the labels", done, len(writers))
        drawings = store.dataset(writer=name)
        n += sum(label in DIGIT_LABELS for label in drawings.labels)
        digest = _digest_of(drawings)
        if known.get((store.path, name)) != digest:
            _mark(store, witness, drawings, writer=name)
            known[store.path, name] = digest
    return Review(n, tuple(int(i) for i in store.ids(writer=writer, is_suspect=True)))


def review_before_training(
    folder: Path, *, cache: DataCache, control: Control, progress: Progress, notice: Callable[[str], None]
) -> None:
    """What is doubted now is not trained on: say so. Raises `StoreError`, and `CancelledError` on a stop."""
    with SampleStore.open(folder) as store:
        if not store.count(held_out=False):
            return
        review(store, cache.witness(), control, looked_through=cache.looked_through, progress=progress)
        if waiting := store.count(held_out=False, is_suspect=True):
            notice(awaiting_review(waiting))


def _mark(store: SampleStore, witness: LabelClassifier, drawings: Dataset, *, writer: str) -> None:
    """Doubts that are new, have changed, or are gone; nothing is written where nothing has changed."""
    before = {sample.id: sample.suspicion for sample in store.samples(writer=writer, is_suspect=True)}
    found = {
        drawings.ids[row]: doubt
        for row, doubt in find_suspects(witness, drawings.images, drawings.labels).items()
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

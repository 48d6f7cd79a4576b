"""Looking for wrong labels among stored drawings, and marking them so that they wait for somebody to look."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qtdigits.core.control import Control
from qtdigits.core.label_guard import DIGIT_LABELS, Witness, suspicions
from qtdigits.core.samples import Dataset, Suspicion
from qtdigits.store.samples import SampleStore
from qtdigits.tasks.data_cache import DataCache

MNIST_IMAGES, SYNTHETIC_IMAGES = 8000, 6000
_SYNTHETIC_SEED = 1


@dataclass(frozen=True)
class Review:
    """How many drawings were looked at, and the ids of those whose labels are doubted now."""

    n: int
    doubted: tuple[int, ...]


def learn_witness(cache: DataCache, folder: Path, control: Control) -> Witness:
    """From MNIST where it is found, else from synthetic ink alone; it is never downloaded for this."""

    def go_on(done: int, total: int) -> None:
        control.check_before_training()

    learned = [cache.synthetic(SYNTHETIC_IMAGES, _SYNTHETIC_SEED, go_on)]
    mnist = cache.mnist(folder=folder)
    if mnist is not None:
        learned.insert(0, mnist.training.take(range(MNIST_IMAGES)))
    go_on(0, 0)
    return Witness.of(
        np.concatenate([part.images for part in learned]),
        [label for part in learned for label in part.labels],
    )


def review(store: SampleStore, witness: Witness, control: Control, *, writer: str | None = None) -> Review:
    """Look through the drawings of `writer`, None: of everybody, each among those of the same hand.

    What somebody has reviewed stays as it is, and counts as an example. A doubt that no longer holds is taken away.
    """
    n = 0
    for name in store.writers() if writer is None else [writer]:
        control.check_before_training()
        drawings = store.dataset(writer=name)
        n += sum(label in DIGIT_LABELS for label in drawings.labels)
        marks = _marks(drawings, witness, before=store.ids(writer=name, is_suspect=True).tolist())
        if marks:
            store.mark_suspects(marks)
    return Review(n, tuple(int(i) for i in store.ids(writer=writer, is_suspect=True)))


def _marks(drawings: Dataset, witness: Witness, *, before: list[int]) -> dict[int, Suspicion | None]:
    found = suspicions(witness, drawings.images, drawings.labels)
    return {**dict.fromkeys(before), **{drawings.ids[row]: doubt for row, doubt in found.items()}}

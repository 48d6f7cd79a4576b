"""The writer matrix of the stored drawings: who is read by a model that learned from whom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.recipe.recipes import load_recipe
from qtdigits.core.run.control import Control
from qtdigits.core.score.writer_matrix import WriterMatrix
from qtdigits.store.model.model_files import load_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.tasks.data_cache import DataCache
from qtdigits.tasks.label_guard import Progress
from qtdigits.tasks.personal import RECIPE, Learner
from qtdigits.tasks.replay import held_out_of
from qtdigits.tasks.source_names import MNIST
from qtdigits.tasks.writer_matrix import writer_matrix


@dataclass(frozen=True, eq=False)
class StoredHands:
    """All stored drawings with their ink; `(n,)` which of them are held out, and which wait because their labels are doubted."""

    drawings: Dataset
    held_out: NDArray[np.bool_]
    doubted: NDArray[np.bool_]

    @classmethod
    def of(cls, folder: Path) -> StoredHands:
        """Of the store in `folder`. Raises `StoreError`."""
        with SampleStore.open(folder) as store:
            drawings = store.dataset(with_ink=True)
            doubted = np.isin(drawings.ids, store.ids(is_suspect=True))
            return cls(drawings, held_out_of(store, drawings), doubted)


def stored_writer_matrix(
    folder: Path, *, model: Path, cache: DataCache, control: Control, progress: Progress
) -> WriterMatrix:
    """The matrix of the store in `folder`, of models that began with the one at `model`.

    A stop gives what there is, a cancel raises `CancelledError`. Raises errors that name what cannot be used.
    """
    progress("Reading the drawings", 0, 0)
    hands = StoredHands.of(folder)
    base = load_model(model)
    control.check_before_training()
    mnist = cache.mnist(folder=folder)
    if mnist is None:
        rehearsal = cache.rehearsal(lambda done, total: progress("Drawing synthetic ink", done, total))
    else:
        rehearsal = replace(mnist.training, name=MNIST)

    def told(what: str, done: int, total: int) -> None:
        progress(f"Learning from {what}" if what else "Done", done, total)

    return writer_matrix(
        hands.drawings,
        held_out=hands.held_out,
        not_to_learn=hands.doubted,
        base=base,
        learner=Learner(load_recipe(RECIPE), rehearsal),
        progress=told,
        control=control,
    )

"""A new model beside the one in use, on drawings that neither may have been trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import Dataset, Origin
from qtdigits.core.drawing.splits import guard_split
from qtdigits.core.models import Model
from qtdigits.core.score.comparison import Comparison, Paired
from qtdigits.reader.reader import Reader
from qtdigits.store.model.model_files import load_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.tasks.evaluate import answers_of
from qtdigits.tasks.replay import may_have_learned

MOST_GUARDS = 3000
"""Images of the guard that are read by both models: a tenth of a point is three of them."""


NOTHING = Dataset("nothing", np.empty((0, 28, 28), np.uint8), ())


def compare_with(
    champion: Path,
    new: Model,
    reader: Reader,
    *,
    hold_out: Dataset = NOTHING,
    guard: Dataset = NOTHING,
    drawn: Dataset = NOTHING,
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


def _paired(old: Reader, new: Reader, dataset: Dataset) -> Paired:
    return Paired.of(answers_of(old, dataset).is_right, answers_of(new, dataset).is_right, dataset.ids)

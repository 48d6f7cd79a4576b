"""A new model beside the one in use, on drawings that neither may have been trained on."""

from __future__ import annotations

from pathlib import Path

from qtdigits.core.comparison import Comparison, Paired
from qtdigits.core.labels import DIGITS
from qtdigits.core.samples import Dataset
from qtdigits.core.splits import guard_split
from qtdigits.reader.reader import Reader
from qtdigits.store.model_files import load_model
from qtdigits.tasks.evaluate import answers_of

MOST_GUARDS = 3000
"""Images of the guard that are read by both models: a tenth of a point is three of them."""


def compare_with(champion: Path, new: Reader, *, hold_out: Dataset, guard: Dataset) -> Comparison:
    """`new` beside the model at `champion`, by what each reads right. Raises `ModelFileError` when that cannot be used."""
    old = Reader(load_model(champion, weights=False))
    return Comparison(_paired(old, new, hold_out), _paired(old, new, guard), old.model_name)


def guard_of(mnist_training: Dataset) -> Dataset:
    """The guard's images among MNIST's 60,000, as many as are read."""
    _, guard = guard_split(mnist_training.targets(DIGITS))
    return mnist_training.take(guard[:: max(1, len(guard) // MOST_GUARDS)][:MOST_GUARDS])


def _paired(old: Reader, new: Reader, dataset: Dataset) -> Paired:
    return Paired.of(answers_of(old, dataset).is_right, answers_of(new, dataset).is_right, dataset.ids)

"""Batches hold what they should, as Keras wants it."""

import itertools

import numpy as np
import pytest

from qtdigits.ml.batches import training_batches, validation_batches
from qtdigits.ml.training_data import TrainingData


def numbered_data() -> TrainingData:
    """Each image is filled with its own number, and its target is that number too."""
    targets = np.arange(10)
    images = np.repeat(targets.astype(np.uint8), 28 * 28).reshape(10, 28, 28)
    return TrainingData(
        images, targets, training=np.array([0, 1, 2, 3, 4, 5, 5, 5]), validation=np.array([7, 9])
    )


def numbers_in(batch: tuple[object, object]) -> tuple[list[int], list[int]]:
    images, labels = np.asarray(batch[0]), np.asarray(batch[1])
    assert images.shape[1:] == (28, 28, 1)
    assert images.dtype == labels.dtype == np.float32
    return np.rint(images[:, 0, 0, 0] * 255).astype(int).tolist(), labels.argmax(axis=1).tolist()


def drawn_by(batches: object, n: int) -> list[list[int]]:
    """The numbers in the next `n` batches."""
    drawn = []
    for batch in itertools.islice(batches, n):  # type: ignore[call-overload]
        images, labels = numbers_in(batch)
        assert images == labels
        drawn.append(images)
    return drawn


def test_that_an_epoch_holds_every_image_as_often_as_it_counts() -> None:
    batches = training_batches(numbered_data(), n_classes=10, batch_size=3, seed=1)
    assert numbered_data().steps_per_epoch(3) == 3
    drawn = drawn_by(batches, 6)
    for epoch in (drawn[:3], drawn[3:]):
        assert [len(batch) for batch in epoch] == [3, 3, 2]
        assert sorted(itertools.chain(*epoch)) == [0, 1, 2, 3, 4, 5, 5, 5]


def test_that_epochs_differ_in_order_and_runs_do_not() -> None:
    first, second = (training_batches(numbered_data(), n_classes=10, batch_size=8, seed=1) for _ in range(2))
    epochs = drawn_by(first, 3)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert drawn_by(second, 3) == epochs


@pytest.mark.parametrize("first_step", [1, 3, 7])
def test_that_a_run_that_goes_on_gets_the_batches_that_it_would_have_got(first_step: int) -> None:
    data = numbered_data()
    whole = drawn_by(training_batches(data, n_classes=10, batch_size=3, seed=1), 12)
    rest = training_batches(data, n_classes=10, batch_size=3, seed=1, first_step=first_step)
    assert drawn_by(rest, 12 - first_step) == whole[first_step:]


def test_that_validation_keeps_its_order() -> None:
    assert drawn_by(validation_batches(numbered_data(), n_classes=10), 1) == [[7, 9]]

"""Batches hold what they should, as Keras wants it."""

import numpy as np

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


def epoch_of(batches: object) -> list[int]:
    drawn = []
    for batch in batches:  # type: ignore[attr-defined]
        images, labels = numbers_in(batch)
        assert images == labels
        drawn += images
    return drawn


def test_that_an_epoch_holds_every_image_as_often_as_it_counts() -> None:
    batches = training_batches(numbered_data(), n_classes=10, batch_size=3, seed=1)
    assert sorted(epoch_of(batches)) == [0, 1, 2, 3, 4, 5, 5, 5]
    assert len(batches) == numbered_data().steps_per_epoch(3) == 3


def test_that_epochs_differ_in_order_and_runs_do_not() -> None:
    first, second = (training_batches(numbered_data(), n_classes=10, batch_size=8, seed=1) for _ in range(2))
    epochs = [epoch_of(first) for _ in range(3)]
    assert len({tuple(epoch) for epoch in epochs}) > 1
    assert [epoch_of(second) for _ in range(3)] == epochs


def test_that_validation_keeps_its_order() -> None:
    assert epoch_of(validation_batches(numbered_data(), n_classes=10)) == [7, 9]

"""Batches hold what they should, as Keras wants it, in another order and augmented each epoch."""

from __future__ import annotations

import itertools
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from qtdigits.core.drawing.augmentation import Augmentation
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.synthetic import NO_CLASS, synthetic_digits
from qtdigits.ml.batches import augmented_batches, training_batches, validation_batches
from qtdigits.ml.training_data import NOT_ASKED, TrainingData


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
def test_that_a_resumed_run_gets_the_batches_that_it_would_have_got(first_step: int) -> None:
    data = numbered_data()
    whole = drawn_by(training_batches(data, n_classes=10, batch_size=3, seed=1), 12)
    rest = training_batches(data, n_classes=10, batch_size=3, seed=1, first_step=first_step)
    assert drawn_by(rest, 12 - first_step) == whole[first_step:]


def test_that_validation_keeps_its_order() -> None:
    assert drawn_by(validation_batches(numbered_data(), n_classes=10), 1) == [[7, 9]]


N = 96
BATCH = 32


@pytest.fixture(scope="module")
def data() -> TrainingData:
    inks, labels = synthetic_digits(N, seed=4)
    targets = np.array([int(label) for label in labels], np.int64)
    return TrainingData(render_many(inks), targets, training=np.arange(N), validation=np.arange(0), inks=inks)


def epoch_of(data: TrainingData, strength: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    batches = augmented_batches(
        data, n_classes=10, batch_size=BATCH, seed=seed, augmentation=Augmentation(strength)
    )
    pairs = list(islice(batches.as_numpy_iterator(), N // BATCH))
    return np.concatenate([x for x, _ in pairs]), np.concatenate([y for _, y in pairs])


def test_that_every_drawing_comes_once_an_epoch_with_its_label(data: TrainingData) -> None:
    images, answers = epoch_of(data, 0.0)
    known = {image.tobytes(): int(target) for image, target in zip(data.images, data.targets, strict=True)}
    seen = [np.round(image[..., 0] * 255).astype(np.uint8).tobytes() for image in images]
    assert sorted(seen) == sorted(known)
    assert [known[image] for image in seen] == answers.argmax(axis=1).tolist()


def test_that_drawings_are_varied_and_the_seed_says_how(data: TrainingData) -> None:
    first, _ = epoch_of(data, 1.0)
    again, _ = epoch_of(data, 1.0)
    other, _ = epoch_of(data, 1.0, seed=2)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert 0 <= first.min() < first.max() <= 1
    originals = {image.tobytes() for image in data.images}
    unchanged = sum(np.round(i[..., 0] * 255).astype(np.uint8).tobytes() in originals for i in first)
    assert unchanged < N // 10


def test_that_pixels_without_ink_are_varied_too(data: TrainingData) -> None:
    first, answers = epoch_of(replace(data, inks=()), 1.0)
    plain, _ = epoch_of(replace(data, inks=()), 0.0)
    assert first.shape == (N, 28, 28, 1)
    assert sorted(answers.argmax(axis=1)) == sorted(data.targets)
    assert np.abs(first - plain).mean() > 0.01


def test_that_an_image_of_no_class_is_wanted_as_all_classes_alike(data: TrainingData) -> None:
    targets = np.where(np.arange(N) % 3, data.targets, NO_CLASS)
    _, answers = epoch_of(replace(data, targets=targets), 1.0)
    assert np.isclose(answers.max(axis=1), 0.1).sum() == N // 3
    np.testing.assert_allclose(answers.sum(axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize("first_step", [1, 17, 23])
def test_that_a_resumed_run_gets_the_augmented_batches_that_it_would_have_got(
    data: TrainingData, first_step: int
) -> None:
    """20 batches an epoch, in chunks of 16 and 4."""
    settings = {"n_classes": 10, "batch_size": 5, "seed": 1, "augmentation": Augmentation(1.0)}
    whole = list(islice(augmented_batches(data, **settings).as_numpy_iterator(), 44))
    rest = augmented_batches(data, **settings, first_step=first_step)
    for (images, outputs), (expected, wanted) in zip(
        islice(rest.as_numpy_iterator(), 44 - first_step), whole[first_step:], strict=True
    ):
        np.testing.assert_array_equal(images, expected)
        np.testing.assert_array_equal(outputs, wanted)


def test_that_the_last_batch_is_filled_from_its_own_epoch(data: TrainingData) -> None:
    few = replace(data, training=np.arange(7))
    batches = augmented_batches(few, n_classes=10, batch_size=5, seed=1, augmentation=Augmentation(0.0))
    images = [x for x, _ in islice(batches.as_numpy_iterator(), 4)]
    for first, last in (images[:2], images[2:]):
        assert len({image.tobytes() for image in (*first, *last)}) == 7
        np.testing.assert_array_equal(last[2:], first[:3])


def test_that_characters_are_augmented_by_a_strength_of_their_own(data: TrainingData) -> None:
    apart = replace(data, targets=np.where(np.arange(N) < N // 2, data.targets, NOT_ASKED))
    batches = augmented_batches(
        apart,
        n_classes=10,
        batch_size=N,
        seed=1,
        augmentation=Augmentation(1.0),
        characters_augmentation=0.0,
    )
    images, outputs = next(iter(batches.as_numpy_iterator()))
    given = {image.tobytes() for image in data.images}
    unchanged = np.array([(image * 255).round().astype(np.uint8).tobytes() in given for image in images])
    np.testing.assert_array_equal(unchanged, outputs.sum(axis=1) == 0.0)


@pytest.mark.parametrize("batches", [training_batches, augmented_batches])
def test_that_the_character_stands_behind_the_wanted_outputs(data: TrainingData, batches: object) -> None:
    named = replace(data, characters=10 + data.targets, character_labels=tuple("abcdefghijklmnopqrst"))
    settings = {"augmentation": Augmentation(1.0)} if batches is augmented_batches else {}
    found = batches(named, n_classes=10, batch_size=N, seed=1, **settings)  # type: ignore[operator]
    _, outputs = next(iter(found.as_numpy_iterator()))
    assert outputs.shape == (N, 11)
    np.testing.assert_array_equal(outputs[:, -1], 10 + outputs[:, :-1].argmax(axis=1))

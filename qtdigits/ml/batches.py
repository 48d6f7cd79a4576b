"""Batches for Keras, made as they are needed, augmented by a thread ahead of the training.

The images stay uint8 and are picked and converted batch by batch in TensorFlow's own thread: compared with float32
arrays of all 60,000 images, the first batch comes a second earlier, and the process needs 650 MB less.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.augmentation import Augmentation, augment_images, augment_inks
from qtdigits.core.drawing.synthetic import NO_CLASS
from qtdigits.core.run.checkpoints import order_of_epoch
from qtdigits.ml.backend import tf
from qtdigits.ml.training_data import TrainingData

VALIDATION_BATCH = 256

_CHUNK_BATCHES = 16
"""Batches augmented together: drawings with the same pen are rendered in one go, so a chunk should be large."""

_AHEAD = 2 * _CHUNK_BATCHES


def training_batches(
    data: TrainingData, *, n_classes: int, batch_size: int, seed: int, first_step: int = 0
) -> Any:
    """Return an endless `tf.data.Dataset`, in another order each epoch, all determined by `seed`.

    It begins after `first_step` batches. To be used with `steps_per_epoch`.
    """
    first_epoch, skipped = divmod(first_step, data.steps_per_epoch(batch_size))
    n = len(data.training)

    def orders() -> Iterator[NDArray[np.int64]]:
        for epoch in itertools.count(first_epoch):
            yield order_of_epoch(np.arange(n), seed=seed, epoch=epoch)

    signature = tf.TensorSpec((n,), tf.int64)
    places = tf.data.Dataset.from_generator(orders, output_signature=signature).flat_map(
        lambda order: tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
    )
    return _batches(data.images, training_targets(data, n_classes), places.skip(skipped), data.training)


def augmented_batches(
    data: TrainingData,
    *,
    n_classes: int,
    batch_size: int,
    seed: int,
    augmentation: Augmentation,
    characters_augmentation: float = 1.0,
    first_step: int = 0,
) -> Any:
    """Return an endless `tf.data.Dataset`: `(b, 28, 28, 1) float32`, 0 to 1, and the targets of `training_targets`.

    It begins after `first_step` batches. The last, smaller batch of an epoch is filled up with its first drawings, so that all
    batches have one shape (or TensorFlow would trace and oneDNN prepare the network twice). To be used with `steps_per_epoch`.
    """
    wanted = training_targets(data, n_classes)
    signature = (
        tf.TensorSpec((batch_size, 28, 28, 1), tf.uint8),
        tf.TensorSpec((batch_size, wanted.shape[1]), tf.float32),
    )
    augmenter = _Augmenter(data, batch_size, seed, augmentation, characters_augmentation)

    def pairs() -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
        for indices, images in augmenter.batches(first_step):
            yield images, wanted[indices]

    def converted(images: Any, outputs: Any) -> tuple[Any, Any]:
        return tf.cast(images, tf.float32) / 255.0, outputs

    source = tf.data.Dataset.from_generator(pairs, output_signature=signature)
    return _on_one_thread(source.prefetch(_AHEAD).map(converted).prefetch(2))


def validation_batches(data: TrainingData, *, n_classes: int) -> Any:
    """Return a `tf.data.Dataset` of the validation part, in its order."""
    places = tf.data.Dataset.range(len(data.validation)).batch(VALIDATION_BATCH)
    return _batches(data.images, wanted_outputs(data, n_classes), places, data.validation)


def wanted_outputs(data: TrainingData, n_classes: int) -> NDArray[np.float32]:
    """Return the targets `(n, n_classes)`: the teacher's answers for a rehearsal, one-hot labels otherwise."""
    wanted = one_hot(data.targets, n_classes)
    if data.answers is not None:
        wanted[data.remembered] = data.answers
    return wanted


def training_targets(data: TrainingData, n_classes: int) -> NDArray[np.float32]:
    """Return `wanted_outputs`, followed by the index of the character where there is a second head: `(n, n_classes + 1)`."""
    wanted = wanted_outputs(data, n_classes)
    if not len(data.characters):
        return wanted
    return np.column_stack([wanted, data.characters.astype(np.float32)])


def one_hot(targets: NDArray[np.int64], n_classes: int) -> NDArray[np.float32]:
    """Return `(n, n_classes)`: 1 for the right class; equal probabilities for no class; 0 for `NOT_ASKED`."""
    wanted = np.zeros((len(targets), n_classes), np.float32)
    wanted[targets == NO_CLASS] = 1.0 / n_classes
    of_a_class = np.flatnonzero(targets >= 0)
    wanted[of_a_class, targets[of_a_class]] = 1.0
    return wanted


def _on_one_thread(batches: Any) -> Any:
    """Let one thread make the batches of a `tf.data.Dataset`, and leave the processors to the training."""
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    options.autotune.enabled = False
    return batches.with_options(options)


def _batches(
    images: NDArray[np.uint8], wanted: NDArray[np.float32], places: Any, indices: NDArray[np.int64]
) -> Any:
    """Return pairs of `(b, 28, 28, 1) float32`, 0 to 1, and targets `(b, n_classes) float32`."""
    with tf.device("CPU:0"):
        all_images, all_wanted, chosen = tf.constant(images), tf.constant(wanted), tf.constant(indices)

    def pick(place: Any) -> tuple[Any, Any]:
        index = tf.gather(chosen, place)
        grey = tf.cast(tf.gather(all_images, index), tf.float32) / 255.0
        return grey[..., tf.newaxis], tf.gather(all_wanted, index)

    return _on_one_thread(places.map(pick, num_parallel_calls=1).prefetch(2))


_AS_PIXELS, _AS_INK, _AS_INK_OF_CHARACTERS, _NOT_AT_ALL = range(4)


@dataclass(frozen=True, eq=False)
class _Augmenter:
    """Augments in chunks. Each has random numbers of its own, by seed, epoch and place, so that a run can begin anywhere."""

    data: TrainingData
    batch_size: int
    seed: int
    augmentation: Augmentation
    of_characters: float

    def batches(self, first_step: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
        """Yield indices `(b,)` into the images, and those images augmented, `(b, 28, 28, 1)`."""
        ways = self._ways()
        steps = self.data.steps_per_epoch(self.batch_size)
        first_epoch, skipped = divmod(first_step, steps)
        for epoch in itertools.count(first_epoch):
            order = order_of_epoch(self.data.training, seed=self.seed, epoch=epoch)
            by_step = np.resize(order, (steps, self.batch_size))
            for first in range(skipped - skipped % _CHUNK_BATCHES, steps, _CHUNK_BATCHES):
                rng = np.random.default_rng((self.seed, epoch, 1 + first))
                chunk = by_step[first : first + _CHUNK_BATCHES]
                images = self._augmented(chunk.ravel(), ways[chunk.ravel()], rng)
                images = images.reshape(*chunk.shape, 28, 28, 1)
                for number in range(max(skipped - first, 0), len(chunk)):
                    yield chunk[number], images[number]
            skipped = 0

    def _augmented(
        self, chunk: NDArray[np.int64], ways: NDArray[np.int8], rng: np.random.Generator
    ) -> NDArray[np.uint8]:
        """Return the images `(m, 28, 28)` at the indices `chunk`, each augmented in its way."""
        images = self.data.images[chunk]
        as_pixels = ways == _AS_PIXELS
        images[as_pixels] = augment_images(images[as_pixels], rng, self.augmentation)
        for way, strength in ((_AS_INK, 1.0), (_AS_INK_OF_CHARACTERS, self.of_characters)):
            inks = [ink for index in chunk[ways == way] if (ink := self.data.inks[index]) is not None]
            settings = replace(self.augmentation, strength=self.augmentation.strength * strength)
            images[ways == way] = augment_inks(inks, rng, settings)
        return images

    def _ways(self) -> NDArray[np.int8]:
        """Return `(n,)`: how each image is augmented. A teacher's images were augmented before it read them."""
        data = self.data
        ways = np.full(len(data.targets), _AS_PIXELS, np.int8)
        if data.inks:
            ways[[ink is not None for ink in data.inks]] = _AS_INK
        if self.of_characters != 1.0:
            ways[(ways == _AS_INK) & (data.targets < 0)] = _AS_INK_OF_CHARACTERS
        if data.answers is not None:
            ways[data.remembered] = _NOT_AT_ALL
        return ways

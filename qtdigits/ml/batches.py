"""Batches for Keras, made while they are needed.

The images stay uint8 and are picked and converted batch by batch in TensorFlow's own thread: measured against float32
arrays of all 60,000 images, the first batch comes a second earlier, and the process needs 650 MB less.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.outliers import NO_CLASS
from qtdigits.core.run.checkpoints import order_of_epoch
from qtdigits.ml.backend import tf
from qtdigits.ml.training_data import TrainingData

VALIDATION_BATCH = 256


def training_batches(
    data: TrainingData, *, n_classes: int, batch_size: int, seed: int, first_step: int = 0
) -> Any:
    """A `tf.data.Dataset` without end, in another order each epoch, all of them determined by `seed`.

    It begins with the batch after `first_step` batches. To be used with `steps_per_epoch`.
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
    return _batches(data.images, wanted_outputs(data, n_classes), places.skip(skipped), data.training)


def validation_batches(data: TrainingData, *, n_classes: int) -> Any:
    """A `tf.data.Dataset` of the validation part, in its order."""
    places = tf.data.Dataset.range(len(data.validation)).batch(VALIDATION_BATCH)
    return _batches(data.images, wanted_outputs(data, n_classes), places, data.validation)


def _batches(
    images: NDArray[np.uint8], wanted: NDArray[np.float32], places: Any, indices: NDArray[np.int64]
) -> Any:
    """Pairs of `(b, 28, 28, 1) float32`, 0 to 1, and wanted outputs `(b, n_classes) float32`."""
    with tf.device("CPU:0"):
        all_images, all_wanted, chosen = tf.constant(images), tf.constant(wanted), tf.constant(indices)

    def pick(place: Any) -> tuple[Any, Any]:
        index = tf.gather(chosen, place)
        grey = tf.cast(tf.gather(all_images, index), tf.float32) / 255.0
        return grey[..., tf.newaxis], tf.gather(all_wanted, index)

    return on_one_thread(places.map(pick, num_parallel_calls=1).prefetch(2))


def wanted_outputs(data: TrainingData, n_classes: int) -> NDArray[np.float32]:
    """`(n, n_classes)`: what the network shall answer to each image, the remembered answers where there are some."""
    wanted = one_hot(data.targets, n_classes)
    if data.answers is not None:
        wanted[data.remembered] = data.answers
    return wanted


def one_hot(targets: NDArray[np.int64], n_classes: int) -> NDArray[np.float32]:
    """`(n, n_classes)`: 1 for the right class; the same for every class where an image is of none."""
    wanted = np.full((len(targets), n_classes), 1.0 / n_classes, np.float32)
    of_a_class = np.flatnonzero(targets != NO_CLASS)
    wanted[of_a_class] = 0.0
    wanted[of_a_class, targets[of_a_class]] = 1.0
    return wanted


def on_one_thread(batches: Any) -> Any:
    """A `tf.data.Dataset` that leaves the processors to the training: one thread makes its batches."""
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    options.autotune.enabled = False
    return batches.with_options(options)

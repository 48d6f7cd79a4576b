"""Batches of which no two are alike: images and ink are varied in chunks by a thread ahead of the training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.augmentation import augment_images, augment_inks
from qtdigits.core.variation import Augmentation
from qtdigits.ml.backend import tf
from qtdigits.ml.batches import on_one_thread, wanted_outputs
from qtdigits.ml.training_data import TrainingData

_CHUNK_BATCHES = 16
"""Batches varied together: drawings with the same pen are rendered in one go, so a chunk should be large."""

_AHEAD = 2 * _CHUNK_BATCHES


def varied_batches(
    data: TrainingData, *, n_classes: int, batch_size: int, seed: int, augmentation: Augmentation
) -> Any:
    """A `tf.data.Dataset` without end: `(b, 28, 28, 1) float32`, 0 to 1, and wanted outputs `(b, n_classes)`.

    The last, smaller batch of an epoch is filled with the first drawings of the next, so all batches have one shape
    (TensorFlow would trace and oneDNN prepare the network a second time). To be used with `steps_per_epoch`.
    """
    signature = (
        tf.TensorSpec((batch_size, 28, 28, 1), tf.uint8),
        tf.TensorSpec((batch_size, n_classes), tf.float32),
    )
    wanted = wanted_outputs(data, n_classes)
    source = tf.data.Dataset.from_generator(
        lambda: _batches(data, wanted, batch_size, np.random.default_rng(seed), augmentation),
        output_signature=signature,
    )

    def converted(images: Any, outputs: Any) -> tuple[Any, Any]:
        return tf.cast(images, tf.float32) / 255.0, outputs

    return on_one_thread(source.prefetch(_AHEAD).map(converted).prefetch(2))


def _batches(
    data: TrainingData,
    wanted: NDArray[np.float32],
    batch_size: int,
    rng: np.random.Generator,
    augmentation: Augmentation,
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    has_ink = _has_ink(data)
    waiting = np.empty(0, np.int64)
    size = batch_size * _CHUNK_BATCHES
    while True:
        while len(waiting) < size:
            waiting = np.concatenate([waiting, rng.permutation(data.training)])
        chunk, waiting = waiting[:size], waiting[size:]
        images = _varied(data, chunk, has_ink[chunk], rng, augmentation)[..., np.newaxis]
        outputs = wanted[chunk]
        for first in range(0, size, batch_size):
            yield images[first : first + batch_size], outputs[first : first + batch_size]


def _has_ink(data: TrainingData) -> NDArray[np.bool_]:
    if not data.inks:
        return np.zeros(len(data.targets), bool)
    return np.array([ink is not None for ink in data.inks])


def _varied(
    data: TrainingData,
    chunk: NDArray[np.int64],
    has_ink: NDArray[np.bool_],
    rng: np.random.Generator,
    augmentation: Augmentation,
) -> NDArray[np.uint8]:
    """Ink is varied as ink, the rest as pixels."""
    images = np.empty((len(chunk), 28, 28), np.uint8)
    images[~has_ink] = augment_images(data.images[chunk[~has_ink]], rng, augmentation)
    inks = [ink for index in chunk[has_ink] if (ink := data.inks[index]) is not None]
    images[has_ink] = augment_inks(inks, rng, augmentation)
    return images

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
    ways = _ways(data)
    waiting = np.empty(0, np.int64)
    size = batch_size * _CHUNK_BATCHES
    while True:
        while len(waiting) < size:
            waiting = np.concatenate([waiting, rng.permutation(data.training)])
        chunk, waiting = waiting[:size], waiting[size:]
        images = _varied(data, chunk, ways[chunk], rng, augmentation)[..., np.newaxis]
        outputs = wanted[chunk]
        for first in range(0, size, batch_size):
            yield images[first : first + batch_size], outputs[first : first + batch_size]


_AS_PIXELS, _AS_INK, _NOT_ANY_MORE = 0, 1, 2


def _ways(data: TrainingData) -> NDArray[np.int8]:
    """`(n,)`: how each image is varied. One whose answer is known was varied before it was asked for."""
    ways = np.full(len(data.targets), _AS_PIXELS, np.int8)
    if data.inks:
        ways[[ink is not None for ink in data.inks]] = _AS_INK
    if data.answers is not None:
        ways[data.remembered] = _NOT_ANY_MORE
    return ways


def _varied(
    data: TrainingData,
    chunk: NDArray[np.int64],
    ways: NDArray[np.int8],
    rng: np.random.Generator,
    augmentation: Augmentation,
) -> NDArray[np.uint8]:
    images = data.images[chunk]
    as_pixels, as_ink = ways == _AS_PIXELS, ways == _AS_INK
    images[as_pixels] = augment_images(images[as_pixels], rng, augmentation)
    inks = [ink for index in chunk[as_ink] if (ink := data.inks[index]) is not None]
    images[as_ink] = augment_inks(inks, rng, augmentation)
    return images

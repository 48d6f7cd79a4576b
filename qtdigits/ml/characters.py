"""A second head for training: it tells all characters apart, many more than the label set has, and shapes the embedding.

Its answer is the softmax over the cosines between a drawing's embedding and one vector of each class (Wang et al.,
NormFace, 2017): drawings of one character come to lie in one direction, those of others in others, and so do characters that
were never seen. The head is thrown away when training ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import look_alikes_of
from qtdigits.ml.backend import keras, tf

SCALE = 20.0
"""Multiplies the cosines. Without it, the softmax could never be sure."""

MARGIN = 0.12
"""What the right cosine of a letter or digit must exceed the others by (Wang et al., CosFace, 2018). Not that of a sign: signs
stand for what was never seen, which needs room."""

LETTERS_BY_NUMBER = ("Latin/", "Greek/")
"""Alphabets of Omniglot whose characters are letters and digits under other names, as "Latin/character01" is "a"."""


class WithCharacters(keras.Model):
    """A network while it is trained with the second head; it reads as the network alone does, whose weights it shares.

    Targets are `(b, k + 1)`: those of the network, all 0 for a drawing that it is not asked about, then the index of the
    character among `labels`, -1 for none. Each drawing of a batch counts the same for either head. The reported loss is the
    network's.
    """

    def __init__(self, network: Any, labels: Sequence[str], weight: float) -> None:
        super().__init__(name=network.name)
        self._heads = keras.Model(network.input, [network.output, network.layers[-1].input])
        self._weight = weight
        self._is_hidden = tf.constant(look_alikes(labels))
        self._margins = tf.constant([MARGIN if len(label) == 1 else 0.0 for label in labels], tf.float32)
        width = network.layers[-1].input.shape[-1]
        self.characters = self.add_weight((width, len(labels)), "glorot_uniform", name="characters")
        self.built = True

    def call(self, images: Any, training: bool | None = None) -> Any:
        return self._heads(images, training=training)[0]

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self._heads.compute_output_shape(input_shape)[0]

    def train_step(self, data: tuple[Any, Any]) -> Any:
        images, targets = data
        wanted, character = targets[:, :-1], tf.cast(targets[:, -1], tf.int32)
        is_asked = tf.reduce_sum(wanted, axis=1)
        with tf.GradientTape() as tape:
            answers, embedding = self._heads(images, training=True)
            loss = self.compute_loss(y=wanted, y_pred=answers, sample_weight=is_asked)
            both = loss + self._weight * self._characters_loss(embedding, character)
        gradients = tape.gradient(both, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        n_asked = tf.reduce_sum(is_asked)
        loss_of_epoch = next(metric for metric in self.metrics if metric.name == "loss")
        n_drawings = tf.cast(tf.shape(images)[0], tf.float32)
        loss_of_epoch.update_state(tf.math.divide_no_nan(loss * n_drawings, n_asked), sample_weight=n_asked)
        return self.compute_metrics(images, wanted, answers)

    def _characters_loss(self, embedding: Any, character: Any) -> Any:
        """Return the sum of the cross-entropies of the drawings of a character, over the number of all drawings."""
        unit = tf.math.l2_normalize(tf.cast(embedding, tf.float32), axis=1)
        cosines = tf.matmul(unit, tf.math.l2_normalize(self.characters, axis=0))
        right = tf.maximum(character, 0)
        margins = tf.one_hot(right, self._margins.shape[0]) * self._margins
        logits = tf.where(tf.gather(self._is_hidden, right), cosines.dtype.min, SCALE * (cosines - margins))
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(right, logits)
        return tf.reduce_mean(tf.where(character < 0, 0.0, losses))


def look_alikes(labels: Sequence[str]) -> NDArray[np.bool_]:
    """Return `(c, c)`: whether the second class is no wrong answer for a drawing of the first, as "O" for "0"."""
    place = {label: i for i, label in enumerate(labels)}
    alphabets = np.array([_alphabet(label) for label in labels])
    are_letters = alphabets != ""
    hidden: NDArray[np.bool_] = (alphabets[:, None] != alphabets) & are_letters & are_letters[:, None]
    for label, i in place.items():
        hidden[i, [place[other] for other in look_alikes_of(label) if other in place and other != label]] = (
            True
        )
    return hidden


def _alphabet(label: str) -> str:
    """Return the name of what the label is a letter of, "" for a sign: letters of these alphabets may be the same shape."""
    if len(label) == 1:
        return "letters"
    return next((name for name in LETTERS_BY_NUMBER if label.startswith(name)), "")

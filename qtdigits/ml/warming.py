"""Letting TensorFlow load and initialise what it only does on first use, while nobody waits."""

from __future__ import annotations

import numpy as np

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.recipe.recipes import Recipe
from qtdigits.core.run.control import Control
from qtdigits.ml.backend import keras
from qtdigits.ml.training import train
from qtdigits.ml.training_data import TrainingData

_N_IMAGES = 40


def tidy_up() -> None:
    """Let go of what Keras remembers of networks that nobody has any more. Costs up to 0.3 s: not before a run but after it."""
    keras.utils.clear_session()


def warm_up(recipe: Recipe) -> None:
    """Train the recipe's network for a moment on nothing in particular; nothing of it is kept."""
    images = np.zeros((_N_IMAGES, 28, 28), np.uint8)
    places = np.arange(_N_IMAGES)
    data = TrainingData(images, places % len(DIGITS), training=places[10:], validation=places[:10])
    brief = recipe.with_values(epochs=1, batch_size=20)
    train(brief, DIGITS, data, run="warm-up", emit=lambda _event: None, control=Control())

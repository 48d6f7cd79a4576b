"""Real trainings that take a second: a few hundred synthetic digits, one small hidden layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import validation_split
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.core.model import Model
from qtdigits.core.recipe import Recipe, recipe_of
from qtdigits.core.run.control import Control
from qtdigits.core.run.events import Event
from qtdigits.core.run.history import History
from qtdigits.ml.training_data import TrainingData

TINY_RECIPE = recipe_of({"dense": "16", "epochs": 2, "batch_size": 20, "learning_rate": 0.01}, name="tiny")

EventKind = TypeVar("EventKind")


def tiny_data(n: int = 300, seed: int = 1) -> TrainingData:
    inks, labels = synthetic_digits(n, seed)
    targets = DIGITS.indices(labels)
    training, validation = validation_split(targets, 0.2, seed)
    return TrainingData(render_many(inks), targets, training, validation, {"synthetic ink": len(training)})


def tiny_model(recipe: Recipe = TINY_RECIPE) -> Model:
    """A trained, exported model; it needs TensorFlow."""
    from qtdigits.ml.models import to_model
    from qtdigits.ml.training import train

    data, history = tiny_data(), History()
    trained = train(recipe, DIGITS, data, run="tiny", emit=history.apply, control=Control())
    return to_model(
        trained,
        name="tiny",
        images=data.images,
        targets=data.targets,
        history=history,
        provenance={"made": "in a test"},
    )


def write_tiny_mnist(path: Path, *, n_training: int = 300, n_test: int = 60) -> Path:
    """A file of MNIST's form with synthetic digits in it."""
    inks, labels = synthetic_digits(n_training + n_test, seed=2)
    images, digits = render_many(inks), np.array(labels).astype(np.uint8)
    np.savez(
        path,
        x_train=images[:n_training],
        y_train=digits[:n_training],
        x_test=images[n_training:],
        y_test=digits[n_training:],
    )
    return path


def poison_second_epoch(watch: Any, batch: int, logs: object = None) -> None:
    """As `TrainingCallback.on_train_batch_begin`: the weights become no numbers, as after a step that was much too large."""
    if watch.epochs == 1 and batch == 0:
        watch.model.set_weights([np.full_like(array, np.nan) for array in watch.model.get_weights()])


class Recorder:
    """Keeps events; `on` is called with each of them, for tests that do something in the middle of a run."""

    def __init__(self, on: Callable[[Event], None] = lambda event: None) -> None:
        self.events: list[Event] = []
        self._on = on

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._on(event)

    def of(self, kind: type[EventKind]) -> list[EventKind]:
        return [event for event in self.events if isinstance(event, kind)]

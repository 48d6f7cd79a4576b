"""Hands of synthetic digits, and a recipe that learns one in a second."""

from __future__ import annotations

import numpy as np

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.core.recipe import recipe_of

PERSONAL = recipe_of(
    {
        "start": "champion",
        "keep": "last",
        "drawings_share": 0.5,
        "mnist_images": 120,
        "augmentation": 0.5,
        "learning_rate": 0.01,
        "batch_size": 20,
        "epochs": 4,
    },
    name="personal",
)
BASE_RECIPE = recipe_of({"dense": "32", "epochs": 6, "batch_size": 20, "learning_rate": 0.01}, name="base")
"""What `PERSONAL` goes on from."""


def hand(n: int, seed: int, *, writer: str = "", is_mirrored: bool = False) -> Dataset:
    """`n` drawings; mirrored ones are a hand that nobody reads who has not learned it."""
    inks, labels = synthetic_digits(n, seed)
    if is_mirrored:
        inks = [Ink.of([stroke * np.array([-1, 1, 1, 1]) for stroke in ink.strokes]) for ink in inks]
    return Dataset("ink", render_many(inks), tuple(labels), (writer,) * n if writer else (), tuple(inks))


def together(*hands: Dataset) -> Dataset:
    """The drawings of several hands, one hand after the other."""
    return Dataset(
        "ink",
        np.concatenate([one.images for one in hands]),
        tuple(label for one in hands for label in one.labels),
        tuple(writer for one in hands for writer in one.writers),
        tuple(ink for one in hands for ink in one.inks),
    )

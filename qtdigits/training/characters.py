"""The drawings of characters that the second head of `ml.characters` learns from, beside those of the label set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.drawing.synthetic import is_no_digit
from qtdigits.training.mixing import Source


def character_sources(drawings: Dataset, *, are_not_digits: bool) -> Iterator[Source]:
    """Yield the drawings as characters of their labels. `are_not_digits`: those not shaped like a digit are outliers, too."""
    is_outlier = np.array([are_not_digits and is_no_digit(label) for label in drawings.labels], bool)
    for chosen, what in ((is_outlier, True), (~is_outlier, False)):
        if chosen.any():
            yield Source(drawings.take(np.flatnonzero(chosen)), is_outlier=what, is_character=True)


def turned(drawings: Dataset) -> Dataset:
    """Return the drawings in four rotations, as four characters each: most signs are others when they are turned.

    (Vinyals et al., Matching networks for one shot learning, 2016, and most who trained on Omniglot since.)
    """
    inks = drawings.inks or (None,) * len(drawings)
    quarters = range(4)
    turned_inks = [None if ink is None else _turned_ink(ink, n) for n in quarters for ink in inks]
    images = np.concatenate([np.rot90(drawings.images, -n, axes=(1, 2)) for n in quarters])
    has_ink = np.flatnonzero([ink is not None for ink in turned_inks])
    images[has_ink] = render_many(ink for ink in turned_inks if ink is not None)
    return replace(
        drawings,
        images=images,
        labels=tuple(
            f"{label} turned {90 * n}°" if n else label for n in quarters for label in drawings.labels
        ),
        writers=drawings.writers * 4,
        inks=tuple(turned_inks) if len(has_ink) else (),
    )


def _turned_ink(ink: Ink, quarters: int) -> Ink:
    """Return ink turned clockwise by so many right angles, y pointing down."""
    cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarters]
    turn = np.eye(4, dtype=np.float32)
    turn[:2, :2] = [[cos, sin], [-sin, cos]]
    return Ink(tuple(stroke @ turn for stroke in ink.strokes))

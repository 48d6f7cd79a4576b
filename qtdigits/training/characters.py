"""The drawings of characters that the second head of `ml.characters` learns from, beside those of the label set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from qtdigits.core.drawing.ink import Ink, downsampled, lengths_along
from qtdigits.core.drawing.invented import invented_characters
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import INVENTED, Dataset
from qtdigits.core.drawing.synthetic import is_no_digit
from qtdigits.core.recipe import INVENTED_DRAWINGS, Recipe
from qtdigits.training.mixing import Source

_POINT_EVERY = 1 / 30
"""Longest distance of two points of thinned ink, as a part of its longer side."""


def character_sources(drawings: Dataset, *, are_not_digits: bool) -> Iterator[Source]:
    """Yield the drawings as characters of their labels. `are_not_digits`: those not shaped like a digit are outliers, too."""
    is_outlier = np.array([are_not_digits and is_no_digit(label) for label in drawings.labels], bool)
    for chosen, what in ((is_outlier, True), (~is_outlier, False)):
        if chosen.any():
            yield Source(drawings.take(np.flatnonzero(chosen)), is_outlier=what, is_character=True)


def turned(drawings: Dataset) -> Dataset:
    """Return the drawings and their mirror images in four rotations, as eight characters each: most signs are others then.

    (Rotations: Vinyals et al., Matching networks for one shot learning, 2016, and most who trained on Omniglot since.) Ink is
    thinned to what its raster can show.
    """
    inks = [ink and _thinned(ink) for ink in drawings.inks or (None,) * len(drawings)]
    images, labels, turned_inks = [], [], []
    for is_mirrored, quarters in product((False, True), range(4)):
        name = " mirrored" * is_mirrored + f" turned {90 * quarters}°" * bool(quarters)
        labels += [label + name for label in drawings.labels]
        images.append(np.rot90(drawings.images[:, :, :: -1 if is_mirrored else 1], -quarters, axes=(1, 2)))
        turned_inks += [ink and _turned_ink(ink, quarters, is_mirrored=is_mirrored) for ink in inks]
    rasters = np.concatenate(images)
    has_ink = np.flatnonzero([ink is not None for ink in turned_inks])
    rasters[has_ink] = render_many(ink for ink in turned_inks if ink is not None)
    return replace(
        drawings,
        images=rasters,
        labels=tuple(labels),
        writers=drawings.writers * 8,
        inks=tuple(turned_inks) if len(has_ink) else (),
    )


def invented_source(recipe: Recipe) -> Source:
    """Return the recipe's invented characters."""
    inks, labels = invented_characters(recipe.invented_characters, INVENTED_DRAWINGS, recipe.seed)
    drawn = Dataset(INVENTED, render_many(inks), tuple(labels), inks=tuple(inks))
    return Source(drawn, is_character=True)


def with_share(sources: Sequence[Source], share: float) -> list[Source]:
    """Return the sources with a `share` for all of them together."""
    n = sum(len(source.dataset) for source in sources)
    return [replace(source, share=share * len(source.dataset) / n) for source in sources]


def _turned_ink(ink: Ink, quarters: int, *, is_mirrored: bool) -> Ink:
    """Return ink turned clockwise by so many right angles, y pointing down, after left and right were exchanged if mirrored."""
    cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarters]
    side = -1 if is_mirrored else 1
    turn = np.eye(4, dtype=np.float32)
    turn[:2, :2] = [[side * cos, side * sin], [-sin, cos]]
    return Ink(tuple(stroke @ turn for stroke in ink.strokes))


def _thinned(ink: Ink) -> Ink:
    """Return ink with points evenly along each stroke, where it has more than it needs: each costs time in every epoch."""
    left, top, right, bottom = ink.bounds
    spacing = max(right - left, bottom - top) * _POINT_EVERY
    if not spacing:
        return ink
    strokes = (downsampled(stroke, lengths_along(stroke), spacing) for stroke in ink.strokes)
    return Ink(tuple(stroke.astype(np.float32, copy=False) for stroke in strokes))

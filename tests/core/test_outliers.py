"""Outliers: scribbles that are no digits, and letters that are not shaped like one."""

from __future__ import annotations

import numpy as np

from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.synthetic import is_no_digit, scribbles


def test_that_scribbles_are_drawn_and_the_seed_says_which() -> None:
    first, again, other = scribbles(30, seed=1), scribbles(30, seed=1), scribbles(30, seed=2)
    assert first == again != other
    rasters = render_many(first)
    assert rasters.any(axis=(1, 2)).all()
    assert len(np.unique(rasters.reshape(30, -1), axis=0)) == 30


def test_that_no_letter_shaped_like_a_digit_counts_as_none() -> None:
    assert not any(map(is_no_digit, "OISZBGQ017"))
    assert all(map(is_no_digit, "AEKMRX"))

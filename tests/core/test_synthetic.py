"""Synthetic digits and scribbles."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import DIGIT_LABELS
from qtdigits.core.drawing.raster import render, render_many
from qtdigits.core.drawing.synthetic import (
    is_no_digit,
    scribbles,
    synthetic_digits,
    synthetic_ink,
)
from qtdigits.errors import InputError


def read_by_nearest(
    images: NDArray[np.uint8], known: NDArray[np.uint8], labels: NDArray[np.str_]
) -> NDArray[np.str_]:
    """The label of the most similar known raster, by correlation."""

    def unit(rasters: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows = rasters.reshape(len(rasters), -1).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    return labels[(unit(images) @ unit(known).T).argmax(axis=1)]


def test_that_a_seed_gives_the_same_digits_again() -> None:
    first, second, other = (
        synthetic_digits(40, seed=3),
        synthetic_digits(40, seed=3),
        synthetic_digits(40, seed=4),
    )

    assert first == second
    assert first != other


@given(st.integers(0, 60), st.integers(0, 1000))
def test_that_every_digit_comes_equally_often(n: int, seed: int) -> None:
    inks, labels = synthetic_digits(n, seed)
    counts = Counter(labels)

    assert len(inks) == len(labels) == n
    assert max(counts.values(), default=0) - min(counts[label] for label in DIGIT_LABELS) <= 1


def test_that_the_labels_are_in_random_order() -> None:
    _, labels = synthetic_digits(1000, seed=0)

    assert any(a > b for a, b in itertools.pairwise(labels))
    assert len(set(itertools.pairwise(labels))) > 90


@given(st.sampled_from(DIGIT_LABELS), st.integers(0, 2**32 - 1))
def test_that_the_ink_looks_as_from_a_tablet(label: str, seed: int) -> None:
    ink = synthetic_ink(label, np.random.default_rng(seed))
    points = ink.points

    assert 1 <= len(ink.strokes) <= 3
    assert 10 <= len(points) <= 200
    assert points[0, 2] == 0
    assert (np.diff(points[:, 2]) > 0).all()
    assert (points[:, 3] > 0).all()
    assert (points[:, 3] <= 1).all()
    assert np.ptp(points[:, 1]) > 20


def test_that_no_two_drawings_are_alike() -> None:
    inks, _ = synthetic_digits(300, seed=1)

    assert len({raster.tobytes() for raster in render_many(inks)}) == 300


@pytest.mark.parametrize("label", DIGIT_LABELS)
def test_that_a_digit_is_written_in_several_ways(label: str) -> None:
    rng = np.random.default_rng(0)
    ways = {tuple(len(stroke) for stroke in synthetic_ink(label, rng).strokes) for _ in range(200)}

    assert len(ways) >= 2


def test_that_sevens_come_with_and_without_a_bar() -> None:
    rng = np.random.default_rng(0)
    strokes = Counter(len(synthetic_ink("7", rng).strokes) for _ in range(200))

    assert strokes[1] > 30
    assert strokes[2] > 30


@pytest.mark.parametrize("label", ["", "A", "10", "π"])
def test_that_other_labels_are_refused(label: str) -> None:
    with pytest.raises(InputError, match="0 to 9"):
        synthetic_ink(label, np.random.default_rng(0))


def test_that_synthetic_digits_are_told_apart() -> None:
    inks, labels = synthetic_digits(2000, seed=10)
    rasters, names = render_many(inks), np.array(labels)

    assert (read_by_nearest(rasters[:400], rasters[400:], names[400:]) == names[:400]).mean() > 0.9


def test_that_synthetic_digits_explain_handwriting(mnist_path: Path) -> None:
    inks, labels = synthetic_digits(3000, seed=11)
    with np.load(mnist_path) as mnist:
        images, wanted = mnist["x_train"][:1000], mnist["y_train"][:1000].astype(str)

    assert (read_by_nearest(images, render_many(inks), np.array(labels)) == wanted).mean() > 0.8


def test_that_a_slanted_hand_is_still_inside_the_raster() -> None:
    for ink in synthetic_digits(100, seed=12)[0]:
        raster = render(ink)

        assert raster.max() == 255
        assert (raster >= 128).any(axis=0).sum() <= 21
        assert (raster >= 128).any(axis=1).sum() <= 21


def test_that_scribbles_are_drawn_and_the_seed_says_which() -> None:
    first, again, other = scribbles(30, seed=1), scribbles(30, seed=1), scribbles(30, seed=2)
    assert first == again != other
    rasters = render_many(first)
    assert rasters.any(axis=(1, 2)).all()
    assert len(np.unique(rasters.reshape(30, -1), axis=0)) == 30


def test_that_no_letter_shaped_like_a_digit_counts_as_none() -> None:
    assert not any(map(is_no_digit, "OISZBGQ017"))
    assert all(map(is_no_digit, "AEKMRX"))

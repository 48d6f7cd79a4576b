"""Curves as numbers: smoothing, thinning, and where points stand, all of arrays that grow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.run.curves import Downsampled, Smoothed, XAxis, XPositions
from qtdigits.core.run.events import BatchEnded, EpochEnded
from qtdigits.core.run.history import History

BATCH = BatchEnded("r", 1, 1, loss=0.5, accuracy=0.8, elapsed_s=1.0, remaining_s=9.0, images_per_s=10.0)
EPOCH = EpochEnded("r", 1, 10, 0.4, 0.85, 0.3, 0.9, True, elapsed_s=2.0, remaining_s=8.0)

values = st.lists(st.floats(-100, 100), min_size=1, max_size=200)


def by_definition(y: list[float], weight: float) -> list[float]:
    """The mean of all values so far, each weighing `weight` times the one after it."""
    means = []
    for n in range(1, len(y) + 1):
        shares = weight ** np.arange(n - 1, -1, -1.0)
        means.append(float(np.dot(shares, y[:n]) / shares.sum()))
    return means


@given(values, st.sampled_from([0.0, 0.5, 0.9, 0.99]), st.data())
def test_that_smoothing_is_a_weighted_mean_however_the_points_come(
    y: list[float], weight: float, data: st.DataObject
) -> None:
    smooth = Smoothed(weight)
    smooth.update(np.array(y[: data.draw(st.integers(0, len(y)))]))
    assert smooth.update(np.array(y)) == pytest.approx(by_definition(y, weight), abs=1e-9)


def test_that_a_constant_curve_stays_itself_from_the_first_point() -> None:
    assert Smoothed(0.99).update(np.full(50, 0.7)) == pytest.approx(0.7)


def test_that_what_is_no_number_is_passed_over() -> None:
    smoothed = Smoothed(0.5).update(np.array([1.0, np.nan, np.inf, 1.0]))
    assert np.isnan(smoothed).tolist() == [False, True, True, False]
    assert smoothed[-1] == pytest.approx(1.0)


@given(st.integers(0, 400), st.integers(0, 2**32 - 1))
def test_that_thinning_piece_by_piece_is_thinning_at_once(cut: int, seed: int) -> None:
    y = np.random.default_rng(seed).normal(size=400)
    x = np.arange(400.0)
    piecewise, at_once = (Downsampled(start=50, end=350, columns=30) for _ in range(2))
    piecewise.update(x[:cut], y[:cut])
    for one, other in zip(piecewise.update(x, y), at_once.update(x, y), strict=True):
        assert one.tolist() == other.tolist()


@given(st.integers(0, 2**32 - 1))
def test_that_each_column_keeps_its_lowest_and_its_highest(seed: int) -> None:
    y = np.random.default_rng(seed).normal(size=1000)
    x = np.arange(1000.0)
    drawn_x, drawn_y = Downsampled(start=0, end=1000, columns=20).update(x, y)
    assert len(drawn_x) == 40
    for column in range(20):
        inside = y[50 * column : 50 * (column + 1)]
        assert sorted(drawn_y[2 * column : 2 * column + 2]) == [inside.min(), inside.max()]


def test_that_few_points_are_not_thinned_and_lines_run_to_the_edge() -> None:
    x = np.arange(10.0)
    drawn_x, drawn_y = Downsampled(start=3.5, end=6.5, columns=100).update(x, x * 2)
    assert drawn_x.tolist() == [3, 4, 5, 6, 7]
    assert drawn_y.tolist() == [6, 8, 10, 12, 14]


def test_that_a_thinned_curve_without_a_number_in_a_column_leaves_it_out() -> None:
    y = np.ones(1000)
    y[500:550] = np.nan
    drawn_x, drawn_y = Downsampled(start=0, end=1000, columns=20).update(np.arange(1000.0), y)
    assert len(drawn_x) == 38
    assert np.isfinite(drawn_y).all()


@pytest.mark.parametrize(
    ("axis", "batches", "ends", "middles", "best"),
    [
        (XAxis.EPOCH, [0.5, 1.5], [1, 2], [0.5, 1.5], 2),
        (XAxis.STEP, [5, 15], [10, 20], [5, 15], 20),
        (XAxis.TIME, [1, 3], [2, 5], [1, 3.5], 5),
    ],
)
def test_where_points_stand(
    axis: XAxis, batches: list[float], ends: list[float], middles: list[float], best: float
) -> None:
    history = History()
    history.apply(replace(BATCH, step=5))
    history.apply(EPOCH)
    history.apply(replace(BATCH, step=15, elapsed_s=3.0))
    history.apply(replace(EPOCH, epoch=2, step=20, elapsed_s=5.0))
    places = XPositions(history, steps_per_epoch=10, axis=axis)
    assert places.batches().tolist() == batches
    assert places.epoch_ends().tolist() == ends
    assert places.epoch_middles().tolist() == middles
    assert places.best() == best
    assert places.reached() == ends[-1]


def test_that_an_empty_run_stands_nowhere() -> None:
    places = XPositions(History(), steps_per_epoch=0, axis=XAxis.EPOCH)
    assert (places.best(), places.reached(), len(places.epoch_middles())) == (None, 0.0, 0)

"""Curves as numbers: smoothing, downsampling, x positions, calm ranges and statistics, all of arrays that grow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.run.curves import (
    ACCURACY,
    LOSS,
    CalmRange,
    Downsampled,
    Scale,
    Smoothed,
    XAxis,
    XPositions,
    calm_spread,
    next_axis_end,
    nice_above,
    statistics_of,
)
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
def test_that_downsampling_piece_by_piece_is_downsampling_at_once(cut: int, seed: int) -> None:
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


def test_that_few_points_are_not_downsampled_and_lines_run_to_the_edge() -> None:
    x = np.arange(10.0)
    drawn_x, drawn_y = Downsampled(start=3.5, end=6.5, columns=100).update(x, x * 2)
    assert drawn_x.tolist() == [3, 4, 5, 6, 7]
    assert drawn_y.tolist() == [6, 8, 10, 12, 14]


def test_that_a_downsampled_curve_without_a_number_in_a_column_leaves_it_out() -> None:
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
    positions = XPositions(history, steps_per_epoch=10, axis=axis)
    assert positions.batches().tolist() == batches
    assert positions.epoch_ends().tolist() == ends
    assert positions.epoch_middles().tolist() == middles
    assert positions.best() == best
    assert positions.reached() == ends[-1]


def test_that_an_empty_run_stands_nowhere() -> None:
    positions = XPositions(History(), steps_per_epoch=0, axis=XAxis.EPOCH)
    assert (positions.best(), positions.reached(), len(positions.epoch_middles())) == (None, 0.0, 0)


def test_that_a_run_stopped_in_its_first_epoch_is_validated_where_it_stands() -> None:
    history = History()
    history.apply(replace(BATCH, step=4))
    history.apply(replace(EPOCH, step=4))
    positions = XPositions(history, steps_per_epoch=10, axis=XAxis.EPOCH)
    assert positions.epoch_ends().tolist() == [0.4]
    assert positions.epoch_middles().tolist() == [0.2]
    assert (positions.best(), positions.reached()) == (0.4, 0.4)


def test_that_a_clock_that_was_set_back_does_no_harm() -> None:
    x = np.concatenate([np.arange(1000.0), np.arange(500.0, 1500.0)])
    drawn_x, drawn_y = Downsampled(start=0, end=2000, columns=100).update(x, np.ones(2000))
    assert len(drawn_x) <= 200
    assert (np.diff(drawn_x) >= 0).all()
    assert set(drawn_y) == {1.0}


@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_that_downsampling_hands_out_views_that_grow(pieces: list[int], seed: int) -> None:
    """However few or many points come at a time, the curve is what it would be at once."""
    y = np.random.default_rng(seed).normal(size=600)
    x = np.arange(600.0)
    grown, end = Downsampled(start=0, end=600, columns=10), 0
    for piece in pieces:
        end = min(600, end + piece)
        drawn = grown.update(x[:end], y[:end])
        expected = Downsampled(start=0, end=600, columns=10).update(x[:end], y[:end])
        assert [part.tolist() for part in drawn] == [part.tolist() for part in expected]


# Ranges and words.


@pytest.mark.parametrize(
    ("value", "expected"), [(0.3, 0.3), (0.31, 0.4), (1.2, 1.5), (9.0, 10), (2.3, 3.0), (0.00012, 0.00015)]
)
def test_that_ranges_end_at_round_numbers(value: float, expected: float) -> None:
    assert nice_above(value) == pytest.approx(expected)


def test_that_a_range_grows_at_once_and_shrinks_late() -> None:
    assert calm_spread(0.3, 0.7) == pytest.approx(0.8)
    assert calm_spread(0.8, 0.55) == 0.8
    assert calm_spread(0.8, 0.35) == pytest.approx(0.4)


def test_that_a_range_without_data_stays_as_it_is() -> None:
    calm = CalmRange(Scale(LOSS), ignores_outliers=True)
    before = calm.update([np.full(10, 0.7)])
    assert calm.update([np.empty(0)]) == before


def test_that_outliers_set_the_range_only_where_they_are_wanted() -> None:
    values = np.append(np.full(500, 0.3), 90.0)
    assert CalmRange(Scale(LOSS), ignores_outliers=True).update([values])[1] < 0.4
    assert CalmRange(Scale(LOSS), ignores_outliers=False).update([values])[1] > 90


@given(st.lists(st.floats(1e-6, 10), min_size=1, max_size=50))
def test_that_a_logarithmic_range_takes_all_in(values: list[float]) -> None:
    scale = Scale(LOSS, is_log=True)
    low, high = CalmRange(scale, ignores_outliers=False).update([np.array(values)])
    heights = scale.heights(np.array(values))
    assert low <= heights.min() <= heights.max() <= high


def test_that_a_logarithmic_loss_of_nothing_has_no_height() -> None:
    heights = Scale(LOSS, is_log=True).heights(np.array([0.0, -1.0, 0.1, np.nan]))
    assert np.isnan(heights).tolist() == [True, True, False, True]
    assert heights[2] == pytest.approx(-1)


def test_that_a_logarithmic_accuracy_is_one_of_errors() -> None:
    scale = Scale(ACCURACY, is_log=True)
    assert scale.heights(np.array([0.9, 0.99, 0.999])) == pytest.approx([1, 2, 3])
    assert np.isfinite(scale.heights(np.array([1.0]))).all()
    assert [scale.value(height) for height in (1, 2, 3)] == pytest.approx([0.9, 0.99, 0.999])


@pytest.mark.parametrize(
    ("axis", "expected"),
    [(XAxis.EPOCH, "epoch 3.25"), (XAxis.STEP, "step 3"), (XAxis.TIME, "0:03 elapsed")],
)
def test_that_a_place_has_words(axis: XAxis, expected: str) -> None:
    assert axis.text(3.25) == expected


@pytest.mark.parametrize(
    ("reached", "whole", "expected"), [(3, 12, 12), (3, 1000, 30), (31, 1000, 60), (999, 1000, 1000)]
)
def test_that_a_long_run_is_uncovered_step_by_step(reached: float, whole: float, expected: float) -> None:
    assert next_axis_end(reached, first=30, whole=whole) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(0.12345, "0.1235"), (0.000412, "0.000412"), (12_345.6, "12,346")]
)
def test_that_values_are_written_to_be_read(value: float, expected: str) -> None:
    assert LOSS.text(value) == expected
    assert ACCURACY.text(0.97811) == "97.81 %"
    assert LOSS.text(float("nan")) == "no number"


# Statistics.

X = np.arange(1.0, 6.0)
Y = np.array([4.0, 1.0, 3.0, 2.0, 9.0])


def test_that_statistics_are_of_the_points_in_the_range_and_no_others() -> None:
    found = statistics_of(X, Y, (2.0, 4.0))
    assert found is not None
    assert (found.n, found.first, found.last, found.lowest, found.highest) == (3, 1.0, 2.0, 1.0, 3.0)
    assert found.mean == pytest.approx(2.0)
    assert found.change == pytest.approx(1.0)


def test_that_a_value_that_is_no_number_does_not_count() -> None:
    found = statistics_of(X, np.where(Y == 9.0, np.nan, Y), (0.0, 10.0))
    assert found is not None
    assert (found.n, found.last, found.highest) == (4, 2.0, 4.0)


def test_that_a_range_without_points_has_no_statistics() -> None:
    assert statistics_of(X, Y, (5.5, 9.0)) is None
    assert statistics_of(X[:0], Y[:0], (0.0, 9.0)) is None

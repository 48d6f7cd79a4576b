"""Axes: calm ranges, ticks that can be read, and words for values."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.run.axes import (
    ACCURACY,
    LEARNING_RATE,
    LOSS,
    CalmRange,
    Scale,
    calm_spread,
    nice_above,
    uncovered_end,
    x_text,
    x_ticks,
)
from qtdigits.core.run.curves import XAxis


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
    assert [text for _, text in scale.ticks((1, 3), most=3)] == ["90 %", "99 %", "99.9 %"]


@given(st.sampled_from([LOSS, ACCURACY, LEARNING_RATE]), st.booleans(), st.floats(-6, 1), st.floats(0.01, 4))
def test_that_ticks_lie_within_the_range_in_order(quantity, is_log: bool, low: float, span: float) -> None:  # type: ignore[no-untyped-def]
    shown = (low, low + span) if is_log else (10**low, 10**low + span)
    ticks = Scale(quantity, is_log).ticks(shown, most=6)
    heights = [height for height, _ in ticks]
    assert heights == sorted(heights)
    assert all(shown[0] - 1e-6 <= height <= shown[1] + 1e-6 for height in heights)
    assert len(ticks) <= 24


def test_that_ticks_say_what_they_stand_for() -> None:
    assert Scale(LOSS).ticks((0, 0.4), most=4) == [
        (0.0, "0.0"),
        (pytest.approx(0.1), "0.1"),
        (pytest.approx(0.2), "0.2"),
        (pytest.approx(0.3), "0.3"),
        (pytest.approx(0.4), "0.4"),
    ]
    assert [text for _, text in Scale(ACCURACY).ticks((0.9, 1), most=2)] == ["90 %", "95 %", "100 %"]


def test_that_the_bottom_has_whole_epochs_steps_and_times() -> None:
    assert [text for _, text in x_ticks(XAxis.EPOCH, (0, 4), most=10)] == ["0", "1", "2", "3", "4"]
    assert [text for _, text in x_ticks(XAxis.EPOCH, (0, 1), most=2)] == ["0.0", "0.5", "1.0"]
    assert [text for _, text in x_ticks(XAxis.STEP, (0, 20_000), most=2)] == ["0", "10,000", "20,000"]
    assert [text for _, text in x_ticks(XAxis.TIME, (0, 90), most=3)] == ["0:00", "0:30", "1:00", "1:30"]


@pytest.mark.parametrize(
    ("span_s", "expected"),
    [
        (20, ["23:59:40", "23:59:50", "02 May"]),
        (7_200, ["22:00", "23:00", "02 May"]),
        (2 * 86_400, ["30 Apr", "01 May", "02 May"]),
    ],
)
def test_that_a_clock_has_round_times_and_days(span_s: float, expected: list[str]) -> None:
    midnight = datetime(2024, 5, 2).astimezone().timestamp()
    ticks = x_ticks(XAxis.CLOCK, (midnight - span_s - 1, midnight + 1), most=3)
    assert [text for _, text in ticks] == expected


@pytest.mark.parametrize("shown", [(0.0, 1.0), (-1e12, 1e12), (1e9, 1e15)])
def test_that_a_view_beyond_all_times_of_day_has_no_ticks(shown: tuple[float, float]) -> None:
    assert x_ticks(XAxis.CLOCK, shown, most=5) == []


@pytest.mark.parametrize(
    ("axis", "expected"),
    [(XAxis.EPOCH, "epoch 3.25"), (XAxis.STEP, "step 3"), (XAxis.TIME, "0:03 elapsed")],
)
def test_that_a_place_has_words(axis: XAxis, expected: str) -> None:
    assert x_text(axis, 3.25) == expected


@pytest.mark.parametrize(
    ("reached", "whole", "expected"), [(3, 12, 12), (3, 1000, 30), (31, 1000, 60), (999, 1000, 1000)]
)
def test_that_a_long_run_is_uncovered_step_by_step(reached: float, whole: float, expected: float) -> None:
    assert uncovered_end(reached, first=30, whole=whole) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(0.12345, "0.1235"), (0.000412, "0.000412"), (12_345.6, "12,346")]
)
def test_that_values_are_written_to_be_read(value: float, expected: str) -> None:
    assert LOSS.text(value) == expected
    assert ACCURACY.text(0.97811) == "97.81 %"
    assert LOSS.text(float("nan")) == "no number"

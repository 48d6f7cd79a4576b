"""Ticks of the plots: where they stand, and what they say."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.run.curves import ACCURACY, LEARNING_RATE, LOSS, Quantity, Scale, XAxis
from qtdigits.gui.plots.calm_plot import RunAxis, ValueAxis

pytestmark = pytest.mark.usefixtures("qapp")


def value_ticks(scale: Scale, low: float, high: float, size_px: float) -> list[tuple[float, str]]:
    axis = ValueAxis(scale)
    return [
        tick
        for spacing, heights in axis.tickValues(low, high, size_px)
        for tick in zip(heights, axis.tickStrings(heights, 1, spacing), strict=True)
    ]


def run_ticks(axis: XAxis, low: float, high: float, size_px: float) -> list[str]:
    shown = RunAxis()
    shown.show_axis(axis)
    ticks = shown.tickValues(low, high, size_px)
    return [text for spacing, xs in ticks for text in shown.tickStrings(xs, 1, spacing)]


@given(st.sampled_from([LOSS, ACCURACY, LEARNING_RATE]), st.booleans(), st.floats(-6, 1), st.floats(0.01, 4))
def test_that_ticks_lie_within_the_range_in_order(
    quantity: Quantity, is_log: bool, low: float, span: float
) -> None:
    low, high = (low, low + span) if is_log else (10**low, 10**low + span)
    heights = [height for height, _ in value_ticks(Scale(quantity, is_log), low, high, 160)]
    assert heights == sorted(heights)
    assert all(low - 1e-6 <= height <= high + 1e-6 for height in heights)
    assert len(heights) <= 24


def test_that_ticks_say_what_they_stand_for() -> None:
    texts = [text for _, text in value_ticks(Scale(LOSS), 0, 0.4, 120)]
    assert texts == ["0.0", "0.1", "0.2", "0.3", "0.4"]
    assert [text for _, text in value_ticks(Scale(ACCURACY), 0.9, 1, 52)] == ["90 %", "95 %", "100 %"]


def test_that_a_logarithmic_accuracy_has_percentages_that_come_nearer_to_100() -> None:
    ticks = value_ticks(Scale(ACCURACY, is_log=True), 1, 3, 90)
    assert ticks == [(1, "90 %"), (2, "99 %"), (3, "99.9 %")]


def test_that_a_narrow_logarithmic_axis_has_the_ticks_of_a_linear_one() -> None:
    texts = [text for _, text in value_ticks(Scale(ACCURACY, is_log=True), 1.3, 1.6, 90)]
    assert texts == ["95 %", "96 %", "97 %"]


def test_that_a_logarithmic_loss_has_twos_and_fives_where_there_is_room() -> None:
    texts = [text for _, text in value_ticks(Scale(LOSS, is_log=True), -1, 0, 200)]
    assert texts == ["0.1", "0.2", "0.5", "1"]


def test_that_the_bottom_has_whole_epochs_steps_and_times() -> None:
    assert run_ticks(XAxis.EPOCH, 0, 4, 800) == ["0", "1", "2", "3", "4"]
    assert run_ticks(XAxis.EPOCH, 0, 1, 160) == ["0.0", "0.5", "1.0"]
    assert run_ticks(XAxis.STEP, 0, 20_000, 160) == ["0", "10,000", "20,000"]
    assert run_ticks(XAxis.TIME, 0, 90, 240) == ["0:00", "0:30", "1:00", "1:30"]


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
    assert run_ticks(XAxis.CLOCK, midnight - span_s - 1, midnight + 1, 240) == expected


@pytest.mark.parametrize("shown", [(0.0, 1.0), (-1e12, 1e12), (1e9, 1e15)])
def test_that_a_view_beyond_all_times_of_day_has_no_ticks(shown: tuple[float, float]) -> None:
    assert run_ticks(XAxis.CLOCK, *shown, 400) == []

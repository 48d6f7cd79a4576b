"""Charts of shares: what they draw, what they say, and that they begin and end at round numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QLabel, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from qtdigits.core.score.calibration import NO_CONFIDENCES, calibration_text, reliability_of
from qtdigits.core.score.learning import LearningPoint, fit_curve, running_curve
from qtdigits.core.score.metrics import Tally
from qtdigits.gui.plots.calm_plot import CalmPlot
from qtdigits.gui.plots.charts import (
    NO_DRAWINGS,
    Chart,
    LearningCurveChart,
    ReliabilityChart,
    RunningAccuracyChart,
    bin_text,
)

NOTHING = Tally(0, 0)
AMOUNTS = (LearningPoint(0, 12, 60), LearningPoint(20, 6, 60), LearningPoint(120, 3, 200))


def shown(qtbot: QtBot, chart: Chart) -> Chart:
    qtbot.addWidget(chart)
    chart.resize(500, 320)
    with qtbot.waitExposed(chart):
        chart.show()
    return chart


def drawn(chart: QWidget) -> dict[str, tuple[list[float], list[float]]]:
    items = [item for plot in chart.findChildren(CalmPlot) for item in plot.listDataItems() if item.name()]
    return {item.name(): tuple(values.tolist() for values in item.getData()) for item in items}


def heights(chart: QWidget) -> tuple[float, float]:
    low, high = chart.findChild(CalmPlot).viewRange()[1]
    return low, high


def test_that_running_accuracy_begins_at_the_top_and_ends_at_a_round_number(qtbot: QtBot) -> None:
    chart = RunningAccuracyChart()
    shown(qtbot, chart)
    outcomes = np.array([True] * 95 + [False] * 5)
    chart.show_curve(running_curve(outcomes), "95 of 100", before=NOTHING)
    assert list(drawn(chart)) == ["all", "last 50"]
    assert drawn(chart)["all"][1][-1] == pytest.approx(0.95)
    assert heights(chart) == pytest.approx((0.85, 1), abs=0.01)
    assert chart.accessibleDescription() == "95 of 100"


def test_that_a_short_dip_among_a_hundred_thousand_drawings_is_drawn(qtbot: QtBot) -> None:
    chart = RunningAccuracyChart()
    shown(qtbot, chart)
    outcomes = np.ones(100_000, bool)
    outcomes[54_321:54_331] = False
    chart.show_curve(running_curve(outcomes), "", before=NOTHING)
    moving = drawn(chart)["last 50"][1]
    assert min(moving) == pytest.approx(0.8)
    assert all(len(x) <= 1200 for x, _ in drawn(chart).values())


def test_that_what_was_before_is_a_level_over_all_drawings(qtbot: QtBot) -> None:
    chart = RunningAccuracyChart()
    shown(qtbot, chart)
    chart.show_curve(running_curve(np.ones(20, bool)), "", before=Tally(10, 5))
    assert drawn(chart)["before"] == ([0, 20], [0.5, 0.5])


def test_that_a_chart_is_emptied_again(qtbot: QtBot) -> None:
    chart = RunningAccuracyChart()
    shown(qtbot, chart)
    assert chart.accessibleDescription() == NO_DRAWINGS
    chart.show_curve(running_curve(np.ones(3, bool)), "3 of 3", before=NOTHING)
    assert chart.findChild(CalmPlot).isVisible()
    chart.show_curve(running_curve(np.ones(0, bool)), "nothing", before=NOTHING)
    assert not chart.findChild(CalmPlot).isVisible()
    assert chart.accessibleDescription() == NO_DRAWINGS


def test_that_the_learning_curve_shows_points_and_forecast(qtbot: QtBot) -> None:
    chart = LearningCurveChart()
    shown(qtbot, chart)
    chart.show_curve(fit_curve(AMOUNTS), AMOUNTS, "a forecast")
    assert drawn(chart)["judged"] == ([0, 20, 120], [12 / 60, 6 / 60, 3 / 200])
    assert drawn(chart)["expected"][0][-1] == 240
    assert heights(chart)[0] == pytest.approx(0, abs=0.01)
    chart.show_curve(None, AMOUNTS[:1], "too few")
    assert list(drawn(chart)) == ["judged"]


def test_that_the_legend_names_what_is_drawn(qtbot: QtBot) -> None:
    chart = LearningCurveChart()
    shown(qtbot, chart)
    chart.show_curve(fit_curve(AMOUNTS), AMOUNTS, "")
    assert any(
        "expected" in found.text() and "judged" in found.text() for found in chart.findChildren(QLabel)
    )


def test_that_reliability_has_a_point_an_interval_and_a_bar_for_each_bin(qtbot: QtBot) -> None:
    chart = ReliabilityChart()
    shown(qtbot, chart)
    assert chart.accessibleDescription() == NO_CONFIDENCES
    from pyqtgraph import BarGraphItem

    bins = reliability_of(
        np.array([0.55, 0.95, 0.95, 0.95], np.float32), np.array([False, True, True, False])
    )
    chart.show_bins(bins)
    assert drawn(chart)["right"] == (pytest.approx([0.55, 0.95]), pytest.approx([0, 2 / 3]))
    bars = [
        item
        for plot in chart.findChildren(CalmPlot)
        for item in plot.items()
        if isinstance(item, BarGraphItem)
    ]
    assert [len(bar.opts["height"]) for bar in bars] == [len(bins)]
    assert chart.accessibleDescription() == "; ".join(bin_text(found) for found in bins)


def test_that_pointing_at_a_bin_reads_it(qtbot: QtBot) -> None:
    chart = ReliabilityChart()
    shown(qtbot, chart)
    (found,) = reliability_of(np.array([0.5, 0.5], np.float32), np.array([False, True]))
    chart.show_bins((replace(found, low=0.0, high=1.0),))
    at = chart.rect().center()
    QApplication.sendEvent(chart, QHelpEvent(QHelpEvent.Type.ToolTip, at, chart.mapToGlobal(at)))
    assert QToolTip.text() == "0 to 100 % sure (50.0 % on average): 50.0 % of 2 right"
    QToolTip.showText(QPoint(), "")


def test_that_calibration_says_which_way_it_errs() -> None:
    bins = reliability_of(np.array([0.9, 0.9], np.float32), np.array([True, False]))
    assert calibration_text(0.4, bins).endswith("over 2 answers; on the whole it is surer than it is right.")
    assert calibration_text(None, bins) == NO_CONFIDENCES

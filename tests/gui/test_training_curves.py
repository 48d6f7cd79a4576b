from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QByteArray, QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QActionGroup, QFontInfo, QGuiApplication, QImage, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLabel,
    QMenu,
    QSlider,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui.fake_engine import STEPS_PER_EPOCH, batch, epoch
from gui.plotted import plotted
from gui.stand_ins import Answers
from qtdigits.core.run.history import History
from qtdigits.errors import InputError
from qtdigits.gui.plots.curve_controls import CurveControls, CurveSettings
from qtdigits.gui.plots.plot import Plot
from qtdigits.gui.plots.plot_items import columns_and_rows
from qtdigits.gui.plots.run_series import ShownRun
from qtdigits.gui.plots.training_curves import StatisticsTable, TrainingCurves, save_curves
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.widgets.colours import DARK, LIGHT, Theme

CLOCK_S = datetime(2024, 5, 1, 17, 30, 5).astimezone().timestamp()


@pytest.fixture(autouse=True)
def every_mouse_move(monkeypatch: pytest.MonkeyPatch) -> None:
    """pyqtgraph drops moves that follow one another within 10 ms."""
    import pyqtgraph

    monkeypatch.setitem(pyqtgraph.CONFIG_OPTIONS, "mouseRateLimit", 0)


@pytest.fixture
def curves(qtbot: QtBot) -> TrainingCurves:
    return shown(qtbot, TrainingCurves())


def shown(qtbot: QtBot, curves: TrainingCurves) -> TrainingCurves:
    qtbot.addWidget(curves)
    curves.resize(700, 560)
    with qtbot.waitExposed(curves):
        curves.show()
    return curves


def plot(curves: TrainingCurves, name: str = "lossPlot") -> Plot:
    found = curves.findChild(Plot, name)
    assert isinstance(found, Plot)
    return found


def begin(curves: TrainingCurves, *, epochs: int = 12) -> History:
    history = History()
    curves.show_runs([ShownRun("", history, STEPS_PER_EPOCH, epochs, is_running=True)])
    return history


def run_of(title: str, *, epochs: int = 3, loss: float = 0.5, hold_out: bool = False) -> ShownRun:
    history = History()
    for number in range(1, epochs + 1):
        history.apply(batch(number * STEPS_PER_EPOCH, loss=loss))
        extra = {"hold_out_loss": 0.6, "hold_out_accuracy": 0.7} if hold_out else {}
        history.apply(replace(epoch(number, is_best=number == 2), **extra))
    return ShownRun(title, history, STEPS_PER_EPOCH, epochs)


def points(curves: TrainingCurves, plot_name: str, curve: str) -> tuple[list[float], list[float]]:
    return plotted(plot(curves, plot_name), curve)


def shown_range(curves: TrainingCurves, name: str = "lossPlot") -> tuple[float, float]:
    low, high = plot(curves, name).viewRange()[0]
    return low, high


def heights(curves: TrainingCurves, name: str) -> tuple[float, float]:
    low, high = plot(curves, name).viewRange()[1]
    return low, high


def marked(curves: TrainingCurves, name: str = "lossPlot") -> list[tuple[float, str]]:
    return [(mark.x, mark.text) for mark in plot(curves, name).marks]


def place(over: Plot, x: float) -> QPoint:
    """The pixel of a position, half way up the view."""
    low, high = over.viewRange()[1]
    return over.mapFromScene(over.getViewBox().mapViewToScene(QPointF(x, (low + high) / 2)))


def text(curves: TrainingCurves, name: str) -> str:
    found = curves.findChild(QLabel, name)
    assert isinstance(found, QLabel)
    return found.text()


def switch(curves: TrainingCurves, words: str) -> None:
    """Choose an entry of the View menu."""
    menu = curves.findChild(QToolButton, "viewButton").menu()
    choices = [action for part in (menu, *menu.findChildren(QMenu)) for action in part.actions()]
    choices += curves.findChild(CurveControls).findChild(QActionGroup).actions()
    next(action for action in choices if words in action.text().replace("&", "")).trigger()


def wheel(over: Plot, *, up: bool = True, keys: Qt.KeyboardModifier | None = None) -> None:
    at = QPointF(place(over, sum(over.viewRange()[0]) / 2))
    event = QWheelEvent(
        at,
        QPointF(over.viewport().mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, 120 if up else -120),
        Qt.MouseButton.NoButton,
        keys or Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(over.viewport(), event)


def drag(
    qtbot: QtBot,
    over: Plot,
    start: QPoint,
    by: QPoint,
    keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    qtbot.mousePress(over.viewport(), Qt.MouseButton.LeftButton, keys, start)
    for part in (1, 2):
        move(over, start + by * part / 2, Qt.MouseButton.LeftButton, keys)
    qtbot.mouseRelease(over.viewport(), Qt.MouseButton.LeftButton, keys, start + by)


def move(
    over: Plot,
    to: QPoint,
    buttons: Qt.MouseButton = Qt.MouseButton.NoButton,
    keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    """As qtbot does it, it would depend on where the platform's cursor was before."""
    at = QPointF(to), QPointF(over.viewport().mapToGlobal(to))
    event = QMouseEvent(QEvent.Type.MouseMove, *at, Qt.MouseButton.NoButton, buttons, keys)
    QApplication.sendEvent(over.viewport(), event)


def point_at(over: Plot, x: float) -> None:
    move(over, place(over, x))


def click(qtbot: QtBot, over: Plot, x: float) -> None:
    point_at(over, x)
    qtbot.mouseClick(over.viewport(), Qt.MouseButton.LeftButton, pos=place(over, x))


def leave(over: Plot) -> None:
    QApplication.sendEvent(over, QEvent(QEvent.Type.Leave))


# What is drawn.


def test_that_a_batch_is_drawn_without_being_asked_for(qtbot: QtBot, curves: TrainingCurves) -> None:
    history = begin(curves)
    history.apply(batch(5, loss=0.5, accuracy=0.8))
    curves.history_grew()
    qtbot.waitUntil(lambda: points(curves, "lossPlot", "batches") == ([0.5], [0.5]))
    qtbot.waitUntil(lambda: points(curves, "accuracyPlot", "batches") == ([0.5], [0.8]))


def test_that_nothing_is_redrawn_while_nothing_comes(qtbot: QtBot, curves: TrainingCurves) -> None:
    history = begin(curves)
    history.apply(batch())
    curves.history_grew()
    qtbot.waitUntil(lambda: points(curves, "lossPlot", "batches")[0] != [])
    qtbot.waitUntil(lambda: not any(timer.isActive() for timer in curves.findChildren(QTimer)))


def test_that_epochs_have_validation_at_their_end_and_training_in_their_middle(
    curves: TrainingCurves,
) -> None:
    history = begin(curves)
    history.apply(epoch(1))
    history.apply(epoch(2))
    curves.redraw()
    assert points(curves, "lossPlot", "validation") == ([1, 2], [0.3, 0.3])
    assert points(curves, "accuracyPlot", "training") == ([0.5, 1.5], [0.85, 0.85])


def test_that_a_run_stopped_in_the_middle_of_an_epoch_is_drawn_as_validated_there(
    curves: TrainingCurves,
) -> None:
    history = begin(curves)
    history.apply(batch(4))
    history.apply(replace(epoch(1), step=4))
    curves.finish()
    assert points(curves, "lossPlot", "validation")[0] == [0.4]
    assert points(curves, "accuracyPlot", "training")[0] == [0.2]
    assert marked(curves) == [(0.4, "best 1")]
    assert shown_range(curves) == (0, 0.4)


def test_that_the_curves_are_marked_while_the_next_run_prepares(curves: TrainingCurves) -> None:
    history = begin(curves)
    curves.mark_old()
    assert "revious run" not in text(curves, "curvesReadout")
    history.apply(epoch(1))
    curves.redraw()
    before = plot(curves).grab().toImage()
    curves.mark_old()
    assert text(curves, "curvesReadout").startswith("Previous run: ")
    assert plot(curves).accessibleDescription().startswith("previous run, at the end: ")
    assert "Loss, previous run" in [found.text() for found in curves.findChildren(QLabel)]
    assert plot(curves).grab().toImage() != before
    begin(curves).apply(epoch(1))
    curves.redraw()
    assert "Loss" in [found.text() for found in curves.findChildren(QLabel)]
    assert plot(curves).grab().toImage() == before


def test_that_curves_are_the_last_runs_again_when_the_next_one_never_started(curves: TrainingCurves) -> None:
    begin(curves).apply(epoch(1))
    curves.finish()
    curves.mark_old()
    curves.finish()
    assert plot(curves).accessibleDescription().startswith("at the end: ")


def test_that_the_persons_own_hold_out_is_a_third_line_where_it_is_known(
    qtbot: QtBot, curves: TrainingCurves
) -> None:
    history = begin(curves)
    history.apply(epoch(1))
    history.apply(replace(epoch(2), hold_out_loss=0.6, hold_out_accuracy=0.75))
    curves.redraw()
    assert points(curves, "accuracyPlot", "hold-out") == ([2], [0.75])
    in_legend = curves.findChild(QToolButton, "curve hold-out")
    qtbot.waitUntil(in_legend.isVisible)
    begin(curves)
    assert in_legend.isHidden()


def test_that_the_best_epoch_is_marked(curves: TrainingCurves) -> None:
    history = begin(curves)
    curves.redraw()
    assert marked(curves) == []
    history.apply(epoch(1, is_best=True))
    history.apply(epoch(2, is_best=False))
    curves.redraw()
    assert marked(curves) == marked(curves, "accuracyPlot") == [(1, "best 1")]


def test_that_a_new_run_starts_with_empty_plots(curves: TrainingCurves) -> None:
    history = begin(curves)
    history.apply(batch())
    history.apply(epoch())
    curves.redraw()
    begin(curves)
    assert points(curves, "lossPlot", "batches") == ([], [])
    assert points(curves, "lossPlot", "validation") == ([], [])
    assert marked(curves) == []


def test_that_another_run_of_the_same_length_is_drawn_anew(curves: TrainingCurves) -> None:
    for loss in (0.5, 0.25):
        history = History()
        history.apply(batch(loss=loss))
        curves.show_runs([ShownRun("", history, STEPS_PER_EPOCH, 12, is_running=True)])
        assert points(curves, "lossPlot", "batches")[1] == [loss]


def test_that_another_dense_run_of_the_same_length_is_drawn_anew(curves: TrainingCurves) -> None:
    for loss in (0.5, 0.25):
        history = History()
        for step in range(1, 5001):
            history.apply(batch(step, loss=loss))
        curves.show_runs([ShownRun("", history, STEPS_PER_EPOCH, 500, is_running=True)])
        assert set(points(curves, "lossPlot", "batches")[1]) == {loss}


def test_that_dense_curves_are_thinned_to_what_can_be_seen(curves: TrainingCurves) -> None:
    history = begin(curves, epochs=2000)
    rng = np.random.default_rng(1)
    for step, loss in enumerate(0.2 + 0.05 * rng.random(20_000), 1):
        history.apply(batch(step, loss=float(loss)))
    curves.finish()
    drawn_x, drawn_y = points(curves, "lossPlot", "batches")
    assert len(drawn_x) <= 2 * curves.width()
    assert max(drawn_y) == history.batches["loss"].max()
    assert min(drawn_y) == history.batches["loss"].min()


def test_that_hidden_curves_are_brought_up_when_they_are_shown(qtbot: QtBot, curves: TrainingCurves) -> None:
    history = begin(curves)
    curves.hide()
    history.apply(batch(5))
    curves.history_grew()
    curves.show()
    assert len(points(curves, "lossPlot", "batches")[0]) == 1


def test_that_a_picture_changes_with_its_curves_and_with_the_theme(
    curves: TrainingCurves, dress: Callable[[Theme], None]
) -> None:
    dress(LIGHT)
    history = begin(curves)
    history.apply(epoch(1))
    curves.redraw()
    before = plot(curves).grab().toImage()
    history.apply(epoch(2))
    curves.redraw()
    after = plot(curves).grab().toImage()
    assert after != before
    dress(DARK)
    corner = plot(curves).grab().toImage().pixelColor(1, 1).name()
    assert corner == DARK.surface


@pytest.mark.parametrize("noise", [0.4, 0.01], ids=["rough", "smooth"])
def test_that_what_is_added_bit_by_bit_looks_as_if_painted_at_once(
    curves: TrainingCurves, noise: float
) -> None:
    history = begin(curves, epochs=300)
    rng = np.random.default_rng(1)
    for step in range(1, 2501):
        loss = 2 / (1 + step / 300) + noise * float(rng.random())
        history.apply(batch(step, loss=loss, accuracy=1 / (1 + loss)))
        if step % (20 * STEPS_PER_EPOCH) == 0:
            history.apply(replace(epoch(step // STEPS_PER_EPOCH), val_loss=loss))
        if step % 7 == 0 and step > 1900:
            curves.redraw()
            grown = plot(curves).grab().toImage()
    curves.resize(curves.width() + 1, curves.height())
    plot(curves).grab()
    curves.resize(curves.width() - 1, curves.height())
    assert plot(curves).grab().toImage() == grown


# Ranges.


def test_that_the_whole_run_is_in_view_and_a_finished_one_fills_it(curves: TrainingCurves) -> None:
    history = begin(curves, epochs=12)
    history.apply(batch(3 * STEPS_PER_EPOCH))
    curves.redraw()
    assert shown_range(curves) == (0, 12)
    curves.finish()
    assert shown_range(curves) == (0, 3)


def test_that_a_very_long_run_is_uncovered_step_by_step(curves: TrainingCurves) -> None:
    history = begin(curves, epochs=1000)
    assert shown_range(curves) == (0, 30)
    history.apply(batch(31 * STEPS_PER_EPOCH))
    curves.redraw()
    assert shown_range(curves) == (0, 60)


def test_that_the_first_fall_does_not_set_the_range(curves: TrainingCurves) -> None:
    history = begin(curves)
    for step in range(1, 101):
        history.apply(batch(step, loss=2.3 if step < 8 else 0.25, accuracy=0.1 if step < 8 else 0.96))
    curves.redraw()
    assert heights(curves, "lossPlot") == pytest.approx((0, 0.3), abs=0.01)
    assert heights(curves, "accuracyPlot") == pytest.approx((0.96, 1), abs=0.001)
    switch(curves, "Ignore outliers")
    assert heights(curves, "lossPlot")[1] > 2.3


def test_that_the_first_epoch_does_not_set_the_range_once_there_are_some(curves: TrainingCurves) -> None:
    history = begin(curves)
    for number in range(1, 5):
        history.apply(replace(epoch(number), val_loss=2.0 if number == 1 else 0.1))
    curves.redraw()
    assert heights(curves, "lossPlot")[1] < 0.2


def test_that_a_loss_that_is_no_number_does_no_harm(curves: TrainingCurves) -> None:
    history = begin(curves)
    for step, loss in enumerate([0.5, float("nan"), float("inf"), 0.5], 1):
        history.apply(batch(step, loss=loss))
    curves.redraw()
    assert heights(curves, "lossPlot") == pytest.approx((0, 0.5), abs=0.01)
    assert not plot(curves).grab().isNull()


# Looking closer.


@pytest.fixture
def growing(curves: TrainingCurves) -> tuple[TrainingCurves, History]:
    """TrainingCurves of a run of which three of twelve epochs have been."""
    history = begin(curves)
    for step in range(1, 3 * STEPS_PER_EPOCH + 1):
        history.apply(batch(step, loss=1 / step))
    curves.redraw()
    return curves, history


def test_that_a_zoom_stays_until_a_double_click(
    qtbot: QtBot, growing: tuple[TrainingCurves, History]
) -> None:
    curves, history = growing
    wheel(plot(curves))
    zoomed = shown_range(curves)
    assert 6 < zoomed[1] - zoomed[0] < 11
    assert sum(zoomed) == pytest.approx(12, abs=0.2)
    history.apply(batch(40, loss=9.0))
    curves.redraw()
    assert shown_range(curves) == zoomed
    assert shown_range(curves, "accuracyPlot") == zoomed
    qtbot.mouseDClick(plot(curves).viewport(), Qt.MouseButton.LeftButton, pos=place(plot(curves), 6))
    assert shown_range(curves) == (0, 12)
    assert shown_range(curves, "accuracyPlot") == (0, 12)


def test_that_dragging_moves_the_view_of_both_plots(
    qtbot: QtBot, growing: tuple[TrainingCurves, History]
) -> None:
    curves, _ = growing
    accuracy = plot(curves, "accuracyPlot")
    start = place(accuracy, 6)
    by = place(accuracy, 4) - start
    before = heights(curves, "accuracyPlot")
    drag(qtbot, accuracy, start, by)
    assert shown_range(curves) == pytest.approx((2, 14), abs=0.1)
    assert shown_range(curves, "accuracyPlot") == shown_range(curves)
    assert before[1] - before[0] > 0
    assert not accuracy.has_chosen_heights


def test_that_a_drag_with_shift_zooms_to_a_stretch(
    qtbot: QtBot, growing: tuple[TrainingCurves, History]
) -> None:
    curves, _ = growing
    start = place(plot(curves), 1)
    by = QPoint(place(plot(curves), 3).x() - start.x(), 5)
    drag(qtbot, plot(curves), start, by, Qt.KeyboardModifier.ShiftModifier)
    assert shown_range(curves) == pytest.approx((1, 3), abs=0.1)
    assert not plot(curves).has_chosen_heights


def test_that_a_high_drag_with_shift_chooses_heights_too(
    qtbot: QtBot, growing: tuple[TrainingCurves, History]
) -> None:
    curves, _ = growing
    before = heights(curves, "lossPlot")
    start = place(plot(curves), 1) - QPoint(0, 40)
    drag(qtbot, plot(curves), start, QPoint(100, 80), Qt.KeyboardModifier.ShiftModifier)
    low, high = heights(curves, "lossPlot")
    assert before[0] < low < high < before[1]
    curves.findChild(QToolButton, "showAllButton").click()
    assert heights(curves, "lossPlot") == pytest.approx(before)


def test_that_a_zoomed_view_can_be_dragged_up_and_down(
    qtbot: QtBot, growing: tuple[TrainingCurves, History]
) -> None:
    curves, _ = growing
    wheel(plot(curves), keys=Qt.KeyboardModifier.ControlModifier)
    low, high = heights(curves, "lossPlot")
    drag(qtbot, plot(curves), place(plot(curves), 6), QPoint(0, 30))
    moved = heights(curves, "lossPlot")
    assert moved[0] > low
    assert moved[1] - moved[0] == pytest.approx(high - low)


def test_that_the_way_back_is_offered_only_when_there_is_one(
    growing: tuple[TrainingCurves, History],
) -> None:
    curves, _ = growing
    way_back = curves.findChild(QToolButton, "showAllButton")
    assert way_back.isVisible()
    assert not way_back.isEnabled()
    wheel(plot(curves), keys=Qt.KeyboardModifier.ControlModifier)
    assert way_back.isEnabled()
    way_back.click()
    assert not way_back.isEnabled()


def test_that_buttons_zoom_and_pan(growing: tuple[TrainingCurves, History]) -> None:
    curves, _ = growing

    def press(name: str) -> tuple[float, float]:
        curves.findChild(QToolButton, name).click()
        return shown_range(curves)

    assert press("zoomInButton") == pytest.approx((1.2, 10.8))
    assert press("panRightButton") == pytest.approx((2.16, 11.76))
    assert press("panLeftButton") == pytest.approx((1.2, 10.8))
    assert press("zoomOutButton") == pytest.approx((0, 12))
    assert press("showAllButton") == (0, 12)


def test_that_the_wheel_with_shift_moves_the_view(growing: tuple[TrainingCurves, History]) -> None:
    curves, _ = growing
    wheel(plot(curves), up=False, keys=Qt.KeyboardModifier.ShiftModifier)
    assert shown_range(curves) == pytest.approx((1.2, 13.2))
    wheel(plot(curves), keys=Qt.KeyboardModifier.ShiftModifier)
    assert shown_range(curves) == pytest.approx((0, 12))


def test_that_a_click_leaves_the_keyboard_where_it_is(
    qtbot: QtBot, growing: tuple[TrainingCurves, History]
) -> None:
    curves, _ = growing
    slider = curves.findChild(QSlider, "smoothingSlider")
    slider.setFocus()
    qtbot.waitUntil(slider.hasFocus)
    click(qtbot, plot(curves), 2)
    assert slider.hasFocus()


def test_that_the_wheel_over_an_axis_zooms_that_axis(growing: tuple[TrainingCurves, History]) -> None:
    curves, _ = growing
    before = shown_range(curves), heights(curves, "lossPlot")
    over = plot(curves)
    axis = over.mapFromScene(over.getAxis("left").sceneBoundingRect().center())
    axis.setX(10)
    event = QWheelEvent(
        QPointF(axis),
        QPointF(over.viewport().mapToGlobal(axis)),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(over.viewport(), event)
    assert shown_range(curves) == before[0]
    low, high = heights(curves, "lossPlot")
    assert high - low < before[1][1] - before[1][0]


def test_that_the_heights_fit_what_was_zoomed_to(growing: tuple[TrainingCurves, History]) -> None:
    curves, _ = growing
    plot(curves).setXRange(2, 3, padding=0)
    low, high = heights(curves, "lossPlot")
    assert 0 < low < 1 / 30
    assert 1 / 20 < high < 0.1
    assert shown_range(curves, "accuracyPlot") == (2, 3)


# Reading values.


def test_that_the_pointer_reads_all_curves(qtbot: QtBot, growing: tuple[TrainingCurves, History]) -> None:
    curves, history = growing
    history.apply(epoch(3))
    curves.redraw()
    point_at(plot(curves), 2)
    assert plot(curves).cursor_x == 2.0
    assert plot(curves, "accuracyPlot").cursor_x == 2.0
    said = {name: plot(curves, name).accessibleDescription() for name in ("lossPlot", "accuracyPlot")}
    assert said["lossPlot"].startswith("epoch 2.00: batches 0.0500, smoothed ")
    assert "validation 0.3000" in said["lossPlot"]
    assert said["accuracyPlot"].startswith("epoch 2.00: batches 80.00 %")


def test_that_the_pointer_says_where_it_is_on_every_axis(qtbot: QtBot, curves: TrainingCurves) -> None:
    history = begin(curves)
    history.apply(replace(batch(20), elapsed_s=61.0, clock_s=CLOCK_S))
    curves.redraw()
    point_at(plot(curves), 2.0)
    when = f"{datetime.fromtimestamp(CLOCK_S).astimezone():%d %b %H:%M:%S}"
    assert text(curves, "curvesReadout") == f"epoch 2.00 · step 20 · 1:01 elapsed · {when}"
    curves.findChild(QComboBox, "axisBox").setCurrentText("Clock")
    point_at(plot(curves), CLOCK_S)
    assert text(curves, "curvesReadout") == f"{when} · epoch 2.00 · step 20 · 1:01 elapsed"


def test_that_a_click_keeps_the_place_until_the_next_click_there(
    qtbot: QtBot, growing: tuple[TrainingCurves, History]
) -> None:
    loss = plot(growing[0])
    click(qtbot, loss, 2)
    point_at(loss, 1)
    assert loss.cursor_x == 1.0
    leave(loss)
    assert loss.cursor_x == plot(growing[0], "accuracyPlot").cursor_x == 2.0
    click(qtbot, loss, 2)
    leave(loss)
    assert loss.cursor_x is None


def test_that_a_drag_and_a_double_click_keep_no_place(
    qtbot: QtBot, growing: tuple[TrainingCurves, History]
) -> None:
    loss = plot(growing[0])
    drag(qtbot, loss, place(loss, 6), QPoint(60, 0))
    qtbot.mouseDClick(loss.viewport(), Qt.MouseButton.LeftButton, pos=place(loss, 2))
    leave(loss)
    assert loss.cursor_x is None


def test_that_nothing_is_read_where_there_is_nothing(qtbot: QtBot, curves: TrainingCurves) -> None:
    begin(curves)
    move(plot(curves), plot(curves).rect().center())
    assert plot(curves).cursor_x is None
    assert text(curves, "curvesReadout").startswith("Point at the curves")


def test_that_the_values_stand_beside_the_cross_hair(
    qtbot: QtBot, growing: tuple[TrainingCurves, History]
) -> None:
    curves, history = growing
    history.apply(epoch(3))
    curves.redraw()
    beside = plot(curves).findChild(QLabel, "cursorValues")
    assert not beside.isVisible()
    point_at(plot(curves), 2)
    assert beside.isVisible()
    assert "epoch 2.00" in beside.text()
    assert "0.0500" in beside.text()
    assert plot(curves).rect().contains(beside.geometry())
    leave(plot(curves))
    assert not beside.isVisible()


def test_that_the_values_follow_the_cross_hair_as_the_run_grows(
    growing: tuple[TrainingCurves, History],
) -> None:
    curves, history = growing
    point_at(plot(curves), 3)
    beside = plot(curves).findChild(QLabel, "cursorValues")
    assert "validation" not in beside.text()
    before = beside.pos()
    history.apply(epoch(3))
    curves.finish()
    assert "validation" in beside.text()
    assert beside.pos() != before
    assert abs(beside.geometry().left() - place(plot(curves), 3).x()) < beside.width() + 20


def test_that_a_run_cannot_write_into_the_read_out(curves: TrainingCurves) -> None:
    curves.show_runs([run_of("<b>one</b>"), run_of("two")])
    plot(curves).set_cursor(2.0)
    assert "&lt;b&gt;one&lt;/b&gt;" in plot(curves).findChild(QLabel, "cursorValues").text()


def test_that_it_is_said_how_the_run_stands(qtbot: QtBot, curves: TrainingCurves) -> None:
    history = begin(curves)
    history.apply(replace(epoch(1), val_loss=0.3, elapsed_s=1.4))
    curves.history_grew()
    qtbot.waitUntil(lambda: text(curves, "curvesReadout") == "validation loss 0.3000 · 1.4 s an epoch")
    history.apply(replace(epoch(2, is_best=False), val_loss=0.5, elapsed_s=180.0))
    curves.history_grew()
    said = "validation loss 0.5000, at best 0.3000 in epoch 1 · 1:30 an epoch"
    qtbot.waitUntil(lambda: text(curves, "curvesReadout") == said)


def test_that_the_keyboard_reads_and_looks_closer(
    qtbot: QtBot, growing: tuple[TrainingCurves, History]
) -> None:
    curves, history = growing
    history.apply(epoch(1))
    history.apply(epoch(2))
    curves.redraw()
    loss = plot(curves)
    loss.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(loss.hasFocus)
    assert loss.cursor_x == 3.0
    qtbot.keyClick(loss, Qt.Key.Key_Home)
    assert loss.cursor_x == 0.1
    qtbot.keyClick(loss, Qt.Key.Key_Right)
    assert loss.cursor_x == pytest.approx(0.2)
    qtbot.keyClick(loss, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert loss.cursor_x == 1.0
    assert loss.accessibleDescription().startswith("epoch 1.00: batches 0.1000")
    qtbot.keyClick(loss, Qt.Key.Key_Up)
    assert shown_range(curves) == pytest.approx((0.2, 9.8))
    qtbot.keyClick(loss, Qt.Key.Key_Backspace)
    assert shown_range(curves) == (0, 12)


def test_that_the_keyboard_looks_closer_at_heights_and_moves_them(
    qtbot: QtBot, growing: tuple[TrainingCurves, History]
) -> None:
    loss = plot(growing[0])
    curves = growing[0]
    run, (bottom, top) = shown_range(curves), heights(curves, "lossPlot")
    middle, half = (bottom + top) / 2, (top - bottom) / 2
    qtbot.keyClick(loss, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    assert shown_range(curves) == run
    before = heights(curves, "lossPlot")
    assert before == pytest.approx((middle - half / 1.25, middle + half / 1.25))
    qtbot.keyClick(loss, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert shown_range(curves) == run
    low, high = heights(curves, "lossPlot")
    assert low < before[0]
    assert high - low == pytest.approx(before[1] - before[0])
    qtbot.keyClick(loss, Qt.Key.Key_Backspace)
    assert shown_range(curves) == run
    assert heights(curves, "lossPlot") == pytest.approx((bottom, top))


def test_that_the_bar_is_walked_through_in_the_order_in_which_it_is_seen(curves: TrainingCurves) -> None:
    bar = curves.findChild(CurveControls)
    assert bar is not None
    stops, found = [], bar.nextInFocusChain()
    while found is not bar:
        if bar.isAncestorOf(found) and found.isVisible() and found.focusPolicy() != Qt.FocusPolicy.NoFocus:
            stops.append(found)
        found = found.nextInFocusChain()
    assert [stop.objectName() for stop in stops] == [
        "smoothingSlider",
        "axisBox",
        "viewButton",
        "saveCurvesButton",
    ]


def test_that_plots_take_the_keyboard_only_by_tab(curves: TrainingCurves) -> None:
    for widget in curves.findChildren(QWidget):
        if widget.focusPolicy() != Qt.FocusPolicy.NoFocus and widget.isVisible():
            assert widget.focusPolicy() == Qt.FocusPolicy.TabFocus, widget.objectName()


def test_that_typing_is_left_to_the_window(qtbot: QtBot, curves: TrainingCurves) -> None:
    typed: list[str] = []
    curves.keyPressEvent = lambda event: typed.append(event.text())  # type: ignore[method-assign, assignment]
    qtbot.keyClicks(plot(curves), "7a")
    assert typed == ["7", "a"]


def test_that_what_assistive_tools_read_follows_the_epochs(qtbot: QtBot, curves: TrainingCurves) -> None:
    history = begin(curves)
    for number in (1, 2):
        history.apply(replace(epoch(number), val_loss=0.3 / number))
        curves.history_grew()
        expected = f"validation {0.3 / number:.4f}; best epoch {number}"
        qtbot.waitUntil(lambda expected=expected: expected in plot(curves).accessibleDescription())


def test_that_a_finished_run_can_be_read_by_assistive_tools(curves: TrainingCurves) -> None:
    history = begin(curves)
    assert plot(curves).accessibleDescription() == "no points yet"
    history.apply(epoch(1))
    curves.finish()
    assert plot(curves).accessibleName() == "Loss curves"
    assert plot(curves).accessibleDescription() == (
        "at the end: training 0.4000, validation 0.3000; best epoch 1"
    )


# Choices.


def test_that_smoothing_leaves_the_raw_curve_visible(curves: TrainingCurves) -> None:
    history = begin(curves)
    for step in range(1, 21):
        history.apply(batch(step, loss=step % 2))
    curves.findChild(QSlider, "smoothingSlider").setValue(6)
    raw, smoothed = (points(curves, "lossPlot", name)[1] for name in ("batches", "smoothed"))
    assert set(raw) == {0, 1}
    assert 0.4 < smoothed[-1] < 0.6
    curves.findChild(QSlider, "smoothingSlider").setValue(0)
    assert points(curves, "lossPlot", "smoothed") == ([], [])


@pytest.mark.parametrize(("axis", "x"), [("Steps", 10), ("Time", 14), ("Clock", CLOCK_S), ("Epochs", 1)])
def test_that_curves_are_drawn_over_epochs_steps_or_time(curves: TrainingCurves, axis: str, x: float) -> None:
    history = begin(curves)
    history.apply(replace(epoch(1), clock_s=CLOCK_S))
    curves.findChild(QComboBox, "axisBox").setCurrentText(axis)
    curves.redraw()
    assert points(curves, "lossPlot", "validation")[0] == [x]


def test_that_the_clock_shows_a_run_from_its_first_batch_to_its_last(curves: TrainingCurves) -> None:
    history = begin(curves)
    for step in range(1, 41):
        history.apply(replace(batch(step), clock_s=CLOCK_S + step))
    curves.findChild(QComboBox, "axisBox").setCurrentText("Clock")
    assert shown_range(curves) == (CLOCK_S + 1, CLOCK_S + 1 + 40)
    curves.finish()
    assert shown_range(curves) == (CLOCK_S + 1, CLOCK_S + 40)


def test_that_a_run_that_went_on_over_a_night_has_its_gap_on_the_clock_only(curves: TrainingCurves) -> None:
    history = begin(curves)
    history.apply(replace(epoch(1), elapsed_s=10.0, clock_s=CLOCK_S))
    history.apply(replace(epoch(2), elapsed_s=20.0, clock_s=CLOCK_S + 40_000))
    axes = curves.findChild(QComboBox, "axisBox")
    axes.setCurrentText("Time")
    assert points(curves, "lossPlot", "validation")[0] == [10, 20]
    axes.setCurrentText("Clock")
    assert points(curves, "lossPlot", "validation")[0] == [CLOCK_S, CLOCK_S + 40_000]


def test_that_a_run_from_before_the_time_of_day_was_kept_goes_on_with_it(curves: TrainingCurves) -> None:
    history = begin(curves)
    history.apply(epoch(1))
    curves.findChild(QComboBox, "axisBox").setCurrentText("Clock")
    assert points(curves, "lossPlot", "validation") == ([], [])
    history.apply(replace(epoch(2), clock_s=CLOCK_S))
    curves.redraw()
    assert points(curves, "lossPlot", "validation")[0] == [CLOCK_S]


def test_that_a_logarithmic_accuracy_spreads_out_what_is_nearly_perfect(curves: TrainingCurves) -> None:
    history = begin(curves)
    for step, accuracy in enumerate([0.9, 0.99, 0.999], 1):
        history.apply(batch(step, accuracy=accuracy))
    switch(curves, "Logarithmic")
    low, high = heights(curves, "accuracyPlot")
    assert low <= 1
    assert high >= 3
    assert points(curves, "accuracyPlot", "batches")[1] == pytest.approx([1, 2, 3])
    headings = [found.text() for found in curves.findChildren(QLabel)]
    assert {"Loss (logarithm)", "Accuracy (logarithm of the error)"} <= set(headings)


@pytest.mark.parametrize(("choice", "first"), [("latest 200", 4801), ("latest 1,000", 4001)])
def test_that_the_latest_points_can_be_followed(curves: TrainingCurves, choice: str, first: int) -> None:
    history = begin(curves, epochs=1000)
    for step in range(1, 5001):
        history.apply(batch(step))
    switch(curves, choice)
    assert shown_range(curves) == (first / STEPS_PER_EPOCH, 500)
    switch(curves, "All points")
    assert shown_range(curves)[0] == 0


def test_that_a_table_says_what_the_curves_do_in_view(qtbot: QtBot, curves: TrainingCurves) -> None:
    history = begin(curves)
    for step, loss in enumerate([0.9, 0.5, 0.7, 0.1], 1):
        history.apply(batch(step, loss=loss))
    table = curves.findChild(StatisticsTable)
    assert not table.isVisible()
    switch(curves, "Figures")
    assert table.isVisible()

    def row(place: int) -> list[str]:
        return [table.item(place, column).text() for column in range(table.columnCount())]

    qtbot.waitUntil(lambda: table.rowCount() > 0)
    for column in range(table.columnCount()):
        assert table.horizontalHeaderItem(column).textAlignment() == table.item(0, column).textAlignment()
    assert row(0) == ["Loss: batches", "", "4", "0.9000", "0.1000", "-0.8000", "0.1000", "0.9000", "0.5500"]
    plot(curves).setXRange(0.15, 0.35, padding=0)
    qtbot.waitUntil(lambda: row(0)[2] == "2")
    assert row(0)[3:6] == ["0.5000", "0.7000", "+0.2000"]
    point_at(plot(curves), 0.2)
    qtbot.waitUntil(lambda: row(0)[1] == "0.5000")


def test_that_learning_rate_and_throughput_are_shown_when_they_are_chosen(curves: TrainingCurves) -> None:
    history = begin(curves)
    history.apply(replace(batch(1), images_per_s=0.0, learning_rate=1e-3))
    history.apply(replace(batch(2), learning_rate=5e-4))
    assert curves.findChild(Plot, "learningRatePlot") is None
    switch(curves, "Learning rate")
    switch(curves, "Images per second")
    assert plot(curves, "learningRatePlot").isVisible()
    assert points(curves, "learningRatePlot", "rate")[1] == [1e-3, 5e-4]
    assert points(curves, "throughputPlot", "batches") == ([0.2], [12_340])


def test_that_the_auc_is_shown_when_it_is_chosen_as_far_as_it_is_known(curves: TrainingCurves) -> None:
    history = begin(curves)
    history.apply(epoch(1))
    history.apply(replace(epoch(2), val_auc=0.9985))
    assert curves.findChild(Plot, "aucPlot") is None
    switch(curves, "AUC")
    assert plot(curves, "aucPlot").isVisible()
    assert points(curves, "aucPlot", "validation") == ([2], [0.9985])


def test_that_one_plot_can_have_all_the_room(qtbot: QtBot, curves: TrainingCurves) -> None:
    switch(curves, "Accuracy")
    assert not plot(curves, "accuracyPlot").isVisible()
    assert plot(curves).isVisible()
    switch(curves, "Loss")
    assert plot(curves).isVisible()


def test_that_a_kind_of_curve_can_be_hidden(qtbot: QtBot, curves: TrainingCurves) -> None:
    history = begin(curves)
    history.apply(epoch(1))
    curves.redraw()
    qtbot.mouseClick(curves.findChild(QToolButton, "curve training"), Qt.MouseButton.LeftButton)
    assert points(curves, "lossPlot", "training") == ([], [])
    assert points(curves, "lossPlot", "validation")[0] == [1]


def test_that_choices_are_remembered(qtbot: QtBot, tmp_path: Path, curves: TrainingCurves) -> None:
    said: list[CurveSettings] = []
    curves.settings_changed.connect(said.append)
    switch(curves, "Logarithmic")
    curves.findChild(QSlider, "smoothingSlider").setValue(6)
    Preferences(tmp_path).curves = said[-1].to_json()
    kept = CurveSettings.from_json(Preferences(tmp_path).curves)
    assert kept == said[-1] == CurveSettings(is_log=True, smoothing=0.9)
    again = shown(qtbot, TrainingCurves(settings=kept))
    assert again.findChild(QSlider, "smoothingSlider").value() == 6


def test_that_choices_of_another_version_do_no_harm() -> None:
    odd = {"axis": "fortnights", "smoothing": 7, "is_log": "yes", "hidden": ["training", "ghosts"], "new": 1}
    assert CurveSettings.from_json(odd) == CurveSettings(hidden=("training",))
    odd = {"axis": True, "smoothing": [], "latest": None, "shows_loss": 0, "shows_auc": True, "hidden": True}
    assert CurveSettings.from_json(odd) == CurveSettings(shows_auc=True)


# Several runs.


def test_that_runs_lie_over_one_another_each_in_its_colour(
    curves: TrainingCurves, dress: Callable[[Theme], None]
) -> None:
    dress(LIGHT)
    curves.show_runs([run_of("one"), run_of("two", epochs=5, hold_out=True)])
    assert shown_range(curves) == (0, 5)
    assert points(curves, "lossPlot", "one: validation")[0] == [1, 2, 3]
    assert points(curves, "accuracyPlot", "two: hold-out")[0] == [1, 2, 3, 4, 5]
    colours = {item.name(): item.opts["pen"].color().name() for item in plot(curves).listDataItems()}
    assert {colours[name] for name in ("one: training", "one: validation")} == {LIGHT.series[0]}
    assert {colours[name] for name in ("two: training", "two: hold-out")} == {LIGHT.series[1]}
    curves.findChild(QToolButton, "curve one").click()
    assert points(curves, "lossPlot", "one: validation") == ([], [])
    assert points(curves, "lossPlot", "two: validation")[0] == [1, 2, 3, 4, 5]


def test_that_of_several_runs_each_has_one_row_beside_the_cross_hair(curves: TrainingCurves) -> None:
    curves.show_runs([run_of("one", loss=0.5), run_of("two", loss=0.25, hold_out=True)])
    columns, rows = columns_and_rows(plot(curves).values_at(2.0))
    assert columns == ("smoothed", "training", "validation", "hold-out")
    assert [(name, style.role, values) for style, name, values in rows] == [
        ("one", "run 0", ("0.5000", "0.4000", "0.3000", "")),
        ("two", "run 1", ("0.2500", "0.4000", "0.3000", "0.6000")),
    ]


def test_that_of_one_run_each_curve_has_a_row_beside_the_cross_hair(curves: TrainingCurves) -> None:
    begin(curves).apply(epoch(1))
    curves.redraw()
    columns, rows = columns_and_rows(plot(curves).values_at(1.0))
    assert columns == ("",)
    assert [(name, values) for _, name, values in rows] == [
        ("training", ("0.4000",)),
        ("validation", ("0.3000",)),
    ]


def test_that_a_run_of_which_only_the_history_is_known_is_shown(curves: TrainingCurves) -> None:
    curves.show_runs([ShownRun("alone", run_of("").history)])
    assert points(curves, "lossPlot", "batches")[0] == [1, 2, 3]
    assert shown_range(curves) == (0, 3)


# Files.


def test_that_the_figures_are_kept_as_a_table(curves: TrainingCurves) -> None:
    curves.show_runs([run_of("one", hold_out=True)])
    rows = list(csv.DictReader(io.StringIO(curves.file_of("csv").decode())))
    assert [row["kind"] for row in rows] == ["batch", "epoch"] * 3
    assert rows[0] | {"run": "one", "step": "10", "loss": "0.5", "epoch": "", "val_loss": ""} == rows[0]
    assert rows[-1] | {"epoch": "3", "val_accuracy": "0.9", "hold_out_accuracy": "0.7"} == rows[-1]


def test_that_a_picture_on_paper_is_light_and_large(qtbot: QtBot, dress: Callable[[Theme], None]) -> None:
    curves = shown(qtbot, TrainingCurves())
    dress(DARK)
    curves.show_runs([run_of("one", epochs=6), run_of("two")])
    image = QImage.fromData(QByteArray(curves.file_of("png")))
    assert image.width() == 1800
    assert image.pixelColor(0, 0).name() == LIGHT.surface
    colours = {image.pixelColor(x, y).name() for x in range(0, 1800, 3) for y in range(100, 1200, 3)}
    assert set(LIGHT.series[:2]) <= colours


def test_that_a_drawing_is_svg_with_words(curves: TrainingCurves) -> None:
    curves.show_runs([run_of("one")])
    drawing = curves.file_of("svg").decode()
    assert drawing.startswith("<?xml")
    assert ">validation</text>" in drawing
    assert ">Loss over epochs</text>" in drawing
    assert set(re.findall('font-family="(.*?)"', drawing)) == {
        f"{QFontInfo(curves.font()).family()}, sans-serif"
    }
    assert "clip" in drawing


def test_that_a_picture_can_be_copied(curves: TrainingCurves) -> None:
    curves.show_runs([run_of("one")])
    curves.copy_picture()
    assert QGuiApplication.clipboard().image().width() == 1800


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [("", "a.csv", "a.csv"), ("svg", "a", "a.svg"), ("", "a", "a.png"), ("png", "a.SVG", "a.SVG")],
)
def test_that_the_name_of_a_file_decides_what_is_in_it(
    curves: TrainingCurves, tmp_path: Path, kind: str, name: str, expected: str
) -> None:
    curves.show_runs([run_of("one")])
    path = save_curves(curves, kind, ask=Answers(tmp_path / name))
    assert path == tmp_path / expected
    heads = {".csv": b"run,kind", ".svg": b"<?xml", ".png": b"\x89PNG"}
    assert path.read_bytes().startswith(heads[path.suffix.lower()])


def test_that_nothing_is_written_for_another_ending_or_none(curves: TrainingCurves, tmp_path: Path) -> None:
    assert save_curves(curves, "", ask=Answers(None)) is None
    with pytest.raises(InputError, match="jpg"):
        save_curves(curves, "", ask=Answers(tmp_path / "a.jpg"))
    assert list(tmp_path.iterdir()) == []

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent
from pytestqt.qtbot import QtBot

from gui.fake_engine import STEPS_PER_EPOCH, batch, epoch
from qtdigits.core.history import History
from qtdigits.gui.curve_plot import CurvePlot, calm_spread, nice_above
from qtdigits.gui.curves import Curves
from qtdigits.gui.theme import DARK, LIGHT


@pytest.fixture
def curves(qtbot: QtBot) -> Curves:
    curves = Curves(theme=LIGHT)
    qtbot.addWidget(curves)
    curves.resize(600, 500)
    with qtbot.waitExposed(curves):
        curves.show()
    return curves


def plot(curves: Curves, name: str) -> CurvePlot:
    found = curves.findChild(CurvePlot, name)
    assert isinstance(found, CurvePlot)
    return found


def begin(curves: Curves, *, epochs: int = 12) -> History:
    history = History()
    curves.begin(history, steps_per_epoch=STEPS_PER_EPOCH, epochs=epochs)
    return history


def points(curves: Curves, plot_name: str, curve: str) -> tuple[list[float], list[float]]:
    x, y = plot(curves, plot_name).points(curve)
    return x.tolist(), y.tolist()


def x_range(curves: Curves) -> list[float]:
    return list(plot(curves, "lossPlot").getViewBox().viewRange()[0])


def y_range(curves: Curves, name: str) -> list[float]:
    return list(plot(curves, name).getViewBox().viewRange()[1])


def test_that_a_batch_is_drawn_without_being_asked_for(qtbot: QtBot, curves: Curves) -> None:
    history = begin(curves)
    history.apply(batch(5, loss=0.5, accuracy=0.8))
    curves.history_grew()
    qtbot.waitUntil(lambda: points(curves, "lossPlot", "batches") == ([0.5], [0.5]))
    qtbot.waitUntil(lambda: points(curves, "accuracyPlot", "batches") == ([0.5], [80.0]))


def test_that_epochs_have_validation_at_their_end_and_training_in_their_middle(curves: Curves) -> None:
    history = begin(curves)
    history.apply(epoch(1))
    history.apply(epoch(2))
    curves.redraw()
    assert points(curves, "lossPlot", "validation") == ([1, 2], [0.3, 0.3])
    assert points(curves, "accuracyPlot", "training") == ([0.5, 1.5], [85, 85])


def test_that_the_best_epoch_is_marked(curves: Curves) -> None:
    history = begin(curves)
    curves.redraw()
    assert plot(curves, "lossPlot").best is None
    history.apply(epoch(1, is_best=True))
    history.apply(epoch(2, is_best=False))
    curves.redraw()
    assert plot(curves, "lossPlot").best == 1
    assert plot(curves, "accuracyPlot").best == 1


def test_that_a_new_run_starts_with_empty_plots(curves: Curves) -> None:
    history = begin(curves)
    history.apply(batch())
    history.apply(epoch())
    curves.redraw()
    begin(curves)
    assert points(curves, "lossPlot", "batches") == ([], [])
    assert points(curves, "lossPlot", "validation") == ([], [])
    assert plot(curves, "lossPlot").best is None


def test_that_another_run_of_the_same_length_is_drawn_anew(curves: Curves) -> None:
    for loss in (0.5, 0.25):
        history = History()
        history.apply(batch(loss=loss))
        curves.begin(history, steps_per_epoch=STEPS_PER_EPOCH, epochs=12)
        assert points(curves, "lossPlot", "batches")[1] == [loss]


def test_that_the_whole_run_is_in_view_and_a_finished_one_fills_it(curves: Curves) -> None:
    history = begin(curves, epochs=12)
    history.apply(batch(3 * STEPS_PER_EPOCH))
    curves.redraw()
    assert x_range(curves) == pytest.approx([0, 12])
    curves.finish()
    assert x_range(curves) == pytest.approx([0, 3])


def test_that_a_very_long_run_is_uncovered_step_by_step(curves: Curves) -> None:
    history = begin(curves, epochs=1000)
    assert x_range(curves) == pytest.approx([0, 30])
    history.apply(batch(31 * STEPS_PER_EPOCH))
    curves.redraw()
    assert x_range(curves) == pytest.approx([0, 60])


def test_that_the_first_fall_does_not_set_the_range(curves: Curves) -> None:
    history = begin(curves)
    for step in range(1, 101):
        history.apply(batch(step, loss=2.3 if step < 8 else 0.25, accuracy=0.1 if step < 8 else 0.96))
    curves.redraw()
    assert y_range(curves, "lossPlot") == pytest.approx([0, 0.3], abs=0.01)
    assert y_range(curves, "accuracyPlot") == pytest.approx([96, 100], abs=0.1)


def test_that_a_loss_that_is_no_number_does_no_harm(curves: Curves) -> None:
    history = begin(curves)
    for step, loss in enumerate([0.5, float("nan"), float("inf"), 0.5], 1):
        history.apply(batch(step, loss=loss))
    curves.redraw()
    assert y_range(curves, "lossPlot") == pytest.approx([0, 0.5], abs=0.01)


def test_that_a_zoom_stays_until_a_double_click(curves: Curves) -> None:
    history = begin(curves)
    history.apply(batch(20))
    curves.redraw()
    view = plot(curves, "lossPlot").getViewBox()
    view.setRange(xRange=(1, 2), padding=0)
    view.sigRangeChangedManually.emit([True, True])
    history.apply(batch(30))
    curves.redraw()
    assert x_range(curves) == pytest.approx([1, 2])
    at, button = QPointF(200, 80), Qt.MouseButton.LeftButton
    double_click = QMouseEvent(
        QEvent.Type.MouseButtonDblClick, at, at, button, button, Qt.KeyboardModifier.NoModifier
    )
    plot(curves, "lossPlot").mouseDoubleClickEvent(double_click)
    assert x_range(curves) == pytest.approx([0, 12])


def test_that_dense_curves_are_thinned_to_what_can_be_seen(curves: Curves) -> None:
    history = begin(curves, epochs=2000)
    rng = np.random.default_rng(1)
    for step, loss in enumerate(0.2 + 0.05 * rng.random(20_000), 1):
        history.apply(batch(step, loss=float(loss)))
    curves.finish()
    drawn_x, drawn_y = points(curves, "lossPlot", "batches")
    assert len(drawn_x) <= 2 * 2 * curves.width()
    assert max(drawn_y) == history.batches["loss"].max()
    assert min(drawn_y) == history.batches["loss"].min()


def test_that_hidden_curves_are_brought_up_when_they_are_shown(qtbot: QtBot, curves: Curves) -> None:
    history = begin(curves)
    curves.hide()
    history.apply(batch(5))
    curves.history_grew()
    curves.show()
    assert len(points(curves, "lossPlot", "batches")[0]) == 1


def test_that_plots_do_not_take_the_keyboard_and_follow_the_theme(curves: Curves) -> None:
    for name in ("lossPlot", "accuracyPlot"):
        assert plot(curves, name).focusPolicy() == Qt.FocusPolicy.NoFocus
    curves.set_theme(DARK)
    assert plot(curves, "lossPlot").getAxis("left").textPen().color() == QColor(DARK.text_muted)


@pytest.mark.parametrize(
    ("value", "expected"), [(0.3, 0.3), (0.31, 0.4), (1.2, 1.5), (9.0, 10), (2.3, 3.0), (0.00012, 0.00015)]
)
def test_that_ranges_end_at_round_numbers(value: float, expected: float) -> None:
    assert nice_above(value) == pytest.approx(expected)


def test_that_a_range_grows_at_once_and_shrinks_late() -> None:
    def spread(current: float, value: float) -> float:
        return calm_spread(current, [np.full(10, value)], least=1e-4)

    assert spread(0.3, 0.7) == pytest.approx(0.8)
    assert spread(0.8, 0.55) == 0.8
    assert spread(0.8, 0.35) == pytest.approx(0.4)
    assert calm_spread(0.8, [np.empty(0)], least=1e-4) == 0.8

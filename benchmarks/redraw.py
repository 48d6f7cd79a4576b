"""Redrawing four curves of 20,000 points that grow: the program's plots beside pyqtgraph used as given.

Both sides draw the same four curves (loss and accuracy, raw and smoothed) into two plots of the same size, with pens of width 1,
and get one more point before every redraw. They take turns in one process.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import Row, finish, run_child

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from qtdigits.core.run.events import BatchEnded
    from qtdigits.core.run.history import History

POINTS = 20_000
REDRAWS = 300
WARM_UP = 5
PLOT_SIZE = (820, 330)
CURVES = ("loss", "accuracy")


def measure() -> list[Row]:
    figures = run_child("redraw")
    beside = "pyqtgraph as given, the same curves"
    what = "redraw of four growing curves of 20,000 points"
    return [
        Row(f"{what}, p99", figures["ours_p99"], figures["theirs_p99"], "ms", beside, "≤ 8 ms"),
        Row(f"{what}, median", figures["ours_p50"], figures["theirs_p50"], "ms", beside, ""),
        Row(
            f"{what}, processor time, p99",
            figures["ours_cpu_p99"],
            figures["theirs_cpu_p99"],
            "ms",
            beside,
            "",
        ),
    ]


def child() -> None:
    from qtdigits.cli.window import prepare_start

    prepare_start()
    from PySide6.QtWidgets import QApplication

    app = QApplication([])
    history, ours = _history(), Ours(app)
    ours.show(history)
    theirs = Theirs(app)
    took: dict[str, list[float]] = {"ours": [], "ours_cpu": [], "theirs": [], "theirs_cpu": []}
    for step in range(POINTS + 1, POINTS + REDRAWS + 1):
        history.apply(_batch(step))
        for name, side in (("ours", ours), ("theirs", theirs)):
            start, cpu_start = time.perf_counter(), time.thread_time()
            side.redraw(history)
            took[name].append(1000 * (time.perf_counter() - start))
            took[f"{name}_cpu"].append(1000 * (time.thread_time() - cpu_start))
            app.processEvents()
    finish(**{f"{n}_p{q}": float(np.percentile(t[WARM_UP:], q)) for n, t in took.items() for q in (50, 99)})


class Ours:
    """The program's curves, with the plots that are shown from the start."""

    def __init__(self, app: QApplication) -> None:
        from qtdigits.gui.curves.curve_plot import CurvePlot
        from qtdigits.gui.curves.curves import Curves
        from qtdigits.gui.widgets.colours import LIGHT

        self._curves = Curves(theme=LIGHT)
        self._curves.resize(PLOT_SIZE[0], 2 * PLOT_SIZE[1] + 90)
        self._curves.show()
        app.processEvents()
        self._plots = [p for p in self._curves.findChildren(CurvePlot) if p.isVisible()]

    def show(self, history: History) -> None:
        self._curves.begin(history, steps_per_epoch=1000, epochs=40)

    def redraw(self, _history: History) -> None:
        self._curves.redraw()
        for plot in self._plots:
            plot.repaint()


class Theirs:
    """`PlotWidget.plot` and `setData`, as the manual shows them."""

    def __init__(self, app: QApplication) -> None:
        import pyqtgraph as pg

        from qtdigits.core.run.curves import Smoothed

        self._plots = [pg.PlotWidget() for _ in CURVES]
        self._lines = {
            name: [plot.plot(pen="w"), plot.plot(pen="y")]
            for name, plot in zip(CURVES, self._plots, strict=True)
        }
        for plot in self._plots:
            plot.resize(*PLOT_SIZE)
            plot.show()
        app.processEvents()
        self._smoothed = {name: Smoothed(0.8) for name in CURVES}

    def redraw(self, history: History) -> None:
        x = history.batches["step"] / 1000
        for name, (raw, smoothed) in self._lines.items():
            y = history.batches[name]
            raw.setData(x, y)
            smoothed.setData(x, self._smoothed[name].update(y))
        for plot in self._plots:
            plot.viewport().repaint()


def _history() -> History:
    from qtdigits.core.run.history import History

    history = History()
    for step in range(1, POINTS + 1):
        history.apply(_batch(step))
    return history


def _batch(step: int) -> BatchEnded:
    """A loss that falls and trembles, as that of batches does."""
    from qtdigits.core.run.events import BatchEnded

    noise = math.sin(step * 12.9898) * 43758.5453 % 1.0
    loss = (2.2 * math.exp(-step / 800) + 0.12) * (0.6 + 0.8 * noise)
    return BatchEnded("run", step, 1 + step // 1000, loss, max(0.0, 1 - 0.4 * loss), step / 100, 0.0, 1.0)


if __name__ == "__main__":
    child()

"""Redrawing four curves of 20,000 points that grow: the program's plots beside pyqtgraph as its manual shows it.

All sides draw the same four curves (loss and accuracy, raw and smoothed) into two plots of the same size, with pens of width 1,
and get one more point before every redraw. They take turns in one process. The third side is pyqtgraph with its own downsampling
and clipping switched on.
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
    what = "redraw of four growing curves of 20,000 points"
    manual, tuned = "pyqtgraph as its manual shows it", "pyqtgraph with its downsampling and clipping"
    return [
        Row(f"{what}, p99", figures["ours_p99"], figures["manual_p99"], "ms", manual, "≤ 8 ms, ≤ 1/3"),
        Row(f"{what}, median", figures["ours_p50"], figures["manual_p50"], "ms", manual, ""),
        Row(f"{what}, p99", figures["ours_p99"], figures["tuned_p99"], "ms", tuned, ""),
        Row(f"{what}, median", figures["ours_p50"], figures["tuned_p50"], "ms", tuned, ""),
        Row(
            f"{what}, processor time, p99",
            figures["ours_cpu_p99"],
            figures["manual_cpu_p99"],
            "ms",
            manual,
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
    sides: dict[str, Ours | Theirs] = {
        "ours": ours,
        "manual": Theirs(app),
        "tuned": Theirs(app, is_tuned=True),
    }
    took: dict[str, list[float]] = {name + kind: [] for name in sides for kind in ("", "_cpu")}
    for step in range(POINTS + 1, POINTS + REDRAWS + 1):
        history.apply(_batch(step))
        for name, side in sides.items():
            start, cpu_start = time.perf_counter(), time.thread_time()
            side.redraw(history)
            took[name].append(1000 * (time.perf_counter() - start))
            took[f"{name}_cpu"].append(1000 * (time.thread_time() - cpu_start))
            app.processEvents()
    finish(**{f"{n}_p{q}": float(np.percentile(t[WARM_UP:], q)) for n, t in took.items() for q in (50, 99)})


class Ours:
    """The program's curves, with the plots that are shown from the start."""

    def __init__(self, app: QApplication) -> None:
        from qtdigits.gui.plots.plot import Plot
        from qtdigits.gui.plots.training_curves import TrainingCurves

        self._curves = TrainingCurves()
        self._curves.resize(PLOT_SIZE[0], 2 * PLOT_SIZE[1] + 90)
        self._curves.show()
        app.processEvents()
        self._plots = [plot for plot in self._curves.findChildren(Plot) if plot.isVisible()]

    def show(self, history: History) -> None:
        from qtdigits.gui.plots.run_series import ShownRun

        self._curves.show_runs([ShownRun("", history, steps_per_epoch=1000, epochs=40, is_running=True)])

    def redraw(self, _history: History) -> None:
        self._curves.redraw()
        for plot in self._plots:
            plot.viewport().repaint()


class Theirs:
    """`PlotWidget.plot` and `setData`, as the manual shows them; `is_tuned`: with pyqtgraph's own ways to draw less."""

    def __init__(self, app: QApplication, *, is_tuned: bool = False) -> None:
        import pyqtgraph as pg

        from qtdigits.core.run.curves import Smoothed

        self._plots = [pg.PlotWidget() for _ in CURVES]
        self._lines = {
            name: [plot.plot(pen="w"), plot.plot(pen="y")]
            for name, plot in zip(CURVES, self._plots, strict=True)
        }
        for plot in self._plots:
            if is_tuned:
                plot.setDownsampling(auto=True, mode="peak")
                plot.setClipToView(True)
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

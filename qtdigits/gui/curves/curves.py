"""Live curves of a run, or those of several runs over one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.run.axes import (
    ACCURACY,
    AUC,
    LEARNING_RATE,
    LOSS,
    QUANTITIES,
    THROUGHPUT,
    Quantity,
    Range,
    x_text,
)
from qtdigits.core.run.curves import XAxis
from qtdigits.core.run.history import History
from qtdigits.errors import InputError
from qtdigits.gui.curves.curve_bar import CurveBar
from qtdigits.gui.curves.curve_files import DETAIL, WIDTH_PX, Sheet, as_csv, as_image, as_png, as_svg
from qtdigits.gui.curves.curve_legend import CurveLegend
from qtdigits.gui.curves.curve_painting import Look, Mark
from qtdigits.gui.curves.curve_plot import CurvePlot
from qtdigits.gui.curves.curve_settings import KINDS, CurveSettings
from qtdigits.gui.curves.run_curves import LOOKS, RunCurves, ShownRun, whole_stretch
from qtdigits.gui.curves.stretch_table import StretchTable
from qtdigits.gui.widgets.colours import Theme
from qtdigits.gui.widgets.parts import elided_label, label

REDRAW_MS = 33
"""One plot at a time, so that each is redrawn 15 times a second and no redraw holds up the canvas for long."""
FIGURES_MS = 250
ON_PAPER = {
    XAxis.EPOCH: "epochs",
    XAxis.STEP: "steps",
    XAxis.TIME: "time elapsed",
    XAxis.CLOCK: "time of day",
}
POINT_AT_IT = "Point to the curves, or lead to them with Tab and walk with the arrow keys, to read them; a click keeps the place"
OBJECT_NAMES = {
    LOSS: "lossPlot",
    ACCURACY: "accuracyPlot",
    AUC: "aucPlot",
    LEARNING_RATE: "learningRatePlot",
    THROUGHPUT: "throughputPlot",
}


class Curves(QWidget):
    """Shows histories that grow. Telling it so costs nothing; it redraws by a timer, and only what can be seen.

    `settings_changed` carries the `CurveSettings` to be remembered. `plot_prefix` goes before the plots' object names where a
    window has several of these.
    """

    settings_changed = Signal(object)
    save_wanted = Signal(str)

    def __init__(
        self,
        *,
        theme: Theme,
        settings: CurveSettings | None = None,
        plot_prefix: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._plot_prefix = plot_prefix
        self._settings = settings or CurveSettings()
        self._runs = [RunCurves(ShownRun("", History()))]
        self._zoom: Range | None = None
        self._cursor: float | None = None
        self._kept_cursor: float | None = None
        self._bar = CurveBar(self._settings)
        self._legend = CurveLegend(theme=theme)
        self._run_legend = CurveLegend(theme=theme)
        self._run_legend.hide()
        self._hidden_runs: tuple[str, ...] = ()
        self._epochs_described = 0
        self._readout = elided_label(role="muted", name="curvesReadout")
        self._headings: dict[Quantity, QLabel] = {}
        self._plots = {quantity: self._plot(quantity, theme) for quantity in QUANTITIES}
        self._figures = StretchTable()
        self._figures_timer = QTimer(self, singleShot=True, interval=FIGURES_MS)
        self._figures_timer.timeout.connect(self._show_figures)
        self._stale: list[CurvePlot] = []
        self._redraw_timer = QTimer(self, interval=REDRAW_MS)
        self._redraw_timer.timeout.connect(self._redraw_next)
        self._lay_out()
        self._bar.settings_changed.connect(self._on_settings)
        self._bar.save_wanted.connect(self.save_wanted)
        self._bar.all_wanted.connect(self.show_all)
        self._legend.hidden_changed.connect(self._on_hidden)
        self._run_legend.hidden_changed.connect(self._on_hidden_runs)
        self._use_settings()

    # The runs.

    @property
    def runs(self) -> list[ShownRun]:
        return [curves.run for curves in self._runs]

    def begin(
        self,
        history: History,
        *,
        steps_per_epoch: float,
        epochs: int,
        title: str = "",
        is_running: bool = True,
    ) -> None:
        """Show another run from now on."""
        run = ShownRun(title, history, max(1, steps_per_epoch), max(1, epochs), is_running)
        self._show([RunCurves(run)])

    def compare(self, runs: Sequence[ShownRun]) -> None:
        """Show runs over one another, or the only one by itself."""
        if len(runs) == 1:
            self._show([RunCurves(runs[0])])
        else:
            self._show([RunCurves(run, place=place) for place, run in enumerate(runs)])

    @Slot()
    def history_grew(self) -> None:
        self._stale += [plot for plot in self._shown() if plot not in self._stale]
        if not self._redraw_timer.isActive() and self.isVisible():
            self._redraw_timer.start()

    def finish(self) -> None:
        """The run is over: the axis ends where the curves end."""
        for curves in self._runs:
            curves.run = replace(curves.run, is_running=False)
        self.redraw()
        self._describe()

    # The view.

    @Slot()
    def show_all(self) -> None:
        """Give up what the person has zoomed to, and the place that was kept in view."""
        self._zoom = self._kept_cursor = None
        for plot in self._plots.values():
            plot.choose_heights(None)
        self.redraw()

    def set_theme(self, theme: Theme) -> None:
        for legend in (self._legend, self._run_legend):
            legend.set_theme(theme)
        for plot in self._plots.values():
            plot.set_theme(theme)

    @Slot()
    def redraw(self) -> None:
        """Bring all plots up to the history at once."""
        self._stale = self._shown()
        while self._stale:
            self._redraw_next()

    @Slot()
    def _redraw_next(self) -> None:
        if not self._stale:
            self._redraw_timer.stop()
            return
        plot = self._stale.pop(0)
        shown = [run for run in self._runs if run.run.title not in self._hidden_runs]
        plot.set_curves([c for run in shown for c in run.curves(plot.quantity, self._settings)])
        ends = self._runs[0].places(self._settings.x_axis).epoch_ends()
        plot.set_marks(self._marks(), epoch_ends=ends[np.isfinite(ends)])
        plot.show_stretch(self._zoom or self._whole(), is_part=self._zoom is not None)
        self._bar.show_all_button.setVisible(
            self._zoom is not None or any(p.has_chosen_heights for p in self._shown())
        )
        self._show_legend()
        if not self._stale and self._settings.shows_figures and not self._figures_timer.isActive():
            self._figures_timer.start()
        if not self._stale and self._n_epochs() != self._epochs_described:
            self._describe()

    @Slot()
    def _show_figures(self) -> None:
        """Some times a second at most: nobody reads figures faster."""
        self._figures.show_rows((p.quantity, *row) for p in self._shown() for row in p.figures())

    def _n_epochs(self) -> int:
        return sum(len(run.history.epochs) for run in self.runs)

    def _marks(self) -> tuple[Mark, ...]:
        """The best epoch of each run."""
        marks = []
        for place, run in enumerate(self._runs):
            best = run.places(self._settings.x_axis).best()
            if best is not None and run.run.title not in self._hidden_runs:
                role = "best" if len(self._runs) == 1 else f"run {place}"
                marks.append(Mark(best, f"best {run.run.history.best_epoch}", role))
        return tuple(marks)

    def _whole(self) -> Range:
        return whole_stretch(self._runs, self._settings.x_axis, latest=self._settings.latest)

    def _show(self, runs: list[RunCurves]) -> None:
        self._runs = runs
        self._hidden_runs = ()
        self._run_legend.show_curves(self._run_looks() if len(runs) > 1 else {}, hidden=())
        self._run_legend.setVisible(len(runs) > 1)
        self._zoom = self._cursor = self._kept_cursor = None
        for plot in self._plots.values():
            plot.forget()
            plot.set_cursor(None)
        self.redraw()
        self._describe()

    def _shown(self) -> list[CurvePlot]:
        settings = self._settings
        wanted = {
            LOSS: settings.shows_loss,
            ACCURACY: settings.shows_accuracy,
            AUC: settings.shows_auc,
            LEARNING_RATE: settings.shows_learning_rate,
            THROUGHPUT: settings.shows_throughput,
        }
        if not any(wanted.values()):
            wanted[LOSS] = True
        return [self._plots[quantity] for quantity, is_wanted in wanted.items() if is_wanted]

    # What the person chooses.

    def show_settings(self, settings: CurveSettings) -> None:
        """Take up what was chosen elsewhere."""
        if settings == self._settings:
            return
        if settings.axis != self._settings.axis:
            self._zoom = None
            self._keep_cursor(None)
        self._settings = settings
        self._use_settings()

    @Slot(object)
    def _on_settings(self, settings: CurveSettings) -> None:
        self.show_settings(settings)
        self.settings_changed.emit(settings)

    @Slot(tuple)
    def _on_hidden(self, hidden: tuple[str, ...]) -> None:
        away = tuple(kind for kind in self._settings.hidden if kind not in self._legend_looks())
        self._on_settings(replace(self._settings, hidden=(*away, *hidden)))

    @Slot(tuple)
    def _on_hidden_runs(self, hidden: tuple[str, ...]) -> None:
        self._hidden_runs = hidden
        self.redraw()

    def _use_settings(self) -> None:
        self._bar.show_settings(self._settings)
        self._figures.setVisible(self._settings.shows_figures)
        self._legend.show_curves(self._legend_looks(), hidden=self._settings.hidden)
        shown = self._shown()
        for row, (quantity, plot) in enumerate(self._plots.items()):
            stretch = 0 if plot not in shown else 3 if quantity in (LOSS, ACCURACY) else 2
            self._grid.setRowStretch(2 * row + 1, stretch)
            plot.set_axis(self._settings.x_axis)
            plot.set_scale(is_log=self._settings.is_log, ignores_outliers=self._settings.ignores_outliers)
            for part in (plot, self._headings[quantity]):
                part.setVisible(plot in shown)
        self.redraw()

    @Slot(object)
    def _on_stretch_wanted(self, stretch: Range | None) -> None:
        if stretch is None:
            self.show_all()
            return
        self._zoom = stretch
        self.redraw()

    @Slot(object)
    def _keep_cursor(self, x: float | None) -> None:
        """The cross-hair comes back to `x` when nobody points elsewhere; asked for the same place again, to none."""
        self._kept_cursor = x if x != self._kept_cursor else None
        self._put_cursor(self._kept_cursor)

    @Slot(object)
    def _put_cursor(self, x: float | None) -> None:
        x = self._kept_cursor if x is None else x
        if not any(len(plot.densest) for plot in self._shown()):
            x = None  # there is nothing to read yet
        if x == self._cursor:
            return
        self._cursor = x
        for plot in self._plots.values():
            plot.set_cursor(x)
        self._describe()
        if self._settings.shows_figures and not self._figures_timer.isActive():
            self._figures_timer.start()

    # Words.

    def _words(self) -> str:
        """Below the plots: where the cross-hair is, or how the run stands. What the curves say stands beside the cross-hair."""
        axis, is_alone = self._settings.x_axis, len(self._runs) == 1
        if self._cursor is None:
            return (is_alone and self._runs[0].standing()) or POINT_AT_IT
        return self._runs[0].whereabouts(axis, self._cursor) if is_alone else x_text(axis, self._cursor)

    def _describe(self) -> None:
        """In words, for assistive tools too, what each plot says at the cross-hair, or at its end; anew after each epoch."""
        self._epochs_described = self._n_epochs()
        self._readout.setText(self._words())
        for plot in self._shown():
            x = self._cursor if self._cursor is not None else np.inf
            said = ", ".join(reading.text for reading in plot.readings(x))
            where = "at the end" if self._cursor is None else x_text(self._settings.x_axis, x)
            best = self._runs[0].run.history.best_epoch
            marked = f"; best epoch {best}" if best else ""
            plot.setAccessibleDescription(f"{where}: {said}{marked}" if said else "no points yet")

    # Files.

    def file_of(self, kind: str) -> bytes:
        """These curves as "png", "svg" or "csv". Raises `InputError` for another kind."""
        match kind:
            case "csv":
                return as_csv(self.runs)
            case "png":
                return as_png(self._sheet(), self.font())
            case "svg":
                return as_svg(self._sheet(), self.font())
        raise InputError(f"Curves cannot be kept as {kind!r}.", "Choose png, svg or csv.")

    def copy_picture(self) -> None:
        QGuiApplication.clipboard().setImage(as_image(self._sheet(), self.font()))

    def _sheet(self) -> Sheet:
        shown = self._shown()
        over = ON_PAPER[self._settings.x_axis]
        pictures = tuple((f"{p.quantity.title} over {over}", p.picture(DETAIL * WIDTH_PX)) for p in shown)
        title = ", ".join(run.title for run in self.runs if run.title) or "QtDigits training"
        hidden = self._settings.hidden
        legend = {name: look for name, look in self._legend_looks().items() if name not in hidden}
        if len(self._runs) > 1:
            legend |= self._run_looks()
        return Sheet(title, legend, pictures)

    def _legend_looks(self) -> dict[str, Look]:
        has_hold_out = any("hold_out_loss" in r.history.epochs.kept_names for r in self.runs)
        has_hold_out |= any("hold_out_accuracy" in r.history.epochs.kept_names for r in self.runs)
        is_there = {"hold-out": has_hold_out, "smoothed": self._settings.smoothing > 0}
        looks = {name: LOOKS[name] for name in KINDS if is_there.get(name, True)}
        if len(self._runs) > 1:
            looks.pop("batches" if self._settings.smoothing else "smoothed", None)
            looks = {n: replace(look, role="any run") for n, look in looks.items()}
        return looks

    def _run_looks(self) -> dict[str, Look]:
        return {run.title: Look(f"run {place}", is_bold=True) for place, run in enumerate(self.runs)}

    def _show_legend(self) -> None:
        looks = self._legend_looks()
        if looks != self._legend.looks:
            self._legend.show_curves(looks, hidden=self._settings.hidden)

    # Construction.

    def _plot(self, quantity: Quantity, theme: Theme) -> CurvePlot:
        plot = CurvePlot(quantity=quantity, theme=theme)
        plot.setObjectName(self._plot_prefix + OBJECT_NAMES[quantity])
        plot.setAccessibleName(f"{quantity.title} curves")
        plot.stretch_wanted.connect(self._on_stretch_wanted)
        plot.cursor_wanted.connect(self._put_cursor)
        plot.cursor_kept.connect(self._keep_cursor)
        return plot

    def _lay_out(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addWidget(self._bar)
        box.addWidget(self._run_legend, 0, Qt.AlignmentFlag.AlignLeft)
        grid = self._grid = QGridLayout()
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        for row, (quantity, plot) in enumerate(self._plots.items()):
            heading = self._headings[quantity] = label(quantity.title, role="heading")
            grid.addWidget(heading, 2 * row, 0)
            grid.addWidget(plot, 2 * row + 1, 0, 1, 2)
        grid.addWidget(self._legend, 0, 1, Qt.AlignmentFlag.AlignRight)
        box.addLayout(grid, 1)
        box.addWidget(self._readout)
        box.addWidget(self._figures)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.redraw()

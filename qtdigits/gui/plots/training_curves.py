"""Live curves of a run, or those of several runs over one another, in plots with a common x axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from qtdigits.core.run.curves import (
    ACCURACY,
    AUC,
    LEARNING_RATE,
    LOSS,
    QUANTITIES,
    THROUGHPUT,
    Quantity,
    Range,
    RangeStatistics,
    XAxis,
)
from qtdigits.core.run.history import History
from qtdigits.errors import InputError
from qtdigits.gui.plots.curve_controls import KINDS, CurveControls, CurveSettings
from qtdigits.gui.plots.export import Sheet, as_csv, as_image, as_png, as_svg
from qtdigits.gui.plots.legend import STYLES, Legend, Style
from qtdigits.gui.plots.plot import Mark, Plot
from qtdigits.gui.plots.run_series import RunSeries, ShownRun, whole_range
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.parts import LEFT, RIGHT, PlainTable, elided_label, label
from qtdigits.store.files import write_file

REDRAW_MS = 33
"""One plot at a time, so that each is redrawn 15 times a second and no redraw holds up the canvas for long."""
STATISTICS_MS = 250
ON_PAPER = {
    XAxis.EPOCH: "epochs",
    XAxis.STEP: "steps",
    XAxis.TIME: "time elapsed",
    XAxis.CLOCK: "time of day",
}
HINT = "Point at the curves to read them; drag to move, turn the wheel to zoom, double-click to show all"
OBJECT_NAMES = {
    LOSS: "lossPlot",
    ACCURACY: "accuracyPlot",
    AUC: "aucPlot",
    LEARNING_RATE: "learningRatePlot",
    THROUGHPUT: "throughputPlot",
}
FILE_KINDS = {"png": "Picture (*.png)", "svg": "Drawing (*.svg)", "csv": "Figures (*.csv)"}
TABLE_TITLES = ("in view", "here", "points", "start", "end", "change", "lowest", "highest", "mean")
MOST_ROWS = 5
"""More are scrolled to: the curves need the room."""


class TrainingCurves(QWidget):
    """Shows histories that grow. Telling it so costs nothing; it redraws by a timer, and only what can be seen.

    `settings_changed` carries the `CurveSettings` to be remembered, `export_wanted` "png", "svg", "csv" or "copy".
    `object_prefix` goes before the plots' object names where a window has several of these.
    """

    settings_changed = Signal(object)
    export_wanted = Signal(str)

    def __init__(
        self,
        *,
        settings: CurveSettings | None = None,
        object_prefix: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = settings or CurveSettings()
        self._runs = [RunSeries(ShownRun("", History()))]
        self._chosen: Range | None = None
        self._cursor: float | None = None
        self._kept_cursor: float | None = None
        self._is_old = False
        self._hidden_runs: tuple[str, ...] = ()
        self._epochs_described = 0
        self._controls = CurveControls(self._settings)
        self._legend, self._run_legend = Legend(), Legend()
        self._run_legend.hide()
        self._readout = elided_label(role="muted", name="curvesReadout")
        self._object_prefix = object_prefix
        self._plots: dict[Quantity, Plot] = {}
        self._headings: dict[Quantity, QLabel] = {}
        self._table = StatisticsTable()
        self._table_timer = QTimer(self, singleShot=True, interval=STATISTICS_MS)
        self._table_timer.timeout.connect(self._show_statistics)
        self._stale: list[Plot] = []
        self._redraw_timer = QTimer(self, interval=REDRAW_MS)
        self._redraw_timer.timeout.connect(self._redraw_next)
        self._lay_out()
        self._controls.settings_changed.connect(self._on_settings)
        self._controls.export_wanted.connect(self.export_wanted)
        self._controls.all_wanted.connect(self.show_all)
        self._legend.hidden_changed.connect(self._on_hidden)
        self._run_legend.hidden_changed.connect(self._on_hidden_runs)
        self._apply_settings()

    # The runs.

    @property
    def runs(self) -> list[ShownRun]:
        return [series.run for series in self._runs]

    def show_runs(self, runs: Sequence[ShownRun]) -> None:
        """Show runs over one another, or the only one by itself."""
        is_alone = len(runs) == 1
        self._runs = [RunSeries(run, place=None if is_alone else n) for n, run in enumerate(runs)]
        self._hidden_runs = ()
        self._run_legend.show_curves({} if is_alone else self._run_styles(), hidden=())
        self._run_legend.setVisible(not is_alone)
        self._chosen = self._cursor = self._kept_cursor = None
        self._set_old(False)
        for plot in self._plots.values():
            plot.forget()
            plot.set_cursor(None)
        self._show_now()

    @Slot()
    def history_grew(self) -> None:
        self._stale += [plot for plot in self._shown() if plot not in self._stale]
        if not self._redraw_timer.isActive() and self.isVisible():
            self._redraw_timer.start()

    def mark_old(self) -> None:
        """The next run is being prepared: say that these curves are those of the run before it."""
        if any(len(run.history.batches) or len(run.history.epochs) for run in self.runs):
            self._set_old(True)

    def finish(self) -> None:
        """The run is over: the axis ends where the curves end."""
        for series in self._runs:
            series.run = replace(series.run, is_running=False)
        self._set_old(False)
        self._show_now()

    def _show_now(self) -> None:
        """What nobody sees is drawn when it is shown."""
        if self.isVisible():
            self.redraw()
            self._describe()

    def _set_old(self, is_old: bool) -> None:
        self._is_old = is_old
        for plot in self._plots.values():
            plot.set_old(is_old)
        self._describe()

    def make_plot(self) -> bool:
        """Make the next plot before it is needed, so that showing all at once takes less long; False when all are made."""
        missing = [quantity for quantity in self._wanted() if quantity not in self._plots]
        if missing:
            self._plot(missing[0])
        return bool(missing)

    # The view.

    @Slot()
    def show_all(self) -> None:
        """Show the whole run again, and no position that was kept in view."""
        self._chosen = self._kept_cursor = None
        for plot in self._plots.values():
            plot.choose_heights(None)
        self.redraw()

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
        plot, axis = self._stale.pop(0), self._settings.x_axis
        shown = [series for series in self._runs if series.run.title not in self._hidden_runs]
        ends = self._runs[0].positions(axis).epoch_ends()
        plot.set_series(
            [curve for series in shown for curve in series.series(plot.quantity, self._settings)],
            epoch_ends=ends[np.isfinite(ends)],
            marks=self._marks(),
        )
        shown_range = self._chosen or whole_range(self._runs, axis, latest=self._settings.latest)
        plot.set_x_range(shown_range, is_chosen=self._chosen is not None)
        if self._stale:
            return
        is_chosen = self._chosen is not None or any(p.has_chosen_heights for p in self._shown())
        for button in self._way_back:
            button.setEnabled(is_chosen)
        styles = self._legend_styles()
        if styles != self._legend.styles:
            self._legend.show_curves(styles, hidden=self._settings.hidden)
        self._statistics_changed()
        if sum(len(run.history.epochs) for run in self.runs) != self._epochs_described:
            self._describe()

    def _marks(self) -> list[Mark]:
        """The best epoch of each run."""
        marks = []
        for series in self._runs:
            best = series.positions(self._settings.x_axis).best()
            if best is not None and series.run.title not in self._hidden_runs:
                role = "best" if series.place is None else f"run {series.place}"
                marks.append(Mark(best, f"best {series.run.history.best_epoch}", role))
        return marks

    def _wanted(self) -> list[Quantity]:
        settings = self._settings
        wanted = {
            LOSS: settings.shows_loss,
            ACCURACY: settings.shows_accuracy,
            AUC: settings.shows_auc,
            LEARNING_RATE: settings.shows_learning_rate,
            THROUGHPUT: settings.shows_throughput,
        }
        return [quantity for quantity in QUANTITIES if wanted[quantity]] or [LOSS]

    def _shown(self) -> list[Plot]:
        return [self._plot(quantity) for quantity in self._wanted()]

    # What the person chooses.

    def show_settings(self, settings: CurveSettings) -> None:
        """Take up what was chosen elsewhere."""
        if settings == self._settings:
            return
        if settings.axis != self._settings.axis:
            self._chosen = None
            self._keep_cursor(None)
        self._settings = settings
        self._use_settings()

    @Slot(object)
    def _on_settings(self, settings: CurveSettings) -> None:
        self.show_settings(settings)
        self.settings_changed.emit(settings)

    @Slot(tuple)
    def _on_hidden(self, hidden: tuple[str, ...]) -> None:
        away = tuple(kind for kind in self._settings.hidden if kind not in self._legend_styles())
        self._on_settings(replace(self._settings, hidden=(*away, *hidden)))

    @Slot(tuple)
    def _on_hidden_runs(self, hidden: tuple[str, ...]) -> None:
        self._hidden_runs = hidden
        self.redraw()

    def _use_settings(self) -> None:
        self._apply_settings()
        self._show_now()

    def _apply_settings(self) -> None:
        self._controls.show_settings(self._settings)
        self._table.setVisible(self._settings.shows_figures)
        self._legend.show_curves(self._legend_styles(), hidden=self._settings.hidden)
        first = 2 * QUANTITIES.index(self._wanted()[0])
        self._grid.addWidget(self._view_row, first, 1, Qt.AlignmentFlag.AlignRight)
        for plot in self._plots.values():
            self._set_up(plot)

    def _set_up(self, plot: Plot) -> None:
        quantity, is_wanted = plot.quantity, plot.quantity in self._wanted()
        stretch = 0 if not is_wanted else 3 if quantity in (LOSS, ACCURACY) else 2
        self._grid.setRowStretch(2 * QUANTITIES.index(quantity) + 1, stretch)
        plot.set_x_axis(self._settings.x_axis)
        plot.set_scale(is_log=self._settings.is_log, ignores_outliers=self._settings.ignores_outliers)
        for part in (plot, self._headings[quantity]):
            part.setVisible(is_wanted)

    @Slot(object)
    def _on_range_chosen(self, chosen: Range | None) -> None:
        if chosen is None:
            self.show_all()
            return
        self._chosen = chosen
        self.redraw()

    @Slot(object)
    def _keep_cursor(self, x: float | None) -> None:
        """The cross-hair comes back to `x` when nobody points elsewhere; asked for the same position again, to none."""
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
        self._statistics_changed()

    def _statistics_changed(self) -> None:
        """Some times a second at most: nobody reads figures faster."""
        if self._settings.shows_figures and not self._table_timer.isActive():
            self._table_timer.start()

    @Slot()
    def _show_statistics(self) -> None:
        self._table.show_rows((p.quantity, *row) for p in self._shown() for row in p.statistics())

    # Words.

    def _words(self) -> str:
        """Below the plots: where the cross-hair is, or how the run stands. What the curves say stands beside the cross-hair."""
        axis, is_alone, first = self._settings.x_axis, len(self._runs) == 1, self._runs[0]
        if self._is_old:
            return f"Previous run: {first.run.title or 'unnamed'}. The next one is being prepared"
        if self._cursor is None:
            return (is_alone and first.status_text()) or HINT
        return first.position_text(axis, self._cursor) if is_alone else axis.text(self._cursor)

    def _describe(self) -> None:
        """In words, for assistive tools too, what each plot says at the cross-hair, or at its end; anew after each epoch."""
        self._epochs_described = sum(len(run.history.epochs) for run in self.runs)
        self._readout.setText(self._words())
        for quantity, heading in self._headings.items():
            of_error = " of the error" if quantity.is_share else ""
            scale = f" (logarithm{of_error})" if self._settings.is_log else ""
            heading.setText(f"{quantity.title}{scale}{', previous run' if self._is_old else ''}")
        for plot in self._shown():
            x = self._cursor if self._cursor is not None else np.inf
            said = ", ".join(value.text for value in plot.values_at(x))
            where = "at the end" if self._cursor is None else self._settings.x_axis.text(x)
            best = self._runs[0].run.history.best_epoch
            marked = f"; best epoch {best}" if best else ""
            old = "previous run, " if self._is_old else ""
            plot.setAccessibleDescription(f"{old}{where}: {said}{marked}" if said else "no points yet")

    def _legend_styles(self) -> dict[str, Style]:
        kept = [name for run in self.runs for name in run.history.epochs.kept_names]
        has_hold_out = "hold_out_loss" in kept or "hold_out_accuracy" in kept
        is_there = {"hold-out": has_hold_out, "smoothed": self._settings.smoothing > 0}
        styles = {name: STYLES[name] for name in KINDS if is_there.get(name, True)}
        if len(self._runs) > 1:
            styles.pop("batches" if self._settings.smoothing else "smoothed", None)
            styles = {name: replace(style, role="any run") for name, style in styles.items()}
        return styles

    def _run_styles(self) -> dict[str, Style]:
        return {run.title: Style(f"run {place}", is_bold=True) for place, run in enumerate(self.runs)}

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
        raise InputError(f"Curves cannot be saved as {kind!r}.", "Choose png, svg or csv.")

    def copy_picture(self) -> None:
        QGuiApplication.clipboard().setImage(as_image(self._sheet(), self.font()))

    def _sheet(self) -> Sheet:
        self.redraw()
        over = ON_PAPER[self._settings.x_axis]
        title = ", ".join(run.title for run in self.runs if run.title) or "QtDigits training"
        hidden = self._settings.hidden
        legend = {name: style for name, style in self._legend_styles().items() if name not in hidden}
        if len(self._runs) > 1:
            legend |= self._run_styles()
        return Sheet(title, legend, [(f"{p.quantity.title} over {over}", p) for p in self._shown()])

    # Construction.

    def _plot(self, quantity: Quantity) -> Plot:
        """The plot of a quantity, made when it is first asked for: that takes 10 ms."""
        if quantity in self._plots:
            return self._plots[quantity]
        plot = self._plots[quantity] = Plot(quantity=quantity)
        plot.setObjectName(self._object_prefix + OBJECT_NAMES[quantity])
        plot.range_chosen.connect(self._on_range_chosen)
        plot.cursor_moved.connect(self._put_cursor)
        plot.cursor_kept.connect(self._keep_cursor)
        row = 2 * QUANTITIES.index(quantity)
        heading = self._headings[quantity] = label(quantity.title, role="heading")
        self._grid.addWidget(heading, row, 0)
        self._grid.addWidget(plot, row + 1, 0, 1, 2)
        self._set_up(plot)
        return plot

    def _lay_out(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addWidget(self._controls)
        box.addWidget(self._run_legend)
        box.addWidget(self._legend)
        grid = self._grid = QGridLayout()
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        self._view_row = QWidget()
        row = QHBoxLayout(self._view_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for button in self._view_buttons():
            row.addWidget(button)
        box.addLayout(grid, 1)
        box.addWidget(self._readout)
        box.addWidget(self._table)

    def _view_buttons(self) -> list[QToolButton]:
        """Zoom and pan for those who know no gestures. Panning and the way back are there when there is more than is seen."""

        buttons = []
        for text, name, tip, act in (
            ("−", "zoomOutButton", "Zoom out (wheel down, or arrow down)", lambda: self._shown()[0].zoom(-1)),
            ("+", "zoomInButton", "Zoom in (wheel up, or arrow up)", lambda: self._shown()[0].zoom(1)),
            (
                "‹",
                "panLeftButton",
                "Move the view to the left (drag, or Shift and arrow left)",
                lambda: self._shown()[0].pan(-1),
            ),
            (
                "›",
                "panRightButton",
                "Move the view to the right (drag, or Shift and arrow right)",
                lambda: self._shown()[0].pan(1),
            ),
            (
                "Show all",
                "showAllButton",
                "Show the whole run again (double click, or Backspace)",
                self.show_all,
            ),
        ):
            button = QToolButton()
            button.setText(text)
            button.setObjectName(name)
            button.setToolTip(tip)
            button.setAccessibleName(tip.partition(" (")[0])
            button.setProperty("role", "view")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(act)
            buttons.append(button)
        self._way_back = buttons[2:]
        return buttons

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.redraw()
        self._describe()


class StatisticsTable(PlainTable):
    """A row for each curve: what it says at the cross-hair, and what it does over the range in view."""

    def __init__(self, parent: QWidget | None = None) -> None:
        sides = [LEFT, *[RIGHT] * (len(TABLE_TITLES) - 1)]
        super().__init__(
            TABLE_TITLES,
            name="statisticsTable",
            title="Statistics of what is in view",
            sides=sides,
            parent=parent,
        )
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        modes = QHeaderView.ResizeMode
        self.horizontalHeader().setSectionResizeMode(modes.ResizeToContents)
        self.horizontalHeader().setSectionResizeMode(0, modes.Stretch)
        self.horizontalHeader().setMinimumSectionSize(40)
        self.show_rows(())

    def show_rows(self, rows: Iterable[tuple[Quantity, str, str, RangeStatistics]]) -> None:
        self.fill([_cells(*row) for row in rows])

    @override
    def fit_height(self) -> None:
        height = self.verticalHeader().defaultSectionSize() * min(self.rowCount(), MOST_ROWS)
        self.setFixedHeight(height + self.horizontalHeader().sizeHint().height() + 4)


def _cells(quantity: Quantity, curve: str, here: str, found: RangeStatistics) -> tuple[str, ...]:
    text = quantity.text
    numbers = (found.first, found.last, found.change, found.lowest, found.highest, found.mean)
    start, end, change, *rest = map(text, numbers)
    sign = "+" if found.change > 0 else ""
    return (f"{quantity.title}: {curve}", here, f"{found.n:,}", start, end, sign + change, *rest)


def save_curves(curves: TrainingCurves, kind: str, *, ask: Ask) -> Path | None:
    """Ask for a file; `kind` "png", "svg" or "csv", "" lets the ending of the name decide. None when the person cancels.

    Raises `InputError` for an ending that is none of these, `StoreError` when the file cannot be written.
    """
    kinds = FILE_KINDS[kind] if kind else ";;".join(FILE_KINDS.values())
    path = ask.file_to_save("Save the curves", f"curves.{kind or 'png'}", kinds)
    if path is None:
        return None
    if not path.suffix:
        path = path.with_suffix(f".{kind or 'png'}")
    write_file(path, curves.file_of(path.suffix[1:].lower()))
    return path

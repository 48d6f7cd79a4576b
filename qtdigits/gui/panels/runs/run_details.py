"""What there is to see of the runs that are chosen: curves, the result of a single one, what differs between several."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QWidget,
)
from typing_extensions import override

from qtdigits.core.formatting import UNKNOWN, duration, percent
from qtdigits.core.recipe import FIELD_BY_NAME, Value
from qtdigits.core.run.figures import differing, recipe_values
from qtdigits.errors import QtDigitsError
from qtdigits.gui.curves.curve_saving import save_curves
from qtdigits.gui.curves.curve_settings import CurveSettings
from qtdigits.gui.curves.curves import Curves
from qtdigits.gui.curves.run_curves import ShownRun
from qtdigits.gui.panels.runs.run_result_page import RunResultPage
from qtdigits.gui.panels.runs.runs_model import ENDINGS, titles_of
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.texts import data_text, ordered
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.colours import Theme
from qtdigits.gui.widgets.parts import named, scrolling
from qtdigits.store.tables.runs import RunRecord

MOST_COLUMN_PX = 260
Row = tuple[str, tuple[str, ...]]


class RunDifferences(QTableWidget):
    """One column for each run."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("runDifferences")
        self.setAccessibleName("What differs between the chosen runs")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 10)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setMaximumSectionSize(MOST_COLUMN_PX)
        self.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        self.horizontalHeader().setHighlightSections(False)
        self.verticalHeader().setHighlightSections(False)

    def show_runs(self, runs: Sequence[RunRecord]) -> None:
        rows = figure_rows(runs) + recipe_rows(runs)
        self.clear()
        self.setColumnCount(len(runs))
        self.setRowCount(len(rows))
        self.setHorizontalHeaderLabels(titles_of(runs))
        self.setVerticalHeaderLabels([title for title, _ in rows])
        for number, (_, values) in enumerate(rows):
            for column, value in enumerate(values):
                item = QTableWidgetItem(value)
                item.setToolTip(value)
                self.setItem(number, column, item)


def figure_rows(runs: Sequence[RunRecord]) -> list[Row]:
    """What came of the runs, what counts most first; a row that no run has a figure for is left out."""
    sets = ordered(dict.fromkeys(name for run in runs for name in run.figures.scores))
    rows: list[Row] = [("Ended", tuple(ENDINGS.get(run.state, run.state) for run in runs))]
    for name in sets:
        found = [run.figures.scores.get(name) for run in runs]
        rows.append((name, tuple(f"{percent(f[0], 2)} of {f[1]:,}" if f else UNKNOWN for f in found)))
    shares = {
        "Validation, best epoch": [run.figures.val_accuracy for run in runs],
        "Hold-out, best epoch": [run.figures.hold_out_accuracy for run in runs],
    }
    for title, values in shares.items():
        if any(value is not None for value in values):
            rows.append((title, tuple(percent(v, 2) for v in values)))
    texts = {
        "Trained on": [data_text(run.figures.data) for run in runs],
        "Data fingerprint": [run.figures.data_sha256 for run in runs],
        "Weights": [f"{run.figures.n_parameters:,}" if run.figures.n_parameters else "" for run in runs],
        "Why there is no model": [run.figures.message for run in runs],
        "Note": [run.note for run in runs],
    }
    rows.append(("Epochs, best", tuple(f"{r.figures.epochs}, {r.figures.best_epoch}" for r in runs)))
    rows.append(("Time", tuple(duration(run.figures.elapsed_s) for run in runs)))
    rows += [(title, tuple(said or UNKNOWN for said in row)) for title, row in texts.items() if any(row)]
    return rows


def recipe_rows(runs: Sequence[RunRecord]) -> list[Row]:
    """The fields of the recipes that differ; of a single run all fields."""
    recipes = [run.recipe for run in runs]
    found = differing(recipes)
    if len(runs) == 1:
        found = {name: (value,) for name, value in recipe_values(recipes[0]).items()}
    return [(_title(name), tuple(_text(name, value) for value in values)) for name, values in found.items()]


def _text(name: str, value: Value) -> str:
    known = FIELD_BY_NAME.get(name)
    if known is not None and known.zero and value == 0:
        return known.zero
    return f"{value:g}" if isinstance(value, float) else str(value) or UNKNOWN


def _title(name: str) -> str:
    return FIELD_BY_NAME[name].title if name in FIELD_BY_NAME else "Recipe"


RESULT_TAB = 1


class RunDetails(QTabWidget):
    """Hidden while nothing is chosen. `problem_met` carries a `QtDigitsError`."""

    problem_met = Signal(object)

    def __init__(
        self,
        *,
        preferences: Preferences,
        theme: Theme,
        ask: Ask,
        result: RunResultPage | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("runTabs")
        self.setDocumentMode(True)
        self.tabBar().setDrawBase(False)
        self.tabBar().setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._preferences, self._ask, self._result = preferences, ask, result
        settings = CurveSettings.from_json(preferences.curves)
        self._curves = named(Curves(theme=theme, settings=settings, plot_prefix="runs."), "runCurves")
        self._differences = RunDifferences()
        self.addTab(scrolling(self._curves), "Curves")
        if result is not None:
            self.insertTab(RESULT_TAB, result, "Result")
        self.addTab(self._differences, "What differs")
        self._curves.settings_changed.connect(self._keep_settings)
        self._curves.save_wanted.connect(self._on_save)

    def set_theme(self, theme: Theme) -> None:
        self._curves.set_theme(theme)

    def show_runs(self, runs: Sequence[RunRecord], curves: Sequence[ShownRun]) -> None:
        """`curves` are those of `runs`, in the same order."""
        self.setVisible(bool(runs))
        if not runs:
            return
        is_single = len(runs) == 1
        self.setTabText(self.count() - 1, "Recipe and figures" if is_single else "What differs")
        if self._result is not None:  # of a run by itself that a model came of
            has_one = is_single and bool(runs[0].model)
            self.setTabVisible(RESULT_TAB, has_one)
            self._result.show_run(runs[0] if has_one else None)
        self._differences.show_runs(runs)
        self._curves.compare(curves)

    @Slot()
    def show_result(self) -> None:
        if self._result is not None and self.isTabVisible(RESULT_TAB):
            self.setCurrentIndex(RESULT_TAB)

    @Slot(object)
    def _keep_settings(self, settings: CurveSettings) -> None:
        self._preferences.curves = settings.to_json()

    @Slot(str)
    def _on_save(self, kind: str) -> None:
        if kind == "copy":
            self._curves.copy_picture()
            return
        try:
            save_curves(self._curves, kind, ask=self._ask)
        except QtDigitsError as error:
            self.problem_met.emit(error)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        """What was chosen at the curves of another tab counts here."""
        self._curves.show_settings(CurveSettings.from_json(self._preferences.curves))
        super().showEvent(event)

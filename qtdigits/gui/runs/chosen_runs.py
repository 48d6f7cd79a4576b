"""What there is to see of the runs that are chosen: curves, the result of a single one, what differs between several."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QTabWidget, QWidget
from typing_extensions import override

from qtdigits.errors import QtDigitsError
from qtdigits.gui.curves.curve_saving import save_curves
from qtdigits.gui.curves.curve_settings import CurveSettings
from qtdigits.gui.curves.curves import Curves
from qtdigits.gui.curves.run_curves import ShownRun
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.results.run_result_page import RunResultPage
from qtdigits.gui.runs.run_differences import RunDifferences
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.naming import named
from qtdigits.gui.widgets.parts import scrolling
from qtdigits.gui.widgets.theme import Theme
from qtdigits.store.tables.runs import RunRecord

RESULT_TAB = 1


class ChosenRuns(QTabWidget):
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
        if self._result is not None:
            self._result.set_theme(theme)

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

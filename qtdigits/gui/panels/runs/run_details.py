"""The chosen runs in detail: their curves, the result of a single one, and the differences between several."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from qtdigits.core.drawing.samples import MY_HOLD_OUT
from qtdigits.core.run.figures import BEST
from qtdigits.core.score.comparison import Comparison
from qtdigits.errors import QtDigitsError
from qtdigits.gui.champion import Champion
from qtdigits.gui.panels.runs.runs_model import titles_of
from qtdigits.gui.plots.curve_controls import CurveSettings
from qtdigits.gui.plots.run_series import ShownRun
from qtdigits.gui.plots.training_curves import TrainingCurves
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.results.changed_drawings import ChangedDrawingLinks
from qtdigits.gui.results.live_curves import keep_curves
from qtdigits.gui.results.run_summary import RunSummary
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.pages import RefreshingPanel
from qtdigits.gui.widgets.parts import LEFT, label, make_plain, named, scrolling, table_cell
from qtdigits.store.tables.runs import RunRecord
from qtdigits.training.run_comparison import compared, environment_of
from qtdigits.training.runs import result_of

PREFIX = "runs."
RESULT_TAB = 1
MOST_COLUMN_PX = 260


class RunDetails(QTabWidget):
    """Hidden while nothing is chosen."""

    def __init__(
        self,
        *,
        session: Session,
        preferences: Preferences,
        ask: Ask,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("runTabs")
        self.setDocumentMode(True)
        self.tabBar().setDrawBase(False)
        self.tabBar().setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._session, self._preferences, self._ask = session, preferences, ask
        settings = CurveSettings.from_json(preferences.curves)
        self._curves = named(TrainingCurves(settings=settings, object_prefix=PREFIX), "runCurves")
        self._result = RunResultPage(session=session)
        self._differences = RunDifferences(session=session)
        self.addTab(scrolling(self._curves), "Curves")
        self.addTab(self._result, "Result")
        self.addTab(self._differences, "Differences")
        self._curves.settings_changed.connect(self._keep_settings)
        self._curves.export_wanted.connect(self._on_save)

    def show_runs(self, runs: Sequence[RunRecord], curves: Sequence[ShownRun], *, epoch: str) -> None:
        """Show runs; `curves` are theirs, in the same order, and `epoch` is what their figures are of."""
        self.setVisible(bool(runs))
        if not runs:
            return
        is_single = len(runs) == 1
        self.setTabText(self.count() - 1, "Recipe and figures" if is_single else "Differences")
        has_result = is_single and bool(runs[0].model)
        self.setTabVisible(RESULT_TAB, has_result)
        self._result.show_run(runs[0] if has_result else None)
        self._differences.show_runs(runs, epoch)
        self._curves.show_runs(curves)

    @Slot()
    def show_result(self) -> None:
        if self.isTabVisible(RESULT_TAB):
            self.setCurrentIndex(RESULT_TAB)

    @Slot(object)
    def _keep_settings(self, settings: CurveSettings) -> None:
        self._preferences.curves = settings.to_json()

    @Slot(str)
    def _on_save(self, kind: str) -> None:
        keep_curves(self._curves, kind, session=self._session, ask=self._ask)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        """Take over what was set at the curves of another tab meanwhile."""
        self._curves.show_settings(CurveSettings.from_json(self._preferences.curves))
        super().showEvent(event)


class RunResultPage(RefreshingPanel):
    """The result of a run beside the model in use, and how it compared on the day of its training. Read when it is shown."""

    def __init__(self, *, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._run: RunRecord | None = None
        self._summary: RunSummary | None = None
        self._problem = label("", role="warning", name="runs.resultProblem", wraps=True)
        self._then = label("", role="muted", name="runs.comparison", wraps=True)
        self._links = ChangedDrawingLinks(session=session, prefix=PREFIX)
        row = QHBoxLayout()
        row.addWidget(self._then, 1)
        row.addWidget(self._links)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 8, 0, 0)
        self._box.addWidget(self._problem)
        self._box.addLayout(row)
        self._box.addStretch()
        session.champion_changed.connect(self.mark_stale)

    def show_run(self, run: RunRecord | None) -> None:
        self._run = run
        self.mark_stale()

    @override
    def reload(self) -> None:
        if self._run is None:
            return
        try:
            result = result_of(self._session.data_dir, self._run)
        except QtDigitsError as error:
            self._show_problem(str(error))
            self._show_then(None)
            self._shown_summary().hide()
            return
        self._show_problem(result.problem)
        found = Comparison.from_json(result.finished.comparison) if result.finished.comparison else None
        self._show_then(found)
        summary = self._shown_summary()
        summary.show_run(result.finished, champion=_as_compared(self._session.champion, found))
        summary.show()

    def _shown_summary(self) -> RunSummary:
        if self._summary is None:
            self._summary = RunSummary(session=self._session, prefix=PREFIX, beside="In use")
            self._summary.back_button.hide()
            self._box.insertWidget(self._box.count() - 1, self._summary, 1)
        return self._summary

    def _show_problem(self, text: str) -> None:
        self._problem.setText(text)
        self._problem.setVisible(bool(text))

    def _show_then(self, found: Comparison | None) -> None:
        self._then.setVisible(found is not None)
        self._links.show_comparison(found)
        if found is not None:
            beside = f"“{found.champion}”, the model in use" if found.champion else "the model in use"
            self._then.setText(f"On the day of its training, beside {beside} then: {found.sentence}.")


def _as_compared(champion: Champion | None, found: Comparison | None) -> Champion | None:
    """Return the model in use with its score on the hold-out of that day, if it is the one that was compared."""
    if champion is None or found is None or found.champion != champion.name or not found.hold_out.n:
        return champion
    return champion.with_score(MY_HOLD_OUT, correct=found.hold_out.before, n=found.hold_out.n)


NOTHING_DIFFERS = "nothing differs"


class RunDifferences(QTableWidget):
    """A table with a column for each run. Their models, which tell the environments, are opened when it is looked at."""

    def __init__(self, *, session: Session) -> None:
        super().__init__()
        self._session = session
        self._runs: Sequence[RunRecord] = ()
        self._epoch = BEST
        make_plain(self, name="runDifferences", title="Differences between the chosen runs")
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 10)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setMaximumSectionSize(MOST_COLUMN_PX)
        header.setDefaultAlignment(LEFT)

    def show_runs(self, runs: Sequence[RunRecord], epoch: str) -> None:
        """`epoch` is what the figures of the runs are of."""
        self._runs, self._epoch = runs, epoch
        self._fill()

    def _fill(self) -> None:
        runs = self._runs
        known = [environment_of(self._session.data_dir, run) for run in runs] if self.isVisible() else ()
        rows = compared(runs, epoch=self._epoch, environments=known)
        self.clear()
        self.setColumnCount(len(runs))
        self.setRowCount(max(1, len(rows)))
        self.setHorizontalHeaderLabels(titles_of(runs))
        self.setVerticalHeaderLabels([row.title for row in rows] or [NOTHING_DIFFERS])
        for number, row in enumerate(rows):
            for column, value in enumerate(row.values):
                self.setItem(number, column, table_cell(value, tip=value))

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fill()

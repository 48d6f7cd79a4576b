"""The result of a run that was made before: its figures beside the model in use, what it was worth on its day, and its use."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.drawing.samples import MY_HOLD_OUT
from qtdigits.core.score.comparison import Comparison
from qtdigits.errors import QtDigitsError
from qtdigits.gui.results.knowledge import Knowledge
from qtdigits.gui.results.run_summary import RunSummary
from qtdigits.gui.session import Champion, Session
from qtdigits.gui.widgets.behind_numbers import ChangedDrawingLinks
from qtdigits.gui.widgets.pages import RefreshingPanel
from qtdigits.gui.widgets.parts import label
from qtdigits.store.tables.runs import RunRecord
from qtdigits.training.runs import RunResult

PREFIX = "runs."


class RunResultPage(RefreshingPanel):
    """Reads the result when it is looked at, and makes what shows it then. `use_requested` carries the path of a model,
    `drawings_requested` which drawings of the comparison are meant, and their ids.

    `find` raises `QtDigitsError` for a run whose result cannot be read.
    """

    use_requested = Signal(str)
    drawings_requested = Signal(str, object)

    def __init__(
        self,
        *,
        find: Callable[[RunRecord], RunResult],
        session: Session,
        knowledge: Knowledge,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._find, self._session, self._knowledge = find, session, knowledge
        self._run: RunRecord | None = None
        self._summary: RunSummary | None = None
        self._problem = label("", role="warning", name="runs.resultProblem", wraps=True)
        self._then = label("", role="muted", name="runs.comparison", wraps=True)
        self._links = ChangedDrawingLinks(prefix=PREFIX)
        self._links.drawings_requested.connect(self.drawings_requested)
        row = QHBoxLayout()
        row.addWidget(self._then, 1)
        row.addWidget(self._links)
        session.champion_changed.connect(self.mark_stale)  # the figures stand beside the model in use
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 8, 0, 0)
        self._box.addWidget(self._problem)
        self._box.addLayout(row)
        self._box.addStretch()

    def show_run(self, run: RunRecord | None) -> None:
        self._run = run
        self.mark_stale()

    @override
    def reload(self) -> None:
        if self._run is None:
            return
        try:
            result = self._find(self._run)
        except QtDigitsError as error:
            self._show_problem(str(error))
            self._show_then(None)
            self._shown_summary().hide()
            return
        self._show_problem(result.problem)
        found = Comparison.from_json(result.finished.comparison) if result.finished.comparison else None
        self._show_then(found)
        champion = _as_compared(self._session.champion, found)
        summary = self._shown_summary()
        summary.show_run(result.finished, champion=champion)
        summary.show()

    def _shown_summary(self) -> RunSummary:
        if self._summary is None:
            self._summary = RunSummary(
                knowledge=self._knowledge,
                prefix=PREFIX,
                has_way_back=False,
                beside="In use",
            )
            self._summary.use_requested.connect(self.use_requested)
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
    """The model in use with what it read of the hand on that day, where it was the same one."""
    if champion is None or found is None or found.champion != champion.name or not found.hold_out.n:
        return champion
    return champion.with_score(MY_HOLD_OUT, correct=found.hold_out.before, n=found.hold_out.n)

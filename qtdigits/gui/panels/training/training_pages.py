"""The lower part of the training panel: curves, settings, or the result, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QStackedWidget, QWidget

from qtdigits.core.run.events import RunFinished
from qtdigits.gui.champion import Champion
from qtdigits.gui.panels.training.recipe_form import RecipeForm
from qtdigits.gui.panels.training.recipe_page import RecipeChoice
from qtdigits.gui.results.live_curves import CurvesPlace, LiveCurves
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.ask import Ask

if TYPE_CHECKING:
    from qtdigits.gui.results.run_summary import RunSummary


class TrainingPages(QStackedWidget):
    """Owns the pages but the curves; those that are not there from the start are made when they are first shown."""

    def __init__(
        self,
        *,
        form: RecipeForm,
        choice: RecipeChoice,
        session: Session,
        curves: LiveCurves,
        ask: Ask,
    ) -> None:
        super().__init__()
        self._session = session
        self._form = form
        self._choice = choice
        self._ask = ask
        self._curves = CurvesPlace(curves)
        self._recipe_page: QWidget | None = None
        self._summary: RunSummary | None = None
        self._has_result = False
        form.setParent(self)
        form.hide()
        self.addWidget(self._curves)

    @property
    def shows_summary(self) -> bool:
        return self._summary is not None and self.currentWidget() is self._summary

    @property
    def has_result(self) -> bool:
        """There is a training whose figures can be shown."""
        return self._has_result

    def take_result(self, finished: RunFinished, *, champion: Champion | None, offers_use: bool) -> None:
        """What `show_summary` shows from now on, as `RunSummary.show_run` takes it."""
        if self._summary is None:
            from qtdigits.gui.results.run_summary import RunSummary

            self._summary = RunSummary(session=self._session)
            self._summary.back_button.clicked.connect(self.show_curves)
            self.addWidget(self._summary)
        self._summary.show_run(finished, champion=champion, offers_use=offers_use)
        self._has_result = True

    def forget_result(self) -> None:
        """Another training begins: whatever becomes of it, the figures of the one before are not its own."""
        self._has_result = False
        if self.shows_summary:
            self.show_curves()

    @Slot()
    def show_curves(self) -> None:
        self.setCurrentWidget(self._curves)

    @Slot()
    def show_summary(self) -> None:
        if self._summary is not None:
            self.setCurrentWidget(self._summary)

    @Slot()
    def show_form(self) -> None:
        if self._recipe_page is None:
            from qtdigits.gui.panels.training.recipe_page import RecipePage

            page = RecipePage(form=self._form, choice=self._choice, session=self._session, ask=self._ask)
            self.addWidget(page)
            self._recipe_page = page
        self.setCurrentWidget(self._recipe_page)

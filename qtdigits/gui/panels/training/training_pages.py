"""The lower part of the training panel: curves, settings, or the result, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QScrollArea, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.run.events import RunFinished, RunStarted
from qtdigits.core.run.history import History
from qtdigits.errors import QtDigitsError
from qtdigits.gui.panels.training.recipe_form import RecipeForm
from qtdigits.gui.panels.training.recipe_page import RecipeChoice
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.session import Champion, Session
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.parts import frame, label, scrolling

if TYPE_CHECKING:
    from qtdigits.gui.plots.curve_controls import CurveSettings
    from qtdigits.gui.plots.training_curves import TrainingCurves
    from qtdigits.gui.results.run_summary import RunSummary


class TrainingPages(QStackedWidget):
    """Owns the pages. The curves are made by `prepare_curves`, after the first paint; the others when they are first shown."""

    def __init__(
        self,
        *,
        form: RecipeForm,
        choice: RecipeChoice,
        session: Session,
        preferences: Preferences,
        ask: Ask,
    ) -> None:
        super().__init__()
        self._session = session
        self._preferences = preferences
        self._form = form
        self._choice = choice
        self._ask = ask
        self._curves: TrainingCurves | None = None
        self._curves_page: QScrollArea | None = None
        self._coming: TrainingCurves | None = None
        self._recipe_page: QWidget | None = None
        self._summary: RunSummary | None = None
        self._has_result = False
        self._placeholder = CurvesPlaceholder()
        form.setParent(self)
        form.hide()
        self.addWidget(self._placeholder)

    @property
    def has_curves(self) -> bool:
        return self._curves is not None

    @property
    def shows_summary(self) -> bool:
        return self._summary is not None and self.currentWidget() is self._summary

    @property
    def has_result(self) -> bool:
        """There is a training whose figures can be shown."""
        return self._has_result

    def prepare_part_of_curves(self) -> None:
        """Make a part of the curves, so that no event takes long; `has_curves` when all are there."""
        if self._curves is not None:
            return
        if self._coming is None:
            self._coming = self._made_curves()
        elif not self._coming.make_plot():
            self.prepare_curves()

    def _made_curves(self) -> TrainingCurves:
        from qtdigits.gui.plots.curve_controls import CurveSettings
        from qtdigits.gui.plots.training_curves import TrainingCurves

        curves = TrainingCurves(settings=CurveSettings.from_json(self._preferences.curves), parent=self)
        curves.hide()
        return curves

    def prepare_curves(self) -> TrainingCurves:
        """Make the curves and put them in their place, the first time."""
        if self._curves is not None:
            return self._curves
        self._curves = self._coming or self._made_curves()
        self._curves.redraw()
        self._curves.settings_changed.connect(self._keep_settings)
        self._curves.export_wanted.connect(self.save_curves)
        was_shown = self.currentWidget() is self._placeholder
        self._curves_page = scrolling(
            self._curves
        )  # below messages and a verdict there may be too little room
        self.addWidget(self._curves_page)
        if was_shown:
            self.setCurrentWidget(self._curves_page)
        self.removeWidget(self._placeholder)
        self._placeholder.setParent(None)
        self._placeholder.deleteLater()
        return self._curves

    def begin(self, event: RunStarted, history: History) -> None:
        """Show a new run, and make the curves for it if they are not there yet."""
        from qtdigits.gui.plots.run_series import ShownRun

        title = str(event.recipe.get("name") or "")
        steps, epochs = max(1, event.steps_per_epoch), max(1, event.epochs)
        self.prepare_curves().show_runs([ShownRun(title, history, steps, epochs, is_running=True)])

    def history_grew(self) -> None:
        if self._curves is not None:
            self._curves.history_grew()

    def mark_old(self) -> None:
        """The next run is being prepared: the curves are those of the run before it."""
        if self._curves is not None:
            self._curves.mark_old()

    def finish(self) -> None:
        if self._curves is not None:
            self._curves.finish()

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

    @Slot(str)
    def save_curves(self, kind: str) -> None:
        """Keep the curves as "png", "svg" or "csv"; "" lets the name of the file decide, "copy" is the clipboard."""
        curves = self.prepare_curves()
        if kind == "copy":
            curves.copy_picture()
            self._session.notify("The picture of the curves is on the clipboard.")
            return
        from qtdigits.gui.plots.training_curves import save_curves

        try:
            path = save_curves(curves, kind, ask=self._ask)
        except QtDigitsError as error:
            self._session.report(error)
        else:
            if path is not None:
                self._session.notify(f"The curves are in {path}.")

    @Slot(object)
    def _keep_settings(self, settings: CurveSettings) -> None:
        self._preferences.curves = settings.to_json()

    @Slot()
    def show_curves(self) -> None:
        self.setCurrentWidget(self._curves_page or self._placeholder)

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

    @override
    def showEvent(self, event: QShowEvent) -> None:
        """The curves of earlier runs may have been looked at in another way meanwhile."""
        if self._curves is not None:
            from qtdigits.gui.plots.curve_controls import CurveSettings

            self._curves.show_settings(CurveSettings.from_json(self._preferences.curves))
        super().showEvent(event)


class CurvesPlaceholder(QWidget):
    """Stands where the curves will be, under their names."""

    def __init__(self) -> None:
        super().__init__()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        for title, name in (("Loss", "lossPlot"), ("Accuracy", "accuracyPlot")):
            box.addWidget(label(title, role="heading"))
            box.addWidget(frame(name), 1)

"""The lower part of the training panel: curves, settings, or the result, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from qtdigits.core.history import History
from qtdigits.errors import QtDigitsError
from qtdigits.gui.ask import Ask
from qtdigits.gui.knowledge import Knowledge
from qtdigits.gui.overriding import override
from qtdigits.gui.parts import frame, label
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.recipe_form import RecipeForm
from qtdigits.gui.recipe_page import RecipePage
from qtdigits.gui.run_summary import RunSummary
from qtdigits.gui.theme import Theme

if TYPE_CHECKING:
    from qtdigits.gui.curve_settings import CurveSettings
    from qtdigits.gui.curves import Curves


class TrainingPages(QStackedWidget):
    """Owns the pages. The curves are made late, by `prepare_curves`, after the first paint.

    `problem_found` carries what went wrong with a file, `notice_given` what went well.
    """

    page_changed = Signal()
    problem_found = Signal(str)
    notice_given = Signal(str)

    def __init__(
        self,
        *,
        form: RecipeForm,
        theme: Theme,
        preferences: Preferences | None,
        ask: Ask,
        knowledge: Knowledge,
    ) -> None:
        super().__init__()
        self._theme = theme
        self._preferences = preferences
        self._ask = ask
        self._curves: Curves | None = None
        self._placeholder = CurvesPlaceholder()
        self.recipe_page = RecipePage(form=form, ask=ask, cost_text=knowledge.cost_text)
        self.recipe_page.problem_found.connect(self.problem_found)
        self.summary = RunSummary(theme=theme, knowledge=knowledge)
        self.summary.curves_requested.connect(self.show_curves)
        for page in (self._placeholder, self.recipe_page, self.summary):
            self.addWidget(page)
        self.currentChanged.connect(self.page_changed)

    @property
    def has_curves(self) -> bool:
        return self._curves is not None

    @property
    def shows_summary(self) -> bool:
        return self.currentWidget() is self.summary

    def prepare_curves(self) -> None:
        """Make the curves and put them in their place; does nothing the second time."""
        if self._curves is not None:
            return
        from qtdigits.gui.curve_settings import CurveSettings
        from qtdigits.gui.curves import Curves

        kept = CurveSettings.from_json(self._preferences.curves if self._preferences else {})
        self._curves = Curves(theme=self._theme, settings=kept)
        self._curves.settings_changed.connect(self._keep_settings)
        self._curves.save_wanted.connect(self.save_curves)
        was_shown = self.currentWidget() is self._placeholder
        self.addWidget(self._curves)
        if was_shown:
            self.setCurrentWidget(self._curves)
        self.removeWidget(self._placeholder)
        self._placeholder.setParent(None)
        self._placeholder.deleteLater()

    def begin(self, history: History, *, steps_per_epoch: int, epochs: int, title: str = "") -> None:
        """Show a new run, and make the curves for it where nobody has yet."""
        self.prepare_curves()
        if self._curves is not None:
            self._curves.begin(history, steps_per_epoch=steps_per_epoch, epochs=epochs, title=title)

    def history_grew(self) -> None:
        if self._curves is not None:
            self._curves.history_grew()

    def finish(self) -> None:
        if self._curves is not None:
            self._curves.finish()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.summary.set_theme(theme)
        if self._curves is not None:
            self._curves.set_theme(theme)

    @Slot(str)
    def save_curves(self, kind: str) -> None:
        """Keep the curves as "png", "svg" or "csv"; "" lets the name of the file decide, "copy" is the clipboard."""
        self.prepare_curves()
        if self._curves is None:
            return
        if kind == "copy":
            self._curves.copy_picture()
            self.notice_given.emit("The picture of the curves is on the clipboard.")
            return
        from qtdigits.gui.curve_saving import save_curves

        try:
            path = save_curves(self._curves, kind, ask=self._ask)
        except QtDigitsError as error:
            self.problem_found.emit(str(error))
        else:
            if path is not None:
                self.notice_given.emit(f"The curves are in {path}.")

    @Slot(object)
    def _keep_settings(self, settings: CurveSettings) -> None:
        if self._preferences is not None:
            self._preferences.curves = settings.to_json()

    @Slot()
    def show_curves(self) -> None:
        self.setCurrentWidget(self._curves or self._placeholder)

    @Slot()
    def show_summary(self) -> None:
        self.setCurrentWidget(self.summary)

    @Slot()
    def show_form(self) -> None:
        self.setCurrentWidget(self.recipe_page)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        """The curves of earlier runs may have been looked at in another way meanwhile."""
        if self._curves is not None and self._preferences is not None:
            from qtdigits.gui.curve_settings import CurveSettings

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

"""The curves of the running training, or of the last one: one set of plots, wherever they are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.run.events import RunStarted
from qtdigits.errors import QtDigitsError
from qtdigits.gui.engine_process import Current, JobEnding
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.parts import frame, label, scrolling
from qtdigits.training.jobs import TrainingJob

if TYPE_CHECKING:
    from qtdigits.gui.plots.curve_controls import CurveSettings
    from qtdigits.gui.plots.training_curves import TrainingCurves


class LiveCurves(QWidget):
    """Follows the trainer. The plots are made bit by bit after the first paint, or when a training begins.

    It lies in one `CurvesPlace`, the one that was shown last.
    """

    def __init__(
        self,
        *,
        session: Session,
        trainer: Trainer,
        preferences: Preferences,
        ask: Ask,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._trainer = session, trainer
        self._preferences, self._ask = preferences, ask
        self._curves: TrainingCurves | None = None
        self._placeholder: QWidget | None = _placeholder()
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.addWidget(self._placeholder)
        trainer.job_started.connect(self._on_job_started)
        trainer.run_started.connect(self._on_run_started)
        trainer.history_changed.connect(self._on_history_changed)
        trainer.job_ended.connect(self._on_job_ended)

    @property
    def are_made(self) -> bool:
        return self._placeholder is None

    def make_part(self) -> None:
        """Make a part of the plots, so that no event takes long; `are_made` when all are there."""
        if self._curves is None:
            self._curves = self._made_curves()
        elif not self._curves.make_plot():
            self.make()
            for part in self.findChildren(QWidget):
                part.ensurePolished()  # the style sheet is looked up once for each: not when a training begins

    @Slot()
    def make(self) -> TrainingCurves:
        """Make the plots and put them in their place, the first time."""
        curves = self._curves = self._curves or self._made_curves()
        if self._placeholder is not None:
            self._placeholder.hide()
            self._placeholder.setParent(None)
            self._placeholder.deleteLater()
            self._placeholder = None
            curves.redraw()
            area = scrolling(curves)  # below messages and a verdict there may be too little room
            self._box.addWidget(area)
            for part in (curves, area):
                part.show()
        return curves

    @Slot(str)
    def save(self, kind: str = "") -> None:
        """See `keep_curves`."""
        keep_curves(self.make(), kind, session=self._session, ask=self._ask)

    def _made_curves(self) -> TrainingCurves:
        from qtdigits.gui.plots.training_curves import TrainingCurves

        curves = TrainingCurves(settings=self._settings(), parent=self)
        curves.settings_changed.connect(self._keep_settings)
        curves.export_wanted.connect(self.save)
        curves.hide()  # until it has its place
        return curves

    def _settings(self) -> CurveSettings:
        from qtdigits.gui.plots.curve_controls import CurveSettings

        return CurveSettings.from_json(self._preferences.curves)

    @Slot(object)
    def _keep_settings(self, settings: CurveSettings) -> None:
        self._preferences.curves = settings.to_json()

    # What the trainer does.

    @Slot(object)
    def _on_job_started(self, current: Current) -> None:
        if current.is_training and self._curves is not None:
            self._curves.mark_old()

    @Slot(object)
    def _on_run_started(self, event: RunStarted) -> None:
        from qtdigits.gui.plots.run_series import ShownRun

        title = str(event.recipe.get("name") or "")
        steps, epochs = max(1, event.steps_per_epoch), max(1, event.epochs)
        self.make().show_runs([ShownRun(title, self._trainer.history, steps, epochs, is_running=True)])

    @Slot()
    def _on_history_changed(self) -> None:
        if self._curves is not None:
            self._curves.history_grew()

    @Slot(object)
    def _on_job_ended(self, ending: JobEnding) -> None:
        if isinstance(ending.job, TrainingJob) and self._curves is not None:
            self._curves.finish()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        """The curves of earlier runs may have been looked at in another way meanwhile."""
        if self._curves is not None:
            self._curves.show_settings(self._settings())
        super().showEvent(event)


class CurvesPlace(QWidget):
    """A place for the live curves, which come when it is shown."""

    def __init__(self, curves: LiveCurves) -> None:
        super().__init__()
        self._curves = curves
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        if not curves.isVisible():
            self._box.addWidget(curves)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        if self._curves.parent() is not self:
            self._box.addWidget(self._curves)
            self._curves.show()
        super().showEvent(event)


def keep_curves(curves: TrainingCurves, kind: str, *, session: Session, ask: Ask) -> None:
    """Save as "png", "svg" or "csv", or where the name of the file decides (""); "copy" puts a picture on the clipboard."""
    from qtdigits.gui.plots.training_curves import save_curves

    if kind == "copy":
        curves.copy_picture()
        session.notify("The picture of the curves is on the clipboard.")
        return
    try:
        path = save_curves(curves, kind, ask=ask)
    except QtDigitsError as error:
        session.report(error)
    else:
        if path is not None:
            session.notify(f"The curves are in {path}.")


def _placeholder() -> QWidget:
    """What stands where the curves will be, under their names."""
    made = QWidget()
    box = QVBoxLayout(made)
    box.setContentsMargins(0, 0, 0, 0)
    for title, name in (("Loss", "lossPlot"), ("Accuracy", "accuracyPlot")):
        box.addWidget(label(title, role="heading"))
        box.addWidget(frame(name), 1)
    return made

"""What fills the *Learning* tab while a training runs: its curves, how far it is, and what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.run import events as ev
from qtdigits.gui.engine_process import Current, EngineState, JobEnding
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.results.steering import SteeringControls, progress_text, status_text
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.parts import ThinBar, button, elided_label, label, scrolling
from qtdigits.gui.widgets.wrapping_row import WrappingRow
from qtdigits.training.jobs import TrainingJob

if TYPE_CHECKING:
    from qtdigits.gui.plots.training_curves import TrainingCurves

PREFIX = "learning."
"""Before the object names of what the training panel has too."""
REFRESH_MS = 100
LEAST_TITLE_PX = 200


class LiveTraining(QWidget):
    """Follows the trainer.

    `began` and `ended` say when a training does, `ended` also what went wrong, if anything did. `digits_wanted`: the person
    wants to see the own figures meanwhile.
    """

    began = Signal()
    ended = Signal(str)
    digits_wanted = Signal()

    def __init__(
        self, *, trainer: Trainer, preferences: Preferences | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._trainer, self._preferences = trainer, preferences
        self._curves: TrainingCurves | None = None
        self._area: QScrollArea | None = None
        self._has_all_plots = False
        self._title = label(role="heading", name=f"{PREFIX}trainingTitle")
        self._status = elided_label(role="muted", name=f"{PREFIX}trainingStatus")
        self._steering = SteeringControls(trainer=trainer, object_prefix=PREFIX)
        self._digits = button("My digits", "digitsButton", "Look at your figures meanwhile")
        self._bar = ThinBar(name=f"{PREFIX}trainingProgress", title="Progress of the training")
        self._waiting = label("The curves begin with the first batches.", role="muted")
        self._waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._timer = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._lay_out()
        self._connect()

    @property
    def has_curves(self) -> bool:
        return self._has_all_plots

    def prepare_part_of_curves(self) -> None:
        """Make a part of the curves, so that no event takes long; `has_curves` when all are there."""
        self._has_all_plots = self._curves is not None and not self._curves.make_plot()
        self._made_curves()

    def _made_curves(self) -> TrainingCurves:
        if self._curves is None:
            from qtdigits.gui.plots.training_curves import TrainingCurves

            self._curves = TrainingCurves(object_prefix=PREFIX, has_controls=False)
            self._area = scrolling(self._curves)
            self._area.hide()
            self._box.addWidget(self._area, 1)
            self._show_settings()
        return self._curves

    def _show_settings(self) -> None:
        """As they were chosen in the training panel."""
        if self._curves is not None and self._preferences is not None:
            from qtdigits.gui.plots.curve_controls import CurveSettings

            self._curves.show_settings(CurveSettings.from_json(self._preferences.curves))

    # What the trainer does.

    @Slot(object)
    def _on_job_started(self, current: Current) -> None:
        if not isinstance(current.job, TrainingJob):
            return
        recipe = current.job.recipe
        self._title.setText("Learning this hand" if recipe.is_personal else f"Training {recipe.name}".strip())
        self._bar.setRange(0, 1)
        self._bar.setValue(0)
        self._status.setText("Starting the training engine …")
        self._show_curves(are_shown=False)
        self._steering.refresh()
        self.began.emit()

    @Slot(object)
    def _on_state(self, state: EngineState) -> None:
        if self._trainer.is_preparing and state is EngineState.TRAINING:
            self._status.setText("Preparing the data …")
        self._refresh()

    @Slot(object)
    def _on_progress(self, progress: ev.JobProgress) -> None:
        if self._trainer.is_training:
            self._status.setText(progress_text(progress))

    @Slot(object)
    def _on_run_started(self, event: ev.RunStarted) -> None:
        from qtdigits.gui.plots.run_series import ShownRun

        steps, epochs = max(1, event.steps_per_epoch), max(1, event.epochs)
        self._bar.setRange(0, steps * epochs)
        self._status.setText(f"epoch 1 of {event.epochs} · first batches")
        run = ShownRun(self._title.text(), self._trainer.history, steps, epochs, is_running=True)
        self._made_curves().show_runs([run])
        self._show_curves(are_shown=True)
        self._refresh()

    @Slot()
    def _on_history_changed(self) -> None:
        if self._curves is not None:
            self._curves.history_grew()
        if not self._timer.isActive():
            self._timer.start()

    @Slot(object)
    def _on_job_ended(self, ending: JobEnding) -> None:
        if isinstance(ending.job, TrainingJob):
            self._timer.stop()
            if self._curves is not None:
                self._curves.finish()
            self._steering.refresh()
            self.ended.emit(problem_text(ending))

    @Slot()
    def _refresh(self) -> None:
        """Some ten times a second at most: batches come faster than anybody reads."""
        if not self._trainer.is_training:
            return
        if text := status_text(self._trainer):
            self._status.setText(text)
        if (batch := self._trainer.batch) is not None:
            self._bar.setValue(batch.step)
        self._steering.refresh()

    def _show_curves(self, *, are_shown: bool) -> None:
        self._waiting.setVisible(not are_shown)
        if self._area is not None:
            self._area.setVisible(are_shown)

    def _lay_out(self) -> None:
        top = WrappingRow()
        top.add_stretching(self._title, least_px=LEAST_TITLE_PX)
        top.add(self._digits, self._steering)
        box = self._box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 12)
        box.setSpacing(8)
        box.addLayout(top)
        box.addWidget(self._bar)
        box.addWidget(self._status)
        box.addWidget(self._waiting, 1)

    def _connect(self) -> None:
        trainer = self._trainer
        trainer.job_started.connect(self._on_job_started)
        trainer.job_progressed.connect(self._on_progress)
        trainer.job_ended.connect(self._on_job_ended)
        trainer.run_started.connect(self._on_run_started)
        trainer.history_changed.connect(self._on_history_changed)
        trainer.state_changed.connect(self._on_state)
        self._timer.timeout.connect(self._refresh)
        self._digits.clicked.connect(self.digits_wanted)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        self._show_settings()
        super().showEvent(event)


def problem_text(ending: JobEnding) -> str:
    """Why there is no new model, where nobody wanted that. "" if all went well."""
    if ending.outcome == "interrupted":
        return "The training was interrupted. It can be resumed from the Runs tab."
    if ending.outcome in ("failed", "lost"):
        what = "failed" if ending.outcome == "failed" else "was interrupted"
        return f"The training {what}. {ending.message} {ending.remedy}".strip()
    return ""

"""What fills the *Learning* tab while a training runs: its curves, how far it is, and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from qtdigits.core.run import events as ev
from qtdigits.gui.engine_process import Current, JobEnding
from qtdigits.gui.results.live_curves import CurvesPlace, LiveCurves
from qtdigits.gui.results.steering import RunProgress
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.parts import button, label
from qtdigits.gui.widgets.wrapping_row import WrappingRow
from qtdigits.training.jobs import TrainingJob

PREFIX = "learning."
"""Before the object names of what the training panel has too."""
LEAST_TITLE_PX = 200


class LiveTraining(QWidget):
    """Follows the trainer.

    `began` and `ended` say when a training does, `ended` also what went wrong, if anything did. `digits_wanted`: the person
    wants to see the own figures meanwhile.
    """

    began = Signal()
    ended = Signal(str)
    digits_wanted = Signal()

    def __init__(self, *, trainer: Trainer, curves: LiveCurves, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = label(role="heading", name=f"{PREFIX}trainingTitle")
        self._curves = CurvesPlace(curves)
        self._waiting = label("The curves begin with the first batches.", role="muted")
        self._waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        digits = button("My figures", "digitsButton", "Look at your figures meanwhile")
        top = WrappingRow()
        top.add_stretching(self._title, least_px=LEAST_TITLE_PX)
        top.add(digits)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 12)
        box.setSpacing(8)
        box.addLayout(top)
        box.addWidget(RunProgress(trainer=trainer, object_prefix=PREFIX))
        box.addWidget(self._waiting, 1)
        box.addWidget(self._curves, 1)
        digits.clicked.connect(self.digits_wanted)
        trainer.job_started.connect(self._on_job_started)
        trainer.run_started.connect(self._on_run_started)
        trainer.job_ended.connect(self._on_job_ended)

    @Slot(object)
    def _on_job_started(self, current: Current) -> None:
        if not isinstance(current.job, TrainingJob):
            return
        recipe = current.job.recipe
        self._title.setText("Learning this hand" if recipe.is_personal else f"Training {recipe.name}".strip())
        self._curves.hide()
        self._waiting.show()
        self.began.emit()

    @Slot(object)
    def _on_run_started(self, _event: ev.RunStarted) -> None:
        self._waiting.hide()
        self._curves.show()

    @Slot(object)
    def _on_job_ended(self, ending: JobEnding) -> None:
        if isinstance(ending.job, TrainingJob):
            self.ended.emit(problem_text(ending))


def problem_text(ending: JobEnding) -> str:
    """Why there is no new model, where nobody wanted that. "" if all went well."""
    if ending.outcome == "interrupted":
        return "The training was interrupted. It can be resumed from the Runs tab."
    if ending.outcome in ("failed", "lost"):
        what = "failed" if ending.outcome == "failed" else "was interrupted"
        return f"The training {what}. {ending.message} {ending.remedy}".strip()
    return ""

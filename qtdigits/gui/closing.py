"""What has to end before the window closes: what waits to be saved, and what becomes of the job at work and of the queue."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import QObject, Qt, Signal, Slot

from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.ask import Ask
from qtdigits.training.jobs import LabelReviewJob, StudyJob

TITLE = "A training is running"
QUESTION = "What should happen to it?"
EXPLANATION = (
    "Finished or stopped: the window is hidden until the model is stored. "
    "Later: the list of runs offers to resume it."
)
STAY = "Do not close"
SAVING = (
    "Another program is using your drawings. The window closes as soon as your last ones are saved; "
    "Esc: do not save the one on the canvas."
)


class ClosingChoice(StrEnum):
    """What a person can choose when the window is closed during a training."""

    FINISH = "Finish it, then quit"
    STOP = "Stop, keep the best"
    LATER = "Resume later"
    CANCEL = "Cancel it"


class Closing(QObject):
    """Asks, and waits for the end of the training while the window is hidden. `is_over`: what was waited for has ended."""

    is_over = Signal()

    def __init__(
        self, *, session: Session, trainer: Trainer, ask: Ask, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._trainer, self._ask = session, trainer, ask
        self._is_closing = False
        session.saving.waiting_changed.connect(self._on_waiting_changed)
        session.saving.took_long.connect(self._on_took_long)

    def ask_what_to_do(self) -> ClosingChoice | None:
        """LATER when there is nothing to ask; None: the window is to stay.

        While the question is open no other training begins, so that the answer is about the one that was seen.
        """
        current = self._trainer.current
        # A review that is cancelled loses nothing, and a study can be resumed.
        if current is None or current.kind in (LabelReviewJob.kind, StudyJob.kind):
            return ClosingChoice.LATER
        self._trainer.hold(True)
        try:
            if current.is_training:
                answer = self._ask.one_of(TITLE, self._question(), self._choices(), no=STAY)
                return None if answer is None else ClosingChoice(answer)
            question = f"The engine is busy ({current.kind}). Cancel the job and close?"
            is_agreed = self._ask.yes("The engine is busy", question)
            return ClosingChoice.LATER if is_agreed else None
        finally:
            self._trainer.hold(False)

    def is_all_saved(self) -> bool:
        """Whether nothing waits for another process to be stored. Else the person is told, and `is_over` follows when it is."""
        self._is_closing = self._session.saving.is_waiting
        if self._is_closing:
            self._session.notify(SAVING)
        return not self._is_closing

    @Slot()
    def _on_took_long(self) -> None:
        if self._is_closing:  # that says more than the session does
            self._session.notify(SAVING)

    @Slot(bool)
    def _on_waiting_changed(self, is_waiting: bool) -> None:
        if self._is_closing and not is_waiting:
            self._is_closing = False
            self.is_over.emit()

    def wait(self, choice: ClosingChoice) -> None:
        """Let the training end in the way that was chosen; nothing else begins."""
        self._trainer.hold(True)
        if not self._trainer.is_busy:  # it has ended while the question was open
            self.is_over.emit()
            return
        self._trainer.job_ended.connect(self._on_job_ended, Qt.ConnectionType.QueuedConnection)
        match choice:
            case ClosingChoice.STOP:
                self._trainer.stop()
            case ClosingChoice.CANCEL:
                self._trainer.cancel()
            case _:
                self._trainer.resume()

    @Slot()
    def _on_job_ended(self) -> None:
        self.is_over.emit()

    def _question(self) -> str:
        return f"{TITLE}. {QUESTION}\n\n{EXPLANATION} {queue_text(len(self._trainer.queue))}".rstrip()

    def _choices(self) -> list[str]:
        """Before the first batch there is nothing to keep."""
        return [
            choice for choice in ClosingChoice if choice is not ClosingChoice.STOP or self._trainer.can_stop
        ]


def queue_text(n: int) -> str:
    """What will happen to the trainings that are queued."""
    if not n:
        return ""
    what = "The training that is queued starts" if n == 1 else f"The {n} trainings that are queued start"
    return f"{what} when the program is opened next."

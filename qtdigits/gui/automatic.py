"""What happens without being asked for: learning a hand, promoting a better model, finding labels that look wrong."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from qtdigits.core.drawing.samples import Trial, Verdict
from qtdigits.core.run.events import RunFinished
from qtdigits.core.score.comparison import Recommendation
from qtdigits.errors import QtDigitsError
from qtdigits.gui.engine_process import JobEnding
from qtdigits.gui.guided import GuidedSession
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.training.jobs import TrainingJob

QUIET_MS = 1_500
"""A training begins between two drawings, never while somebody draws."""
SUGGESTED_AFTER = 5
"""Where nothing is learned unasked, so many corrections are worth a suggestion."""
WAITING = "A better model is ready; it is used after the guided session, so that one model reads all of it."


class AutomaticLearning(QObject):
    """Counts the present writer's corrections since the last training, and learns the hand after as many as is preferred.

    Where that is never, it says once that learning is suggested. A training that a person has started, here or in another
    window, is neither interrupted nor queued behind: the corrections wait for its end. In a guided session nothing begins.
    """

    learning_suggested = Signal()

    def __init__(
        self,
        *,
        session: Session,
        trainer: Trainer,
        guided: GuidedSession,
        preferences: Preferences,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._trainer, self._guided = session, trainer, guided
        self._preferences = preferences
        self._corrections = 0
        self._has_suggested = False
        self._quiet = QTimer(self, singleShot=True, interval=QUIET_MS)
        self._quiet.timeout.connect(self._try)
        session.trial_judged.connect(self._on_judged)
        session.trial_taken_back.connect(self._on_taken_back)
        session.ink_changed.connect(self.reconsider)
        session.writer_changed.connect(self._reset)
        session.closing.connect(self._quiet.stop)
        trainer.training_requested.connect(self._on_training_requested)
        guided.ended.connect(self.reconsider)

    @property
    def corrections(self) -> int:
        """How many were made since the last training."""
        return self._corrections

    @Slot()
    def reconsider(self) -> None:
        after = self._preferences.retrain_after
        is_enough = not after and self._corrections >= SUGGESTED_AFTER
        if 0 < after <= self._corrections:
            self._quiet.start()
        elif is_enough and not self._has_suggested and self._guided.run is None:
            self._has_suggested = True
            self.learning_suggested.emit()

    @Slot(object)
    def _on_judged(self, trial: Trial) -> None:
        self._corrections += trial.verdict is Verdict.CORRECTED
        self.reconsider()

    @Slot(object)
    def _on_taken_back(self, trial: Trial) -> None:
        if trial.verdict is Verdict.CORRECTED:
            self._corrections = max(0, self._corrections - 1)

    @Slot(object)
    def _on_training_requested(self, job: TrainingJob) -> None:
        if job.recipe.is_personal:
            self._reset()

    @Slot()
    def _reset(self) -> None:
        """Somebody else draws, or the hand is being learned already."""
        self._corrections = 0
        self._has_suggested = False
        self._quiet.stop()

    @Slot()
    def _try(self) -> None:
        if not 0 < self._preferences.retrain_after <= self._corrections or self._guided.run is not None:
            return
        if self._session.ink.is_blank and self._trainer.learn_hand_unasked():
            self._corrections = 0
        else:
            self._quiet.start()


class AutomaticPromotion(QObject):
    """Uses a better model where that is preferred and safe, though never in the middle of a guided session.

    `notice_given` says what happened. `verdict_ready` says what a new model is worth that the person may want to use.
    """

    notice_given = Signal(str)
    verdict_ready = Signal(str)

    def __init__(
        self,
        *,
        session: Session,
        trainer: Trainer,
        guided: GuidedSession,
        preferences: Preferences,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._guided, self._preferences = session, guided, preferences
        self._waiting: RunFinished | None = None
        self._waits_for: tuple[Path | None, str] = (None, "")
        trainer.job_ended.connect(self._on_job_ended)
        guided.ended.connect(self._on_guided_ended)

    @property
    def _is_preferred(self) -> bool:
        return self._preferences.promotion == "automatic"

    @property
    def _compared(self) -> tuple[Path | None, str]:
        """What the new model was found better than and for: when that has changed, the comparison is out of date."""
        return self._session.model_path, self._session.writer

    @Slot(object)
    def _on_job_ended(self, ending: JobEnding) -> None:
        finished = ending.result
        if not isinstance(finished, RunFinished):
            return
        found = finished.comparison
        if found.get("advice", Recommendation.KEEP) == Recommendation.KEEP:
            return
        if not self._is_preferred or found["advice"] != Recommendation.USE:
            self.verdict_ready.emit(f"A new model is ready: it {found['sentence']}.")
        elif self._guided.run is None:
            self._use(finished)
        else:
            self._waiting, self._waits_for = finished, self._compared
            self.notice_given.emit(WAITING)

    @Slot()
    def _on_guided_ended(self) -> None:
        finished, self._waiting = self._waiting, None
        if finished is not None and self._is_preferred and self._compared == self._waits_for:
            self._use(finished)

    def _use(self, finished: RunFinished) -> None:
        self._session.use_model(Path(finished.model))
        self.notice_given.emit(f"A better model is in use: it {finished.comparison['sentence']}.")


class SuspectWatch(QObject):
    """Says when more drawings are to be reviewed than before: the engine marks them, in a review and before a training.

    `suspects_found` carries how many there are. It comes between two drawings, never while somebody draws.
    """

    suspects_found = Signal(int)

    def __init__(self, *, session: Session, trainer: Trainer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._n_suspects = 0
        self._has_more = False
        trainer.job_started.connect(self._on_job_started)
        trainer.run_started.connect(self._compare)
        trainer.job_ended.connect(self._compare)
        session.ink_changed.connect(self._tell)

    @Slot()
    def _on_job_started(self) -> None:
        self._n_suspects = self._count()

    @Slot()
    def _compare(self) -> None:
        before, self._n_suspects = self._n_suspects, self._count()
        if self._n_suspects != before:
            self._session.samples_edited()
        if self._n_suspects > before:
            self._has_more = True
            self._tell()

    @Slot()
    def _tell(self) -> None:
        if self._has_more and self._session.ink.is_blank:
            self._has_more = False
            self.suspects_found.emit(self._n_suspects)

    def _count(self) -> int:
        try:
            return self._session.store.count(is_suspect=True)
        except QtDigitsError as error:
            self._session.report(error)
            return self._n_suspects

"""Learning a hand by itself: after so many new corrections, in the background, when nothing else goes on."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from qtdigits.core.drawing.samples import Trial, Verdict
from qtdigits.gui.engine.engine_controller import EngineController
from qtdigits.gui.session import Session
from qtdigits.training.jobs import TrainingJob

QUIET_MS = 1_500
"""A training begins between two drawings, never while somebody draws."""


OFFERED_AFTER = 5
"""Where nothing is learned unasked, so many corrections are worth a question."""


class SelfTraining(QObject):
    """Counts the present writer's corrections since the last training and starts the next one, or says that it is `worth_asking`.

    `after` tells after how many (0: never), `make_request` what to train. A run that a person has started is neither interrupted
    nor queued behind, nor one of another window (`must_wait`): the corrections wait for its end. While `is_held_back` nothing
    begins; `look_again` when that is over.
    """

    worth_asking = Signal()

    def __init__(
        self,
        *,
        session: Session,
        controller: EngineController,
        after: Callable[[], int],
        make_request: Callable[[], TrainingJob],
        is_held_back: Callable[[], bool] = lambda: False,
        must_wait: Callable[[], bool] = lambda: False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._controller = controller
        self._after = after
        self._make_request = make_request
        self._is_held_back, self._must_wait = is_held_back, must_wait
        self._corrections = 0
        self._has_asked = False
        self._quiet = QTimer(self, singleShot=True, interval=QUIET_MS)
        self._quiet.timeout.connect(self._try)
        session.trial_judged.connect(self._on_judged)
        session.trial_taken_back.connect(self._on_taken_back)
        session.ink_changed.connect(self.look_again)
        session.writer_changed.connect(self.forget)

    @property
    def corrections(self) -> int:
        """How many were made since the last training."""
        return self._corrections

    @Slot(object)
    def _on_judged(self, trial: Trial) -> None:
        if trial.verdict is Verdict.CORRECTED:
            self._corrections += 1
        self.look_again()

    @Slot(object)
    def _on_taken_back(self, trial: Trial) -> None:
        if trial.verdict is Verdict.CORRECTED:
            self._corrections = max(0, self._corrections - 1)

    @Slot()
    def look_again(self) -> None:
        if self._is_due:
            self._quiet.start()
        elif self._is_worth_asking:
            self._has_asked = True
            self.worth_asking.emit()

    @Slot()
    def forget(self) -> None:
        """Somebody else draws, or the hand is being learned already: count anew."""
        self._corrections = 0
        self._has_asked = False
        self._quiet.stop()

    @property
    def _is_due(self) -> bool:
        return 0 < self._after() <= self._corrections

    @property
    def _is_worth_asking(self) -> bool:
        """Once, until somebody has learned from them, and never while a session goes on."""
        is_enough = not self._after() and self._corrections >= OFFERED_AFTER
        return is_enough and not self._has_asked and not self._is_held_back()

    @Slot()
    def _try(self) -> None:
        if not self._is_due or self._is_held_back():
            return
        can_begin = self._session.ink.is_blank and not self._controller.is_busy and not self._must_wait()
        if can_begin and self._controller.train(self._make_request()):
            self._corrections = 0
        else:
            self._quiet.start()

    def stop(self) -> None:
        """Nothing is started from now on."""
        self._quiet.stop()

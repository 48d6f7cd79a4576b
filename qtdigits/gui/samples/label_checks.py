"""The label guard as the window sees it: it asks the engine to look, and says when more drawings wait for a person's eye."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from qtdigits.core.run.events import Event, JobProgress, RunStarted
from qtdigits.errors import QtDigitsError
from qtdigits.gui.engine.engine_controller import EngineController, EngineState
from qtdigits.gui.engine.followed_errand import FollowedErrand
from qtdigits.gui.session import Session
from qtdigits.training.jobs import LabelReviewJob

TRAINING = "A training is going on; it looks through the labels itself, before it learns from them."
BUSY = "The engine is at work; try again when it is done."


class LabelChecks(QObject):
    """`told` carries a line about a check that was asked for, `waiting_grew` how many drawings wait, when more do than before.

    The latter comes between two drawings, never while somebody draws, and after a training's own look too.
    """

    busy_changed = Signal(bool)
    told = Signal(str)
    waiting_grew = Signal(int)

    def __init__(
        self,
        *,
        session: Session,
        controller: EngineController,
        data_dir: Path,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._controller = controller
        self._data_dir = data_dir
        self._errand = FollowedErrand(
            controller=controller, remedy="Check the labels once more.", parent=self
        )
        self._before = 0
        self._is_to_be_said = False
        controller.state_changed.connect(self._on_state)
        controller.event_received.connect(self._on_event)
        self._errand.busy_changed.connect(self.busy_changed)
        self._errand.progressed.connect(self._on_progressed)
        self._errand.finished.connect(self._on_finished)
        self._errand.cancelled.connect(self._on_cancelled)
        self._errand.failed.connect(self._on_failed)
        session.ink_changed.connect(self._say_growth)

    @property
    def is_busy(self) -> bool:
        return self._errand.is_busy

    @Slot()
    def start(self) -> None:
        """Look through the labels of everybody's drawings. Does nothing but say so while the engine is busy."""
        if self.is_busy:
            return
        if self._errand.start(LabelReviewJob.new(data_dir=str(self._data_dir))):
            self.told.emit("Checking the labels …")
        else:
            self.told.emit(BUSY if self._controller.other_job else TRAINING)

    @Slot(object)
    def _on_state(self, state: EngineState) -> None:
        if state in (EngineState.TRAINING, EngineState.WORKING):
            self._before = self._count()

    @Slot(object)
    def _on_event(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._compare()

    @Slot(object)
    def _on_progressed(self, event: JobProgress) -> None:
        self.told.emit(f"{event.what}: {event.done} of {event.total} writers …")

    @Slot(object)
    def _on_finished(self, result: Mapping[str, Any]) -> None:
        self.told.emit(checked_text(int(result["n"]), int(result["waiting"])))
        self._compare()

    @Slot()
    def _on_cancelled(self) -> None:
        self.told.emit("The check was given up.")

    @Slot(object)
    def _on_failed(self, error: QtDigitsError) -> None:
        self.told.emit("")
        self._session.problem_met.emit(error)

    def _compare(self) -> None:
        """The engine has written into the store, if it has found anything."""
        now = self._count()
        if now != self._before:
            self._session.samples_edited()
        if now > self._before:
            self._is_to_be_said = True
            self._say_growth()
        self._before = now

    @Slot()
    def _say_growth(self) -> None:
        if self._is_to_be_said and self._session.ink.is_blank:
            self._is_to_be_said = False
            self.waiting_grew.emit(self._count())

    def _count(self) -> int:
        try:
            return self._session.store.count(is_suspect=True)
        except QtDigitsError as error:
            self._session.problem_met.emit(error)
            return 0


def checked_text(n: int, waiting: int) -> str:
    """Such as: 512 looked through; 3 wait for your eye."""
    if not n:
        return "There is nothing to look through yet."
    if not waiting:
        return f"{n:,} looked through; nothing looks wrong."
    return f"{n:,} looked through; {waiting:,} wait{'s' if waiting == 1 else ''} for your eye."

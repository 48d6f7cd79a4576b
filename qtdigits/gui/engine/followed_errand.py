"""An errand of the engine, from being asked for to its end."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from qtdigits.core.run.events import (
    EngineLost,
    Event,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobProgress,
)
from qtdigits.errors import EngineError, QtDigitsError
from qtdigits.gui.engine.engine_controller import EngineController
from qtdigits.training.jobs import Job


class FollowedErrand(QObject):
    """One errand at a time. `progressed` carries an `JobProgress`, `finished` the result, `failed` a `QtDigitsError`.

    `remedy` is what to do when the engine was lost. When something of its end is told, the next one can begin.
    """

    progressed = Signal(object)
    finished = Signal(object)
    cancelled = Signal()
    failed = Signal(object)
    busy_changed = Signal(bool)

    def __init__(self, *, controller: EngineController, remedy: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._remedy = remedy
        self._errand = ""
        controller.event_received.connect(self._on_event)

    @property
    def is_busy(self) -> bool:
        return bool(self._errand)

    def start(self, errand: Job) -> bool:
        """False, and nothing is done, while the engine is at work."""
        if not self._controller.run(errand):
            return False
        self._errand = errand.id
        self.busy_changed.emit(True)
        return True

    @Slot(object)
    def _on_event(self, event: Event) -> None:
        match event:
            case JobProgress() if event.id == self._errand:
                self.progressed.emit(event)
            case JobFinished() if event.id == self._errand:
                self._end()
                self.finished.emit(event.result)
            case JobCancelled() if event.id == self._errand:
                self._end()
                self.cancelled.emit()
            case JobFailed() if event.id == self._errand:
                self._end()
                self.failed.emit(QtDigitsError(event.message, event.remedy))
            case EngineLost() if self.is_busy:
                self._end()
                self.failed.emit(EngineError(event.message, self._remedy))
            case _:
                pass

    def _end(self) -> None:
        self._errand = ""
        self.busy_changed.emit(False)

"""Measuring a writer matrix from the window: the engine trains, and what it found is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QObject, Signal, Slot

from qtdigits.core.events import (
    EngineLost,
    ErrandCancelled,
    ErrandFailed,
    ErrandFinished,
    ErrandProgressed,
    Event,
)
from qtdigits.core.texts import duration
from qtdigits.core.writer_matrix import WriterMatrix
from qtdigits.errors import EngineError, QtDigitsError
from qtdigits.gui.engine_controller import EngineController
from qtdigits.store.kept_matrix import keep_matrix
from qtdigits.tasks.errand import MeasureWriters


class WriterMeasuring(QObject):
    """`measured` carries a `WriterMatrix`, `progressed` a line and how much of how much is done, `failed` an error."""

    measured = Signal(object)
    progressed = Signal(str, int, int)
    failed = Signal(object)
    busy_changed = Signal(bool)

    def __init__(
        self,
        *,
        controller: EngineController,
        data_dir: Path,
        clock: Callable[[], float] = monotonic,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self._data_dir = data_dir
        self._clock = clock
        self._errand = ""
        self._first: tuple[int, float] | None = None
        controller.event_received.connect(self._on_event)

    @property
    def is_busy(self) -> bool:
        return bool(self._errand)

    def start(self, model: Path) -> None:
        """Measure with models that begin with the one at `model`."""
        errand = MeasureWriters.fresh(data_dir=str(self._data_dir), model=str(model))
        if self.is_busy:
            return
        if not self._controller.run(errand):
            self.failed.emit(EngineError("The engine is at work.", "Measure when it is done."))
            return
        self._errand, self._first = errand.errand, None
        self.busy_changed.emit(True)
        self.progressed.emit("Starting the engine …", 0, 0)

    @Slot()
    def stop(self) -> None:
        """The rows that are whole are kept."""
        if self.is_busy:
            self._controller.stop()

    @Slot()
    def cancel(self) -> None:
        if self.is_busy:
            self._controller.cancel()

    @Slot(object)
    def _on_event(self, event: Event) -> None:
        match event:
            case ErrandProgressed() if event.errand == self._errand:
                self._tell(event)
            case ErrandFinished() if event.errand == self._errand:
                self._take(event)
            case ErrandCancelled() if event.errand == self._errand:
                self._end()
            case ErrandFailed() if event.errand == self._errand:
                self._end()
                self.failed.emit(QtDigitsError(event.message, event.remedy))
            case EngineLost() if self.is_busy:
                self._end()
                self.failed.emit(EngineError(event.message, "Measure once more."))
            case _:
                pass

    def _take(self, event: ErrandFinished) -> None:
        found = WriterMatrix.from_json(event.result["matrix"])
        self._end()
        self.measured.emit(found)
        try:
            keep_matrix(self._data_dir, found)
        except QtDigitsError as error:
            self.failed.emit(error)

    def _tell(self, event: ErrandProgressed) -> None:
        text = event.what
        if event.what.startswith("Learning") and event.total:
            text = f"{text} · {event.done} of {event.total} trainings over{self._left(event)}"
        self.progressed.emit(text, event.done, event.total)

    def _left(self, event: ErrandProgressed) -> str:
        """How long it may still take, once a training is over from its beginning to its end."""
        now = self._clock()
        if self._first is None:
            self._first = event.done, now
        done, began = self._first
        if event.done <= done:
            return ""
        each_s = (now - began) / (event.done - done)
        return f" · about {duration(each_s * (event.total - event.done))} left"

    def _end(self) -> None:
        self._errand = ""
        self.busy_changed.emit(False)

"""Measuring a writer matrix from the window: the engine trains, and what it found is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from qtdigits.core.formatting import duration
from qtdigits.core.run.events import JobProgress
from qtdigits.core.score.writers import WriterMatrix
from qtdigits.errors import EngineError, QtDigitsError
from qtdigits.gui.engine.engine_controller import EngineController
from qtdigits.gui.engine.followed_errand import FollowedErrand
from qtdigits.store.kept_files import save_writer_matrix
from qtdigits.training.jobs import WriterMatrixJob


class WriterMeasuring(QObject):
    """`measured` carries a `WriterMatrix`, `progressed` a line and how much of how much is done, `failed` an error.

    `given_up`: it was cancelled, or stopped before the first training was over, and what was measured before stays.
    """

    measured = Signal(object)
    given_up = Signal()
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
        self._errand = FollowedErrand(controller=controller, remedy="Measure once more.", parent=self)
        self._first: tuple[int, float] | None = None
        self._errand.busy_changed.connect(self.busy_changed)
        self._errand.progressed.connect(self._tell)
        self._errand.finished.connect(self._take)
        self._errand.cancelled.connect(self.given_up)
        self._errand.failed.connect(self.failed)

    @property
    def is_busy(self) -> bool:
        return self._errand.is_busy

    def start(self, model: Path) -> None:
        """Measure with models that begin with the one at `model`."""
        if self.is_busy:
            return
        self._first = None
        if self._errand.start(WriterMatrixJob.new(data_dir=str(self._data_dir), model=str(model))):
            self.progressed.emit("Starting the engine …", 0, 0)
        else:
            self.failed.emit(EngineError("The engine is at work.", "Measure when it is done."))

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
    def _take(self, result: Mapping[str, Any]) -> None:
        found = WriterMatrix.from_json(result["matrix"])
        if not found.compared:
            self.given_up.emit()
            return
        self.measured.emit(found)
        try:
            save_writer_matrix(self._data_dir, found)
        except QtDigitsError as error:
            self.failed.emit(error)

    @Slot(object)
    def _tell(self, event: JobProgress) -> None:
        text = event.what
        if event.what.startswith("Learning") and event.total:
            text = f"{text} · {event.done} of {event.total} trainings over{self._left(event)}"
        self.progressed.emit(text, event.done, event.total)

    def _left(self, event: JobProgress) -> str:
        """How long it may still take, once a training is over from its beginning to its end."""
        now = self._clock()
        if self._first is None:
            self._first = event.done, now
        done, began = self._first
        if event.done <= done:
            return ""
        each_s = (now - began) / (event.done - done)
        return f" · about {duration(each_s * (event.total - event.done))} left"

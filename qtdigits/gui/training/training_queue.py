"""Trainings wait in line: one at a time goes to the engine, in the background, while the person draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from qtdigits.core.run.events import EngineLost, Event, RunCancelled, RunFailed, RunFinished, RunStarted
from qtdigits.errors import QtDigitsError
from qtdigits.gui.engine.engine_controller import EngineController
from qtdigits.store.locks import ProcessLock
from qtdigits.store.tables.runs import QueuedRun, QueueTable
from qtdigits.training.jobs import TrainingJob

NEXT_MS = 300
"""Between the end of a run and the next one: whoever cancels a run may want to say something else first."""

AGAIN_MS = 5_000
"""How long until it is looked again whether another window still trains, or works the line off."""


class TrainingQueue(QObject):
    """The line, kept in the store, and whoever sends its first to the engine when that is free.

    Of several windows on one data folder one works the line off: it holds a lock until it is closed. It waits while another
    window or terminal trains, which `is_held_back` tells, and every window looks now and then whether it may go on. A run leaves
    the line when it trains, so that one whose window is killed before stays in it. `changed`: the line is another one;
    `problem_met` carries a `QtDigitsError`; `run_began` the request that went to the engine.
    """

    changed = Signal()
    problem_met = Signal(object)
    run_began = Signal(object)

    def __init__(
        self,
        *,
        table: QueueTable,
        controller: EngineController,
        data_dir: Path,
        is_held_back: Callable[[], bool] = lambda: False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._table = table
        self._controller = controller
        self._is_held_back = is_held_back
        self._lock = ProcessLock(data_dir / "queue.lock")
        self._sent = ""
        self._is_halted = self._is_stopped = False
        self._entries: tuple[QueuedRun, ...] = ()
        self._next = QTimer(self, singleShot=True, interval=NEXT_MS)
        self._next.timeout.connect(self.work_off)
        self._again = QTimer(self, singleShot=True, interval=AGAIN_MS)
        self._again.timeout.connect(self.reload)
        controller.event_received.connect(self._on_event)
        controller.state_changed.connect(self._on_engine_state)

    @property
    def waiting(self) -> tuple[QueuedRun, ...]:
        """Those that have not been sent to the engine."""
        return tuple(entry for entry in self._entries if entry.run_id != self._sent)

    @property
    def is_halted(self) -> bool:
        """The engine was lost before the first of the line had begun: somebody has to say `go_on`."""
        return self._is_halted

    @property
    def is_worked_off_elsewhere(self) -> bool:
        return self._lock.is_taken()

    @property
    def must_wait(self) -> bool:
        """Another window trains at the moment, or a terminal: whatever is wanted here has to stand in line."""
        try:
            return self._is_held_back()
        except QtDigitsError as error:
            self.problem_met.emit(error)
            return False

    @Slot()
    def reload(self) -> None:
        """Read the line anew: another window may have changed it."""
        if self._is_stopped:
            return
        before = [entry.run_id for entry in self._entries]
        if self._tried(self._read) and before != [entry.run_id for entry in self._entries]:
            self.changed.emit()
        self._schedule()

    @Slot()
    def go_on(self) -> None:
        """Work the line off again after an engine was lost."""
        self._is_halted = False
        self.changed.emit()
        self._schedule()

    def add(self, request: TrainingJob) -> None:
        self._change(lambda: self._table.add(request.id, request.to_json()))

    def remove(self, run_id: str) -> None:
        self._change(lambda: self._table.remove(run_id))

    def move(self, run_id: str, by: int) -> None:
        self._change(lambda: self._table.move(run_id, by))

    @Slot()
    def work_off(self) -> None:
        """Send the first of the line to the engine, if that is free and nobody else works the line off."""
        if self._is_free and self._tried(self._read) and self._entries:
            if self.must_wait or not self._is_mine():
                self._again.start()
                return
            entry = self._entries[0]
            try:
                request = TrainingJob.from_json(entry.request)
            except QtDigitsError as error:
                self.problem_met.emit(error)
                self.remove(entry.run_id)
                return
            self._send(replace(request, resumes=request.resumes or entry.is_known))

    def stop(self) -> None:
        """Nothing is sent from now on; another window may work the line off."""
        self._is_stopped = True
        self._next.stop()
        self._again.stop()
        self._lock.release()

    @Slot(object)
    def _on_event(self, event: Event) -> None:
        match event:
            case RunStarted() if event.run == self._sent:
                self.remove(event.run)
            case RunFinished() | RunCancelled() | RunFailed() if event.run == self._sent:
                self._sent = ""
                self.remove(event.run)
            case EngineLost() if self._sent:
                # One that had begun to train is among the runs. One that had not would have the next engine lost, and the next.
                self._is_halted = any(entry.run_id == self._sent for entry in self._entries)
                self._sent = ""
                self.changed.emit()
                self._schedule()
            case _:
                pass

    @Slot()
    def _on_engine_state(self) -> None:
        """When a run has ended: another window may have put something into the line meanwhile."""
        if not self._controller.is_busy:
            self.reload()

    @property
    def _is_free(self) -> bool:
        return not (self._is_stopped or self._controller.is_busy or self._sent or self._is_halted)

    @Slot()
    def _schedule(self) -> None:
        if self._entries and self._is_free:
            self._next.start()

    def _send(self, request: TrainingJob) -> None:
        self._sent = request.id
        if self._controller.train(request):
            self.run_began.emit(request)
        else:  # another window was quicker
            self._sent = ""
            self._again.start()
        self.changed.emit()

    def _read(self) -> None:
        self._entries = tuple(self._table.entries())

    def _is_mine(self) -> bool:
        try:
            return self._lock.acquire()
        except QtDigitsError as error:
            self.problem_met.emit(error)
            return False

    def _change(self, change: Callable[[], None]) -> None:
        self._tried(change)
        self.reload()

    def _tried(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except QtDigitsError as error:
            self.problem_met.emit(error)
            return False
        return True

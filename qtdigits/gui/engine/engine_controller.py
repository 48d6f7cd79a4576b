"""The engine as the window sees it: one object in the GUI thread with signals, states and commands."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from PySide6.QtCore import QObject, Qt, QThread, QTimer, Signal, Slot

from qtdigits.core.run.events import (
    Ending,
    EngineLost,
    EngineReady,
    Event,
    JobCancelled,
    RunCancelled,
    RunContinued,
    RunFailed,
    RunPaused,
)
from qtdigits.engine.protocol import Command, ControlCommand, RunJob
from qtdigits.errors import EngineError, QtDigitsError
from qtdigits.gui.engine.engine_worker import Client, EngineWorker
from qtdigits.training.jobs import Job, TrainingJob

CANCEL_TIMEOUT_MS = 5_000
"""How long an engine may take to answer a cancel before it is killed."""
CLOSE_TIMEOUT_S = 2.5
"""Time enough to write down where a run stands. One that is killed loses no more than what came after its last checkpoint."""


class Lock(Protocol):
    """What is needed of a `store.locks.ProcessLock`."""

    def acquire(self) -> bool: ...
    def release(self) -> None: ...
    def is_taken(self) -> bool: ...


class EngineState(StrEnum):
    """OFF: not started. STARTING: loading its libraries. WORKING: on an errand. PAUSED: a run waits.

    STOPPING: asked to stop or to cancel. LOST: ended unasked.
    """

    OFF = "off"
    STARTING = "starting"
    READY = "ready"
    TRAINING = "training"
    WORKING = "working"
    PAUSED = "paused"
    STOPPING = "stopping"
    LOST = "lost"


class EngineController(QObject):
    """Owns thread, worker and client, and re-emits what they say; everybody connects here.

    `state_changed` carries an `EngineState`. Only bound methods of this object are connected to the worker, so that they run
    in the GUI thread.

    Every accepted `train` leads to one ending on `event_received`: `RunFinished`, `RunCancelled`, `RunFailed` or `EngineLost`;
    every accepted `run` likewise to one of the errands' endings or `EngineLost`. From its acceptance to its ending a training has
    the `lock`, where there is one: of several windows that share it one trains.
    """

    event_received = Signal(object)
    state_changed = Signal(object)

    def __init__(
        self,
        *,
        make_client: Callable[[], Client],
        cancel_timeout_ms: int = CANCEL_TIMEOUT_MS,
        lock: Lock | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._make_client, self._lock = make_client, lock
        self._client: Client | None = None
        self._worker: EngineWorker | None = None
        self._thread: QThread | None = None
        self._state = EngineState.OFF
        self._last_request: TrainingJob | None = None
        self._waiting: Job | None = None
        self._current: Job | None = None
        self._was_killed = False
        self._is_shut_down = False
        self._patience = QTimer(self, singleShot=True, interval=cancel_timeout_ms)
        self._patience.timeout.connect(self._on_patience_lost)

    @property
    def state(self) -> EngineState:
        return self._state

    @property
    def engine_pid(self) -> int | None:
        """The process id of the engine, None while there is none."""
        return self._client.pid if self._client is not None else None

    @property
    def is_busy(self) -> bool:
        """A run or an errand goes on, or waits for the engine to be ready."""
        return self._current is not None or self._waiting is not None

    @property
    def is_locked_elsewhere(self) -> bool:
        """Another window trains, or is about to."""
        return self._lock is not None and self._lock.is_taken()

    @property
    def last_request(self) -> TrainingJob | None:
        """The training that was begun last, whoever wanted it."""
        return self._last_request

    @property
    def unsent(self) -> TrainingJob | None:
        """The training that waits for the engine to be ready: nothing of it is on the disk yet."""
        return self._waiting if isinstance(self._waiting, TrainingJob) else None

    @property
    def other_job(self) -> Job | None:
        """The job that is no training and is at work, or waits for the engine to be ready."""
        job = self._current or self._waiting
        return None if isinstance(job, TrainingJob) else job

    @Slot()
    def start(self) -> None:
        """Start the engine unless it runs already. Does not wait; `READY` follows some seconds later."""
        if self._worker is not None or self._is_shut_down:
            return
        self._client = self._make_client()
        self._thread = QThread(self)
        self._thread.setObjectName("engine")
        self._worker = EngineWorker(client=self._client)
        self._worker.moveToThread(self._thread)
        self._thread.started.connect(self._worker.run)
        self._worker.event_received.connect(self._on_event, Qt.ConnectionType.QueuedConnection)
        self._worker.ended.connect(self._on_ended, Qt.ConnectionType.QueuedConnection)
        self._was_killed = False
        self._set_state(EngineState.STARTING)
        self._thread.start()

    def train(self, request: TrainingJob) -> bool:
        """Train as soon as the engine is ready. False, and nothing is done, while something else goes on, here or elsewhere."""
        if self.is_busy or self._is_shut_down or not self._has_lock():
            return False
        self._last_request = request
        return self._begin(request)

    def run(self, job: Job) -> bool:
        """The same for a job that is no training."""
        return self._begin(job)

    @Slot()
    def stop(self) -> None:
        """End the run after this batch and keep the best weights; end an errand and keep what there is."""
        if self._waiting is not None:
            self.cancel()
        elif self._state in (EngineState.TRAINING, EngineState.PAUSED, EngineState.WORKING):
            self._set_state(EngineState.STOPPING)
            self._send(ControlCommand.STOP)

    @Slot()
    def pause(self) -> None:
        """Have the run wait after this batch; `RunPaused` says when it does."""
        if self._state is EngineState.TRAINING:
            self._send(ControlCommand.PAUSE)

    @Slot()
    def go_on(self) -> None:
        if self._current is not None and self._state is not EngineState.STOPPING:
            self._send(ControlCommand.RESUME)

    @Slot()
    def cancel(self) -> None:
        """Give the run up. An engine that does not answer in time is killed; the run counts as cancelled all the same."""
        if self._waiting is not None:
            given_up, self._waiting = self._waiting, None
            self._give_back_lock()
            self.event_received.emit(_cancelled(given_up))
        elif self._current is not None:
            self._set_state(EngineState.STOPPING)
            self._patience.start()
            self._send(ControlCommand.CANCEL)

    @Slot()
    def shutdown(self) -> None:
        """End the engine for good and join its thread. Blocks for as long as the engine takes, some seconds at most.

        A run that goes on is interrupted: where it stands is written down.
        """
        self._is_shut_down = True
        self._waiting = None
        self._patience.stop()
        if self._worker is not None:
            self._worker.close(CLOSE_TIMEOUT_S)
            self._join()
        self._current = None
        self._give_back_lock()
        self._set_state(EngineState.OFF)

    def _has_lock(self) -> bool:
        """Where no lock can be made the training itself says what is wrong with the folder."""
        try:
            return self._lock is None or self._lock.acquire()
        except QtDigitsError:
            return True

    def _give_back_lock(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def _begin(self, job: Job) -> bool:
        if self.is_busy or self._is_shut_down:
            return False
        self._waiting = job
        if self._state is EngineState.READY:
            self._send_waiting()
        else:
            self.start()
        return True

    @Slot(object)
    def _on_event(self, event: Event) -> None:
        if self._is_shut_down:
            return
        match event:
            case EngineReady():
                self._set_state(EngineState.READY)
            case RunPaused() if self._state is EngineState.TRAINING:
                self._set_state(EngineState.PAUSED)
            case RunContinued() if self._state is EngineState.PAUSED:
                self._set_state(EngineState.TRAINING)
            case RunFailed():
                self._end_run(EngineState.STARTING)
                self._replace_engine()  # what made it fail may last in its engine, such as a want of memory
            case _ if isinstance(event, Ending):
                self._end_run(EngineState.READY)
            case EngineLost() if self._was_killed:
                return
            case EngineLost():
                self._end_run(EngineState.LOST)
        self.event_received.emit(event)
        if self._state is EngineState.READY and self._waiting is not None:
            self._send_waiting()

    @Slot()
    def _on_ended(self) -> None:
        if self._is_shut_down:
            return
        self._join()
        if self._was_killed:
            killed = self._current
            self._end_run(EngineState.OFF)
            if killed is not None:
                self.event_received.emit(_cancelled(killed))
            self.start()
        elif self._state is not EngineState.LOST:
            self._end_run(EngineState.LOST)
            self.event_received.emit(EngineLost("The training engine ended without saying why."))
        elif self._waiting is not None:
            self.start()

    @Slot()
    def _on_patience_lost(self) -> None:
        if self._current is not None:
            self._replace_engine()

    def _replace_engine(self) -> None:
        """End it at once; when it is gone, a new one is started."""
        if self._client is not None:
            self._was_killed = True
            self._client.kill()

    def _send_waiting(self) -> None:
        job, self._waiting = self._waiting, None
        if job is not None:
            self._current = job
            self._set_state(EngineState.TRAINING if isinstance(job, TrainingJob) else EngineState.WORKING)
            self._send(RunJob(job))

    def _send(self, command: Command) -> None:
        """An engine that cannot be spoken to is of no use: ending it brings an `EngineLost` on the usual way."""
        if self._client is None:
            return
        try:
            self._client.send(command)
        except EngineError:
            self._client.kill()

    def _end_run(self, state: EngineState) -> None:
        self._patience.stop()
        self._current = None
        if self._waiting is None or state is EngineState.LOST:
            self._give_back_lock()
        if state is EngineState.LOST:
            self._waiting = None
        self._set_state(state)

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.quit()
            self._thread.wait()
            self._thread.deleteLater()
        self._client = self._worker = self._thread = None

    def _set_state(self, state: EngineState) -> None:
        if state is not self._state:
            self._state = state
            self.state_changed.emit(state)


def _cancelled(job: Job) -> RunCancelled | JobCancelled:
    return RunCancelled(job.id) if isinstance(job, TrainingJob) else JobCancelled(job.id, job.kind)

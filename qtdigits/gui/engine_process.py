"""The engine as the window sees it: its states, its jobs and their endings, and its process with the worker that listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Any, Literal, Protocol

from PySide6.QtCore import QObject, Qt, QThread, QTimer, Signal, Slot

from qtdigits.core.run.events import Ending, EngineLost, Event, RunFinished, RunStarted
from qtdigits.engine.protocol import Command, ControlCommand
from qtdigits.errors import EngineError, QtDigitsError
from qtdigits.training.jobs import Job, StudyJob, TrainingJob

CANCEL_TIMEOUT_MS = 5_000
"""How long an engine may take to answer a cancel before it is killed."""


Outcome = Literal["finished", "cancelled", "interrupted", "failed", "lost"]


class EngineState(StrEnum):
    """WORKING: on a job that is no training. STOPPING: asked to stop or to cancel. LOST: ended unasked."""

    OFF = "off"
    STARTING = "starting"
    READY = "ready"
    TRAINING = "training"
    WORKING = "working"
    PAUSED = "paused"
    STOPPING = "stopping"
    LOST = "lost"


class Asked(StrEnum):
    """How the person has asked the current job to end."""

    NOTHING = ""
    STOP = "stop"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Current:
    """The job that is at work, or about to be. `begun_by_itself`: it was next in the queue, or nobody asked for it.

    `started` is None for a training that is being prepared, and for jobs that are no trainings.
    """

    job: Job
    begun_by_itself: bool = False
    started: RunStarted | None = None
    asked: Asked = Asked.NOTHING

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def kind(self) -> str:
        return self.job.kind

    @property
    def is_training(self) -> bool:
        return isinstance(self.job, TrainingJob)

    @property
    def study(self) -> StudyJob | None:
        return self.job if isinstance(self.job, StudyJob) else None


@dataclass(frozen=True)
class JobEnding:
    """`result` is a `RunFinished`, or what the class of another job names; None unless `outcome` is "finished".

    `message` and `remedy` are for the person, where a job failed or its engine was lost.
    """

    job: Job
    outcome: Outcome
    result: RunFinished | Mapping[str, Any] | None = None
    message: str = ""
    remedy: str = ""

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def kind(self) -> str:
        return self.job.kind

    @property
    def can_retry(self) -> bool:
        """A training that failed can be begun again by the same recipe."""
        return self.outcome == "failed" and isinstance(self.job, TrainingJob)

    @property
    def can_resume(self) -> bool:
        """A training whose engine was lost can be resumed from its checkpoint."""
        return self.outcome == "lost" and isinstance(self.job, TrainingJob)


class Client(Protocol):
    """What the window needs of an `engine.client.EngineClient`."""

    @property
    def pid(self) -> int | None: ...
    def start(self) -> None: ...
    def send(self, command: Command) -> None: ...
    def events(self) -> Iterator[Event]: ...
    def close(self, timeout_s: float = ...) -> None: ...
    def kill(self) -> None: ...


class EngineWorker(QObject):
    """Starts the engine and passes its events on until it ends.

    `run` blocks its thread on the engine's pipe. `ended` is the last signal, whatever happened.
    """

    event_received = Signal(object)
    ended = Signal()

    def __init__(self, *, client: Client) -> None:
        super().__init__()
        self._client = client
        self._starting = Lock()
        self._is_closed = False

    @Slot()
    def run(self) -> None:
        try:
            if self._start():
                for event in self._client.events():
                    self.event_received.emit(event)
        except (QtDigitsError, OSError, ValueError) as error:
            # ValueError: the pipe was closed by `close` between start and first reading.
            self.event_received.emit(EngineLost(str(error)))
        finally:
            self.ended.emit()

    def close(self, timeout_s: float) -> None:
        """End the engine and with it `run`. Called from the GUI thread; the lock keeps a late start from leaving a process."""
        with self._starting:
            self._is_closed = True
            self._client.close(timeout_s)

    def _start(self) -> bool:
        with self._starting:
            if not self._is_closed:
                self._client.start()
            return not self._is_closed


class EngineProcess(QObject):
    """Owns client, worker and thread: one engine at a time, and another one after `ended`.

    `event_received` carries every event of the engine; an `EngineLost` only if the engine was not killed by `kill`. `ended` tells
    whether it was. An engine that does not answer a cancel in time is killed. Only bound methods of this object are connected to
    the worker, so that they run in the GUI thread.
    """

    event_received = Signal(object)
    ended = Signal(bool)

    def __init__(
        self,
        *,
        make_client: Callable[[], Client],
        cancel_timeout_ms: int = CANCEL_TIMEOUT_MS,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._make_client = make_client
        self._client: Client | None = None
        self._worker: EngineWorker | None = None
        self._thread: QThread | None = None
        self._was_killed = self._is_closed = False
        self._patience = QTimer(self, singleShot=True, interval=cancel_timeout_ms)
        self._patience.timeout.connect(self.kill)

    @property
    def pid(self) -> int | None:
        """The process id of the engine, None while there is none."""
        return self._client.pid if self._client is not None else None

    @property
    def is_started(self) -> bool:
        """From `start` to `ended`."""
        return self._worker is not None

    def start(self) -> None:
        """Start an engine unless there is one. Does not wait; `EngineReady` follows some seconds later."""
        if self._worker is not None or self._is_closed:
            return
        self._was_killed = False
        self._client = self._make_client()
        self._thread = QThread(self)
        self._thread.setObjectName("engine")
        self._worker = EngineWorker(client=self._client)
        self._worker.moveToThread(self._thread)
        self._thread.started.connect(self._worker.run)
        self._worker.event_received.connect(self._on_event, Qt.ConnectionType.QueuedConnection)
        self._worker.ended.connect(self._on_ended, Qt.ConnectionType.QueuedConnection)
        self._thread.start()

    def send(self, command: Command) -> None:
        """An engine that cannot be spoken to is ended, which brings an `EngineLost` in the usual way."""
        if self._client is None:
            return
        if command is ControlCommand.CANCEL:
            self._patience.start()
        try:
            self._client.send(command)
        except EngineError:
            self._client.kill()

    @Slot()
    def kill(self) -> None:
        """End the engine at once."""
        if self._client is not None:
            self._was_killed = True
            self._client.kill()

    def close(self, timeout_s: float) -> None:
        """Ask the engine to end, end it after `timeout_s`, and join the thread. For good: nothing is emitted any more."""
        self._is_closed = True
        self._patience.stop()
        if self._worker is not None:
            self._worker.close(timeout_s)
            self._join()

    @Slot(object)
    def _on_event(self, event: Event) -> None:
        if isinstance(event, Ending | EngineLost):
            self._patience.stop()
        if not (self._is_closed or (self._was_killed and isinstance(event, EngineLost))):
            self.event_received.emit(event)

    @Slot()
    def _on_ended(self) -> None:
        if not self._is_closed:
            self._patience.stop()
            self._join()
            self.ended.emit(self._was_killed)

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.quit()
            self._thread.wait()
            self._thread.deleteLater()
        self._client = self._worker = self._thread = None

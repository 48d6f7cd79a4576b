"""The worker that listens to the engine process, in a thread of its own."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Protocol

from PySide6.QtCore import QObject, Signal, Slot

from qtdigits.core.run.events import EngineLost, Event
from qtdigits.engine.protocol import Command
from qtdigits.errors import QtDigitsError


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

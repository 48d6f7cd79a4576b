"""Writes into the store that wait for another process without holding up the window."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from qtdigits.errors import StoreBusyError
from qtdigits.store.tables.samples import SampleStore

AGAIN_MS = 50
LONG_MS = 5_000
"""After so long the person is told why it takes so long."""


class Saving(QObject):
    """Does one write after the other. While another process writes, it is tried again and again until it can be done."""

    waiting_changed = Signal(bool)
    took_long = Signal(object)  # StoreBusyError

    def __init__(self, *, store: SampleStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._write: Callable[[], object] | None = None
        self._n_tried = 0
        self._again = QTimer(self, interval=AGAIN_MS)
        self._again.timeout.connect(self._try)

    @property
    def is_waiting(self) -> bool:
        """Whether a write waits for another process."""
        return self._write is not None

    def do(self, write: Callable[[], object]) -> None:
        """Call `write`, which may be called again if it raises `StoreBusyError`; it handles all other errors itself."""
        self._write, self._n_tried = write, 0
        self._try()
        if self.is_waiting:
            self._again.start()
            self.waiting_changed.emit(True)

    def give_up(self) -> None:
        """Do not write what waits."""
        self._write = None
        self._end_waiting()

    def finish(self) -> None:
        """Write what waits, as the window closes; wait for the other process as long as the store does."""
        write = self._write
        self.give_up()
        if write is not None:
            write()

    @Slot()
    def _try(self) -> None:
        write, self._write = self._write, None
        if write is None:
            return
        try:
            with self._store.without_waiting():
                write()
        except StoreBusyError as error:
            self._write = write
            self._n_tried += 1
            if self._n_tried == LONG_MS // AGAIN_MS:
                self.took_long.emit(error)
        else:
            self._end_waiting()

    def _end_waiting(self) -> None:
        if self._again.isActive():
            self._again.stop()
            self.waiting_changed.emit(False)

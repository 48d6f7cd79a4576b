"""How the window writes while another process does: it never waits for its lock in the GUI thread.

Store and library wait `PATIENCE_S` for another process, longer than one judgement of another window takes, and then raise
`StoreBusyError`. Dialogs show that error, and the person tries again. What nobody could repeat, or would have to draw again,
is written by `Saving`, as soon as it can be. Long work, such as an import, waits in a thread: see `background`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from qtdigits.errors import QtDigitsError, StoreBusyError

PATIENCE_S = 0.03
AGAIN_MS = 50
LONG_MS = 1_000
"""After so long the person is told why it takes so long."""
BUSY = StoreBusyError(
    "Another program is using your drawings.", "What you did is saved as soon as it lets go of them."
)


class Shared(Protocol):
    """Something on disk that other processes change too, such as the store."""

    def wait_at_most(self, seconds: float) -> None:
        """So long a change waits for another process before it raises `StoreBusyError`."""


@dataclass(frozen=True, eq=False)
class Write:
    """Something to be written. `work` is called again if it raises `StoreBusyError`."""

    work: Callable[[], Any]
    then: Callable[[Any], object]
    failed: Callable[[QtDigitsError], object]


class Saving(QObject):
    """Does one write after the other, in the order in which they came: at once, or when the other process lets go."""

    waiting_changed = Signal(bool)
    took_long = Signal(object)  # StoreBusyError

    def __init__(self, *shared: Shared, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shared = shared
        self._pending: deque[Write] = deque()
        self._is_writing = False
        self._n_tried = 0
        self._again = QTimer(self, interval=AGAIN_MS)
        self._again.timeout.connect(self._work)
        self._patience_s = PATIENCE_S
        self._wait_at_most(PATIENCE_S)

    @property
    def is_waiting(self) -> bool:
        """Whether something waits for another process."""
        return bool(self._pending)

    def do(
        self,
        work: Callable[[], Any],
        then: Callable[[Any], object] = lambda _: None,
        *,
        failed: Callable[[QtDigitsError], object],
    ) -> Write:
        """Do `work`, now if possible, and call `then` with what it returns, or `failed` with its error."""
        self._pending.append(write := Write(work, then, failed))
        if not self._is_writing:  # otherwise it follows what has asked for it
            self._work()
        return write

    def is_pending(self, write: Write) -> bool:
        return write in self._pending

    def drop(self, write: Write) -> None:
        """Do not write this."""
        if write in self._pending:
            self._pending.remove(write)
            self._tell_waiting()

    def finish(self, patience_s: float) -> None:
        """Write what waits, as the store is about to be closed. From now on everything waits for the other process."""
        self._patience_s = patience_s
        self._write_all(patience_s)
        for write in self._pending:
            write.failed(BUSY)
        self._pending.clear()
        self._tell_waiting()

    @Slot()
    def _work(self) -> None:
        is_again = self._again.isActive()
        self._write_all(0 if is_again else self._patience_s)
        self._tell_waiting()
        self._n_tried = self._n_tried + 1 if is_again and self._pending else 0
        if self._n_tried == LONG_MS // AGAIN_MS:
            self.took_long.emit(BUSY)

    def _write_all(self, patience_s: float) -> None:
        if self._pending:
            self._wait_at_most(patience_s)
            while self._pending and self._is_done(self._pending[0]):
                pass
            self._wait_at_most(self._patience_s)

    def _is_done(self, write: Write) -> bool:
        """Try a write, and return whether it is over, in whatever way."""
        self._is_writing = True
        try:
            outcome, call = write.work(), write.then
        except StoreBusyError:
            return False
        except QtDigitsError as error:
            outcome, call = error, write.failed
        except BaseException:
            self._pending.remove(write)
            raise
        finally:
            self._is_writing = False
        self._pending.remove(write)
        call(outcome)
        return True

    def _tell_waiting(self) -> None:
        if self._again.isActive() == self.is_waiting:
            return
        if self.is_waiting:
            self._again.start()
        else:
            self._again.stop()
        self.waiting_changed.emit(self.is_waiting)

    def _wait_at_most(self, seconds: float) -> None:
        for one in self._shared:
            one.wait_at_most(seconds)

"""What a person asks of a run while it goes on: to stop, or to be given up."""

from __future__ import annotations

from threading import Event

from qtdigits.errors import CancelledError


class Control:
    """Two requests, asked for in one thread and obeyed in another.

    Stop: finish the batch and keep the best weights so far. Cancel: give everything up. Neither can be taken back; cancel
    outranks stop.
    """

    def __init__(self) -> None:
        self._stop = Event()
        self._cancel = Event()

    def stop(self) -> None:
        self._stop.set()

    def cancel(self) -> None:
        self._cancel.set()

    @property
    def is_stopping(self) -> bool:
        return self._stop.is_set() or self._cancel.is_set()

    @property
    def is_cancelled(self) -> bool:
        return self._cancel.is_set()

    def check(self) -> None:
        """Raise `CancelledError` when the run is to be given up. For work that has something to keep."""
        if self.is_cancelled:
            raise CancelledError("The run was given up.")

    def check_before_training(self) -> None:
        """Raise `CancelledError` on either request: before the first batch there is nothing to keep."""
        if self.is_stopping:
            raise CancelledError("The run was given up before it had begun to train.")

"""What a person asks of a run while it goes on: to wait, to stop, to be given up, or to be taken up another time."""

from __future__ import annotations

from threading import Event

from qtdigits.errors import CancelledError


class Control:
    """Requests, asked for in one thread and obeyed in another.

    Stop: finish the batch and keep the best weights so far. Cancel: give everything up. Interrupt: give up here and now, but
    write down where the run stands, so that it can go on another time. None of them can be taken back; cancel outranks stop.
    Pause is taken back by `go_on`, and by each of the others.
    """

    def __init__(self) -> None:
        self._stop = Event()
        self._cancel = Event()
        self._interrupt = Event()
        self._going = Event()
        self._going.set()

    def stop(self) -> None:
        """End after the batch and keep the best weights; one that waits goes on to its end."""
        self._stop.set()
        self._going.set()

    def cancel(self) -> None:
        """Give the run up; a stop, too, is overruled."""
        self._cancel.set()
        self._going.set()

    def interrupt(self) -> None:
        """What was given up before stays given up."""
        if not self.is_cancelled:
            self._interrupt.set()
        self.cancel()

    def pause(self) -> None:
        """Wait after the batch, unless an end was asked for already."""
        if not self.is_stopping:
            self._going.clear()

    def go_on(self) -> None:
        self._going.set()

    @property
    def is_stopping(self) -> bool:
        """Whether any end was asked for, with a result or without."""
        return self._stop.is_set() or self._cancel.is_set()

    @property
    def is_cancelled(self) -> bool:
        return self._cancel.is_set()

    @property
    def is_interrupted(self) -> bool:
        return self._interrupt.is_set()

    @property
    def is_paused(self) -> bool:
        return not self._going.is_set()

    def wait_while_paused(self) -> None:
        """Block this thread until somebody says `go_on`, or asks for an end."""
        self._going.wait()

    def check(self) -> None:
        """Raise `CancelledError` when the run is to be given up. For work that has something to keep."""
        if self.is_cancelled:
            raise CancelledError("The run was given up.")

    def check_before_training(self) -> None:
        """Raise `CancelledError` on any request to end: before the first batch there is nothing to keep."""
        if self.is_stopping:
            raise CancelledError("The run was given up before it had begun to train.")

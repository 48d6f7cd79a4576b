"""What a person asks of a running job: to pause, to stop, to be cancelled, or to be interrupted and resumed later."""

from __future__ import annotations

from threading import Event

from qtdigits.errors import CancelledError


class Control:
    """Requests, asked for in one thread and obeyed in another.

    Stop: finish the batch and keep the best weights so far. Cancel: discard everything. Interrupt: end at once, but write a
    checkpoint, so that the run can be resumed. None of them can be taken back; cancel outranks stop. Pause is taken back by
    `resume`, and by each of the others.
    """

    def __init__(self) -> None:
        self._stop = Event()
        self._cancel = Event()
        self._interrupt = Event()
        self._going = Event()
        self._going.set()

    def stop(self) -> None:
        """End after the batch and keep the best weights; a paused run continues to its end."""
        self._stop.set()
        self._going.set()

    def cancel(self) -> None:
        """Discard the run; a stop, too, is overruled."""
        self._cancel.set()
        self._going.set()

    def interrupt(self) -> None:
        """A run that was cancelled before stays cancelled."""
        if not self.is_cancelled:
            self._interrupt.set()
        self.cancel()

    def pause(self) -> None:
        """Wait after the batch, unless an end was asked for already."""
        if not self.is_stopping:
            self._going.clear()

    def resume(self) -> None:
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
        """Block this thread until `resume`, or a request to end."""
        self._going.wait()

    def raise_if_cancelled(self) -> None:
        """Raise `CancelledError` when the run is cancelled. For work that has something to keep."""
        if self.is_cancelled:
            raise CancelledError("The run was cancelled.")

    def raise_if_stopping(self) -> None:
        """Raise `CancelledError` on any request to end: before the first batch there is nothing to keep."""
        if self.is_stopping:
            raise CancelledError("The run was cancelled before it had begun to train.")


class StudyControl(Control):
    """Asks one training after the other. Any end interrupts the training, which leaves a checkpoint; a study can be resumed."""

    def __init__(self) -> None:
        super().__init__()
        self._training = Control()

    def for_training(self) -> Control:
        """Return the control of the next training."""
        self._training = Control()
        if self.is_paused:
            self._training.pause()
        if self.is_stopping:
            self._training.interrupt()
        return self._training

    def stop(self) -> None:
        self.interrupt()

    def cancel(self) -> None:
        super().cancel()
        self._training.interrupt()

    def pause(self) -> None:
        super().pause()
        self._training.pause()

    def resume(self) -> None:
        super().resume()
        self._training.resume()

    def wait(self, seconds: float) -> None:
        """Return after `seconds`, or at once when an end is asked for."""
        self._cancel.wait(seconds)

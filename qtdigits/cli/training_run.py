"""A training in this process: events go to the view, signals to the control, and stdout stays free for results."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TextIO

from qtdigits.cli.training_view import TrainingView
from qtdigits.core.run.control import Control
from qtdigits.core.run.events import Event, RunCancelled, Terminal
from qtdigits.training.jobs import TrainingJob
from qtdigits.training.train import train_job

STOPPING = "Stopping: the best weights so far are kept. Press Ctrl+C again to cancel and keep no model."
CANCELLING = "Cancelling the run: no model is kept."
INTERRUPTING = "Interrupting: a checkpoint is written, so that the run can be resumed later."
LEAVING = "qtdigits: Interrupted."
TERMINATIONS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals that ask a process to end: from shutdown, a batch system, or a closed terminal."""

_SHOW_CURSOR = "\x1b[?25h"


def run_training(job: TrainingJob, view: TrainingView) -> Terminal:
    """Run the job to its end and return its terminal event.

    Raises `OSError` when the reader of the events is gone; the run is interrupted then, and can be resumed.
    """
    control = Control()
    shown = _ShownEvents(job.id, view, control)
    with obeying_signals(control, interrupting=INTERRUPTING, last_words=shown.end_at_once), view:
        train_job(job, emit=shown.emit, control=control)
    if shown.error is not None:
        raise shown.error
    return shown.endings[-1]


class _ShownEvents:
    """Shows the events of a run on a view, and sees to its one ending when the process is ended by a third Ctrl+C."""

    def __init__(self, run: str, view: TrainingView, control: Control) -> None:
        self._run, self._view, self._control = run, view, control
        self.endings: list[Terminal] = []
        self.error: OSError | None = None
        self._is_showing = self._must_leave = False

    def emit(self, event: Event) -> None:
        self._is_showing = True
        try:
            if self.error is None:
                self._view.show(event)
        except OSError as error:
            self.error = error
            self._control.interrupt()
        finally:
            if isinstance(event, Terminal):
                self.endings.append(event)
            self._is_showing = False
        if self._must_leave:
            _leave_at_once(self.end_at_once)

    def end_at_once(self) -> bool:
        """Show the ending, unless it was; return whether the process may be ended now."""
        if self._is_showing and not self._must_leave:
            # The signal came while an event is shown: let that be completed, but do not wait for it at the next signal.
            self._must_leave = True
            return False
        if self.endings:
            return False
        if not self._is_showing:
            self._must_leave = False
            self.emit(RunCancelled(self._run, is_interrupted=True))
        return True


@contextlib.contextmanager
def obeying_signals(
    control: Control,
    *,
    stopping: str = STOPPING,
    cancelling: str = CANCELLING,
    interrupting: str = "",
    last_words: Callable[[], bool] = lambda: True,
) -> Iterator[None]:
    """Ctrl+C once stops and keeps the best, as `stopping` says; twice cancels, as `cancelling` says.

    A third time ends the process at once after its `last_words`, as if it were killed, which everything on disk survives; an
    exception could get lost on its way through TensorFlow. If they return False, the process is about to end by itself.

    `TERMINATIONS` interrupt work that can be resumed, as `interrupting` says, and stop other work. They may come several times:
    `timeout` does that.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        if control.is_cancelled:
            _leave_at_once(last_words)
        elif control.is_stopping:
            control.cancel()
            _announce(cancelling)
        else:
            control.stop()
            _announce(stopping)

    def on_termination(_number: int, _frame: FrameType | None) -> None:
        if interrupting and not control.is_cancelled:
            control.interrupt()
            _announce(interrupting)
        elif not control.is_stopping:
            control.stop()
            _announce(stopping)

    handlers = {signal.SIGINT: on_interrupt, **dict.fromkeys(TERMINATIONS, on_termination)}
    before = {number: signal.getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        if number is signal.SIGINT or before[number] is not signal.SIG_IGN:  # nohup
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


def _leave_at_once(last_words: Callable[[], bool]) -> None:
    if last_words():
        _announce(LEAVING + (_SHOW_CURSOR if sys.stderr.isatty() else ""))
        os._exit(130)


def _announce(text: str) -> None:
    """Write to stderr without buffers: a signal may come during a write to `sys.stderr`."""
    clear_bar = "\r\x1b[2K" if sys.stderr.isatty() else ""
    with contextlib.suppress(OSError):
        os.write(2, f"{clear_bar}{text}\n".encode())


@contextlib.contextmanager
def stdout_for_results() -> Iterator[TextIO]:
    """Yield the stream for results. What others write to stdout meanwhile, C++ libraries included, goes to stderr."""
    sys.stdout.flush()
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):  # no file behind it, as in a test or a notebook
        results = sys.stdout
        with contextlib.redirect_stdout(sys.stderr):
            yield results
        return
    with (
        os.fdopen(os.dup(descriptor), "w", encoding="utf-8", errors="backslashreplace") as results,
        contextlib.redirect_stdout(sys.stderr),
    ):
        os.dup2(2, descriptor)
        try:
            yield results
        finally:
            os.dup2(results.fileno(), descriptor)

"""A training in this process: events to the view, signals to the control, stdout kept for results."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from qtdigits.cli.training_view import TrainingView
    from qtdigits.core.run.control import Control
    from qtdigits.core.run.events import Event, Terminal
    from qtdigits.training.jobs import TrainingJob

STOPPING = "Stopping: the best weights so far are kept. Ctrl+C once more gives the run up."
GIVING_UP = "Giving the run up: no model is kept."
INTERRUPTING = "Ending: it is written down where the run stands, so that it can go on another time."
LEAVING = "qtdigits: Interrupted."
TERMINATIONS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What asks a process to end: a machine that shuts down, a batch system, a terminal that is closed."""

_SHOW_CURSOR = "\x1b[?25h"


def run_training(request: TrainingJob, view: TrainingView) -> Terminal:
    """Run the request to its end and give its terminal event.

    Raises `OSError` when nobody reads the events any more; the run stands where it was interrupted and can go on.
    """
    from qtdigits.core.run.control import Control
    from qtdigits.core.run.events import RunCancelled, RunFailed, RunFinished
    from qtdigits.training.train import train_job

    control = Control()
    endings: list[Terminal] = []
    broken: list[OSError] = []
    is_telling = must_leave = False

    def emit(event: Event) -> None:
        nonlocal is_telling
        is_telling = True
        try:
            if not broken:
                view.show(event)
        except OSError as error:
            broken.append(error)
            control.interrupt()
        finally:
            if isinstance(event, RunFinished | RunCancelled | RunFailed):
                endings.append(event)
            is_telling = False
        if must_leave:
            _leave_at_once(end_at_once)

    def end_at_once() -> bool:
        nonlocal must_leave
        if is_telling and not must_leave:
            # The signal came in the middle of an event, which is told to its end first; another signal does not wait for that.
            must_leave = True
            return False
        if endings:
            return False
        if not is_telling:
            must_leave = False
            emit(RunCancelled(request.id, is_interrupted=True))
        return True

    with obeying_signals(control, interrupting=INTERRUPTING, last_words=end_at_once), view:
        train_job(request, emit=emit, control=control)
    if broken:
        raise broken[0]
    return endings[-1]


@contextlib.contextmanager
def obeying_signals(
    control: Control,
    *,
    stopping: str = STOPPING,
    giving_up: str = GIVING_UP,
    interrupting: str = "",
    last_words: Callable[[], bool] = lambda: True,
) -> Iterator[None]:
    """Ctrl+C once: stop and keep the best, as `stopping` says. Twice: cancel, as `giving_up` says.

    A third time ends the process at once, after its `last_words`, as if it were killed, which all that is on disk withstands; an
    exception could get lost on its way through TensorFlow. Where these give False, it is about to end by itself.

    Where the work can go on another time, as `interrupting` says, whatever asks the process to end interrupts it; otherwise
    that stops it. It may ask several times: `timeout` does.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        if control.is_cancelled:
            _leave_at_once(last_words)
        elif control.is_stopping:
            control.cancel()
            _announce(giving_up)
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
    """Write to stderr past all buffers: a signal may come in the middle of a write to `sys.stderr`."""
    clear_bar = "\r\x1b[2K" if sys.stderr.isatty() else ""
    with contextlib.suppress(OSError):
        os.write(2, f"{clear_bar}{text}\n".encode())


@contextlib.contextmanager
def stdout_for_results() -> Iterator[TextIO]:
    """The stream for results. What others write to stdout meanwhile, C++ libraries included, comes out on stderr."""
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

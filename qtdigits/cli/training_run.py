"""A training in this process: events to the view, Ctrl+C to the control, stdout kept for results."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from qtdigits.cli.training_view import TrainingView
    from qtdigits.core.run.control import Control
    from qtdigits.core.run.events import Event, Terminal
    from qtdigits.tasks.request import RetrainRequest

STOPPING = "Stopping: the best weights so far are kept. Ctrl+C once more gives the run up."
GIVING_UP = "Giving the run up: no model is kept."
LEAVING = "qtdigits: Interrupted."
_SHOW_CURSOR = "\x1b[?25h"


def run_training(request: RetrainRequest, view: TrainingView) -> Terminal:
    """Run the request to its end and give its terminal event. Raises `BrokenPipeError` when nobody reads the events."""
    from qtdigits.core.run.control import Control
    from qtdigits.core.run.events import RunCancelled, RunFailed, RunFinished
    from qtdigits.tasks.retrain import retrain

    control = Control()
    endings: list[Terminal] = []
    broken: list[BrokenPipeError] = []

    def emit(event: Event) -> None:
        if isinstance(event, RunFinished | RunCancelled | RunFailed):
            endings.append(event)
        if not broken:
            try:
                view.show(event)
            except BrokenPipeError as error:
                broken.append(error)
                control.cancel()

    with obeying_ctrl_c(control), view:
        retrain(request, emit=emit, control=control)
    if broken:
        raise broken[0]
    return endings[-1]


@contextlib.contextmanager
def obeying_ctrl_c(
    control: Control, *, stopping: str = STOPPING, giving_up: str = GIVING_UP
) -> Iterator[None]:
    """Ctrl+C once: stop and keep the best, as `stopping` says. Twice: cancel, as `giving_up` says.

    A third time ends the process at once, as if it were killed, which all that is on disk withstands; an exception could get
    lost on its way through TensorFlow.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        if control.is_stopping:
            signal.signal(signal.SIGINT, _leave_at_once)
            control.cancel()
            _announce(giving_up)
        else:
            control.stop()
            _announce(stopping)

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _leave_at_once(_number: int, _frame: FrameType | None) -> None:
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

"""The engine's side of the pipe: `python -m qtdigits engine`.

Two threads: the main one loads TensorFlow, then runs one job after the other; the other one listens to the commands, so that
stop, cancel and pause are heard in the middle of a job. Events go to what was standard output when the process began; from then
on descriptor 1 leads to stderr, so that no library can write between them.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TextIO

from qtdigits.core.recipe_files import load_recipe, recipe_names
from qtdigits.core.run.control import Control, StudyControl
from qtdigits.core.run.events import (
    Ending,
    EngineReady,
    Event,
    JobFailed,
    Notice,
    RunFailed,
    encode_event,
)
from qtdigits.engine.protocol import Command, ControlCommand, RunJob, decode_command
from qtdigits.errors import EngineError, InputError, QtDigitsError
from qtdigits.limits import JSON_BYTES
from qtdigits.paths import user_data_dir
from qtdigits.training.data_cache import DataCache
from qtdigits.training.jobs import Job, StudyJob, TrainingJob
from qtdigits.training.run_job import run_job

NICENESS = 10
EXIT_GRACE_S = 5.0
"""How long a job may take to end and to write a checkpoint before the process ends under it."""
IDLE_S = 2.0

QueuedJob = tuple[Job, Control]

BUSY = "busy", "The engine is busy with another job.", "Stop or cancel that first."


def main() -> int:
    """Serve until told to quit, or until the input ends because the program that started the engine is gone."""
    events = _claim_standard_output()
    server = Server(commands=_standard_input(), events=events, leave=os._exit)
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the program in the terminal, which tells us
    signal.signal(signal.SIGTERM, lambda _number, _frame: server.quit())
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    server.serve()
    return 0


class Server:
    """Handles `commands`, lines of JSON, and answers on `events`. `leave` ends the process if a job does not end in time.

    `jobs`: accepted and not begun yet; None ends the main loop.
    """

    def __init__(self, *, commands: Iterable[bytes], events: TextIO, leave: Callable[[int], object]) -> None:
        self._commands, self._events, self._leave = commands, events, leave
        self._writing = threading.RLock()  # a signal may come in the middle of writing
        self.jobs: SimpleQueue[QueuedJob | None] = SimpleQueue()  # a signal handler may put into it
        self._current: Control | None = None
        self._is_quitting = False
        self._cache = DataCache()

    def serve(self) -> None:
        threading.Thread(target=self.listen, name="commands", daemon=True).start()

        self._write(EngineReady(os.getpid(), load_libraries()))
        self._warm_up()
        while (job := self._next_job()) is not None:
            run_job(job[0], emit=self.emit, control=job[1], cache=self._cache)

    def quit(self) -> None:
        """End at once without a job; otherwise interrupt it, and end all the same if it does not end in time."""
        if self._is_quitting:
            return
        self._is_quitting = True
        with self._writing:
            if (control := self._current) is None:
                self._leave(0)
                return
        control.interrupt()
        self.jobs.put(None)
        timer = threading.Timer(EXIT_GRACE_S, self._leave, [0])
        timer.daemon = True
        timer.start()

    def emit(self, event: Event) -> None:
        """Write an event of the job at work."""
        with self._writing:
            if isinstance(event, Ending):
                # before it is read: the next command may come in answer to it
                self._current = None
            self._write(event)

    def listen(self) -> None:
        """Handle the commands as they come, until the input ends or one of them is to quit."""
        for line in self._commands:
            try:
                self.handle(decode_command(line.decode("utf-8", "surrogateescape")))
            except InputError as error:
                self._write(Notice("", f"The engine did not understand: {error.message}"))
            if self._is_quitting:
                return
        self.quit()

    def handle(self, command: Command) -> None:
        match command:
            case RunJob(job):
                self._begin(job)
            case ControlCommand.QUIT:
                self.quit()
            case ControlCommand():
                if (control := self._current) is not None:
                    _steer(control, command)

    def _write(self, event: Event) -> None:
        """Quit if nobody reads the events any more: then nobody wants the job either."""
        try:
            with self._writing:
                self._events.write(encode_event(event) + "\n")
                self._events.flush()
        except (OSError, ValueError):
            self.quit()

    def _begin(self, job: Job) -> None:
        if self._current is None:
            self._current = StudyControl() if isinstance(job, StudyJob) else Control()
            self.jobs.put((job, self._current))
        elif isinstance(job, TrainingJob):
            self._write(RunFailed(job.id, *BUSY))
        else:
            self._write(JobFailed(job.id, job.kind, *BUSY))

    def _next_job(self) -> QueuedJob | None:
        """Wait for it; tidy up when none comes at once, because whoever cancelled to train anew is waiting."""
        try:
            return self.jobs.get(timeout=IDLE_S)
        except Empty:
            tidy_up()
            return self.jobs.get()

    def _warm_up(self) -> None:
        try:
            warm_up(self._cache, data_dir=user_data_dir(), should_continue=self.jobs.empty)
        except Exception:  # noqa: BLE001 - it only saves time; a run that meets the same trouble reports it
            traceback.print_exc()


def _steer(control: Control, command: ControlCommand) -> None:
    match command:
        case ControlCommand.STOP:
            control.stop()
        case ControlCommand.CANCEL:
            control.cancel()
        case ControlCommand.PAUSE:
            control.pause()
        case ControlCommand.RESUME:
            control.resume()


def _claim_standard_output() -> TextIO:
    """The stream for events; what else is written to standard output goes to stderr from here on."""
    try:
        descriptor = os.dup(1)
        os.dup2(2, 1)
    except OSError as error:
        raise EngineError(
            "The engine has no output to answer on.", "It is started by the window, with pipes."
        ) from error
    return os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape")


def _standard_input() -> Iterator[bytes]:
    """Lines as they come. Unbuffered: a buffer's lock, held by the listening thread, would abort Python at its end."""
    try:
        with open(0, "rb", buffering=0, closefd=False) as stream:
            while line := stream.readline(JSON_BYTES.most):
                yield line
    except OSError:  # closed from the start, or gone: the end of the input either way
        return


def load_libraries() -> dict[str, str]:
    """Import everything that a training needs, which takes seconds; returns the versions of the libraries."""
    import qtdigits.ml.models
    import qtdigits.training.train  # noqa: F401
    from qtdigits.ml.backend import versions

    return versions()


def warm_up(cache: DataCache, *, data_dir: Path, should_continue: Callable[[], bool]) -> None:
    """Load MNIST and try the networks of the named recipes, for as long as `should_continue()`; a step takes a second or two."""
    from qtdigits.ml.training import warm_up as warm_up_network

    if should_continue():
        # the run that wants it says what is wrong with it
        with suppress(QtDigitsError):
            cache.mnist(folder=data_dir)
    for name in recipe_names():
        if should_continue():
            warm_up_network(load_recipe(name))


def tidy_up() -> None:
    """After a run, when nobody waits: let go of what the libraries have kept of it."""
    from qtdigits.ml.training import tidy_up as tidy_up_networks

    tidy_up_networks()

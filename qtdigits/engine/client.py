"""Starts an engine and talks to it, for the window's worker or anyone else. No Qt, no TensorFlow."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from qtdigits import paths
from qtdigits.core.run.events import EngineLost, Event, decode_event
from qtdigits.engine.protocol import Command, ControlCommand, encode_command
from qtdigits.errors import EngineError, InputError

NO_MEMORY = "The training engine ended because it ran out of memory. A smaller batch or network needs less."
KILLED = (
    "The training engine was killed. That is what the system does when memory runs out; "
    "then a smaller batch or network helps."
)
NATIVE_CRASHES = frozenset({"SIGSEGV", "SIGABRT", "SIGBUS"})
"""TensorFlow's native parts also end so without memory: seen with `prlimit --as` and a batch of 8,000."""
SIGKILL = int(getattr(signal, "SIGKILL", 9))
OUT_OF_MEMORY_TEXTS = (
    "std::bad_alloc",
    "MemoryError",
    "ResourceExhaustedError",
    "Cannot allocate memory",
    "out of memory",
    "OOM when allocating",
    "RESOURCE_EXHAUSTED",
)
"""What C++, Python, TensorFlow and the C library write last without memory."""
CLOSE_TIMEOUT_S = 5.0
KILL_TIMEOUT_S = 2.0
_TAIL_BYTES = 4096
_IS_WINDOWS = os.name == "nt"


def engine_command() -> list[str]:
    """Return the command that starts an engine: this program with the argument `engine`."""
    return [*paths.this_program(), "engine"]


class EngineClient:
    """One engine process, from `start` to its end; for another one make another client.

    `send`, `close` and `kill` may be called from any thread while one thread iterates over `events`. What the engine writes
    beside its events goes to `log_path`, by default `logs/engine.log` in the data folder; the log before it is kept as
    `engine.previous.log`.
    """

    def __init__(
        self,
        *,
        command: Sequence[str] | None = None,
        data_dir: Path | None = None,
        log_path: Path | None = None,
    ) -> None:
        self._command = list(command or engine_command())
        self._data_dir = paths.user_data_dir(data_dir)
        self._log_path = log_path or self._data_dir / "logs" / "engine.log"
        self._process: subprocess.Popen[str] | None = None
        self._log: IO[bytes] | None = None
        self._sending = threading.Lock()
        self._is_closing = self._is_heard = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process; it says `EngineReady` some seconds later. Raises `EngineError` when it cannot be started."""
        if self._process is not None:
            raise EngineError("This engine has been started before.", "Make another client.")
        self._log = _open_log(self._log_path)
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                encoding="utf-8",
                errors="surrogateescape",
                env={**os.environ, paths.DATA_DIR_VARIABLE: str(self._data_dir)},
                **_apart(),
            )
        except OSError as error:
            self._log.close()
            raise EngineError(
                f"The training engine could not be started: {error.strerror or error}.",
                "Install QtDigits anew; drawing and reading work without it.",
            ) from error

    def send(self, command: Command) -> None:
        """Raises `EngineError` when the engine is gone."""
        process = self._process
        if process is None or process.stdin is None:
            raise EngineError("The training engine is not running.", "Start it first.")
        try:
            with self._sending:
                process.stdin.write(encode_command(command) + "\n")
                process.stdin.flush()
        except (OSError, ValueError) as error:
            raise EngineError("The training engine is gone.", "Try again: another one is started.") from error

    def events(self) -> Iterator[Event]:
        """Yield the events as they come. The last one is `EngineLost`, unless the end was asked for by `close`."""
        process = self._process
        if process is None or process.stdout is None:
            raise EngineError("The training engine is not running.", "Start it first.")
        self._is_heard = True
        try:
            for line in process.stdout:
                # half a line is what a process that was killed leaves behind
                with contextlib.suppress(InputError):
                    yield decode_event(line)
            code = process.wait()
            if not self._is_closing:
                said = _tail_of(self._log) if self._log is not None else ""
                yield EngineLost(exit_reason(code, said), code)
        finally:
            process.stdout.close()
            self._close_files(process)

    def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Ask the engine to end, give it `timeout_s` for that, then end it. Afterwards nothing of it is left."""
        self._is_closing = True
        process = self._process
        if process is None:
            return
        with contextlib.suppress(EngineError):
            self.send(ControlCommand.QUIT)
        if not _ended(process, timeout_s):
            process.terminate()
            if not _ended(process, KILL_TIMEOUT_S):
                self.kill()
        process.wait()
        self._close_files(process)
        if not self._is_heard and process.stdout is not None:
            process.stdout.close()

    def kill(self) -> None:
        """End the engine at once, without asking. Whoever iterates over `events` hears of it there."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if _IS_WINDOWS or self._process.poll() is not None:
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)

    def _close_files(self, process: subprocess.Popen[str]) -> None:
        with contextlib.suppress(OSError), self._sending:
            if process.stdin is not None:
                process.stdin.close()
        if self._log is not None:
            self._log.close()


def _apart() -> dict[str, Any]:
    """Arguments of `Popen` that put the engine into a group of its own, so that Ctrl+C in a terminal does not reach it.

    Not into a session of its own: Linux may give each session an equal share of the processor (autogroups), and the engine's
    low priority would then count for nothing beside the window.
    """
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return {"creationflags": flags | subprocess.BELOW_NORMAL_PRIORITY_CLASS}
    return {"process_group": 0}


def _ended(process: subprocess.Popen[str], timeout_s: float) -> bool:
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def _open_log(path: Path) -> IO[bytes]:
    """A new log; the one before is kept beside it. Where none can be written, a nameless file that goes with the client."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.replace(path.with_suffix(f".previous{path.suffix}"))
        return path.open("a+b")
    except OSError:
        return tempfile.TemporaryFile("a+b")


def _tail_of(log: IO[bytes]) -> str:
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - _TAIL_BYTES))
    return log.read().decode("utf-8", "replace")


def exit_reason(code: int, log_tail: str) -> str:
    """Say why the engine ended. `code` is that of `Popen.returncode`, below 0 a signal; `log_tail` the end of its log."""
    if code and any(sign.casefold() in log_tail.casefold() for sign in OUT_OF_MEMORY_TEXTS):
        return NO_MEMORY
    if code == -SIGKILL:
        return KILLED
    if code < 0:
        name = _name_of(-code)
        hint = " Lack of memory can be the reason; then a smaller batch or network helps."
        return f"The training engine crashed ({name}).{hint if name in NATIVE_CRASHES else ''}"
    lines = log_tail.strip().splitlines()
    said = f" It said last: {lines[-1].strip()}" if lines and code > 0 else ""
    return f"The training engine stopped (exit code {code}).{said}"


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

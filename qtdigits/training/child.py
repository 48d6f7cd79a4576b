"""Commands of this program in processes of their own: for the window, which loads no TensorFlow, and for files of others."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from qtdigits.errors import CancelledError, InputError, QtDigitsError
from qtdigits.paths import this_program

LOOK_EVERY_S = 0.2
MOST_MEMORY_BYTES = 12 << 30
"""Of addresses, most of which TensorFlow never uses."""
UNUSABLE = 2
"""The exit code for an `InputError`."""


class EndedEarlyError(QtDigitsError):
    """The process was killed, or took too long."""


def run_program(
    *words: str, timeout_s: float, is_cancelled: Callable[[], bool] = lambda: False
) -> dict[str, Any]:
    """Run `qtdigits words… --json` and return the object that it prints.

    Raises the error that it reports, `EndedEarlyError` where it reports none, `CancelledError`.
    """
    with subprocess.Popen(
        [*this_program(), *words, "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            out, err = _wait(process, time.monotonic() + timeout_s, is_cancelled)
        except BaseException:
            process.kill()
            raise
    return _answer(process.returncode, out, err)


def _wait(process: subprocess.Popen[str], end: float, is_cancelled: Callable[[], bool]) -> tuple[str, str]:
    while True:
        try:
            return process.communicate(timeout=LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            if is_cancelled():
                raise CancelledError("It was cancelled.") from None
            if time.monotonic() > end:
                raise EndedEarlyError("It took too long.") from None


def _answer(code: int, out: str, err: str) -> dict[str, Any]:
    if code == 0:
        try:
            found: dict[str, Any] = json.loads(out)
        except ValueError:
            raise EndedEarlyError("Its answer could not be read.") from None
        return found
    complaints = [line for line in err.splitlines() if line.startswith("qtdigits: ")]
    if not complaints:
        raise EndedEarlyError(f"It ended early (exit code {code}).")
    message = complaints[-1].removeprefix("qtdigits: ")
    raise InputError(message) if code == UNUSABLE else QtDigitsError(message)


def limit_resources() -> None:
    """In a child: let a file that wants too much end this process, and nothing else. Windows has no such limits."""
    if sys.platform == "win32":
        return
    import resource

    for kind, most in ((resource.RLIMIT_AS, MOST_MEMORY_BYTES), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (limit, limit))


def limit_time(seconds: int) -> None:
    """Let this process end after so many more seconds of the processor's time."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    end = math.ceil(time.process_time()) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (end if hard == resource.RLIM_INFINITY else min(end, hard), hard))

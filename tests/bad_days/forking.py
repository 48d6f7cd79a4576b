"""Victims that are forked, not started: a kill then costs some hundredths of a second, and a thousand of them some minutes.

The shim `faults.c`, where it can be compiled, gives a victim a full or read-only disk, an fsync that fails or takes its time, a
kill in the middle of a write, or a clock that is wrong.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bad_days import victims
from qtdigits.errors import QtDigitsError

KINDS = ("none", "full", "read-only", "fsync fails once", "fsync fails", "fsync is slow", "killed in a write")
"""As in `faults.c`."""
PATIENCE_S = 120.0
ARMED = "QTDIGITS_FAULTS"
REFUSED, BROKEN = 3, 4
"""Exit codes of a victim: an error of `qtdigits.errors`, and any other."""


@dataclass(frozen=True)
class Fault:
    """What happens to a victim: at a named point passed `after` times, or what the shim does from call number `after` on."""

    kind: str = "none"
    after: int = 0
    point: str = ""
    clock_s: int = 0


@dataclass(frozen=True)
class Outcome:
    """What a victim has said, and how it ended."""

    said: tuple[str, ...]
    passed: tuple[str, ...]
    was_killed: bool
    code: int
    complaint: str


Work = Callable[[Path], None]


@contextmanager
def victim(work: Work, folder: Path, fault: Fault) -> Iterator[tuple[int, int]]:
    """A forked process at work, dead when the block ends: its id, and the pipe on which it says what it has done."""
    said, child = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(said)
        _live(work, folder, fault, child)
    os.close(child)
    try:
        yield pid, said
    finally:
        os.close(said)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def run(
    work: Work, folder: Path, fault: Fault, *, until_said: int | None = None, linger_s: float = 0.0
) -> Outcome:
    """Let a victim work until it ends, or is killed so many seconds after it has said so many things."""
    deadline = time.monotonic() + PATIENCE_S
    heard = b""
    with victim(work, folder, fault) as (pid, pipe):
        while (left := deadline - time.monotonic()) > 0:
            readable, _, _ = select.select([pipe], [], [], left)
            if readable and not (chunk := os.read(pipe, 1 << 16)):
                break
            heard += chunk if readable else b""
            if until_said is not None and len(_said(heard)) >= until_said:
                time.sleep(linger_s)
                break
        else:
            raise AssertionError(f"{work.__name__} hangs")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        while chunk := os.read(pipe, 1 << 16):
            heard += chunk
        _, status = os.waitpid(pid, 0)
    # A line that is not whole was not said.
    lines = heard.decode("utf-8", "replace").split("\n")[:-1]
    complaint = " ".join(line for line in lines if line.startswith("!"))
    passed = tuple(line.removeprefix("at ") for line in lines if line.startswith("at "))
    code = os.waitstatus_to_exitcode(status)
    return Outcome(_said(heard), passed, code < 0, code, complaint)


def _said(heard: bytes) -> tuple[str, ...]:
    lines = heard.decode("utf-8", "replace").split("\n")[:-1]
    return tuple(line for line in lines if not line.startswith(("at ", "!")))


def _live(work: Work, folder: Path, fault: Fault, pipe: int) -> None:
    """The forked process: it never returns."""
    code = BROKEN
    try:
        os.dup2(pipe, 1)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - until the process ends
        if fault.point:
            victims.arm(fault.point, str(fault.after))
        if fault.kind != "none" or fault.clock_s:
            arm_shim(fault)
        work(folder)
        code = 0
    except QtDigitsError as error:
        code = REFUSED
        print(f"! {error}".replace("\n", " "), flush=True)  # noqa: T201
    except BaseException:  # noqa: BLE001 - it is what is looked for
        print("! " + traceback.format_exc().replace("\n", " | "), flush=True)  # noqa: T201
    finally:
        os._exit(code)


def arm_shim(fault: Fault) -> None:
    shim = ctypes.CDLL(None)
    shim.faults_arm(KINDS.index(fault.kind), ctypes.c_long(fault.after), ctypes.c_longlong(fault.clock_s))


def has_shim(arguments: Sequence[str]) -> bool:
    """Whether the shim is loaded. Where it is not but can be compiled, this program is started again with it."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if ARMED in os.environ or compiler is None or not sys.platform.startswith("linux"):
        return ARMED in os.environ
    shim = Path(__file__).parents[2] / "build" / "faults.so"
    shim.parent.mkdir(exist_ok=True)
    source = Path(__file__).with_name("faults.c")
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    os.environ |= {"LD_PRELOAD": str(shim), ARMED: "yes"}
    return os.execv(sys.executable, [sys.executable, "-m", "tests.bad_days", *arguments])

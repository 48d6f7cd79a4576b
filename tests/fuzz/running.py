"""Trying inputs in a forked process with limits of time and memory, and sorting what goes wrong into kinds."""

from __future__ import annotations

import faulthandler
import gc
import json
import mmap
import os
import resource
import select
import shutil
import signal
import struct
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from fuzz.readers import Target
from qtdigits.errors import QtDigitsError

LIMIT_S = 2.0
"""Of the processor's time for one input; thirty times that by the clock."""
LIMIT_BYTES = 500 << 20
_PLACE = ("qtdigits/", "tests/fuzz/readers.py")


@dataclass(frozen=True)
class Finding:
    """What went wrong with the input of this number. `kind` is the same for the same fault: exception and place."""

    kind: str
    number: int
    text: str = ""

    @property
    def is_of_time(self) -> bool:
        return self.kind.startswith("time:")


def input_of(target: Target, name: str, seed: int, number: int) -> bytes:
    """The input of a number is always the same."""
    return target.input(Random(f"{seed}/{name}/{number}"))


def attempt(target: Target, content: bytes, folder: Path) -> Finding | None:
    """Read one input and use what was read, in this process."""
    is_read = False
    try:
        target.put(content, folder)
        use = target.read(folder)
        is_read = True
        use()
    except QtDigitsError as error:
        if is_read:
            return _finding("used", error)
        if (cause := _root(error)) and isinstance(cause, MemoryError):
            return _finding("memory", cause)
    except BaseException as error:  # noqa: BLE001 - this is what is looked for
        return _finding("used" if is_read else "read", error)
    return None


def try_inputs(
    target: Target, make: Callable[[int], bytes], first: int, last: int, *, until: float = float("inf")
) -> Iterator[Finding | int]:
    """Try the inputs `first` to `last` - 1; give the findings, and at the end how many inputs were tried.

    The process is replaced by a new one when an input has ended it.
    """
    tried, following = 0, first
    with mmap.mmap(-1, 8) as present, tempfile.TemporaryDirectory(dir=_fast_folder()) as scratch:
        while following < last and time.monotonic() < until:
            results, child = os.pipe()
            log = Path(scratch) / "log"
            pid = os.fork()
            if pid == 0:
                os.close(results)
                _work(target, make, range(following, last), until, present, child, Path(scratch))
            os.close(child)
            try:
                yield from _results_of(pid, results, present)
            except GeneratorExit:  # the first finding was enough
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                raise
            _, status = os.waitpid(pid, 0)
            number = struct.unpack("<q", present[:])[0]
            if os.WIFSIGNALED(status) and not (target.is_in_child and os.WTERMSIG(status) == signal.SIGPROF):
                yield Finding(
                    _kind_of_end(os.WTERMSIG(status), log), number, log.read_text("utf-8", "replace")[-3000:]
                )
            tried += number + 1 - following
            following = number + 1
    yield tried


def _results_of(pid: int, results: int, present: mmap.mmap) -> Iterator[Finding]:
    """Findings of the process until it ends; it is killed when one input takes too long by the clock."""
    buffer, last, since = b"", -1, time.monotonic()
    while True:
        readable, _, _ = select.select([results], [], [], 1.0)
        if readable:
            chunk = os.read(results, 1 << 16)
            if not chunk:
                break
            *lines, buffer = (buffer + chunk).split(b"\n")
            yield from (Finding(**json.loads(line)) for line in lines)
        number = struct.unpack("<q", present[:])[0]
        if number != last:
            last, since = number, time.monotonic()
        elif time.monotonic() - since > 30 * LIMIT_S:
            os.kill(pid, signal.SIGKILL)
    os.close(results)


def _work(
    target: Target, make: Callable[[int], bytes], numbers: range, until: float, present: mmap.mmap, results: int, scratch: Path
) -> None:  # fmt: skip
    """The forked process: it never returns."""
    code, folder = 1, scratch / "in"
    try:
        with (scratch / "log").open("w") as stream:
            os.dup2(stream.fileno(), 2)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0), os.dup2(nothing, 1)
        faulthandler.enable()
        faulthandler.register(signal.SIGPROF, chain=True)
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", RuntimeWarning)  # of numpy: what was read is out of range
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + 2 * LIMIT_BYTES, size + 2 * LIMIT_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in numbers:
            if time.monotonic() > until:
                break
            content = make(number)
            present[:] = struct.pack("<q", number)
            shutil.rmtree(folder, ignore_errors=True)
            signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
            found = attempt(target, content, folder)
            signal.setitimer(signal.ITIMER_PROF, 0)
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            if grown > LIMIT_BYTES >> 10:
                found = Finding("memory: more than 500 MB", number)
            if found:
                os.write(
                    results,
                    json.dumps({"kind": found.kind, "number": number, "text": found.text}).encode() + b"\n",
                )
            if grown > LIMIT_BYTES >> 10:
                break
            if number % 256 == 0:
                gc.collect()
        code = 0
    finally:
        os._exit(code)


def _finding(when: str, error: BaseException) -> Finding:
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if any(part in f.filename for part in _PLACE)
    ]
    own = [frame for frame in frames if "tests/fuzz" not in frame.filename] or frames
    where = f"{_short(own[-1].filename)}:{own[-1].name}" if own else "?"
    text = "".join(traceback.format_exception(error, limit=-12, chain=False))
    return Finding(
        f"{when}: {type(error).__name__} in {where}", -1, text[-3000:].encode("utf-8", "replace").decode()
    )


def _kind_of_end(number: int, log: Path) -> str:
    """A process that was ended: by the limit of time, or by a crash; the place is what faulthandler wrote."""
    lines = [
        line
        for line in log.read_text("utf-8", "replace").splitlines()
        if any(part in line for part in _PLACE)
    ]
    places = [line.split('"')[1] + ":" + line.rsplit(" in ", 1)[-1] for line in lines if '"' in line]
    where = next((_short(place) for place in places if "tests/fuzz" not in place), "?")
    what = {signal.SIGPROF: "time: more than 2 s", signal.SIGKILL: "time: hangs"}.get(
        number, f"crash: {signal.Signals(number).name}"
    )
    return f"{what} in {where}"


def _short(path: str) -> str:
    return path[path.rfind("qtdigits/") if "qtdigits/" in path else path.rfind("tests/") :]


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _fast_folder() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None

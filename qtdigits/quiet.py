"""Keeps C++ libraries, which bypass Python's streams, from writing into the terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from threading import RLock

STANDARD_STREAMS = (1, 2)
_ONE_AT_A_TIME = RLock()
"""The streams belong to the process: two threads that redirected them at once would restore each other's."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Swallow what is written to file descriptors 1 and 2; when the block raises, write it to stderr."""
    with _ONE_AT_A_TIME, tempfile.TemporaryFile() as swallowed:
        kept = _redirect(swallowed.fileno())
        try:
            yield
        except BaseException:
            _restore(kept)
            swallowed.seek(0)
            with contextlib.suppress(OSError):
                os.write(2, swallowed.read())
            raise
        _restore(kept)


def _redirect(target: int) -> dict[int, int]:
    """Point the standard streams at `target` and return copies of them. A windowed program may have none."""
    _flush()
    kept = {}
    for stream in STANDARD_STREAMS:
        with contextlib.suppress(OSError):
            kept[stream] = os.dup(stream)
            os.dup2(target, stream)
    return kept


def _restore(kept: dict[int, int]) -> None:
    _flush()
    for stream, copy in kept.items():
        os.dup2(copy, stream)
        os.close(copy)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()

"""Locks between processes; a process that ends, in whatever way, releases its locks."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from qtdigits.errors import StoreBusyError
from qtdigits.store.files import make_folder

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

PATIENCE_S = 10.0


class ProcessLock:
    """A lock on a file. Not for threads: a process that holds it can acquire it once more by another object."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def is_mine(self) -> bool:
        return self._descriptor is not None

    def acquire(self) -> bool:
        """Acquire the lock if it is free, and return whether it is mine now. Where files cannot be locked, it always is.

        Raises `StoreError` when its folder cannot be created.
        """
        if self._descriptor is None:
            make_folder(self.path.parent)
            with contextlib.suppress(OSError):
                descriptor = os.open(self.path, os.O_CREAT | os.O_RDWR, 0o666)
                if not _locked(descriptor):
                    os.close(descriptor)
                    return False
                self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Release the lock, if it is mine."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def is_taken(self) -> bool:
        """Return whether another process holds the lock at this moment."""
        if self.is_mine or not self.path.exists():
            return False
        if not self.acquire():
            return True
        self.release()
        return False


@contextlib.contextmanager
def held(path: Path, *, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold the lock `path` while something is read and changed. Raises `StoreBusyError` after waiting for `patience_s`."""
    lock = ProcessLock(path)
    deadline = time.monotonic() + patience_s
    while not lock.acquire():
        if time.monotonic() > deadline:
            raise StoreBusyError(
                f"{path} is held by another window or terminal.", "Try again, or end the one that hangs."
            )
        time.sleep(0.005)
    try:
        yield
    finally:
        lock.release()


def _locked(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True  # a file system without locks
    return True

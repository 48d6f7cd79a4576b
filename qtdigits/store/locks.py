"""Locks between processes: whoever holds one gives it back by ending, however that happens."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from qtdigits.store.files import make_folder

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class ProcessLock:
    """A lock with the name of a file. Not for threads: a process that holds it can take it once more by another object."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def is_mine(self) -> bool:
        return self._descriptor is not None

    def take(self) -> bool:
        """Take the lock unless somebody else has it; whether it is mine now. Where files cannot be locked, it always is.

        Raises `StoreError` when its folder cannot be made.
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

    def give_back(self) -> None:
        """Let others have it; nothing where it is not mine."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def is_taken(self) -> bool:
        """Whether another one has it, at this moment."""
        if self.is_mine or not self.path.exists():
            return False
        if not self.take():
            return True
        self.give_back()
        return False


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

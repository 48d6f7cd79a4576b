"""Temporary files beside those that they are to become, and clearing away what a killed process has left of them.

Whoever writes one holds a lock on it until it is renamed or removed. The lock goes with the process, however that ends, so
that a file which can be locked is nobody's any more.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_NAME = re.compile(r"\.(?P<target>.+)\.[0-9a-f]{12}\.(part|before)(-journal)?")
_AGE_WITHOUT_LOCKS_S = 3600.0
"""Windows has no such locks, but refuses to remove a file that is open; the moment between closing and renaming is left."""


@contextmanager
def temporary_beside(target: Path) -> Iterator[Path]:
    """An empty file in the folder of `target`; whatever still has its name when the block ends is removed.

    Raises `OSError` when it cannot be made.
    """
    while True:
        part = name_beside(target, "part")
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        with contextlib.closing(_Claim(descriptor)) as claim:
            if not claim.is_of_a_file:
                continue  # it was cleared away before it was locked
            try:
                yield part
            finally:
                part.unlink(missing_ok=True)
            return


@contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Keep `clear_away` from a file with a name of `name_beside` that is there already."""
    with contextlib.closing(_Claim(os.open(path, os.O_RDONLY))):
        yield


def name_beside(target: Path, what: str) -> Path:
    """A hidden name in the same folder that nobody else has chosen. `what`: "part" or "before"."""
    return target.with_name(f".{target.name}.{os.urandom(6).hex()}.{what}")


def clear_away(folder: Path, *, of: str | None = None) -> None:
    """Remove what interrupted writes have left in `folder` (only those of the file `of`); what is in use stays."""
    with contextlib.suppress(OSError):
        names = [entry.name for entry in os.scandir(folder) if entry.name.startswith(".")]
        for name in names:
            match = _NAME.fullmatch(name)
            if match and of in {None, match["target"]}:
                _remove_if_abandoned(folder / name)


class _Claim:
    """A lock on an open file; closing it gives the lock back. Where there are no locks, there is only the file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor
        if sys.platform == "win32":
            self.close()  # an open file cannot be renamed
        else:
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)

    @property
    def is_of_a_file(self) -> bool:
        """Whether the file still has a name."""
        return self._descriptor is None or os.fstat(self._descriptor).st_nlink > 0

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _remove_if_abandoned(path: Path) -> None:
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            if time.time() - path.stat().st_mtime > _AGE_WITHOUT_LOCKS_S:
                path.unlink()
            return
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
        finally:
            os.close(descriptor)

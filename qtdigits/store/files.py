"""Write files whole or not at all.

Content goes to a temporary file in the same folder, is synced to the disk, and then takes the file's name in one step. If
anything fails, the previous file is still there, unchanged. The temporary file of a killed process is removed when the
same file is written next.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from qtdigits.errors import StoreError
from qtdigits.untrusted import reason

if sys.platform != "win32":
    import fcntl

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}
_IS_WINDOWS = os.name == "nt"
_NAME = re.compile(r"\.(?P<target>.+)\.[0-9a-f]{12}\.(part|before)(-journal)?")
_AGE_WITHOUT_LOCKS_S = 3600.0
"""Windows has no such locks, but refuses to remove an open file; the age covers the moment between closing and renaming."""


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Yield a binary stream whose content becomes `path` when the block succeeds; otherwise nothing changes.

    The folder must exist. Raises `StoreError` when it cannot be written.
    """
    with writing_all(path) as (stream,):
        yield stream


@contextmanager
def writing_all(*paths: Path) -> Iterator[tuple[BinaryIO, ...]]:
    """Yield streams for files that belong together: all of them take their names, or none does.

    They take their names one after the other; when one fails, those before it get their old content back.
    """
    targets = [Path(os.path.realpath(path)) for path in paths]
    with _reporting(paths), ExitStack() as cleaning:
        for path, target in zip(paths, targets, strict=True):
            if target.exists() and not target.is_file():
                raise StoreError(f"{path} is not a file.", "Choose another name.")
            if targets.count(target) > 1:
                raise StoreError(f"{path} cannot hold two things.", "Give each file a name of its own.")
            remove_abandoned(target.parent, of=target.name)
        temporary = [cleaning.enter_context(temporary_beside(target)) for target in targets]
        streams = [cleaning.enter_context(part.open("wb")) for part in temporary]
        yield tuple(streams)
        for stream in streams:
            stream.flush()
            os.fsync(stream.fileno())
            stream.close()
        _take_names(temporary, targets)


def take_name(part: Path, target: Path) -> None:
    """Rename a temporary file, whose content is on the disk, and sync the folder."""
    _take_names([part], [target])


def write_file(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all. Raises `StoreError`."""
    with writing(path) as stream:
        stream.write(content)


def make_folder(path: Path) -> None:
    """Create `path` and the folders above it where absent. Raises `StoreError`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> StoreError:
    """Return the error to show when writing `path` failed with `error`."""
    if error.errno in _NO_ROOM:
        return StoreError(
            f"{path}: the disk is full.", "Make some room and try again; what was stored before is safe."
        )
    if error.errno in _NOT_ALLOWED:
        return StoreError(
            f"{path} cannot be written: {reason(error)}.", "Allow writing there, or choose another folder."
        )
    return StoreError(f"{path} cannot be written: {reason(error)}.", "Check the path, or choose another one.")


@contextmanager
def temporary_beside(target: Path) -> Iterator[Path]:
    """Yield an empty file in the folder of `target`; unless it is renamed, it is removed at the end. Raises `OSError`."""
    while True:
        part = temporary_name(target, "part")
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        with contextlib.closing(_Claim(descriptor)) as claim:
            if not claim.is_of_a_file:
                continue  # it was removed before it was locked
            try:
                yield part
            finally:
                part.unlink(missing_ok=True)
            return


def temporary_name(target: Path, what: str) -> Path:
    """Return a unique hidden name in the same folder. `what`: "part" or "before"."""
    return target.with_name(f".{target.name}.{os.urandom(6).hex()}.{what}")


def remove_abandoned(folder: Path, *, of: str | None = None) -> None:
    """Remove temporary files of killed processes in `folder` (only those of the file `of`)."""
    with contextlib.suppress(OSError):
        names = [entry.name for entry in os.scandir(folder) if entry.name.startswith(".")]
        for name in names:
            match = _NAME.fullmatch(name)
            if match and of in {None, match["target"]}:
                _remove_if_abandoned(folder / name)


class _Claim:
    """A lock on an open file, released by closing it. Where there are no locks, there is only the file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor
        if sys.platform == "win32":
            self.close()  # an open file cannot be renamed
        else:
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)

    @property
    def is_of_a_file(self) -> bool:
        """Whether the file still has a name, so that nobody has removed it."""
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


@contextmanager
def _reporting(paths: tuple[Path, ...]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise cannot_write(_meant(paths, error), error) from error


def _meant(paths: tuple[Path, ...], error: OSError) -> Path:
    """Return the file that an error is about: the name of its temporary file contains its own."""
    named = str(error.filename or "")
    return next((path for path in paths if path.name in named), paths[0])


def _take_names(temporary: list[Path], targets: list[Path]) -> None:
    with ExitStack() as cleaning:
        undo = ExitStack()
        try:
            for part, target in zip(temporary, targets, strict=True):
                if len(targets) > 1:
                    _prepare_undo(target, undo, cleaning)
                part.replace(target)
        except OSError:
            undo.close()
            raise
        for folder in {target.parent for target in targets}:
            _sync_folder(folder)


def _prepare_undo(target: Path, undo: ExitStack, cleaning: ExitStack) -> None:
    if not target.exists():
        undo.callback(target.unlink, missing_ok=True)
        return
    kept = temporary_name(target, "before")
    cleaning.callback(kept.unlink, missing_ok=True)
    try:
        os.link(target, kept)
    except OSError:
        # some file systems have no hard links
        shutil.copy2(target, kept)
    # So that `remove_abandoned` leaves it.
    cleaning.enter_context(contextlib.closing(_Claim(os.open(kept, os.O_RDONLY))))
    undo.callback(_put_back, kept, target)


def _put_back(kept: Path, target: Path) -> None:
    with contextlib.suppress(OSError):
        kept.replace(target)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable. Windows has no such call, and some network file systems refuse it."""
    if _IS_WINDOWS:
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

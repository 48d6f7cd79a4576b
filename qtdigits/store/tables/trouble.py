"""What a person is told when something is wrong with `samples.db`: SQLite's errors as `StoreError`, each with a remedy."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qtdigits.errors import StoreError

LEAST_FREE_BYTES = 1 << 16


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into `StoreError`."""
    try:
        yield
    except sqlite3.ProgrammingError:
        # Use from another thread or after closing: a fault of the program, not of the file.
        raise
    except sqlite3.Error as error:
        raise _store_error(path, error) from error


def damaged(path: Path, why: str) -> StoreError:
    """The error for a store that cannot be trusted: what to do depends on whether there is a backup."""
    backups = sorted(path.parent.glob(f"{path.name}.before-v*"))
    put_back = f"Put back the backup {backups[-1].name}, or move" if backups else "Move"
    return StoreError(
        f"{path} is damaged: {why}.",
        f"{put_back} the file away to start with an empty store. It was left as it is.",
    )


def read_only(path: Path) -> StoreError:
    return StoreError(
        f"{path} is read-only.", "Allow writing to the file and its folder, or choose another data folder."
    )


def full(path: Path) -> StoreError:
    return StoreError(
        f"{path}: the disk is full.", "Make some room and try again; what was stored before is safe."
    )


def vanished(path: Path) -> StoreError:
    return StoreError(
        f"{path} is no longer there.",
        "Put it back where it was and try again, or start QtDigits anew to begin an empty store.",
    )


def _store_error(path: Path, error: sqlite3.Error) -> StoreError:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    match code:
        case sqlite3.SQLITE_FULL:
            return full(path)
        case sqlite3.SQLITE_IOERR if _has_no_room(path):
            return full(path)
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return damaged(path, str(error))
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return read_only(path)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreError(
                f"{path} is in use by another program.", "Wait until that has ended and try again."
            )
        case sqlite3.SQLITE_CANTOPEN:
            return StoreError(
                f"{path} cannot be opened.", "Check that the folder exists and may be written to."
            )
        case _:
            return StoreError(
                f"{path} cannot be used: {error}.", "Check the disk, or choose another data folder."
            )


def _has_no_room(path: Path) -> bool:
    """Without room for its index of the log, SQLite says no more than "disk I/O error"."""
    with contextlib.suppress(OSError):
        return shutil.disk_usage(path.parent).free < LEAST_FREE_BYTES
    return False

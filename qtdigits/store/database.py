"""`samples.db` as a file: opening, migrating, transactions, and what a person is told when something is wrong."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qtdigits.errors import StoreError
from qtdigits.store import schema
from qtdigits.store.files import cannot_read, cannot_write, make_folder

FILE_NAME = "samples.db"
BUSY_TIMEOUT_S = 10.0
"""How long a writer waits for another one. Transactions take milliseconds, imports a second or two."""

MAGIC = b"SQLite format 3\0"


class Database:
    """An open `samples.db`. Belongs to the thread that opened it. Every failure is a `StoreError`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, folder: Path) -> Database:
        """The store in `folder`; both are made when absent, and an older store is brought up to date."""
        make_folder(folder)
        path = folder / FILE_NAME
        _look_at_file(path)
        _check_writable(path)
        with translated(path):
            database = cls(path, _connect(path.absolute().as_posix(), is_uri=False))
        with database.closed_on_error(), translated(path):
            # Looked at before anything is changed: the file may be another program's, or a newer version's.
            version = database._version()
            _switch_to_wal(database._connection)
            database._connection.execute("PRAGMA synchronous = FULL")
            if version < len(schema.MIGRATIONS):
                database._bring_up_to_date(version)
            database._check_tables()
        return database

    @classmethod
    def open_read_only(cls, path: Path) -> Database:
        """Any store file of the present version, whatever its name; nothing is written beside it or into it."""
        if not path.is_file():
            raise StoreError(f"There is no file {path}.", "Check the path.")
        _look_at_file(path)
        uri = f"{path.absolute().as_uri()}?mode=ro"
        if not _log_of(path).exists():
            # Nobody has it open, so nobody changes it. Otherwise SQLite would leave a log beside it, or fail to.
            uri += "&immutable=1"
        with translated(path):
            database = cls(path, _connect(uri, is_uri=True))
        with database.closed_on_error(), translated(path):
            if database._version() < len(schema.MIGRATIONS):
                raise StoreError(
                    f"{path} is from an older version of QtDigits.",
                    f"Copy it as {FILE_NAME} into an empty data folder and open that once with QtDigits.",
                )
            database._check_tables()
        return database

    def close(self) -> None:
        with translated(self.path):
            self._connection.close()

    def rows(self, statement: str, values: tuple[Any, ...] = ()) -> Iterator[sqlite3.Row]:
        """The rows of a query, one after the other."""
        with translated(self.path):
            yield from self._connection.execute(statement, values)

    def row(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        with translated(self.path):
            row: sqlite3.Row | None = self._connection.execute(statement, values).fetchone()
            return row

    def value(self, statement: str, values: tuple[Any, ...] = ()) -> Any:
        """The first column of the first row, or None."""
        row = self.row(statement, values)
        return None if row is None else row[0]

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        with translated(self.path):
            return self._connection.execute(statement, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block or nothing of it; when it ends well, it is on the disk."""
        with translated(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def problems(self) -> tuple[str, ...]:
        """What a thorough check finds, empty when all is well. Reads the whole file."""
        found = [str(row[0]) for row in self.rows("PRAGMA integrity_check") if row[0] != "ok"]
        found += [
            f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there"
            for row in self.rows("PRAGMA foreign_key_check")
        ]
        return tuple(found)

    @contextmanager
    def closed_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._connection.close()
            raise

    def _version(self) -> int:
        """The schema version. Raises `StoreError` for another program's file and for a newer version's."""
        # One statement, so that the three belong together while another process makes the store.
        version, application, n_tables = self._connection.execute(
            """SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema)
                FROM pragma_user_version, pragma_application_id"""
        ).fetchone()
        is_new = version == 0 and n_tables == 0
        if application != schema.APPLICATION_ID and not is_new:
            raise StoreError(
                f"{self.path} is a database of another program.",
                "Move it away, or choose another data folder.",
            )
        if version > len(schema.MIGRATIONS):
            raise StoreError(
                f"{self.path} was written by a newer version of QtDigits "
                f"(its format is {version}, this version knows {len(schema.MIGRATIONS)}).",
                "Update QtDigits, or choose another data folder. The file was not touched.",
            )
        return int(version)

    def _bring_up_to_date(self, version: int) -> None:
        if version > 0:
            self._back_up(version)
        with self.transaction():
            # Another process may have been faster.
            for step in schema.MIGRATIONS[self._version() :]:
                step(self._connection)
            self._connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            self._connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS)}")

    def _back_up(self, version: int) -> None:
        """Copy the store, as it is before a migration, to `samples.db.before-vN`; an older copy is not replaced."""
        name = f"{self.path.name}.before-v{version + 1}"
        numbered = (f"{name}-{number}" for number in range(2, 1000))
        free = next(p for p in map(self.path.with_name, (name, *numbered)) if not p.exists())
        copy = sqlite3.connect(free)
        try:
            self._connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        except BaseException:
            copy.close()
            free.unlink(missing_ok=True)
            raise
        copy.close()

    def _check_tables(self) -> None:
        names = {row[0] for row in self._connection.execute("SELECT name FROM sqlite_schema")}
        if missing := sorted(schema.TABLES - names):
            raise damaged(self.path, f"the table {missing[0]} is missing")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into `StoreError`, with a remedy for each kind."""
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


def _store_error(path: Path, error: sqlite3.Error) -> StoreError:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    match code:
        case sqlite3.SQLITE_FULL:
            return StoreError(
                f"{path}: the disk is full.", "Make some room and try again; what was stored before is safe."
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return damaged(path, str(error))
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return _read_only(path)
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


def _read_only(path: Path) -> StoreError:
    return StoreError(
        f"{path} is read-only.", "Allow writing to the file and its folder, or choose another data folder."
    )


def _connect(target: str, *, is_uri: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(target, timeout=BUSY_TIMEOUT_S, isolation_level=None, uri=is_uri)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.row_factory = sqlite3.Row
    return connection


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """SQLite itself does not wait when two processes do this to a new file at the same time, so this does."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _look_at_file(path: Path) -> None:
    """Find out from a hundred bytes whether the file can be a store; SQLite itself would find out much later."""
    try:
        with path.open("rb") as stream:
            header = stream.read(100)
            size = os.fstat(stream.fileno()).st_size
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(cannot_read(path, error), "Check the path and its permissions.") from error
    if size == 0:
        return
    if not header.startswith(MAGIC) or len(header) < 100:
        raise damaged(path, "it does not begin like a store")
    page_size = int.from_bytes(header[16:18], "big")
    expected = int.from_bytes(header[28:32], "big") * (65536 if page_size == 1 else page_size)
    if size < expected and not _has_log(path):
        raise damaged(path, f"{expected - size:,} bytes are missing at its end")


def _has_log(path: Path) -> bool:
    """Whether a write-ahead log lies beside the file: then another process has it open or ended without closing it."""
    with contextlib.suppress(OSError):
        return _log_of(path).stat().st_size > 0
    return False


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _check_writable(path: Path) -> None:
    if not path.exists():
        if not os.access(path.parent, os.W_OK):
            raise cannot_write(path, PermissionError(13, "permission denied"))
    elif not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise _read_only(path)

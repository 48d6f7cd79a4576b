"""`samples.db` as a file: opening, migrating, transactions.

The file is opened by SQLite only. On POSIX, opening and closing it otherwise would take away the locks by which the other
connections of this process hold it; another process would then find it unused and remove the write-ahead log under them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qtdigits.errors import StoreError
from qtdigits.store.files import cannot_write, make_folder, remove_abandoned, take_name, temporary_beside
from qtdigits.store.tables import schema

LEAST_FREE_BYTES = 1 << 16


@contextmanager
def as_store_error(path: Path) -> Iterator[None]:
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


def back_up(connection: sqlite3.Connection, path: Path, version: int) -> Path:
    """Copy the store at `path` to `samples.db.before-vN`, whole or not at all; an older copy is not replaced.

    A copy that was cut short would later be offered as what to put back, so it takes its name last.
    """
    name = f"{path.name}.before-v{version + 1}"
    numbered = (f"{name}-{number}" for number in range(2, 1000))
    free = next(p for p in map(path.with_name, (name, *numbered)) if not p.exists())
    with temporary_beside(free) as part:
        with contextlib.closing(sqlite3.connect(part)) as copy:
            # The copy needs no journal: it is thrown away when it is not finished.
            copy.execute("PRAGMA journal_mode = OFF")
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        take_name(part, free)
    return free


FILE_NAME = "samples.db"
BUSY_TIMEOUT_S = 10.0
"""How long a writer waits for another one. Transactions take milliseconds, imports a second or two."""

LOG_PAGES = 8000
"""How large the write-ahead log may grow (32 MB, some 700 drawings) before a drawing has to wait until it is moved into the file.

The last one to close the store moves it too, so that in most sittings nobody waits.
"""

MAGIC = b"SQLite format 3\0"


class Database:
    """An open `samples.db`. Belongs to the thread that opened it. Every failure is a `StoreError`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._files: tuple[object, ...] | None = None
        self._refusal: StoreError | None = None

    @classmethod
    def open(cls, folder: Path) -> Database:
        """The store in `folder`; both are made when absent, and an older store is brought up to date."""
        make_folder(folder)
        remove_abandoned(folder)
        path = folder / FILE_NAME
        _check_writable(path)
        _check_file(path)
        database = cls(path, _connect(path, path.absolute().as_posix(), is_uri=False))
        database._make_ready()
        return database

    @classmethod
    def open_read_only(cls, path: Path) -> Database:
        """Any store file, whatever its name; nothing is written beside it or into it.

        One of an older version, such as a backup, is copied into memory and brought up to date there.
        """
        if not path.is_file():
            raise StoreError(f"There is no file {path}.", "Check the path.")
        _check_file(path)
        if not _log_of(path).exists():
            # Nobody has it open, so nobody changes it. Otherwise SQLite would leave a log beside it, or fail to.
            return cls._looked_at(path, "mode=ro&immutable=1")
        try:
            return cls._looked_at(path, "mode=ro")
        except StoreError:
            # There may be no room for what SQLite keeps beside a log, as where opening the store just failed for that reason.
            if _has_log(path):
                raise
            return cls._looked_at(path, "mode=ro&immutable=1")

    @classmethod
    def _looked_at(cls, path: Path, how: str) -> Database:
        """`how` as SQLite takes it in the address of a file."""
        database = cls(path, _connect(path, f"{path.absolute().as_uri()}?{how}", is_uri=True))
        with database.closed_on_error(), as_store_error(path):
            if database._version() < len(schema.MIGRATIONS):
                return database._up_to_date_copy()
            database._check_tables()
        return database

    @classmethod
    def unavailable(cls, path: Path, refusal: StoreError) -> Database:
        """An empty store in memory, in place of the one at `path`; whoever wants to change it meets `refusal`."""
        database = cls(path, _connect(path, ":memory:", is_uri=False))
        database._migrate()
        database._refusal = refusal
        return database

    def close(self) -> None:
        with as_store_error(self.path):
            self._connection.close()

    def rows(self, statement: str, values: tuple[Any, ...] = ()) -> Iterator[sqlite3.Row]:
        """The rows of a query, one after the other."""
        with as_store_error(self.path):
            yield from self._connection.execute(statement, values)

    def row(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        with as_store_error(self.path):
            row: sqlite3.Row | None = self._connection.execute(statement, values).fetchone()
            return row

    def value(self, statement: str, values: tuple[Any, ...] = ()) -> Any:
        """The first column of the first row, or None."""
        row = self.row(statement, values)
        return None if row is None else row[0]

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """One statement, within the caller's transaction or as one by itself. Raises `StoreError`."""
        with as_store_error(self.path):
            return self._connection.execute(statement, values)

    def execute_many(self, statement: str, values: Iterable[tuple[Any, ...]]) -> None:
        """One statement with each of `values`. Raises `StoreError`."""
        with as_store_error(self.path):
            self._connection.executemany(statement, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block or nothing of it; when it ends well, it is on the disk, in the file of this name."""
        if self._refusal is not None:
            raise StoreError(self._refusal.message, self._refusal.remedy)
        self._make_sure_of_file()
        with as_store_error(self.path):
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
        """A database that could not be made ready is not left open."""
        try:
            yield
        except BaseException:
            self._connection.close()
            raise

    def _make_ready(self) -> None:
        """Bring the store up to date. What is wrong with it is found out before anything is changed."""
        with self.closed_on_error(), as_store_error(self.path):
            # The file may be another program's, or a newer version's.
            version = self._version()
            _switch_to_wal(self._connection)
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
            self._connection.execute(f"PRAGMA journal_size_limit = {LOG_PAGES * 4096}")
            if version < len(schema.MIGRATIONS):
                self._bring_up_to_date(version)
            self._check_tables()
            self._files = _files_at(self.path)

    def _make_sure_of_file(self) -> None:
        """What is written into a file that was removed or replaced meanwhile would be lost when it is closed.

        A store that was put in its place is used from now on; while there is none, there is a `StoreError`.
        """
        if self._files is None or self._connection.in_transaction or self._files == _files_at(self.path):
            return
        if not self.path.exists():
            raise vanished(self.path)
        if self._files[0] == _files_at(self.path)[0]:
            # Only the log is gone; what this connection still has of it goes into the store when it is closed.
            self._connection.close()
        present = Database.open(self.path.parent)
        self._connection.close()
        self._connection, self._files = present._connection, present._files

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
            back_up(self._connection, self.path, version)
        self._migrate()

    def _up_to_date_copy(self) -> Database:
        """This store in memory, to read from; the connection to the file is closed."""
        copy = Database(self.path, _connect(self.path, ":memory:", is_uri=False))
        with copy.closed_on_error():
            self._connection.backup(copy._connection)
            copy._migrate()
            copy._check_tables()
            copy._connection.execute("PRAGMA query_only = ON")
        self._connection.close()
        return copy

    def _migrate(self) -> None:
        with self.transaction():
            # Another process may have been faster.
            for step in schema.MIGRATIONS[self._version() :]:
                step(self._connection)
            self._connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            self._connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS)}")

    def _check_tables(self) -> None:
        names = {row[0] for row in self._connection.execute("SELECT name FROM sqlite_schema")}
        if missing := sorted(schema.TABLES - names):
            raise damaged(self.path, f"the table {missing[0]} is missing")


def is_in_use(path: Path) -> bool:
    """Whether `path` is a store that has a write-ahead log: then a process has it open or ended without closing it."""
    return _log_of(path).exists()


def _connect(path: Path, target: str, *, is_uri: bool) -> sqlite3.Connection:
    with as_store_error(path):
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


def _check_file(path: Path) -> None:
    """Find out whether the file can be a store before a write-ahead log is laid over it and it is changed.

    Done with SQLite, but past its locks and the log; see the module.
    """
    if not path.exists():
        return
    if path.is_dir():
        raise StoreError(f"{path} is a folder.", "Move it away, or choose another data folder.")
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with as_store_error(path), contextlib.closing(sqlite3.connect(uri, uri=True)) as db:
        try:
            n_pages, page_bytes = db.execute(
                "SELECT page_count, page_size FROM pragma_page_count, pragma_page_size"
            ).fetchone()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
                raise damaged(path, "it does not begin like a store") from error
            if error.sqlite_errorcode != sqlite3.SQLITE_CORRUPT:
                raise
            if _has_log(path):
                return  # which may have all that is missing
            raise damaged(path, "pages of it are missing or overwritten") from error
    size = path.stat().st_size
    if size < page_bytes and size > 0:
        # SQLite takes such a file for an empty one, and writes over it.
        raise damaged(path, "it does not begin like a store")
    if size < n_pages * page_bytes and not _has_log(path):
        raise damaged(path, f"{n_pages * page_bytes - size:,} bytes are missing at its end")


def _has_log(path: Path) -> bool:
    """Whether a write-ahead log lies beside the file: then another process has it open or ended without closing it."""
    with contextlib.suppress(OSError):
        return _log_of(path).stat().st_size > 0
    return False


def _files_at(path: Path) -> tuple[object, ...]:
    """What tells the store's files from others that take their names later."""
    found: list[object] = []
    for file in (path, _log_of(path)):
        try:
            status = file.stat()
        except OSError:
            found.append(None)
        else:
            found.append((status.st_dev, status.st_ino))
    return tuple(found)


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _check_writable(path: Path) -> None:
    if not path.exists():
        if not os.access(path.parent, os.W_OK):
            raise cannot_write(path, PermissionError(13, "permission denied"))
    elif not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise read_only(path)

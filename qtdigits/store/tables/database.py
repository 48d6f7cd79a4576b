"""The file `samples.db`: open, migrate, back up, transactions, and SQLite's errors in words for a person.

Only SQLite may open the file. On POSIX, opening and closing it in any other way releases the locks that this process's
other connections hold; another process would then take the file for unused and remove the write-ahead log under them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from qtdigits.errors import DamagedStoreError, StoreBusyError, StoreError
from qtdigits.store.files import cannot_write, make_folder, remove_abandoned, take_name, temporary_beside
from qtdigits.store.tables import foreign, schema
from qtdigits.store.tables.row_types import those_sound

T = TypeVar("T")

FILE_NAME = "samples.db"
BACKUPS = "backups/samples-*.db"
BUSY_TIMEOUT_S = 10.0
"""How long a writer waits for another one. Transactions take milliseconds, imports a second or two."""
LOG_PAGES = 8000
"""Size of the write-ahead log (32 MB, some 700 drawings) at which a write has to wait for its checkpoint.

Closing the last connection checkpoints too, so that in most sessions no write waits.
"""
MAGIC = b"SQLite format 3\0"
LEAST_FREE_BYTES = 1 << 16
"""SQLite reports a failed write as "disk I/O error"; with less room than this, the disk is taken to be full."""


class Database:
    """An open `samples.db`. Belongs to the thread that opened it. Every failure is a `StoreError`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._files: tuple[object, ...] | None = None
        self._refusal: StoreError | None = None
        self._patience_s = BUSY_TIMEOUT_S
        self.damaged: dict[str, str] = {}
        """The damaged rows that `sound` has left out, and what is wrong with each."""

    @classmethod
    def open(cls, folder: Path) -> Database:
        """Open the store in `folder`; create both when absent, and migrate an older store."""
        make_folder(folder)
        remove_abandoned(folder)
        path = folder / FILE_NAME
        _check_writable(path)
        _check_file(path)
        database = cls(path, _connect(path, path.absolute().as_posix(), is_uri=False))
        database._make_ready()
        return database

    @classmethod
    def open_read_only(cls, path: Path, *, is_foreign: bool = False) -> Database:
        """Open a store file of any name; nothing is written into it or beside it.

        An older version, such as a backup, is copied and migrated there. `is_foreign`: somebody else may have made it.
        """
        if not path.is_file():
            raise StoreError(f"There is no file {path}.", "Check the path.")
        _check_file(path)
        if not _log_of(path).exists():
            # Nobody has it open, so it cannot change. In any other mode SQLite would leave a log beside it, or fail to.
            return cls._read_only(path, "mode=ro&immutable=1", is_foreign=is_foreign)
        try:
            return cls._read_only(path, "mode=ro", is_foreign=is_foreign)
        except StoreError:
            # On a full disk there is no room for the index that SQLite keeps beside a log.
            if _has_log(path):
                raise
            return cls._read_only(path, "mode=ro&immutable=1", is_foreign=is_foreign)

    @classmethod
    def unavailable(cls, path: Path, refusal: StoreError) -> Database:
        """Return an empty store in memory, in place of the one at `path`; every change raises `refusal`."""
        database = cls(path, _connect(path, ":memory:", is_uri=False))
        database._migrate()
        database._refusal = refusal
        return database

    def close(self) -> None:
        with as_store_error(self.path):
            self._connection.close()

    def rows(self, statement: str, values: tuple[Any, ...] = ()) -> Iterator[sqlite3.Row]:
        with as_store_error(self.path):
            # `yield from` would close the cursor of an iteration that is given up, perhaps after the store itself: an error.
            for row in self._connection.execute(statement, values):  # noqa: UP028
                yield row

    def sound(self, make: Callable[[sqlite3.Row], T], rows: Iterable[sqlite3.Row]) -> Iterator[T]:
        """Yield what `make` makes of the rows, without the damaged ones."""
        return those_sound(make, rows, self.damaged)

    def row(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Row | None:
        """Return the first row of a query, or None."""
        with as_store_error(self.path):
            row: sqlite3.Row | None = self._connection.execute(statement, values).fetchone()
            return row

    def value(self, statement: str, values: tuple[Any, ...] = ()) -> Any:
        """Return the first column of the first row, or None."""
        row = self.row(statement, values)
        return None if row is None else row[0]

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Execute one statement, in the caller's transaction or in its own."""
        with as_store_error(self.path):
            return self._connection.execute(statement, values)

    def execute_many(self, statement: str, values: Iterable[tuple[Any, ...]]) -> None:
        with as_store_error(self.path):
            self._connection.executemany(statement, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit the whole block or nothing of it; what is committed is on the disk, in the file of this name."""
        if self._refusal is not None:
            raise StoreError(self._refusal.message, self._refusal.remedy)
        self._reopen_if_replaced()
        with as_store_error(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def wait_at_most(self, seconds: float) -> None:
        """So long a change waits for another process that writes, before it raises `StoreBusyError`."""
        self._patience_s = seconds
        self._connection.execute(f"PRAGMA busy_timeout = {round(1000 * seconds)}")

    def integrity_problems(self) -> list[str]:
        """Check that the pages of the file fit together."""
        return [str(row[0]) for row in self.rows("PRAGMA integrity_check") if row[0] != "ok"]

    def copy_to(self, target: Path) -> None:
        """Copy the store to a file. Raises `DamagedStoreError` for a damaged one, which no backup is to replace, `StoreError`."""

        def refuse(problem: str) -> None:
            raise _damaged(self.path, problem)

        with as_store_error(target):
            try:
                _copy(self._connection, target, check=refuse)
            except OSError as error:
                raise cannot_write(target, error) from error

    def replace_by(self, source: Database) -> None:
        """Replace all that is stored by what `source` holds. Ids that were given are not given again. Raises `StoreError`."""
        if self._refusal is not None:
            raise StoreError(self._refusal.message, self._refusal.remedy)
        self._reopen_if_replaced()
        given = {row["name"]: row["seq"] for row in self.rows("SELECT name, seq FROM sqlite_sequence")}

        def stop_if_busy(status: int, _n_left: int, _n_pages: int) -> None:
            if status in {
                sqlite3.SQLITE_BUSY,
                sqlite3.SQLITE_LOCKED,
            }:  # else it would be tried again for ever
                raise busy_error(self.path)

        with as_store_error(self.path):
            source._connection.backup(self._connection, progress=stop_if_busy)
        with self.transaction():
            for name, seq in given.items():
                self.execute(
                    "INSERT INTO sqlite_sequence SELECT ?, 0 WHERE ? NOT IN (SELECT name FROM sqlite_sequence)",
                    (name, name),
                )
                self.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (seq, name))

    def problems(self) -> tuple[str, ...]:
        """Check the whole file for damage and dangling references; empty when there are none."""
        found = self.integrity_problems()
        found += [
            f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there"
            for row in self.rows("PRAGMA foreign_key_check")
        ]
        return tuple(found)

    @classmethod
    def _read_only(cls, path: Path, parameters: str, *, is_foreign: bool) -> Database:
        """`parameters` of the URI by which SQLite opens the file."""
        database = cls(path, _connect(path, f"{path.absolute().as_uri()}?{parameters}", is_uri=True))
        with database._closed_on_error(), as_store_error(path):
            if is_foreign:
                foreign.limit(database._connection, path)
            version = database._version()
            database._check_tables(version)
            if is_foreign:
                foreign.refuse_programs(database._connection, path)
            if version < len(schema.MIGRATIONS):
                return database._migrated_copy(is_foreign=is_foreign)
        return database

    @contextmanager
    def _closed_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._connection.close()
            raise

    def _make_ready(self) -> None:
        """Configure and migrate the store; a file that cannot be used is refused before anything is changed."""
        with self._closed_on_error(), as_store_error(self.path):
            version = self._version()
            _switch_to_wal(self._connection)
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
            self._connection.execute(f"PRAGMA journal_size_limit = {LOG_PAGES * 4096}")
            if version < len(schema.MIGRATIONS):
                if version > 0:
                    _back_up(self._connection, self.path, version)
                self._migrate()
            self._check_tables()
            self._files = _files_at(self.path)

    def _reopen_if_replaced(self) -> None:
        """Open the store that has taken the place of this one, if any: writes into a removed file would be lost.

        Raises `StoreError` when the file was removed.
        """
        if self._files is None or self._connection.in_transaction or self._files == _files_at(self.path):
            return
        if not self.path.exists():
            raise _vanished(self.path)
        if self._files[0] == _files_at(self.path)[0]:
            # Only the log was removed; closing writes what this connection still has of it into the store.
            self._connection.close()
        present = Database.open(self.path.parent)
        self._connection.close()
        self._connection, self._files = present._connection, present._files
        self.wait_at_most(self._patience_s)

    def _version(self) -> int:
        """Return the schema version. Raises `StoreError` for another program's file and for a newer version's."""
        # One statement, so that the three values are consistent while another process creates the store.
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

    def _migrated_copy(self, *, is_foreign: bool) -> Database:
        """Copy the store, read-only, into a temporary file of SQLite's own, and close this one."""
        copy = Database(self.path, _connect(self.path, "", is_uri=False))
        with copy._closed_on_error():
            if is_foreign:
                foreign.limit(copy._connection, self.path)
            self._connection.backup(copy._connection)
            copy._migrate()
            copy._check_tables()
            copy._connection.execute("PRAGMA query_only = ON")
        self._connection.close()
        return copy

    def _migrate(self) -> None:
        with self.transaction():
            # Another process may have migrated it meanwhile.
            for step in schema.MIGRATIONS[self._version() :]:
                step(self._connection)
            self._connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            self._connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS)}")

    def _check_tables(self, version: int | None = None) -> None:
        """Refuse a store in which tables of the present version are missing; of an older one, only what is no store at all."""
        needed = schema.TABLES if version in {None, len(schema.MIGRATIONS)} else {"samples"}
        names = {row[0] for row in self._connection.execute("SELECT name FROM sqlite_schema")}
        if missing := sorted(needed - names):
            raise _damaged(self.path, f"the table {missing[0]} is missing")


def is_in_use(path: Path) -> bool:
    """Return whether a write-ahead log lies beside `path`: a process has it open, or ended without closing it."""
    return _log_of(path).exists()


@contextmanager
def as_store_error(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into `StoreError`."""
    try:
        yield
    except sqlite3.ProgrammingError:
        # A bug of the program, such as use from another thread or after closing.
        raise
    except UnicodeDecodeError as error:
        # SQLite quotes the damaged schema in its message, which Python cannot decode then.
        raise _damaged(path, "its tables are overwritten") from error
    except sqlite3.Error as error:
        raise _store_error(path, error) from error


def _connect(path: Path, target: str, *, is_uri: bool) -> sqlite3.Connection:
    with as_store_error(path):
        connection = sqlite3.connect(target, timeout=BUSY_TIMEOUT_S, isolation_level=None, uri=is_uri)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.row_factory = sqlite3.Row
        # A text that is not UTF-8 must not keep the rows beside it from being read.
        connection.text_factory = partial(str, encoding="utf-8", errors="replace")
        return connection


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Wait for another process that switches the same new file: SQLite does not wait here by itself."""
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
    """Refuse a file that cannot be a store before SQLite changes it or puts a log beside it.

    Reads it by SQLite, but without locks and log; see the module.
    """
    if not path.exists():
        return
    if not path.is_file():
        what = "a folder" if path.is_dir() else "not a file"
        raise StoreError(f"{path} is {what}.", "Move it away, or choose another data folder.")
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with as_store_error(path), contextlib.closing(sqlite3.connect(uri, uri=True)) as db:
        try:
            n_pages, page_bytes = db.execute(
                "SELECT page_count, page_size FROM pragma_page_count, pragma_page_size"
            ).fetchone()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
                raise _damaged(path, "it does not begin like a store") from error
            if error.sqlite_errorcode != sqlite3.SQLITE_CORRUPT:
                raise
            if _has_log(path):
                return  # the log may have the missing pages
            raise _damaged(path, "pages of it are missing or overwritten") from error
    size = path.stat().st_size
    if _is_not_empty(path.with_name(f"{path.name}-journal")):
        return  # the making of a new store was cut off; SQLite makes it empty again
    if size < page_bytes and size > 0:
        # SQLite would take such a file for an empty one and overwrite it.
        raise _damaged(path, "it does not begin like a store")
    if size < n_pages * page_bytes and not _has_log(path):
        raise _damaged(path, f"{n_pages * page_bytes - size:,} bytes are missing at its end")


def _has_log(path: Path) -> bool:
    """Return whether the write-ahead log beside the file holds anything."""
    return _is_not_empty(_log_of(path))


def _is_not_empty(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return path.stat().st_size > 0
    return False


def _files_at(path: Path) -> tuple[object, ...]:
    """Return device and inode of the store's files, to notice when others take their names."""
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
        raise _read_only_error(path)


def _back_up(connection: sqlite3.Connection, path: Path, version: int) -> Path:
    """Copy the store at `path` to `samples.db.before-vN`, whole or not at all; an older backup is not replaced."""
    name = f"{path.name}.before-v{version + 1}"
    numbered = (f"{name}-{number}" for number in range(2, 1000))
    free = next(p for p in map(path.with_name, (name, *numbered)) if not p.exists())
    _copy(connection, free)
    return free


def _copy(
    connection: sqlite3.Connection, target: Path, *, check: Callable[[str], None] | None = None
) -> None:
    """Copy a store whole or not at all, in one step, during which others may write. `check` is told of damage, and raises."""
    with temporary_beside(target) as part:
        with contextlib.closing(sqlite3.connect(part)) as copy:
            # No journal: an unfinished copy is removed.
            copy.execute("PRAGMA journal_mode = OFF")
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            for row in copy.execute("PRAGMA quick_check(1)") if check else ():
                if check and row[0] != "ok":
                    check(str(row[0]))
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        take_name(part, target)


def _damaged(path: Path, why: str) -> StoreError:
    """Return the error for a damaged store; the remedy names the latest backup if there is one."""
    backups = [*path.parent.glob(f"{path.name}.before-v*"), *path.parent.glob(BACKUPS)]
    latest = max(backups, key=lambda backup: backup.name, default=None)
    back = "" if latest is None else f", or restore a backup: qtdigits backups restore {latest.name}"
    return DamagedStoreError(
        f"{path} is damaged: {why}.",
        f"Keep what can be read of it: qtdigits samples check --repair{back}. It was left as it is.",
    )


def _read_only_error(path: Path) -> StoreError:
    return StoreError(
        f"{path} is read-only.", "Allow writing to the file and its folder, or choose another data folder."
    )


def busy_error(path: Path) -> StoreBusyError:
    """Return the error for a store that another process has been writing into for too long."""
    return StoreBusyError(
        f"Another program is using your drawings ({path}).", "Try again when it has let go of them."
    )


def _vanished(path: Path) -> StoreError:
    return StoreError(
        f"{path} is no longer there.",
        "Put it back where it was and try again, or restart QtDigits to begin an empty store.",
    )


def _store_error(path: Path, error: sqlite3.Error) -> StoreError:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    match code:
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR if code == sqlite3.SQLITE_FULL or _has_no_room(path):
            return cannot_write(path, OSError(errno.ENOSPC, "no space"))
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return _damaged(path, str(error))
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return _read_only_error(path)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return busy_error(path)
        case sqlite3.SQLITE_INTERRUPT:
            return StoreError(f"{path} takes too long to read.", "Choose another file.")
        case sqlite3.SQLITE_CANTOPEN:
            return StoreError(
                f"{path} cannot be opened.", "Check that the folder exists and may be written to."
            )
        case _:
            return StoreError(
                f"{path} cannot be used: {error}.", "Check the disk, or choose another data folder."
            )


def _has_no_room(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return shutil.disk_usage(path.parent).free < LEAST_FREE_BYTES
    return False

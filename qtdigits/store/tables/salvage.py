"""Reading what can still be read of a damaged `samples.db` into a new one; the damaged file is kept."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from qtdigits.core.drawing.samples import now
from qtdigits.errors import DamagedStoreError
from qtdigits.store.files import cannot_write, take_name, temporary_beside
from qtdigits.store.tables import foreign, schema

_TABLES = (
    *("writers", "classes", "label_sets", "samples", "trials", "runs", "queue"),
    *("class_sets", "class_set_members"),
)
_AT_ONCE = 64
_MOST_MISSES = 10_000
"""After so many ids in a row without a readable row, behind one that cannot be read, the table is taken to end."""
_LAST_ID = (1 << 63) - 1 - _AT_ONCE
_ORPHANS = (
    """INSERT OR IGNORE INTO writers (id, name, key)
        SELECT DISTINCT writer_id, 'writer ' || writer_id, 'writer ' || writer_id FROM {table}""",
    """INSERT OR IGNORE INTO classes (id, label, position)
        SELECT DISTINCT class_id, class_id, (SELECT coalesce(max(position), 0) FROM classes) + row_number() OVER ()
        FROM samples WHERE class_id NOT IN (SELECT id FROM classes) GROUP BY class_id""",
)


@dataclass(frozen=True)
class Salvaged:
    """`rows` of each table were read; `lost` were known to be there and could not be. `kept` is the damaged file."""

    rows: Mapping[str, int]
    lost: Mapping[str, int]
    kept: Path


def salvage(path: Path) -> Salvaged:
    """Replace the damaged store at `path` by what can be read of it. No other program may have it open.

    Raises `DamagedStoreError` when nothing can be read, and then changes nothing, and `StoreError`.
    """
    with temporary_beside(path) as part:
        found, lost = _copy(path, part)
        if not found.get("samples"):
            raise DamagedStoreError(
                f"No drawing in {path} can be read.", "Restore a backup: qtdigits backups list"
            )
        try:
            kept = _keep(path)
            _remove_log(path)
            with part.open("rb+") as stream:
                os.fsync(stream.fileno())
            take_name(part, path)
        except OSError as error:
            raise cannot_write(path, error) from error
    return Salvaged(found, lost, kept)


def set_file_aside(path: Path) -> Path:
    """Move a damaged store, with its log, to another name, and return that. Raises `StoreError`."""
    try:
        kept = _keep(path)
        _remove_log(path)
        path.unlink()
    except OSError as error:
        raise cannot_write(path, error) from error
    return kept


def _remove_log(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _copy(path: Path, part: Path) -> tuple[dict[str, int], dict[str, int]]:
    found, lost = {}, {}
    with (
        contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
        contextlib.closing(sqlite3.connect(part, isolation_level=None)) as copy,
    ):
        source.row_factory = sqlite3.Row
        source.text_factory = partial(str, encoding="utf-8", errors="replace")
        foreign.limit(source, path)
        if _number(source, "SELECT count(*) FROM sqlite_schema") is None:
            return {}, {}
        version = _begin(copy, source)
        copy.execute("BEGIN")
        for table in _TABLES:
            columns = [row[1] for row in copy.execute(f"PRAGMA table_info({table})")]
            if columns:
                n_known = _number(source, f"SELECT count(*) FROM {table}")
                found[table] = _copy_table(copy, source, table, columns)
                lost[table] = max(0, (n_known or 0) - found[table])
        for table in ("samples", "trials"):
            copy.execute(_ORPHANS[0].format(table=table))
        copy.execute(_ORPHANS[1])
        if "root_id" in {row[1] for row in copy.execute("PRAGMA table_info(classes)")}:
            copy.execute("UPDATE classes SET root_id = id WHERE root_id IS NULL")
        copy.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        copy.execute(f"PRAGMA user_version = {version}")
        copy.execute("COMMIT")
    return found, {table: n for table, n in lost.items() if n}


def _begin(copy: sqlite3.Connection, source: sqlite3.Connection) -> int:
    """Make the tables of the source's version, which is returned. Foreign keys stay off: some rows may be lost."""
    version = _number(source, "PRAGMA user_version") or 0
    if not 0 < version <= len(schema.MIGRATIONS):
        version = len(schema.MIGRATIONS)
    copy.execute("PRAGMA journal_mode = OFF")
    copy.execute("BEGIN")
    for step in schema.MIGRATIONS[:version]:
        step(copy)
    copy.execute("DELETE FROM classes")
    copy.execute("COMMIT")
    return version


def _copy_table(copy: sqlite3.Connection, source: sqlite3.Connection, table: str, columns: list[str]) -> int:
    n = 0
    for row in _readable(source, table):
        present = [name for name in columns if name in row.keys()]  # noqa: SIM118 - a sqlite3.Row
        marks = ", ".join("?" * len(present))
        with contextlib.suppress(sqlite3.Error):  # a row that no table of ours can hold
            copy.execute(
                f"INSERT OR IGNORE INTO {table} ({', '.join(present)}) VALUES ({marks})",
                tuple(row[name] for name in present),
            )
            n += 1
    return n


def _readable(source: sqlite3.Connection, table: str) -> Iterator[sqlite3.Row]:
    """Yield the rows some at a time, and id by id where the next ones cannot be read."""
    if table == "class_set_members":  # has no row ids
        yield from _some(source, f"SELECT * FROM {table}") or ()
        return
    following = (
        f"SELECT rowid AS place, * FROM {table} NOT INDEXED WHERE rowid > ? ORDER BY rowid LIMIT {_AT_ONCE}"
    )
    one = f"SELECT rowid AS place, * FROM {table} NOT INDEXED WHERE rowid = ?"
    place = n_missed = 0
    while n_missed < _MOST_MISSES and place < _LAST_ID:
        some = _some(source, following, place)
        if some == []:
            return
        reached = max((row["place"] for row in some or ()), default=place)
        if some is None or reached <= place:  # a damaged tree may lead back
            reached = place + _AT_ONCE
            some = [row for at in range(place + 1, reached + 1) for row in _some(source, one, at) or ()]
        n_missed = 0 if some else n_missed + _AT_ONCE
        place = reached
        yield from some


def _some(source: sqlite3.Connection, statement: str, *values: int) -> list[sqlite3.Row] | None:
    """Return the rows, None when not all of them can be read."""
    try:
        return source.execute(statement, values).fetchall()
    except (sqlite3.Error, UnicodeDecodeError):  # what is wrong may itself be said in no known encoding
        return None


def _number(source: sqlite3.Connection, statement: str) -> int | None:
    rows = _some(source, statement)
    value = rows[0][0] if rows else None
    return value if isinstance(value, int) else None


def _keep(path: Path) -> Path:
    """Copy the damaged file, with its log, to a name of its own."""
    kept = path.with_name(f"{path.name}.damaged-{now():%Y%m%d-%H%M%S}")
    for suffix in ("-wal", ""):
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(f"{path}{suffix}", f"{kept}{suffix}")
            with Path(f"{kept}{suffix}").open("rb+") as stream:
                os.fsync(stream.fileno())
    return kept

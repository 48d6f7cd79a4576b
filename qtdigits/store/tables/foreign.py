"""Reading a database that somebody else may have made: plain tables only, within limits of length and time.

A view, a trigger, an index on an expression or a computed column is a program that comes with the file. None of them runs: the
file is refused, and SQLite is told to authorise nothing but reading.
"""

from __future__ import annotations

import sqlite3
import time
from functools import cache
from pathlib import Path

from qtdigits.errors import StoreError
from qtdigits.store.tables import schema

MOST_BYTES_OF_VALUE = 1 << 26
"""The longest history of a run has some megabytes."""
LIMIT_S, BYTES_A_SECOND = 10.0, 1 << 20
"""How long SQLite may work for a file, and how many bytes buy one more second."""
STEPS_BETWEEN_LOOKS = 10_000
_FUNCTIONS = frozenset(
    {"count", "max", "min", "sum", "total", "coalesce", "group_concat", "json_each", "like"}
)
_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_TRANSACTION})
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: MOST_BYTES_OF_VALUE,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
}


def limit(connection: sqlite3.Connection, path: Path) -> None:
    """Limit length and time of what the connection does, before anything of the file is read."""
    for what, most in _LIMITS.items():
        connection.setlimit(what, most)
    for setting in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0"):
        connection.execute(f"PRAGMA {setting}")
    deadline = time.monotonic() + LIMIT_S + path.stat().st_size / BYTES_A_SECOND
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline), STEPS_BETWEEN_LOOKS)


def refuse_programs(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse anything but plain tables, and a file whose pages do not fit together; then allow reading alone.

    Raises `StoreError`, and `sqlite3.Error` for a schema that cannot be parsed.
    """
    kinds = {row["name"]: row["type"] for row in connection.execute("PRAGMA table_list")}
    for row in connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"):
        kind = kinds.get(row["name"], row["type"]) if row["type"] == "table" else row["type"]
        if kind not in {"table", "index", "trigger"}:
            raise _not_plain(path, f"{row['name']!r} is a {kind if kind == 'view' else f'{kind} table'}")
        if kind != "table" and _plain(row["sql"]) not in _known_programs():
            raise _not_plain(path, f"the {kind} {row['name']!r} is not one of QtDigits")
        if kind == "table" and _has_computed_columns(connection, row["name"]):
            raise _not_plain(path, f"the table {row['name']!r} has computed columns")
    for row in connection.execute("PRAGMA quick_check(1)"):
        if row[0] != "ok":
            raise StoreError(
                f"{path} is damaged: {str(row[0])[:200]}.",
                "Choose another file, or repair it: qtdigits samples check --repair --data-dir FOLDER",
            )
    connection.set_authorizer(_allow_reading)


def _allow_reading(
    action: int, first: str | None, second: str | None, _database: str | None, source: str | None
) -> int:
    """`source` is the view or trigger that asks."""
    is_allowed = source is None and (
        action in _READING
        or (action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _FUNCTIONS)
        or (action == sqlite3.SQLITE_PRAGMA and (first or "").lower() == "data_version")
    )
    return sqlite3.SQLITE_OK if is_allowed else sqlite3.SQLITE_DENY


def _has_computed_columns(connection: sqlite3.Connection, table: str) -> bool:
    return any(
        row["hidden"] for row in connection.execute("SELECT hidden FROM pragma_table_xinfo(?)", (table,))
    )


@cache
def _known_programs() -> frozenset[str]:
    """The indexes and triggers of all versions of the store."""
    known: set[str] = set()
    connection = sqlite3.connect(":memory:")
    for step in schema.MIGRATIONS:
        step(connection)
        found = connection.execute("SELECT sql FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL")
        known |= {_plain(row[0]) for row in found}
    connection.close()
    return frozenset(known)


def _plain(sql: str) -> str:
    return " ".join(sql.split())


def _not_plain(path: Path, what: str) -> StoreError:
    return StoreError(f"{path} is not a plain store: {what}.", "Choose another file.")

"""Finding the damaged rows of a store, and setting them aside: into a file, so that nothing is thrown away."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qtdigits.core.drawing.classes import free_name
from qtdigits.core.drawing.labels import MAX_LABEL_LENGTH, clean_label
from qtdigits.core.drawing.samples import now
from qtdigits.errors import InputError
from qtdigits.store.files import write_file
from qtdigits.store.tables import rows, runs
from qtdigits.store.tables.database import Database
from qtdigits.store.tables.row_types import DamagedRowError
from qtdigits.store.tables.rows import MAX_NAME_LENGTH, SAMPLE_COLUMNS, TRIAL_COLUMNS, clean_name, stored_text
from qtdigits.store.tables.schema import TALLIED

SET_ASIDE_NAME = "set-aside.jsonl"
"""A line for each row that was set aside, with all its columns; blobs in base64."""


@dataclass(frozen=True)
class Damage:
    """A damaged row. `column` is set where only that is damaged, and can be emptied."""

    table: str
    rowid: int
    what: str
    why: str
    column: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


# Rows whose writer, class or label set is missing are damaged too; hence the outer joins. `rowid` comes last: the first
# column names the row.
_READERS: tuple[tuple[str, str, str, Callable[[sqlite3.Row], object]], ...] = (
    (
        "samples",
        "",
        f"""SELECT {SAMPLE_COLUMNS}, samples.rowid AS place FROM samples LEFT JOIN writers ON writers.id = samples.writer_id
            LEFT JOIN classes AS own ON own.id = samples.class_id LEFT JOIN classes ON classes.id = own.root_id""",
        rows.sample_of,
    ),
    (
        "trials",
        "",
        f"""SELECT {TRIAL_COLUMNS}, trials.rowid AS place FROM trials LEFT JOIN writers ON writers.id = trials.writer_id
            LEFT JOIN label_sets ON label_sets.id = trials.label_set_id""",
        rows.trial_of,
    ),
    ("runs", "", f"SELECT {runs.COLUMNS}, rowid AS place FROM runs", runs.run_of),
    ("runs", "history", "SELECT id, history, rowid AS place FROM runs", runs.history_of),
    ("queue", "", "SELECT run_id, request, 0 AS is_known, rowid AS place FROM queue", runs.queued_of),
)


def find_damage(db: Database) -> Iterator[Damage]:
    """Read every row of the store and yield the damaged ones; those in the trash too."""
    for table, column, statement, make in _READERS:
        for row in db.rows(statement):
            try:
                make(row)
            except DamagedRowError as error:
                yield Damage(table, row["place"], error.what, error.why, column)


def odd_names(db: Database) -> Iterator[tuple[str, int, object, str]]:
    """Yield (table, row id, name, what it should be) of writers and labels that nobody could type."""
    for table, column, clean, most in (
        ("writers", "name", clean_name, MAX_NAME_LENGTH),
        ("classes", "label", clean_label, MAX_LABEL_LENGTH),
    ):
        found = [(row[0], row[1]) for row in db.rows(f"SELECT rowid, {column} FROM {table} ORDER BY rowid")]
        names = [name for _, name in found]
        for rowid, name in found:
            text = stored_text(name)
            try:
                is_clean = clean(text) == name
            except InputError:
                is_clean = False
            if not is_clean:
                printable = "".join(c if c.isprintable() else "?" for c in text).strip()[: most - 4]
                names.append(free_name(printable or "?", names))
                yield table, rowid, name, names[-1]


def set_aside(db: Database, found: list[Damage], folder: Path) -> None:
    """Move damaged rows into the file `SET_ASIDE_NAME` of `folder`. The caller holds the transaction. Raises `StoreError`."""
    lines = [_line(db, damage) for damage in found]
    path = folder / SET_ASIDE_NAME
    before = b""
    with suppress(FileNotFoundError):
        before = path.read_bytes()
    if lines:
        # The file is on the disk before the rows go.
        write_file(path, before + b"".join(lines))
    for damage in found:
        if damage.column:
            db.execute(f"UPDATE {damage.table} SET {damage.column} = NULL WHERE rowid = ?", (damage.rowid,))
        else:
            db.execute(f"DELETE FROM {damage.table} WHERE rowid = ?", (damage.rowid,))


def mend(db: Database) -> None:
    """Mend what can be told from the rest: names, references to rows that are gone, tallies. The caller holds the transaction."""
    for table, rowid, _, better in list(odd_names(db)):
        column = "name" if table == "writers" else "label"
        db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (better, rowid))
    db.execute("DELETE FROM class_set_members WHERE class_id NOT IN (SELECT id FROM classes)")
    db.execute("DELETE FROM class_set_members WHERE set_id NOT IN (SELECT id FROM class_sets)")
    for table, column, other in (
        ("trials", "sample_id", "samples"),
        ("samples", "given_class_id", "classes"),
        ("classes", "merged_into", "classes"),
    ):
        db.execute(f"UPDATE {table} SET {column} = NULL WHERE {column} NOT IN (SELECT id FROM {other})")
    _mend_roots(db)
    for tally, counting in TALLIED.items():
        db.execute(f"DELETE FROM {tally}")
        db.execute(f"INSERT INTO {tally} {counting}")


def n_set_aside(folder: Path) -> int:
    """Return how many rows lie in the file of those that were set aside."""
    try:
        with (folder / SET_ASIDE_NAME).open("rb") as stream:
            return sum(1 for _ in stream)
    except OSError:
        return 0


def _mend_roots(db: Database) -> None:
    """Let `root_id` be where merging ends; a class that was merged into itself in the end is itself again."""
    into = {row["id"]: row["merged_into"] for row in db.rows("SELECT id, merged_into FROM classes")}
    for class_id in into:
        root, seen = class_id, {class_id}
        while (following := into[root]) is not None and following not in seen:
            seen.add(following)
            root = following
        if into[root] is not None:
            into[class_id], root = None, class_id
            db.execute("UPDATE classes SET merged_into = NULL WHERE id = ?", (class_id,))
        db.execute("UPDATE classes SET root_id = ? WHERE id = ? AND root_id IS NOT ?", (root, class_id, root))


def _line(db: Database, damage: Damage) -> bytes:
    row = db.row(f"SELECT * FROM {damage.table} WHERE rowid = ?", (damage.rowid,))
    values = {} if row is None else {name: _plain(row[name]) for name in row.keys()}  # noqa: SIM118 - a sqlite3.Row
    writer = db.value("SELECT name FROM writers WHERE id = ?", (values.get("writer_id"),))
    told: dict[str, Any] = {
        "table": damage.table,
        "what": damage.what,
        "why": damage.why,
        "writer": writer,
        "set_aside_at": now().isoformat(),
        "row": values,
    }
    return json.dumps(told).encode() + b"\n"


def _plain(value: object) -> object:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value

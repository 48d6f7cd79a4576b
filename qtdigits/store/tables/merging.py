"""Merging two writers who are the same person, and two stores. The caller holds the transaction.

Held-out samples stay held out, and no other sample becomes so.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from qtdigits.core.drawing.labels import clean_label
from qtdigits.core.drawing.samples import now
from qtdigits.errors import InputError
from qtdigits.store.tables.classes import class_labelled, import_class, label_set_id_of_json
from qtdigits.store.tables.database import Database
from qtdigits.store.tables.editing import Added, Duplicate, find_duplicate, known_digests
from qtdigits.store.tables.row_types import CopiedRow, milliseconds_of, sound
from qtdigits.store.tables.rows import (
    SAMPLE_TABLES,
    WriterTable,
    clean_name,
    ink_of,
    shown_label,
    stored_text,
    trial_of,
)

_CHUNK = 500
_COPIED = (
    *("ordinal", "held_out", "origin", "device", "drawn_at", "preprocessing", "digest", "raster", "ink"),
    *("weight", "reviewed", "suspicion", "suggestion", "reason"),
)
_INSERT_SAMPLE = (
    f"INSERT INTO samples (id, writer_id, class_id, given_class_id, {', '.join(_COPIED)}) "
    f"VALUES ({', '.join('?' * (4 + len(_COPIED)))})"
)
_INSERT_TRIAL = """INSERT INTO trials (writer_id, model, judged_at, answer, verdict, truth, sample_id,
    label_set_id, probabilities, network_answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


@dataclass(frozen=True)
class MergedWriters:
    """`moved` drawings have another writer now; of `doubles`, which both writers had, one each went into the trash."""

    moved: int
    doubles: int


@dataclass(frozen=True)
class MergedStores(Added):
    """Drawings that were added or skipped, judgements that were added, and damaged rows that were left out."""

    trials: int = 0
    damaged: int = 0


def merge_writers(db: Database, names: WriterTable, source: str, into: str) -> MergedWriters:
    """Move all drawings and judgements of `source` to `into`, and remove `source`. Raises `InputError`."""
    if source == into:
        raise InputError(f"{source!r} cannot be merged with itself.", "Name two different writers.")
    for name in (source, into):
        names.require_writer(name)
    old, new = names.writer_id(source), names.writer_id(into)
    doubles = db.execute(
        """UPDATE samples SET deleted_at = ? WHERE writer_id = ? AND deleted_at IS NULL AND EXISTS (
            SELECT 1 FROM samples AS other WHERE other.digest = samples.digest AND other.writer_id = ?
                AND other.class_id = samples.class_id AND other.deleted_at IS NULL)""",
        (milliseconds_of(now()), old, new),
    ).rowcount
    moved = db.value("SELECT count(*) FROM samples WHERE writer_id = ? AND deleted_at IS NULL", (old,))
    for table in ("samples", "trials"):
        db.execute(f"UPDATE {table} SET writer_id = ? WHERE writer_id = ?", (new, old))
    db.execute("DELETE FROM writers WHERE id = ?", (old,))
    return MergedWriters(int(moved), doubles)


def merge_store(db: Database, names: WriterTable, source: Database) -> MergedStores:
    """Import `source`, matching writers by name and classes by label. Its trash and its runs are left out."""
    with _naming(source.path):
        for row in source.rows("SELECT name, key FROM writers ORDER BY id"):
            names.import_writer(clean_name(stored_text(row["name"])), clean_name(stored_text(row["key"])))
        for row in source.rows(
            """SELECT label, retired_at FROM classes WHERE root_id = id AND deleted_at IS NULL ORDER BY position"""
        ):
            is_retired = row["retired_at"] is not None
            label = clean_label(stored_text(row["label"]))
            import_class(db, label, retired_at=milliseconds_of(now()) if is_retired else None)
        copy = _Copy(db, names, source)
        added = copy.copy_samples()
        n_trials = copy.copy_trials()
    return MergedStores(added.added, added.skipped, n_trials, len(source.damaged))


def damaged_error(source: Database) -> InputError:
    """Return the error for a store with damaged rows, which names the first."""
    what, why = next(iter(source.damaged.items()))
    more = f" (and {len(source.damaged) - 1:,} more)" if len(source.damaged) > 1 else ""
    return InputError(
        f"{source.path}: {what} is damaged: {why}{more}.",
        "Nothing was taken. To take the rest, use qtdigits samples merge --skip-damaged.",
    )


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the store in which a name or a label is none."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error.message}", error.remedy) from error


class _Copy:
    """Copies one store into another, some hundred rows at a time; knows the new ids of the samples."""

    def __init__(self, db: Database, names: WriterTable, source: Database) -> None:
        self._db, self._names, self._source = db, names, source
        self._writer_ids = {name: names.writer_id(name) for name in names.writers()}
        self._class_ids: dict[str, str] = {}
        self._ids: dict[int, int] = {}

    def copy_samples(self) -> Added:
        newest = self._db.value("SELECT max(id) FROM samples") or 0
        # As AUTOINCREMENT would: an id is never given twice.
        next_id = (self._db.value("SELECT seq FROM sqlite_sequence WHERE name = 'samples'") or 0) + 1
        added = skipped = 0
        put_back: set[int] = set()
        for rows in _in_chunks(self._source.sound(_checked_sample, self._source_samples())):
            known = known_digests(self._db, {row["digest"] for row in rows})
            fresh = []
            for row in rows:
                duplicate = self._find_duplicate(row, newest) if row["digest"] in known else None
                if duplicate is None:
                    self._ids[row["id"]] = next_id
                    fresh.append((next_id, *self._values(row)))
                    next_id += 1
                    continue
                self._ids[row["id"]] = duplicate.ids[0]
                if duplicate.in_trash:
                    put_back.update(duplicate.ids)
                else:
                    skipped += 1
            self._db.execute_many(_INSERT_SAMPLE, fresh)
            added += len(fresh)
        self._db.execute_many(
            "UPDATE samples SET deleted_at = NULL WHERE id = ?", ((sample_id,) for sample_id in put_back)
        )
        return Added(added + len(put_back), skipped)

    def copy_trials(self) -> int:
        known = set(map(tuple, self._db.rows("SELECT writer_id, model, judged_at, answer FROM trials")))
        label_sets = {
            row["labels"]: label_set_id_of_json(self._db, row["labels"])
            for row in list(self._source.rows("SELECT labels FROM label_sets"))
        }
        n = 0
        for rows in _in_chunks(self._source.sound(_checked_trial, self._source_trials())):
            fresh = []
            for row in rows:
                writer_id = self._writer_ids[row["writer"]]
                told = (writer_id, row["model"], row["judged_at"], row["answer"])
                if told not in known:
                    label_set = label_sets[row["labels"]]
                    sample_id = self._ids.get(row["sample_id"])
                    also = (row["verdict"], row["truth"], sample_id, label_set)
                    fresh.append((*told, *also, row["probabilities"], row["network_answer"]))
            self._db.execute_many(_INSERT_TRIAL, fresh)
            n += len(fresh)
        return n

    def _source_samples(self) -> Iterator[sqlite3.Row]:
        return self._source.rows(
            f"""SELECT samples.id, writers.name AS writer, classes.label, given.label AS given_label,
                    {", ".join(f"samples.{name}" for name in _COPIED)}
                FROM {SAMPLE_TABLES} LEFT JOIN classes AS given ON given.id = samples.given_class_id
                WHERE samples.deleted_at IS NULL ORDER BY samples.id"""
        )

    def _source_trials(self) -> Iterator[sqlite3.Row]:
        return self._source.rows(
            f"""SELECT trials.id, writers.name AS writer, trials.model, trials.judged_at,
                    {shown_label("trials.answer")} AS answer, trials.verdict,
                    {shown_label("trials.truth")} AS truth, trials.sample_id, label_sets.labels, trials.probabilities,
                    {shown_label("trials.network_answer")} AS network_answer
                FROM trials JOIN writers ON writers.id = trials.writer_id
                    JOIN label_sets ON label_sets.id = trials.label_set_id
                ORDER BY trials.id"""
        )

    def _find_duplicate(self, row: sqlite3.Row, newest: int) -> Duplicate | None:
        """Look for the sample by its present label, then by its first one."""
        for label in (row["label"], row["given_label"]):
            if label is not None:
                found = find_duplicate(
                    self._db, digest=row["digest"], writer=row["writer"], label=label, newest=newest
                )
                if found is not None:
                    return found
        return None

    def _values(self, row: sqlite3.Row) -> tuple[Any, ...]:
        return (
            self._writer_ids[row["writer"]],
            self._class_id(row["label"]),
            None if row["given_label"] is None else self._class_id(row["given_label"]),
            *(row[name] for name in _COPIED),
        )

    def _class_id(self, label: str) -> str:
        if label not in self._class_ids:
            self._class_ids[label] = class_labelled(self._db, label).id
        return self._class_ids[label]


def _checked_sample(row: sqlite3.Row) -> sqlite3.Row:
    ink_of(sound(CopiedRow, row, "drawing"))
    for label in filter(None, (row["label"], row["given_label"])):
        clean_label(label)
    return row


def _checked_trial(row: sqlite3.Row) -> sqlite3.Row:
    trial_of(row)
    return row


def _in_chunks(rows: Iterator[sqlite3.Row]) -> Iterator[list[sqlite3.Row]]:
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk

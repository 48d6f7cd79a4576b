"""Rows of `samples.db` to values and back, filters of samples, and the table of writers."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypedDict

import numpy as np

from qtdigits.core.drawing.ink import Ink, decode_ink
from qtdigits.core.drawing.raster import PREPROCESSING_VERSION, render
from qtdigits.core.drawing.samples import Origin, Raster, Sample, Suspicion, Trial, Verdict
from qtdigits.errors import InputError
from qtdigits.store.tables.database import Database
from qtdigits.store.tables.row_types import (
    DamagedRowError,
    SampleRow,
    ThumbnailRow,
    TrialRow,
    from_json,
    milliseconds_of,
    moment_of,
    sound,
)

MAX_NAME_LENGTH = 64

SAMPLE_COLUMNS = """samples.id, writers.name AS writer, classes.label, samples.origin, samples.held_out,
    samples.device, samples.drawn_at, samples.preprocessing, samples.raster, samples.ink, samples.weight,
    samples.reviewed, samples.suspicion, samples.suggestion, samples.reason"""
# `classes` is the class that a drawing counts as, `own` the one that it was given, which may have been merged.
SAMPLE_TABLES = """samples JOIN writers ON writers.id = samples.writer_id
    JOIN classes AS own ON own.id = samples.class_id JOIN classes ON classes.id = own.root_id"""
CLASSES_SHOWN_AS = """(SELECT own.id FROM classes AS own JOIN classes AS root ON root.id = own.root_id
    WHERE root.label = ?)"""
CLASSES_AMONG = "(SELECT id FROM classes WHERE root_id IN (SELECT value FROM json_each(?)))"
RETIRED_CLASSES = """(SELECT own.id FROM classes AS own JOIN classes AS root ON root.id = own.root_id
    WHERE root.retired_at IS NOT NULL OR root.deleted_at IS NOT NULL)"""


def shown_label(column: str) -> str:
    """Return SQL for the label that an own label in `column` is shown as: that of the class which it was merged into."""
    merged = f"""(SELECT root.label FROM classes AS own JOIN classes AS root ON root.id = own.root_id
        WHERE own.label = {column})"""
    return f"coalesce({merged}, {column})"


# A sample in the trash is none, for a trial too.
TRIAL_COLUMNS = f"""trials.id, writers.name AS writer, trials.model, {shown_label("trials.answer")} AS answer,
    trials.verdict, {shown_label("trials.truth")} AS truth,
    {shown_label("trials.network_answer")} AS network_answer,
    trials.judged_at, label_sets.labels, trials.probabilities,
    CASE WHEN trials.sample_id NOT IN (SELECT id FROM samples WHERE deleted_at IS NOT NULL) THEN trials.sample_id END
    AS sample_id"""
TRIAL_TABLES = """trials JOIN writers ON writers.id = trials.writer_id
    JOIN label_sets ON label_sets.id = trials.label_set_id"""


def sample_of(row: sqlite3.Row) -> Sample:
    """Return the drawing of a row of `SAMPLE_COLUMNS`. Raises `DamagedRowError`."""
    found = sound(SampleRow, row, "drawing")
    ink = ink_of(found)
    return Sample(
        label=found.label,
        raster=np.frombuffer(raster_blob_of(found, ink), np.uint8).reshape(28, 28),
        writer=found.writer,
        ink=ink,
        origin=found.origin,
        held_out=bool(found.held_out),
        device=found.device,
        drawn_at=moment_of(found.drawn_at),
        id=found.id,
        weight=found.weight,
        suspicion=suspicion_of(found),
        is_reviewed=bool(found.reviewed),
    )


def suspicion_of(row: SampleRow | ThumbnailRow) -> Suspicion | None:
    if row.suspicion is None:
        return None
    return Suspicion(row.suspicion, row.suggestion or "", row.reason or "")


def ink_of(row: SampleRow) -> Ink | None:
    """Return the ink, None for an image. Raises `DamagedRowError`."""
    try:
        return None if row.ink is None else decode_ink(row.ink)
    except InputError as error:
        raise DamagedRowError(f"drawing {row.id}", "its ink cannot be read") from error


def raster_blob_of(row: SampleRow, ink: Ink | None) -> bytes:
    """Return 784 bytes by the present preprocessing: ink that an older version rendered is rendered again."""
    if ink is not None and not ink.is_blank and row.preprocessing != PREPROCESSING_VERSION:
        return render(ink).tobytes()
    return row.raster


def raster_blob(raster: Raster) -> bytes:
    """Return 784 bytes, row by row. Raises `ValueError` for anything but `(28, 28) uint8`."""
    if raster.shape != (28, 28) or raster.dtype != np.uint8:
        raise ValueError(f"a raster is (28, 28) uint8, not {raster.shape} {raster.dtype}")
    return raster.tobytes()


def trial_of(row: sqlite3.Row) -> Trial:
    """Return the judgement of a row of `TRIAL_COLUMNS`. Raises `DamagedRowError`."""
    found = sound(TrialRow, row, "judgement")
    try:
        classes = from_json(found.labels, tuple[str, ...], column="labels")
        probabilities = np.frombuffer(found.probabilities, "<f8")
        if len(probabilities) != len(classes) or not np.isfinite(probabilities).all():
            raise ValueError("its probabilities are not one number for each class")
    except ValueError as error:
        raise DamagedRowError(f"judgement {found.id}", str(error)) from error
    return Trial(
        writer=found.writer,
        model=found.model,
        answer=found.answer,
        verdict=found.verdict,
        truth=found.truth,
        classes=classes,
        probabilities=tuple(probabilities.tolist()),
        sample_id=found.sample_id,
        judged_at=moment_of(found.judged_at),
        id=found.id,
        network_answer=found.network_answer,
    )


def digest_of(sample: Sample) -> bytes:
    """Return 16 bytes that are equal for equal drawings: a hash of the ink, or of the raster of an image."""
    if sample.ink is None:
        return hashlib.sha256(b"raster" + sample.raster.tobytes()).digest()[:16]
    lengths = np.array([len(stroke) for stroke in sample.ink.strokes], "<u4")
    points = np.ascontiguousarray(sample.ink.points, "<f4")
    return hashlib.sha256(b"ink" + lengths.tobytes() + points.tobytes()).digest()[:16]


def stored_text(value: object) -> str:
    """Return a name or label as it is stored; "", which is none, where it is no text in a damaged or a strange store."""
    return value if isinstance(value, str) else ""


def clean_name(text: str, *, what: str = "a writer's name") -> str:
    """Return a name without the blanks around it. Raises `InputError` for an invalid one."""
    name = text.strip()
    if not name or not name.isprintable() or len(name) > MAX_NAME_LENGTH:
        raise InputError(
            f"{text[:MAX_NAME_LENGTH]!r} is not {what}.",
            f"A name is 1 to {MAX_NAME_LENGTH} printable characters.",
        )
    return name


class FilterFields(TypedDict, total=False):
    """The fields of `SampleFilter`, for functions that take them as keywords."""

    writer: str | None
    label: str | None
    verdict: Verdict | None
    model: str | None
    origin: Origin | None
    held_out: bool | None
    is_suspect: bool | None
    after: datetime | None
    before: datetime | None
    is_deleted: bool
    is_retired: bool
    among: frozenset[str] | None
    ids: tuple[int, ...] | None
    newer_than: int | None
    not_newer_than: int | None


@dataclass(frozen=True)
class SampleFilter:
    """Which samples; all conditions must hold, and None is no condition.

    `verdict` and `model` are those of the sample's judgement; `after` is inclusive, `before` is exclusive. `is_deleted`
    chooses from the trash instead, `is_retired` from the retired classes, `among` by the
    ids of classes; `newer_than` and `not_newer_than` are ids.
    """

    writer: str | None = None
    label: str | None = None
    verdict: Verdict | None = None
    model: str | None = None
    origin: Origin | None = None
    held_out: bool | None = None
    is_suspect: bool | None = None
    after: datetime | None = None
    before: datetime | None = None
    is_deleted: bool = False
    is_retired: bool = False
    among: frozenset[str] | None = None
    ids: tuple[int, ...] | None = None
    newer_than: int | None = None
    not_newer_than: int | None = None


EVERYTHING = SampleFilter()

DOUBTED = "samples.suspicion IS NOT NULL AND samples.deleted_at IS NULL"
"""Samples with labels that are probably wrong. Until a person has reviewed them they count nowhere: not in trainings, hold-outs,
replays and comparisons, as `counting` sees to, nor in the accuracy of judgements, as `queries` does."""


def counting(chosen: SampleFilter) -> SampleFilter:
    """Return the filter without doubted samples, unless it asks for them."""
    return replace(chosen, is_suspect=False) if chosen.is_suspect is None else chosen


def where(chosen: SampleFilter) -> tuple[str, tuple[Any, ...]]:
    """Return a WHERE clause on `samples`, which needs no join, and its values."""
    conditions: list[tuple[str, tuple[Any, ...]]] = [
        (f"samples.deleted_at IS {'NOT ' if chosen.is_deleted else ''}NULL", ())
    ]
    if not chosen.is_deleted:
        conditions.append((f"samples.class_id {'' if chosen.is_retired else 'NOT '}IN {RETIRED_CLASSES}", ()))
    simple = {
        "samples.writer_id = (SELECT id FROM writers WHERE name = ?)": chosen.writer,
        f"samples.class_id IN {CLASSES_SHOWN_AS}": chosen.label,
        "samples.origin = ?": chosen.origin,
        "samples.held_out = ?": chosen.held_out,
        "samples.drawn_at >= ?": chosen.after and milliseconds_of(chosen.after),
        "samples.id > ?": chosen.newer_than,
        "samples.id <= ?": chosen.not_newer_than,
        "samples.drawn_at < ?": chosen.before and milliseconds_of(chosen.before),
    }
    conditions += [(condition, (value,)) for condition, value in simple.items() if value is not None]
    if chosen.is_suspect is not None:
        conditions.append((f"samples.suspicion IS {'NOT ' if chosen.is_suspect else ''}NULL", ()))
    judged = {"verdict = ?": chosen.verdict, "model = ?": chosen.model}
    if given := {condition: value for condition, value in judged.items() if value is not None}:
        trials = f"SELECT sample_id FROM trials WHERE sample_id IS NOT NULL AND {' AND '.join(given)}"
        conditions.append((f"samples.id IN ({trials})", tuple(given.values())))
    if chosen.among is not None:
        conditions.append((f"samples.class_id IN {CLASSES_AMONG}", (json.dumps(sorted(chosen.among)),)))
    if chosen.ids is not None:
        conditions.append(("samples.id IN (SELECT value FROM json_each(?))", (json.dumps(chosen.ids),)))
    return (
        "WHERE " + " AND ".join(condition for condition, _ in conditions),
        tuple(value for _, values in conditions for value in values),
    )


class WriterTable:
    """The writers. The caller holds the transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def writers(self) -> list[str]:
        return [row["name"] for row in self._db.rows("SELECT name FROM writers ORDER BY id")]

    def add_writer(self, name: str) -> None:
        """Raises `InputError` for a name that is taken or invalid."""
        self._refuse_taken(clean_name(name))
        self.writer_id(name)

    def rename_writer(self, old: str, new: str) -> None:
        """Raises `InputError` for a name that is taken or invalid, and when there is no writer `old`."""
        new = clean_name(new)
        if new != old:
            self._refuse_taken(new)
        if not self._db.execute("UPDATE writers SET name = ? WHERE name = ?", (new, old)).rowcount:
            raise self._no_writer(old)

    def import_writer(self, name: str, key: str) -> None:
        """Add a writer of another store, unless there is one of this name; the key keeps the hold-out as it was there."""
        self._db.execute("INSERT INTO writers (name, key) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, key))

    def require_writer(self, name: str) -> None:
        """Raises `InputError` when there is no such writer."""
        if not self._db.row("SELECT 1 FROM writers WHERE name = ?", (name,)):
            raise self._no_writer(name)

    def writer_id(self, name: str) -> int:
        """Return the writer's row id; create the writer when absent."""
        name = clean_name(name)
        self._db.execute("INSERT INTO writers (name, key) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, name))
        return int(self._db.value("SELECT id FROM writers WHERE name = ?", (name,)))

    def hold_out_key(self, writer_id: int) -> str:
        """Return the writer's first name, by which the hold-out is chosen."""
        return str(self._db.value("SELECT key FROM writers WHERE id = ?", (writer_id,)))

    def _refuse_taken(self, name: str) -> None:
        if self._db.row("SELECT 1 FROM writers WHERE name = ?", (name,)):
            raise InputError(f"There is a writer {name!r} already.", "Choose another name.")

    def _no_writer(self, name: str) -> InputError:
        return InputError(
            f"There is no writer {name!r}.", f"Writers: {', '.join(self.writers()) or 'none yet'}."
        )

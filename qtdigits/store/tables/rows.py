"""Rows of `samples.db` to values and back."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from datetime import UTC, datetime, timedelta

import numpy as np

from qtdigits.core.drawing.ink import decode_ink
from qtdigits.core.drawing.raster import PREPROCESSING_VERSION, render
from qtdigits.core.drawing.samples import Origin, Raster, Sample, Suspicion, Trial, Verdict
from qtdigits.errors import InputError

MAX_NAME_LENGTH = 64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

SAMPLE_COLUMNS = """samples.id, writers.name AS writer, classes.label, samples.origin, samples.held_out,
    samples.device, samples.drawn_at, samples.preprocessing, samples.raster, samples.ink, samples.weight,
    samples.reviewed, samples.suspicion, samples.suggestion, samples.reason"""
SAMPLE_TABLES = (
    "samples JOIN writers ON writers.id = samples.writer_id JOIN classes ON classes.id = samples.class_id"
)
# Whoever follows a trial to its sample must not end up in the trash.
TRIAL_COLUMNS = """trials.id, writers.name AS writer, trials.model, trials.answer, trials.verdict, trials.truth,
    trials.judged_at, label_sets.labels, trials.probabilities,
    CASE WHEN trials.sample_id NOT IN (SELECT id FROM samples WHERE deleted_at IS NOT NULL) THEN trials.sample_id END
    AS sample_id"""
TRIAL_TABLES = """trials JOIN writers ON writers.id = trials.writer_id
    JOIN label_sets ON label_sets.id = trials.label_set_id"""


def sample_of(row: sqlite3.Row) -> Sample:
    return Sample(
        label=row["label"],
        raster=np.frombuffer(raster_blob_of(row), np.uint8).reshape(28, 28),
        writer=row["writer"],
        ink=None if row["ink"] is None else decode_ink(row["ink"]),
        origin=Origin(row["origin"]),
        held_out=bool(row["held_out"]),
        device=row["device"],
        drawn_at=moment_of(row["drawn_at"]),
        id=row["id"],
        weight=row["weight"],
        suspicion=suspicion_of(row),
        is_reviewed=bool(row["reviewed"]),
    )


def suspicion_of(row: sqlite3.Row) -> Suspicion | None:
    if row["suspicion"] is None:
        return None
    return Suspicion(row["suspicion"], row["suggestion"] or "", row["reason"] or "")


def raster_blob_of(row: sqlite3.Row) -> bytes:
    """784 bytes by the present preprocessing: ink that an older version rendered is rendered anew."""
    if row["ink"] is not None and row["preprocessing"] != PREPROCESSING_VERSION:
        return render(decode_ink(row["ink"])).tobytes()
    blob: bytes = row["raster"]
    return blob


def raster_blob(raster: Raster) -> bytes:
    """784 bytes, row by row. Raises `ValueError` for anything but `(28, 28) uint8`."""
    if raster.shape != (28, 28) or raster.dtype != np.uint8:
        raise ValueError(f"a raster is (28, 28) uint8, not {raster.shape} {raster.dtype}")
    return raster.tobytes()


def trial_of(row: sqlite3.Row) -> Trial:
    return Trial(
        writer=row["writer"],
        model=row["model"],
        answer=row["answer"],
        verdict=Verdict(row["verdict"]),
        truth=row["truth"],
        classes=tuple(json.loads(row["labels"])),
        probabilities=tuple(np.frombuffer(row["probabilities"], "<f8").tolist()),
        sample_id=row["sample_id"],
        judged_at=moment_of(row["judged_at"]),
        id=row["id"],
    )


def digest_of(sample: Sample) -> bytes:
    """16 bytes that are equal for equal drawings: of the ink where there is ink, otherwise of the raster."""
    if sample.ink is None:
        return hashlib.sha256(b"raster" + sample.raster.tobytes()).digest()[:16]
    lengths = np.array([len(stroke) for stroke in sample.ink.strokes], "<u4")
    points = np.ascontiguousarray(sample.ink.points, "<f4")
    return hashlib.sha256(b"ink" + lengths.tobytes() + points.tobytes()).digest()[:16]


def milliseconds_of(moment: datetime) -> int:
    """Since 1970 in UTC, rounded down; `moment` has a zone."""
    return (moment.astimezone(UTC) - _EPOCH) // _MILLISECOND


def moment_of(milliseconds: int) -> datetime:
    """The inverse, in UTC."""
    return _EPOCH + milliseconds * _MILLISECOND


def clean_name(text: str) -> str:
    """A writer's name without the blanks around it. Raises `InputError` when it cannot be one."""
    name = text.strip()
    if not name or not name.isprintable() or len(name) > MAX_NAME_LENGTH:
        raise InputError(
            f"{text[:MAX_NAME_LENGTH]!r} is not a writer's name.",
            f"A name is 1 to {MAX_NAME_LENGTH} printable characters.",
        )
    return name

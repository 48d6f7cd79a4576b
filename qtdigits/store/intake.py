"""Taking samples in: who is held out, and what is known already. The caller holds the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qtdigits.core.ink import encode_ink
from qtdigits.core.raster import PREPROCESSING_VERSION
from qtdigits.core.samples import Sample
from qtdigits.core.splits import is_held_out
from qtdigits.store import rows
from qtdigits.store.database import Database
from qtdigits.store.names import NameTables


@dataclass(frozen=True)
class Added:
    """What an import did: `skipped` drawings were in the store already, with the same writer and label."""

    added: int
    skipped: int


@dataclass(frozen=True)
class Alike:
    """The stored samples of the same drawing, writer and label; `in_trash` when they have all been deleted."""

    ids: tuple[int, ...]
    in_trash: bool


def insert_sample(db: Database, names: NameTables, sample: Sample, digest: bytes) -> int:
    """Store a new sample and return its id. Whether it is held out is decided here, once."""
    writer_id = names.writer_id(sample.writer)
    class_id = names.class_labelled(sample.label).id
    last = db.value(
        "SELECT max(ordinal) FROM samples WHERE writer_id = ? AND class_id = ?", (writer_id, class_id)
    )
    ordinal = 0 if last is None else last + 1
    held_out = is_held_out(names.hold_out_key(writer_id), class_id, ordinal)
    cursor = db.execute(
        """INSERT INTO samples (writer_id, class_id, ordinal, held_out, origin, device, drawn_at,
            preprocessing, digest, raster, ink, weight) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            *(writer_id, class_id, ordinal, held_out, sample.origin),
            *(sample.device, rows.milliseconds_of(sample.drawn_at), PREPROCESSING_VERSION, digest),
            *(rows.raster_blob(sample.raster), None if sample.ink is None else encode_ink(sample.ink)),
            sample.weight,
        ),
    )
    return int(cursor.lastrowid or 0)


def find_alike(db: Database, *, digest: bytes, writer: str, label: str, newest: int) -> Alike | None:
    """What is known of a drawing among the samples up to the id `newest`.

    A sample that was relabelled is also known by the label that it came with: importing its file again must not bring the
    wrong label back.
    """
    found = list(
        db.rows(
            """SELECT samples.id, samples.deleted_at FROM samples
                JOIN writers ON writers.id = samples.writer_id
                JOIN classes ON classes.id IN (samples.class_id, samples.given_class_id)
                WHERE samples.digest = ? AND writers.name = ? AND classes.label = ? AND samples.id <= ?""",
            (digest, writer.strip(), label, newest),
        )
    )
    if not found:
        return None
    return Alike(tuple(row["id"] for row in found), all(row["deleted_at"] is not None for row in found))


def take_in(db: Database, names: NameTables, prepared: Sequence[tuple[Sample, bytes]]) -> Added:
    """Add what is not known yet, and put back what is in the trash only; `prepared`: samples with their digests."""
    newest = db.value("SELECT max(id) FROM samples") or 0
    found = [
        find_alike(db, digest=digest, writer=s.writer, label=s.label, newest=newest) for s, digest in prepared
    ]
    put_back = {sample_id for alike in found if alike and alike.in_trash for sample_id in alike.ids}
    for sample_id in put_back:
        db.execute("UPDATE samples SET deleted_at = NULL WHERE id = ?", (sample_id,))
    fresh = [pair for pair, alike in zip(prepared, found, strict=True) if alike is None]
    for sample, digest in fresh:
        insert_sample(db, names, sample, digest)
    added = len(fresh) + len(put_back)
    return Added(added, max(0, len(prepared) - added))

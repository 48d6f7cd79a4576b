"""Adding and changing samples; every change can be undone. The caller holds the transaction.

Whether a sample is held out is decided when it is added, and never changed. The judgement of a relabelled sample follows
the label: a slip of the finger must not count for ever as the model's mistake.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from qtdigits.core.drawing.ink import encode_ink
from qtdigits.core.drawing.raster import PREPROCESSING_VERSION
from qtdigits.core.drawing.samples import Sample, Suspicion, Verdict, is_held_out, now
from qtdigits.errors import InputError
from qtdigits.limits import EARLIEST, LATEST, POINTS, STROKES
from qtdigits.store.tables import rows
from qtdigits.store.tables.classes import class_labelled
from qtdigits.store.tables.database import Database
from qtdigits.store.tables.row_types import (
    HEAVIEST,
    Name,
    Text,
    Weight,
    is_a,
    milliseconds_of,
)
from qtdigits.store.tables.rows import WriterTable

MOST_SAMPLES = 2**53
"""A damaged row may have any number as its place."""
KEPT_IN_TRASH = timedelta(days=30)
"""A deleted sample can be restored for at least so long; the first deletion after that removes it for good."""
_COLUMNS = (
    *("id", "writer_id", "class_id", "ordinal", "held_out"),
    *("origin", "device", "drawn_at", "preprocessing", "digest", "raster", "ink", "weight"),
)
_INSERT = f"INSERT INTO samples ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_CHOSEN = "IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True)
class Deleted:
    """Samples that were put into the trash."""

    ids: tuple[int, ...]


@dataclass(frozen=True)
class Changed:
    """How some samples, and the judgements of them, were before a change."""

    samples: tuple[tuple[Any, ...], ...]
    trials: tuple[tuple[Any, ...], ...]

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(row[-1] for row in self.samples)


@dataclass(frozen=True)
class Restored:
    """Samples that came back from the trash."""

    ids: tuple[int, ...]


SampleChange = Changed | Deleted | Restored
"""What `restore` can undo."""


@dataclass(frozen=True)
class Added:
    """The result of an import: `skipped` drawings were in the store already, with the same writer and label.

    `ids` are those of the added drawings, empty for a whole store.
    """

    added: int
    skipped: int
    ids: tuple[int, ...] = field(default=(), compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Duplicate:
    """The stored samples of the same drawing, writer and label; `in_trash` when they have all been deleted."""

    ids: tuple[int, ...]
    in_trash: bool


@dataclass(frozen=True, eq=False)
class Prepared:
    """A sample ready to be inserted; `values` are those of `_COLUMNS` that do not depend on what is stored."""

    writer: str
    label: str
    digest: bytes
    values: tuple[Any, ...]

    @classmethod
    def of(cls, sample: Sample) -> Self:
        """Needs no store, so that it can be done before a transaction.

        Raises `ValueError` for a raster of another shape, and `InputError` for what could not be read again.
        """
        digest = rows.digest_of(sample)
        refuse_odd(sample)
        return cls(
            sample.writer,
            sample.label,
            digest,
            (
                *(sample.origin, sample.device, milliseconds_of(sample.drawn_at), PREPROCESSING_VERSION),
                *(digest, rows.raster_blob(sample.raster)),
                *(None if sample.ink is None else encode_ink(sample.ink), sample.weight),
            ),
        )


def refuse_odd(sample: Sample) -> None:
    """Refuse a sample that would be a damaged row. Raises `InputError`."""
    if not EARLIEST <= sample.drawn_at <= LATEST:
        raise InputError(
            f"A drawing has the time {sample.drawn_at}.",
            f"Give one of the years {EARLIEST.year} to {LATEST.year}.",
        )
    if sample.ink is not None:
        STROKES.check(len(sample.ink.strokes), "The drawing")
        POINTS.check(sum(map(len, sample.ink.strokes)), "The drawing")
    for value, kind, what in (
        (sample.device, Text, "device"),
        (sample.weight, Weight, "weight"),
        (sample.label, Name, "label"),
    ):
        if not is_a(kind, value):
            raise InputError(f"A drawing has the {what} {str(value)[:40]!r}.", "Leave it out.")


def insert_sample(db: Database, names: WriterTable, sample: Prepared, *, sample_id: int | None = None) -> int:
    """Store a new sample and return its id, a new one unless given. Whether it is held out is decided here, once."""
    place = _Numbering(db, names).next(sample.writer, sample.label)
    return int(db.execute(_INSERT, (sample_id, *place, *sample.values)).lastrowid or 0)


def find_duplicate(db: Database, *, digest: bytes, writer: str, label: str, newest: int) -> Duplicate | None:
    """Look for a drawing among the samples up to the id `newest`.

    A relabelled sample is also found by its first label: importing its file again must not bring the wrong label back.
    """
    found = list(
        db.rows(
            """SELECT samples.id, samples.deleted_at FROM samples
                JOIN writers ON writers.id = samples.writer_id
                JOIN classes AS own ON own.id IN (samples.class_id, samples.given_class_id)
                JOIN classes AS root ON root.id = own.root_id
                WHERE samples.digest = ? AND writers.name = ? AND ? IN (own.label, root.label) AND samples.id <= ?""",
            (digest, writer.strip(), label, newest),
        )
    )
    if not found:
        return None
    return Duplicate(tuple(row["id"] for row in found), all(row["deleted_at"] is not None for row in found))


def insert_samples(db: Database, names: WriterTable, prepared: Sequence[Prepared]) -> Added:
    """Add new samples, and restore those that are in the trash only."""
    newest = db.value("SELECT max(id) FROM samples") or 0
    known = known_digests(db, {sample.digest for sample in prepared})
    fresh: list[Prepared] = []
    put_back: set[int] = set()
    for sample in prepared:
        duplicate = (
            find_duplicate(db, digest=sample.digest, writer=sample.writer, label=sample.label, newest=newest)
            if sample.digest in known
            else None
        )
        if duplicate is None:
            fresh.append(sample)
        elif duplicate.in_trash:
            put_back.update(duplicate.ids)
    for sample_id in put_back:
        db.execute("UPDATE samples SET deleted_at = NULL WHERE id = ?", (sample_id,))
    numbering = _Numbering(db, names)
    db.execute_many(_INSERT, ((None, *numbering.next(s.writer, s.label), *s.values) for s in fresh))
    ids = sorted(
        (*put_back, *(row["id"] for row in db.rows("SELECT id FROM samples WHERE id > ?", (newest,))))
    )
    return Added(len(ids), max(0, len(prepared) - len(ids)), ids=tuple(ids))


def known_digests(db: Database, digests: Iterable[bytes]) -> set[bytes]:
    """Return those of the digests that are stored: in a new file of drawings, hardly any."""
    asked, found = list(digests), set()
    for start in range(0, len(asked), 500):
        some = asked[start : start + 500]
        marks = ", ".join("?" * len(some))
        found |= {
            row["digest"]
            for row in db.rows(f"SELECT digest FROM samples WHERE digest IN ({marks})", tuple(some))
        }
    return found


def relabel(db: Database, ids: Collection[int], class_id: str, label: str) -> Changed:
    """Relabel samples. They are no longer doubted, but may be again: nobody has reviewed the new label."""
    before = _remember(
        db, ids, also="AND class_id NOT IN (SELECT id FROM classes WHERE root_id = ?)", values=(class_id,)
    )
    chosen = _json(before.ids)
    db.execute(
        f"""UPDATE samples SET given_class_id = nullif(coalesce(given_class_id, class_id), ?), class_id = ?,
            reviewed = 0, suspicion = NULL, suggestion = NULL, reason = NULL WHERE id {_CHOSEN}""",
        (class_id, class_id, chosen),
    )
    db.execute(
        f"""UPDATE trials SET truth = ?, verdict = CASE WHEN answer = ? THEN ? ELSE ? END
            WHERE sample_id {_CHOSEN} AND verdict != ?""",
        (label, label, Verdict.CONFIRMED, Verdict.CORRECTED, chosen, Verdict.SKIPPED),
    )
    return before


def set_weight(db: Database, ids: Collection[int], weight: int) -> Changed:
    """Raises `InputError` for a weight that is not from 1 to `HEAVIEST`."""
    if not 1 <= weight <= HEAVIEST:
        raise InputError(f"A drawing cannot count {weight} times.", f"Give a number from 1 to {HEAVIEST}.")
    before = _remember(db, ids, also="AND weight != ?", values=(weight,))
    db.execute(f"UPDATE samples SET weight = ? WHERE id {_CHOSEN}", (weight, _json(before.ids)))
    return before


def accept_labels(db: Database, ids: Collection[int]) -> Changed:
    """Mark samples as reviewed: under these labels they are never doubted again."""
    before = _remember(db, ids)
    db.execute(
        f"""UPDATE samples SET reviewed = 1, suspicion = NULL, suggestion = NULL, reason = NULL
            WHERE id {_CHOSEN}""",
        (_json(before.ids),),
    )
    return before


def mark_suspects(db: Database, marks: Mapping[int, Suspicion | None]) -> int:
    """Set suspicions (None removes one) of samples that were not reviewed, and return how many were set."""
    n_marked = 0
    for sample_id, mark in marks.items():
        if mark is not None and not 0 <= mark.score <= 1:
            raise ValueError(f"a suspicion is from 0 to 1, not {mark.score}")
        values = (None, None, None) if mark is None else (float(mark.score), mark.suggestion, mark.reason)
        cursor = db.execute(
            """UPDATE samples SET suspicion = ?, suggestion = ?, reason = ?
                WHERE id = ? AND reviewed = 0 AND deleted_at IS NULL""",
            (*values, sample_id),
        )
        n_marked += cursor.rowcount if mark is not None else 0
    return n_marked


def delete(db: Database, ids: Collection[int], *, moment: datetime | None = None) -> Deleted:
    """Move samples to the trash, and remove for good what has been there for longer than `KEPT_IN_TRASH`."""
    moment = moment or now()
    db.execute(
        "DELETE FROM samples WHERE deleted_at IS NOT NULL AND deleted_at < ?",
        (milliseconds_of(moment - KEPT_IN_TRASH),),
    )
    found = _remember(db, ids)
    db.execute(
        f"UPDATE samples SET deleted_at = ? WHERE id {_CHOSEN}", (milliseconds_of(moment), _json(found.ids))
    )
    return Deleted(found.ids)


def restore(db: Database, change: SampleChange) -> SampleChange:
    """Undo a change of those of its samples that are still in the store; return what this changed, by which it is redone."""
    if isinstance(change, Restored):
        return delete(db, change.ids)
    if isinstance(change, Deleted):
        found = db.rows(
            f"SELECT id FROM samples WHERE id {_CHOSEN} AND deleted_at IS NOT NULL ORDER BY id",
            (_json(change.ids),),
        )
        ids = tuple(row["id"] for row in found)
        db.execute(f"UPDATE samples SET deleted_at = NULL WHERE id {_CHOSEN}", (_json(ids),))
        return Restored(ids)
    before = _remember(db, change.ids, with_trash=True)
    db.execute_many(
        """UPDATE samples SET class_id = ?, given_class_id = ?, weight = ?, reviewed = ?, suspicion = ?,
            suggestion = ?, reason = ? WHERE id = ?""",
        change.samples,
    )
    db.execute_many("UPDATE trials SET truth = ?, verdict = ? WHERE id = ?", change.trials)
    return before


class _Numbering:
    """Numbers a writer's next samples of a class. Asks the store once for each: nobody else writes meanwhile."""

    def __init__(self, db: Database, names: WriterTable) -> None:
        self._db, self._names = db, names
        self._rows: dict[tuple[str, str], tuple[int, str, str]] = {}
        self._ordinals: dict[tuple[int, str], int] = {}

    def next(self, writer: str, label: str) -> tuple[int, str, int, bool]:
        """Return (writer_id, class_id, ordinal, held_out) of one more sample."""
        if (writer, label) not in self._rows:
            self._rows[writer, label] = self._look_up(writer, label)
        writer_id, class_id, key = self._rows[writer, label]
        ordinal = self._ordinals[writer_id, class_id]
        self._ordinals[writer_id, class_id] += 1
        return writer_id, class_id, ordinal, is_held_out(key, class_id, ordinal)

    def _look_up(self, writer: str, label: str) -> tuple[int, str, str]:
        place = self._names.writer_id(writer), class_labelled(self._db, label).id
        if place not in self._ordinals:  # names that differ in blanks only are one writer's
            last = self._db.value(
                f"""SELECT max(ordinal) FROM samples
                    WHERE writer_id = ? AND class_id = ? AND typeof(ordinal) = 'integer' AND ordinal < {MOST_SAMPLES}""",
                place,
            )
            self._ordinals[place] = 0 if last is None else last + 1
        return *place, self._names.hold_out_key(place[0])


def _remember(
    db: Database,
    ids: Collection[int],
    *,
    also: str = "",
    values: tuple[Any, ...] = (),
    with_trash: bool = False,
) -> Changed:
    """Return the present state of those of `ids` that are in the store and, unless `with_trash`, not in the trash."""
    if not with_trash:
        also = f"AND deleted_at IS NULL {also}"
    samples = db.rows(
        f"""SELECT class_id, given_class_id, weight, reviewed, suspicion, suggestion, reason, id FROM samples
            WHERE id {_CHOSEN} {also} ORDER BY id""",
        (_json(ids), *values),
    )
    remembered = tuple(map(tuple, samples))
    trials = db.rows(
        f"SELECT truth, verdict, id FROM trials WHERE sample_id {_CHOSEN}",
        (_json([row[-1] for row in remembered]),),
    )
    return Changed(remembered, tuple(map(tuple, trials)))


def _json(ids: Collection[int]) -> str:
    return json.dumps([int(i) for i in ids])

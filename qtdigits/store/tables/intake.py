"""Taking samples in: who is held out, and what is known already. The caller holds the transaction.

Whatever can be done without the store is done by `Prepared.of`, before the transaction begins: other windows wait for its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from qtdigits.core.drawing.ink import encode_ink
from qtdigits.core.drawing.raster import PREPROCESSING_VERSION
from qtdigits.core.drawing.samples import Sample
from qtdigits.core.drawing.splits import is_held_out
from qtdigits.store.tables import rows
from qtdigits.store.tables.database import Database
from qtdigits.store.tables.names import NameTables


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


@dataclass(frozen=True, eq=False)
class Prepared:
    """A sample as it goes into a row; `values` are those columns of `_COLUMNS` that do not depend on what is stored."""

    writer: str
    label: str
    digest: bytes
    values: tuple[Any, ...]

    @classmethod
    def of(cls, sample: Sample) -> Self:
        """Needs no store, so that it can be done before a transaction. Raises `ValueError` for a raster of another form."""
        digest = rows.digest_of(sample)
        return cls(
            sample.writer,
            sample.label,
            digest,
            (
                *(sample.origin, sample.device, rows.milliseconds_of(sample.drawn_at), PREPROCESSING_VERSION),
                *(digest, rows.raster_blob(sample.raster)),
                *(None if sample.ink is None else encode_ink(sample.ink), sample.weight),
            ),
        )


_COLUMNS = (
    *("writer_id", "class_id", "ordinal", "held_out"),
    *("origin", "device", "drawn_at", "preprocessing", "digest", "raster", "ink", "weight"),
)
_INSERT = f"INSERT INTO samples ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"


def insert_sample(db: Database, names: NameTables, sample: Prepared) -> int:
    """Store a new sample and return its id. Whether it is held out is decided here, once."""
    place = _Places(db, names).next(sample.writer, sample.label)
    return int(db.execute(_INSERT, (*place, *sample.values)).lastrowid or 0)


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


def take_in(db: Database, names: NameTables, prepared: Sequence[Prepared]) -> Added:
    """Add what is not known yet, and put back what is in the trash only."""
    newest = db.value("SELECT max(id) FROM samples") or 0
    known = known_digests(db, {sample.digest for sample in prepared})
    fresh: list[Prepared] = []
    put_back: set[int] = set()
    for sample in prepared:
        alike = (
            find_alike(db, digest=sample.digest, writer=sample.writer, label=sample.label, newest=newest)
            if sample.digest in known
            else None
        )
        if alike is None:
            fresh.append(sample)
        elif alike.in_trash:
            put_back.update(alike.ids)
    for sample_id in put_back:
        db.execute("UPDATE samples SET deleted_at = NULL WHERE id = ?", (sample_id,))
    places = _Places(db, names)
    db.execute_many(_INSERT, ((*places.next(s.writer, s.label), *s.values) for s in fresh))
    added = len(fresh) + len(put_back)
    return Added(added, max(0, len(prepared) - added))


def known_digests(db: Database, digests: Iterable[bytes]) -> set[bytes]:
    """Which of the digests are stored at all: in a new file of drawings, hardly any."""
    asked, found = list(digests), set()
    for start in range(0, len(asked), 500):
        some = asked[start : start + 500]
        marks = ", ".join("?" * len(some))
        found |= {
            row["digest"]
            for row in db.rows(f"SELECT digest FROM samples WHERE digest IN ({marks})", tuple(some))
        }
    return found


class _Places:
    """Where a writer's next samples of a class belong. Asks the store once for each: nobody else writes meanwhile."""

    def __init__(self, db: Database, names: NameTables) -> None:
        self._db, self._names = db, names
        self._rows: dict[tuple[str, str], tuple[int, str, str]] = {}
        self._ordinals: dict[tuple[int, str], int] = {}

    def next(self, writer: str, label: str) -> tuple[int, str, int, bool]:
        """(writer_id, class_id, ordinal, held_out) of one more sample."""
        if (writer, label) not in self._rows:
            self._rows[writer, label] = self._look_up(writer, label)
        writer_id, class_id, key = self._rows[writer, label]
        ordinal = self._ordinals[writer_id, class_id]
        self._ordinals[writer_id, class_id] += 1
        return writer_id, class_id, ordinal, is_held_out(key, class_id, ordinal)

    def _look_up(self, writer: str, label: str) -> tuple[int, str, str]:
        place = self._names.writer_id(writer), self._names.class_labelled(label).id
        if place not in self._ordinals:  # the same writer may be meant by different spellings
            last = self._db.value(
                "SELECT max(ordinal) FROM samples WHERE writer_id = ? AND class_id = ?", place
            )
            self._ordinals[place] = 0 if last is None else last + 1
        return *place, self._names.hold_out_key(place[0])

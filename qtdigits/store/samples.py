"""The store of drawings and judgements: `samples.db` in the data folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from qtdigits.core.ink import decode_ink, encode_ink
from qtdigits.core.labels import Class, LabelSet, clean_label
from qtdigits.core.raster import PREPROCESSING_VERSION
from qtdigits.core.samples import Dataset, Origin, Sample, Trial, Verdict
from qtdigits.core.splits import is_held_out
from qtdigits.errors import StoreError
from qtdigits.store import rows
from qtdigits.store.database import Database
from qtdigits.store.names import NameTables
from qtdigits.store.runs import RunTable


@dataclass(frozen=True)
class Added:
    """What an import did: `skipped` drawings were in the store already, with the same writer and label."""

    added: int
    skipped: int


class SampleStore:
    """Writers, classes, samples and trials. A context manager; one for each thread.

    Every method that changes something is one transaction, on the disk when it returns. Several stores, in several
    processes too, may have the same file open. All methods raise `StoreError` when the file cannot be used.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self._names = NameTables(database)
        self.runs = RunTable(database)

    @classmethod
    def open(cls, folder: Path) -> SampleStore:
        """The store in `folder`; both are made when absent.

        Raises `StoreError` for a damaged, read-only, foreign or newer file, and leaves such a file as it is.
        """
        return cls(Database.open(folder))

    @classmethod
    def open_read_only(cls, path: Path) -> SampleStore:
        """A store file of any name, such as a backup or another person's, only to read from."""
        return cls(Database.open_read_only(path))

    @property
    def path(self) -> Path:
        return self._db.path

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()

    def check(self) -> tuple[str, ...]:
        """Read the whole file and say what is wrong with it; empty when nothing is."""
        return self._db.problems()

    # writers and classes

    def writers(self) -> list[str]:
        """The names, in the order in which the writers came."""
        return self._names.writers()

    def add_writer(self, name: str) -> None:
        """Raises `InputError` for a name that is taken or cannot be one."""
        with self._db.transaction():
            self._names.add_writer(name)

    def rename_writer(self, old: str, new: str) -> None:
        """Drawings, judgements and the hold-out stay with the writer. Raises `InputError` as `add_writer`."""
        with self._db.transaction():
            self._names.rename_writer(old, new)

    def classes(self) -> LabelSet:
        """All classes, the ten digits first."""
        return self._names.classes()

    def add_class(self, label: str) -> Class:
        """The class with this label, made when there is none. Raises `InputError` for a label that cannot be one."""
        with self._db.transaction():
            return self._names.class_labelled(clean_label(label))

    # judging

    def judge(self, sample: Sample | None, trial: Trial) -> Trial:
        """Keep a judgement and the drawing it was about; `sample` is None when the drawing was skipped.

        Returns the trial with its ids. Whether the drawing is held out is decided here, by `core.splits.is_held_out`.
        """
        with self._db.transaction():
            sample_id = None if sample is None else self._insert_sample(sample, rows.digest_of(sample))
            label_set_id = self._names.label_set_id(trial.classes)
            cursor = self._db.execute(
                """INSERT INTO trials
                    (writer_id, model, answer, verdict, truth, judged_at, sample_id, label_set_id, probabilities)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (
                    *(
                        self._names.writer_id(trial.writer),
                        trial.model,
                        trial.answer,
                        trial.verdict,
                    ),
                    *(trial.truth, rows.milliseconds_of(trial.judged_at), sample_id, label_set_id),
                    np.array(trial.probabilities, "<f8").tobytes(),
                ),
            )
            return replace(trial, id=cursor.lastrowid, sample_id=sample_id)

    def take_back(self, trial: Trial) -> Sample | None:
        """Undo a judgement: remove the trial and its drawing, and return the drawing (None for a skipped one).

        Raises `StoreError` when the trial is not in the store (any more).
        """
        with self._db.transaction():
            stored = self._db.row("SELECT sample_id FROM trials WHERE id = ?", (trial.id,))
            if stored is None:
                raise StoreError("This judgement is not in the store.", "It has been taken back already.")
            sample = self._sample(stored["sample_id"])
            self._db.execute("DELETE FROM trials WHERE id = ?", (trial.id,))
            self._db.execute("DELETE FROM samples WHERE id = ?", (stored["sample_id"],))
            return None if sample is None else replace(sample, id=None)

    def last_trial(self, writer: str) -> Trial | None:
        return next(self._trials("WHERE writers.name = ? ORDER BY trials.id DESC LIMIT 1", (writer,)), None)

    def trials(self, *, writer: str | None = None, model: str | None = None) -> Iterator[Trial]:
        """The judgements, oldest first."""
        where, values = _where({"writers.name = ?": writer, "trials.model = ?": model})
        return self._trials(f"{where} ORDER BY trials.id", values)

    def running_accuracy(self, *, writer: str, model: str) -> tuple[int, int]:
        """(confirmed, judged): skipped drawings do not count."""
        found = self._db.rows(
            """SELECT verdict, count(*) AS n FROM trials
                WHERE writer_id = (SELECT id FROM writers WHERE name = ?) AND model = ? GROUP BY verdict""",
            (writer, model),
        )
        counts = {row["verdict"]: int(row["n"]) for row in found}
        confirmed = counts.get(Verdict.CONFIRMED, 0)
        return confirmed, confirmed + counts.get(Verdict.CORRECTED, 0)

    # samples

    def add_samples(self, samples: Iterable[Sample]) -> Added:
        """Import all samples or, when one of them cannot be read, none; new writers and classes are made.

        A drawing that was in the store before, with the same writer and label, is skipped: a file that is imported
        twice counts once.
        """
        # Read before the transaction begins: rendering a large file must not keep other writers waiting.
        prepared = [(sample, rows.digest_of(sample)) for sample in samples]
        with self._db.transaction():
            newest = self._db.value("SELECT max(id) FROM samples") or 0
            fresh = [(s, digest) for s, digest in prepared if not self._is_stored(s, digest, newest)]
            for sample, digest in fresh:
                self._insert_sample(sample, digest)
        return Added(len(fresh), len(prepared) - len(fresh))

    def samples(
        self,
        *,
        writer: str | None = None,
        label: str | None = None,
        origin: Origin | None = None,
        held_out: bool | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> Iterator[Sample]:
        where, values = _sample_filter(writer, label, origin, held_out)
        order = "DESC" if newest_first else "ASC"
        # The inner query is answered from an index; the blobs are read for the chosen rows only.
        chosen = f"SELECT id FROM samples {where} ORDER BY id {order} LIMIT ? OFFSET ?"
        found = self._db.rows(
            f"""SELECT {rows.SAMPLE_COLUMNS} FROM {rows.SAMPLE_TABLES}
                WHERE samples.id IN ({chosen}) ORDER BY samples.id {order}""",
            (*values, -1 if limit is None else limit, offset),
        )
        return map(rows.sample_of, found)

    def count(
        self,
        *,
        writer: str | None = None,
        label: str | None = None,
        origin: Origin | None = None,
        held_out: bool | None = None,
    ) -> int:
        where, values = _sample_filter(writer, label, origin, held_out)
        return int(self._db.value(f"SELECT count(*) FROM samples {where}", values))

    def dataset(
        self, *, held_out: bool | None = None, writer: str | None = None, with_ink: bool = False
    ) -> Dataset:
        """The drawings as rasters with labels and writers, oldest first; `with_ink`: with what they were rendered from."""
        where, values = _sample_filter(writer, None, None, held_out)
        statement = f"SELECT {rows.SAMPLE_COLUMNS} FROM {rows.SAMPLE_TABLES} {where} ORDER BY samples.id"
        blobs, labels, writers, inks, ids = [], [], [], [], []
        for row in self._db.rows(statement, values):
            blobs.append(rows.raster_blob_of(row))
            labels.append(row["label"])
            writers.append(row["writer"])
            ids.append(row["id"])
            if with_ink:
                inks.append(None if row["ink"] is None else decode_ink(row["ink"]))
        images = np.frombuffer(bytearray().join(blobs), np.uint8).reshape(-1, 28, 28)
        return Dataset("drawings", images, tuple(labels), tuple(writers), tuple(inks), tuple(ids))

    def delete(self, sample_id: int) -> None:
        """Remove a drawing; the judgement of it goes on counting. Raises `StoreError` when it is not there."""
        with self._db.transaction():
            if not self._db.execute("DELETE FROM samples WHERE id = ?", (sample_id,)).rowcount:
                raise StoreError(f"Sample {sample_id} is not in the store.", "It has been deleted already.")

    # inside a transaction

    def _insert_sample(self, sample: Sample, digest: bytes) -> int:
        writer_id = self._names.writer_id(sample.writer)
        class_id = self._names.class_labelled(sample.label).id
        place = (writer_id, class_id)
        last = self._db.value("SELECT max(ordinal) FROM samples WHERE writer_id = ? AND class_id = ?", place)
        ordinal = 0 if last is None else last + 1
        key = self._names.hold_out_key(writer_id)
        cursor = self._db.execute(
            """INSERT INTO samples (writer_id, class_id, ordinal, held_out, origin, device, drawn_at,
                preprocessing, digest, raster, ink) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                *(writer_id, class_id, ordinal, is_held_out(key, class_id, ordinal), sample.origin),
                *(sample.device, rows.milliseconds_of(sample.drawn_at), PREPROCESSING_VERSION, digest),
                *(rows.raster_blob(sample.raster), None if sample.ink is None else encode_ink(sample.ink)),
            ),
        )
        return int(cursor.lastrowid or 0)

    def _is_stored(self, sample: Sample, digest: bytes, newest: int) -> bool:
        found = self._db.row(
            f"""SELECT 1 FROM {rows.SAMPLE_TABLES}
                WHERE samples.digest = ? AND writers.name = ? AND classes.label = ? AND samples.id <= ?""",
            (digest, sample.writer.strip(), sample.label, newest),
        )
        return found is not None

    def _sample(self, sample_id: int | None) -> Sample | None:
        statement = f"SELECT {rows.SAMPLE_COLUMNS} FROM {rows.SAMPLE_TABLES} WHERE samples.id = ?"
        row = self._db.row(statement, (sample_id,))
        return None if row is None else rows.sample_of(row)

    def _trials(self, clause: str, values: tuple[Any, ...]) -> Iterator[Trial]:
        return map(
            rows.trial_of,
            self._db.rows(f"SELECT {rows.TRIAL_COLUMNS} FROM {rows.TRIAL_TABLES} {clause}", values),
        )


def _sample_filter(
    writer: str | None, label: str | None, origin: Origin | None, held_out: bool | None
) -> tuple[str, tuple[Any, ...]]:
    return _where(
        {
            "writer_id = (SELECT id FROM writers WHERE name = ?)": writer,
            "class_id = (SELECT id FROM classes WHERE label = ?)": label,
            "origin = ?": origin,
            "held_out = ?": held_out,
        }
    )


def _where(conditions: dict[str, Any]) -> tuple[str, tuple[Any, ...]]:
    """A WHERE clause of those conditions whose value is given, and the values."""
    given = {condition: value for condition, value in conditions.items() if value is not None}
    return (f"WHERE {' AND '.join(given)}" if given else ""), tuple(given.values())

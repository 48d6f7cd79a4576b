"""The store of samples and judgements: `samples.db` in the data folder."""

from __future__ import annotations

import contextlib
import math
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import LabelSet, clean_label
from qtdigits.core.drawing.samples import Dataset, Sample, Suspicion, Trial
from qtdigits.errors import DamagedStoreError, InputError, NotStoredError, StoreError
from qtdigits.store import frames
from qtdigits.store.tables import editing, merging, queries, repair, rows
from qtdigits.store.tables.classes import ClassTable, active_classes, class_in_use, label_set_id
from qtdigits.store.tables.database import FILE_NAME, Database
from qtdigits.store.tables.editing import Added, Changed, Deleted, Prepared, SampleChange
from qtdigits.store.tables.merging import MergedStores, MergedWriters
from qtdigits.store.tables.queries import Judgements, Thumbnail
from qtdigits.store.tables.row_types import FrameRow, milliseconds_of, sound
from qtdigits.store.tables.rows import (
    EVERYTHING,
    FilterFields,
    SampleFilter,
    WriterTable,
    counting,
    shown_label,
    where,
)
from qtdigits.store.tables.runs import QueueTable, RunTable

if TYPE_CHECKING:
    import pandas as pd

CHECK = "See: qtdigits samples check"
MOST_ROWS = (1 << 63) - 1
"""SQLite's largest integer."""
LARGE_IMPORT = 5000
LARGE_IMPORT_CACHE_KB = 65_536
"""With SQLite's usual two megabytes, a transaction of 100,000 drawings takes 1.6 times as long, and others wait for it."""


class SampleStore:
    """Writers, classes, samples and trials. A context manager; one for each thread.

    Every method that changes something is one transaction, on the disk when it returns. Several stores, in several
    processes too, may have the same file open. All methods raise `StoreError` when the file cannot be used.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self._names = WriterTable(database)
        self._n_edits = 0
        self.runs = RunTable(database)
        self.queue = QueueTable(database)
        self.class_table = ClassTable(database, self._editing)
        self.judgements = Judgements(database)

    @classmethod
    def open(cls, folder: Path) -> SampleStore:
        """Open the store in `folder`; create both when absent.

        Raises `StoreError` for a damaged, read-only, foreign or newer file, and leaves such a file as it is.
        """
        return cls(Database.open(folder))

    @classmethod
    def open_read_only(cls, path: Path, *, is_foreign: bool = False) -> SampleStore:
        """Open a store file of any name, such as a backup, to read from it. `is_foreign`: somebody else may have made it."""
        return cls(Database.open_read_only(path, is_foreign=is_foreign))

    @classmethod
    def open_to_read(cls, folder: Path) -> SampleStore:
        """Open the store in `folder`, read-only where nothing can be written. Raises the `StoreError` of `open`."""
        try:
            return cls.open(folder)
        except StoreError:
            with contextlib.suppress(StoreError):
                return cls.open_read_only(folder / FILE_NAME)
            raise

    @classmethod
    def unavailable(cls, path: Path, refusal: StoreError) -> SampleStore:
        """Return an empty store for when nothing can be written anywhere; every change raises `refusal`."""
        return cls(Database.unavailable(path, refusal))

    @property
    def path(self) -> Path:
        return self._db.path

    @property
    def revision(self) -> tuple[int, int]:
        """Changes when stored samples may have changed, here or elsewhere; not when one has only been judged here."""
        return int(self._db.value("PRAGMA data_version")), self._n_edits

    def wait_at_most(self, seconds: float) -> None:
        """So long changes wait for another process that writes, before they raise `StoreBusyError`; at first ten seconds."""
        self._db.wait_at_most(seconds)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()

    @property
    def damaged(self) -> Mapping[str, str]:
        """The damaged rows that were met since the store was opened, and left out: what each is, and what is wrong."""
        return self._db.damaged

    def check(self) -> tuple[str, ...]:
        """Read the whole file and return what is wrong with it; empty when nothing is."""
        return (*self._db.problems(), *queries.tally_problems(self._db), *self._damage())

    def repair(self) -> list[str]:
        """Set damaged rows aside, mend what can be mended, and return what was set aside. Raises `StoreError`."""
        if self._db.integrity_problems():
            self._db.execute("REINDEX")
            for problem in self._db.integrity_problems():
                raise DamagedStoreError(f"{self.path} is damaged: {problem}.")
        with self._editing():
            repair.mend(self._db)
            found = list(repair.find_damage(self._db))
            repair.set_aside(self._db, found, self.path.parent)
        self._db.damaged.clear()
        return list(map(str, found))

    def _damage(self) -> Iterator[str]:
        yield from map(str, repair.find_damage(self._db))
        for table, _, name, better in repair.odd_names(self._db):
            yield f"{table}: {name!r} should be {better!r}"

    def copy_to(self, target: Path) -> None:
        """Copy the whole store to a file. Raises `StoreError`."""
        self._db.copy_to(target)

    def replace_by(self, source: Database) -> None:
        """Replace everything by what another store holds. Raises `StoreError`."""
        self._db.replace_by(source)
        self._n_edits += 1

    # writers and classes

    def writers(self) -> list[str]:
        """Return the names, oldest writer first."""
        return self._names.writers()

    def add_writer(self, name: str) -> None:
        """Raises `InputError` for a name that is taken or invalid."""
        with self._db.transaction():
            self._names.add_writer(name)

    def rename_writer(self, old: str, new: str) -> None:
        """Drawings, judgements and the hold-out stay with the writer. Raises `InputError` as `add_writer`."""
        with self._editing():
            self._names.rename_writer(old, new)

    def merge_writers(self, source: str, into: str) -> MergedWriters:
        """Move all drawings and judgements of `source` to `into`, and remove `source`. Raises `InputError`."""
        with self._editing():
            return merging.merge_writers(self._db, self._names, source, into)

    def classes(self) -> LabelSet:
        """Return the classes in use, the ten digits first."""
        return active_classes(self._db)

    def meaning_of(self, label: str) -> str:
        """Return the label under which drawings with this one are stored: another one where two classes were merged."""
        return str(self._db.value(f"SELECT {shown_label('?1')}", (label,)))

    # judgements

    def judge(self, sample: Sample | None, trial: Trial) -> Trial:
        """Store a judgement and its drawing (None when skipped), and return the trial with its ids.

        Those that have ids, as they were stored before, keep them.
        Whether the drawing is held out is decided here, by `core.drawing.samples.is_held_out`.
        """
        prepared = None if sample is None else Prepared.of(sample)
        with self._db.transaction():
            sample_id = None
            if sample is not None and prepared is not None:
                class_in_use(self._db, prepared.label)
                sample_id = editing.insert_sample(self._db, self._names, prepared, sample_id=sample.id)
            cursor = self._db.execute(
                """INSERT INTO trials
                    (id, writer_id, model, answer, verdict, truth, network_answer, judged_at, sample_id, label_set_id,
                    probabilities) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (
                    *(trial.id, self._names.writer_id(trial.writer), trial.model, trial.answer),
                    *(trial.verdict, trial.truth, trial.network_answer),
                    *(milliseconds_of(trial.judged_at), sample_id),
                    label_set_id(self._db, trial.classes),
                    np.array(trial.probabilities, "<f8").tobytes(),
                ),
            )
            return replace(trial, id=cursor.lastrowid, sample_id=sample_id)

    def take_back(self, trial: Trial) -> Sample | None:
        """Remove a judgement with its drawing, from the trash too, and return the drawing (None for a skipped one).

        Raises `NotStoredError` when the trial is not in the store.
        """
        with self._editing():
            stored = self._db.row("SELECT sample_id FROM trials WHERE id = ?", (trial.id,))
            if stored is None:
                raise NotStoredError("This judgement is not in the store.", "It has been taken back already.")
            sample = self.sample(stored["sample_id"])
            if sample is None and stored["sample_id"] is not None:
                raise StoreError(f"Drawing {stored['sample_id']} is damaged.", CHECK)
            self._db.execute("DELETE FROM trials WHERE id = ?", (trial.id,))
            self._db.execute("DELETE FROM samples WHERE id = ?", (stored["sample_id"],))
            return None if sample is None else replace(sample, id=None)

    def trials(self, *, writer: str | None = None, model: str | None = None) -> Iterator[Trial]:
        """Yield the judgements, oldest first."""
        given = {"writers.name = ?": writer, "trials.model = ?": model}
        chosen = {condition: value for condition, value in given.items() if value is not None}
        clause = f"WHERE {' AND '.join(chosen)}" if chosen else ""
        return self._trials(f"{clause} ORDER BY trials.id", tuple(chosen.values()))

    def trials_frame(self) -> pd.DataFrame:
        """Return a pandas frame with a row for each judgement, oldest first; the columns are `frames.TRIAL_COLUMNS`."""
        found = (
            (
                *(trial.id, trial.writer, trial.model, trial.answer, trial.truth, trial.verdict),
                *(max(trial.probabilities, default=math.nan), milliseconds_of(trial.judged_at)),
                trial.sample_id,
            )
            for trial in self.trials()
        )
        return frames.frame_of(found, frames.TRIAL_COLUMNS)

    def last_trial(self, writer: str) -> Trial | None:
        """Return the writer's latest judgement by any model; None when there is none."""
        return next(self._trials("WHERE writers.name = ? ORDER BY trials.id DESC LIMIT 1", (writer,)), None)

    def trial_of(self, sample_id: int) -> Trial | None:
        """Return the latest judgement of a drawing; None for an imported one."""
        return next(self._trials("WHERE sample_id = ? ORDER BY trials.id DESC LIMIT 1", (sample_id,)), None)

    def judging_models(self) -> list[str]:
        """Return the names of the models that have read a drawing, in alphabetical order."""
        return queries.judging_models(self._db)

    def outcomes(self, writer: str, model: str | None) -> NDArray[np.bool_]:
        """Return `(n,)`: whether each judged drawing was read right, in their order, without skipped and doubted ones.
        None: by whatever model.

        As all figures about judgements, it counts drawings of the classes `judgements.among` only, where that is set.
        """
        return queries.outcomes(self._db, writer, model, self.judgements.among)

    def running_accuracy(self, *, writer: str, model: str) -> tuple[int, int]:
        """Return (confirmed, judged), without skipped drawings and those with doubted labels."""
        return queries.running_accuracy(self._db, writer, model, self.judgements.among)

    def doubted_judgements(self, *, writer: str, model: str) -> int:
        """Return how many judgements do not count because the labels of their drawings are doubted."""
        return queries.doubted_judgements(self._db, writer, model)

    # samples

    def add_samples(self, samples: Iterable[Sample]) -> Added:
        """Import all samples or, when one of them cannot be read, none; new writers and classes are created.

        A drawing that is known, with the same writer and label, is skipped: importing a file twice adds nothing.
        One that has been deleted meanwhile comes back from the trash.
        """
        # Before the transaction begins: reading and rendering a large file must not keep other writers waiting.
        prepared = [Prepared.of(sample) for sample in samples]
        if len(prepared) >= LARGE_IMPORT:
            self._db.execute(f"PRAGMA cache_size = -{LARGE_IMPORT_CACHE_KB}")
        with self._editing():
            return editing.insert_samples(self._db, self._names, prepared)

    def merge_store(self, path: Path, *, skip_damaged: bool = False) -> MergedStores:
        """Import another store, a file or a data folder, as a whole or not at all; known drawings are skipped.

        Raises `InputError` for this very store and, unless `skip_damaged`, for damaged rows, and `StoreError` for a file that
        cannot be used.
        """
        path = path / FILE_NAME if path.is_dir() else path
        if path.exists() and path.samefile(self.path):
            raise InputError(f"{path} is the store itself.", "Name the other one.")
        with contextlib.closing(Database.open_read_only(path, is_foreign=True)) as source, self._editing():
            merged = merging.merge_store(self._db, self._names, source)
            if merged.damaged and not skip_damaged:
                raise merging.damaged_error(source)
            return merged

    def samples(
        self,
        chosen: SampleFilter = EVERYTHING,
        *,
        newest_first: bool = False,
        limit: int | None = None,
        offset: int = 0,
        **also: Unpack[FilterFields],
    ) -> Iterator[Sample]:
        """Yield the chosen samples, oldest first. The filter's fields may be given as keywords too."""
        clause, values = where(replace(chosen, **also))
        order = "DESC" if newest_first else "ASC"
        # The inner query is answered from an index; the blobs are read for the chosen rows only.
        inner = f"SELECT id FROM samples {clause} ORDER BY id {order} LIMIT ? OFFSET ?"
        found = self._db.rows(
            f"""SELECT {rows.SAMPLE_COLUMNS} FROM {rows.SAMPLE_TABLES}
                WHERE samples.id IN ({inner}) ORDER BY samples.id {order}""",
            (*values, -1 if limit is None else min(limit, MOST_ROWS), offset),
        )
        return self._db.sound(rows.sample_of, found)

    def sample(self, sample_id: int | None) -> Sample | None:
        """Return one sample, from the trash too; None when there is none, or it is damaged."""
        statement = f"SELECT {rows.SAMPLE_COLUMNS} FROM {rows.SAMPLE_TABLES} WHERE samples.id = ?"
        return next(self._db.sound(rows.sample_of, self._db.rows(statement, (sample_id,))), None)

    def samples_frame(self, chosen: SampleFilter | None = None) -> pd.DataFrame:
        """Return a pandas frame with a row for each sample, oldest first; the columns are `frames.SAMPLE_COLUMNS`.

        None: all of them, those in the trash too. The images of a filter, in the same order, are those of `dataset` with
        `with_doubted`.
        """
        clause, values = ("", ()) if chosen is None else where(chosen)
        found = self._db.rows(
            f"""SELECT samples.id, classes.label, writers.name AS writer, origin, device, drawn_at,
                    ink IS NOT NULL AS has_ink, held_out, weight, reviewed, suspicion IS NOT NULL AS is_suspect,
                    suspicion, suggestion, samples.deleted_at IS NOT NULL AS is_deleted
                FROM {rows.SAMPLE_TABLES} {clause} ORDER BY samples.id""",
            values,
        )
        return frames.frame_of(self._db.sound(_frame_cells, found), frames.SAMPLE_COLUMNS)

    def count(self, chosen: SampleFilter = EVERYTHING, **also: Unpack[FilterFields]) -> int:
        """Return how many samples the filter chooses; its fields may be given as keywords too."""
        return queries.count(self._db, replace(chosen, **also))

    def counts_by_label(self, writer: str | None = None) -> dict[str, int]:
        """Return how many samples each class that has some has, retired ones too; of `writer`, None: of everybody."""
        return queries.counts_by_label(self._db, writer)

    def ids(
        self,
        chosen: SampleFilter = EVERYTHING,
        *,
        most_doubtful_first: bool = False,
        **also: Unpack[FilterFields],
    ) -> NDArray[np.int64]:
        """Return `(n,)`: the chosen samples, ascending, or by their suspicion."""
        return queries.sample_ids(self._db, replace(chosen, **also), most_doubtful_first=most_doubtful_first)

    def latest_by_label(self, writer: str, most: int) -> dict[str, list[int]]:
        """Return the writer's latest `most` samples of each class in use that has some, the newest first."""
        return queries.latest_by_label(self._db, writer, most)

    def thumbnails(self, ids: Sequence[int]) -> list[Thumbnail]:
        """Return what a grid shows of these samples, in their order, without those that are not there."""
        return queries.thumbnails(self._db, ids)

    def dataset(
        self,
        chosen: SampleFilter = EVERYTHING,
        *,
        with_ink: bool = False,
        with_doubted: bool = False,
        **also: Unpack[FilterFields],
    ) -> Dataset:
        """Return the drawings as rasters with labels and writers, oldest first; with `with_ink`, their ink too.

        Those with doubted labels, which nothing is to be trained or scored on before a person has reviewed them, are left out,
        unless `with_doubted` or `is_suspect` says otherwise.
        """
        chosen = replace(chosen, **also)
        clause, values = where(chosen if with_doubted else counting(chosen))
        statement = f"SELECT {rows.SAMPLE_COLUMNS} FROM {rows.SAMPLE_TABLES} {clause} ORDER BY samples.id"
        blobs, labels, writers, inks, ids, weights = [], [], [], [], [], []
        for sample in self._db.sound(rows.sample_of, self._db.rows(statement, values)):
            blobs.append(sample.raster.tobytes())
            labels.append(sample.label)
            writers.append(sample.writer)
            ids.append(sample.id or 0)
            weights.append(sample.weight)
            if with_ink:
                inks.append(sample.ink)
        images = np.frombuffer(bytearray().join(blobs), np.uint8).reshape(-1, 28, 28)
        heavy = tuple(weights) if any(weight != 1 for weight in weights) else ()
        return Dataset(
            "drawings", images, tuple(labels), tuple(writers), tuple(inks), ids=tuple(ids), weights=heavy
        )

    # changing samples

    def relabel(self, ids: Collection[int], label: str) -> Changed:
        """Give samples another label, and their judgements with them; a new class is created. Raises `InputError`."""
        with self._editing():
            made = class_in_use(self._db, clean_label(label))
            return editing.relabel(self._db, ids, made.id, made.label)

    def set_weight(self, ids: Collection[int], weight: int) -> Changed:
        """Set how often the samples count in a training. Raises `InputError`."""
        with self._editing():
            return editing.set_weight(self._db, ids, weight)

    def mark_suspects(self, marks: Mapping[int, Suspicion | None]) -> int:
        """Doubt labels (None: no longer) and return how many are doubted now. Reviewed samples stay as they are."""
        with self._editing():
            return editing.mark_suspects(self._db, marks)

    def accept_labels(self, ids: Collection[int]) -> Changed:
        """Mark samples as reviewed: they are never doubted again until they are relabelled."""
        with self._editing():
            return editing.accept_labels(self._db, ids)

    def delete_samples(self, ids: Collection[int]) -> Deleted:
        """Move samples to the trash for at least `KEPT_IN_TRASH`; their judgements go on counting."""
        with self._editing():
            return editing.delete(self._db, ids)

    def restore(self, change: SampleChange) -> SampleChange:
        """Undo a deletion or another change; return what this changed, by which it is redone."""
        with self._editing():
            return editing.restore(self._db, change)

    @contextmanager
    def _editing(self) -> Iterator[None]:
        """A transaction that changes stored samples."""
        with self._db.transaction():
            yield
        self._n_edits += 1

    def _trials(self, clause: str, values: tuple[Any, ...]) -> Iterator[Trial]:
        statement = f"SELECT {rows.TRIAL_COLUMNS} FROM {rows.TRIAL_TABLES} {clause}"
        return self._db.sound(rows.trial_of, self._db.rows(statement, values))


def _frame_cells(row: sqlite3.Row) -> tuple[Any, ...]:
    sound(FrameRow, row, "drawing")
    return tuple(row)

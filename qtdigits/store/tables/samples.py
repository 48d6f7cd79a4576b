"""The store of drawings and judgements: `samples.db` in the data folder."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.ink import decode_ink
from qtdigits.core.drawing.labels import Class, LabelSet, clean_label
from qtdigits.core.drawing.samples import Dataset, Sample, Suspicion, Trial, Verdict
from qtdigits.errors import InputError, StoreError
from qtdigits.store import frames
from qtdigits.store.tables import editing, rows, tallies
from qtdigits.store.tables.database import FILE_NAME, Database
from qtdigits.store.tables.editing import Changed, Deleted
from qtdigits.store.tables.queries import Judgements
from qtdigits.store.tables.rows import EVERYTHING, FilterFields, NameTables, SampleFilter, where
from qtdigits.store.tables.runs import QueueTable

if TYPE_CHECKING:
    import pandas as pd

    from qtdigits.store.tables.editing import Added
    from qtdigits.store.tables.merging import MergedStores, MergedWriters
    from qtdigits.store.tables.queries import Thumbnail
    from qtdigits.store.tables.runs import RunTable

MOST_ROWS = (1 << 63) - 1
"""SQLite's largest number."""
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
        self._names = NameTables(database)
        self._n_edits = 0
        self.queue = QueueTable(database)
        self.judgements = Judgements(database)

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

    @classmethod
    def open_to_read(cls, folder: Path) -> SampleStore:
        """The store in `folder` to be looked at: where nothing can be written, it is opened read-only.

        Raises the `StoreError` of `open` when that does not help.
        """
        try:
            return cls.open(folder)
        except StoreError:
            with contextlib.suppress(StoreError):
                return cls.open_read_only(folder / FILE_NAME)
            raise

    @classmethod
    def unavailable(cls, path: Path, refusal: StoreError) -> SampleStore:
        """An empty store that takes nothing, but meets it with `refusal`; for when nothing can be written anywhere."""
        return cls(Database.unavailable(path, refusal))

    @cached_property
    def runs(self) -> RunTable:
        from qtdigits.store.tables.runs import RunTable

        return RunTable(self._db)

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
        return (*self._db.problems(), *tallies.problems(self._db))

    # writers and classes

    @property
    def revision(self) -> tuple[int, int]:
        """Changes when stored samples may have changed, here or elsewhere; not when one has only been judged here."""
        return int(self._db.value("PRAGMA data_version")), self._n_edits

    def writers(self) -> list[str]:
        """The names, in the order in which the writers came."""
        return self._names.writers()

    def add_writer(self, name: str) -> None:
        """Raises `InputError` for a name that is taken or cannot be one."""
        with self._db.transaction():
            self._names.add_writer(name)

    def rename_writer(self, old: str, new: str) -> None:
        """Drawings, judgements and the hold-out stay with the writer. Raises `InputError` as `add_writer`."""
        with self._editing():
            self._names.rename_writer(old, new)

    def merge_writers(self, source: str, into: str) -> MergedWriters:
        """Make one writer of two: all that `source` has becomes `into`'s, and `source` is gone. Raises `InputError`."""
        from qtdigits.store.tables import merging

        with self._editing():
            return merging.merge_writers(self._db, self._names, source, into)

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

        Returns the trial with its ids. Whether the drawing is held out is decided here, by `core.drawing.splits.is_held_out`.
        """
        from qtdigits.store.tables.editing import Prepared, insert_sample

        prepared = None if sample is None else Prepared.of(sample)
        with self._db.transaction():
            sample_id = None if prepared is None else insert_sample(self._db, self._names, prepared)
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
        """Undo a judgement: remove the trial and its drawing, in the trash too, and return the drawing (None for a skipped one).

        Raises `StoreError` when the trial is not in the store (any more).
        """
        with self._editing():
            stored = self._db.row("SELECT sample_id FROM trials WHERE id = ?", (trial.id,))
            if stored is None:
                raise StoreError("This judgement is not in the store.", "It has been taken back already.")
            sample = self._sample(stored["sample_id"])
            self._db.execute("DELETE FROM trials WHERE id = ?", (trial.id,))
            self._db.execute("DELETE FROM samples WHERE id = ?", (stored["sample_id"],))
            return None if sample is None else replace(sample, id=None)

    def last_trial(self, writer: str) -> Trial | None:
        """The writer's latest judgement by any model; None when there is none."""
        return next(self._trials("WHERE writers.name = ? ORDER BY trials.id DESC LIMIT 1", (writer,)), None)

    def trials(self, *, writer: str | None = None, model: str | None = None) -> Iterator[Trial]:
        """The judgements, oldest first."""
        given = {"writers.name = ?": writer, "trials.model = ?": model}
        chosen = {condition: value for condition, value in given.items() if value is not None}
        clause = f"WHERE {' AND '.join(chosen)}" if chosen else ""
        return self._trials(f"{clause} ORDER BY trials.id", tuple(chosen.values()))

    def judging_models(self) -> list[str]:
        """The names of the models that have read a drawing here, in the order of the alphabet."""
        found = self._db.rows("SELECT DISTINCT model FROM trial_tally WHERE n > 0 ORDER BY model")
        return [row["model"] for row in found]

    def trial_of(self, sample_id: int) -> Trial | None:
        """The judgement of a drawing, the latest where there are several; None for one that was imported."""
        return next(self._trials("WHERE sample_id = ? ORDER BY trials.id DESC LIMIT 1", (sample_id,)), None)

    def outcomes(self, writer: str, model: str) -> NDArray[np.bool_]:
        """`(n,)`: whether each judged drawing was read right, in the order of judging; skipped ones do not count.

        Answered from an index alone, and each verdict in one string: 100,000 judgements must not be 100,000 objects.
        """
        found = self._db.rows(
            """SELECT verdict, group_concat(id) AS ids FROM trials
                WHERE writer_id = (SELECT id FROM writers WHERE name = ?) AND model = ? GROUP BY verdict""",
            (writer, model),
        )
        ids = {row["verdict"]: _numbers(row["ids"]) for row in found}
        none = np.empty(0, np.int64)
        confirmed, corrected = (ids.get(v, none) for v in (Verdict.CONFIRMED, Verdict.CORRECTED))
        order = np.argsort(np.concatenate([confirmed, corrected]), kind="stable")
        outcomes: NDArray[np.bool_] = order < len(confirmed)
        return outcomes

    def running_accuracy(self, *, writer: str, model: str) -> tuple[int, int]:
        """(confirmed, judged): skipped drawings do not count."""
        counts = tallies.n_by_verdict(self._db, writer, model)
        confirmed = counts.get(Verdict.CONFIRMED, 0)
        return confirmed, confirmed + counts.get(Verdict.CORRECTED, 0)

    # samples

    def add_samples(self, samples: Iterable[Sample]) -> Added:
        """Import all samples or, when one of them cannot be read, none; new writers and classes are made.

        A drawing that was in the store before, with the same writer and label, is skipped: a file that is imported
        twice counts once. One that has been deleted meanwhile comes back from the trash.
        """
        from qtdigits.store.tables.editing import Prepared, insert_samples

        # Before the transaction begins: reading and rendering a large file must not keep other writers waiting.
        prepared = [Prepared.of(sample) for sample in samples]
        if len(prepared) >= LARGE_IMPORT:
            self._db.execute(f"PRAGMA cache_size = -{LARGE_IMPORT_CACHE_KB}")
        with self._editing():
            return insert_samples(self._db, self._names, prepared)

    def merge_store(self, path: Path) -> MergedStores:
        """Take in another store, a file or a data folder, as a whole or not at all; what is there already is skipped.

        Raises `InputError` for this very store, and `StoreError` for a file that cannot be used.
        """
        from qtdigits.store.tables import merging

        path = path / FILE_NAME if path.is_dir() else path
        if path.exists() and path.samefile(self.path):
            raise InputError(f"{path} is the store itself.", "Name the other one.")
        source = Database.open_read_only(path)
        try:
            with self._editing():
                return merging.merge_store(self._db, self._names, source)
        finally:
            source.close()

    def samples(
        self,
        chosen: SampleFilter = EVERYTHING,
        *,
        newest_first: bool = False,
        limit: int | None = None,
        offset: int = 0,
        **also: Unpack[FilterFields],
    ) -> Iterator[Sample]:
        """In the order in which they were stored. The filter's fields may be given as keywords too."""
        clause, values = where(replace(chosen, **also))
        order = "DESC" if newest_first else "ASC"
        # The inner query is answered from an index; the blobs are read for the chosen rows only.
        inner = f"SELECT id FROM samples {clause} ORDER BY id {order} LIMIT ? OFFSET ?"
        found = self._db.rows(
            f"""SELECT {rows.SAMPLE_COLUMNS} FROM {rows.SAMPLE_TABLES}
                WHERE samples.id IN ({inner}) ORDER BY samples.id {order}""",
            (*values, -1 if limit is None else min(limit, MOST_ROWS), offset),
        )
        return map(rows.sample_of, found)

    def sample(self, sample_id: int) -> Sample | None:
        """One sample, from the trash too; None when there is none."""
        return self._sample(sample_id)

    def count(self, chosen: SampleFilter = EVERYTHING, **also: Unpack[FilterFields]) -> int:
        """How many samples the filter chooses; its fields may be given as keywords too.

        From the tallies where they can tell.
        """
        chosen = replace(chosen, **also)
        if (known := tallies.n_samples(self._db, chosen)) is not None:
            return known
        clause, values = where(chosen)
        return int(self._db.value(f"SELECT count(*) FROM samples {clause}", values))

    def ids(
        self,
        chosen: SampleFilter = EVERYTHING,
        *,
        most_doubtful_first: bool = False,
        **also: Unpack[FilterFields],
    ) -> NDArray[np.int64]:
        """`(n,)`: the chosen samples, ascending, or by their suspicion."""
        clause, values = where(replace(chosen, **also))
        if not most_doubtful_first:
            return np.sort(_numbers(self._db.value(f"SELECT group_concat(id) FROM samples {clause}", values)))
        ordered = f"SELECT id FROM samples {clause} ORDER BY suspicion DESC, id DESC"
        return _numbers(self._db.value(f"SELECT group_concat(id) FROM ({ordered})", values))

    def thumbnails(self, ids: Sequence[int]) -> list[Thumbnail]:
        """What a browser shows of these samples, in their order; those that are not there any more are left out."""
        from qtdigits.store.tables.queries import thumbnails

        return thumbnails(self._db, ids)

    def dataset(
        self, chosen: SampleFilter = EVERYTHING, *, with_ink: bool = False, **also: Unpack[FilterFields]
    ) -> Dataset:
        """The drawings as rasters with labels and writers, oldest first; `with_ink`: with what they were rendered from.

        What may be trained on (`held_out=False`) is without suspects, unless `is_suspect` says otherwise: they wait until
        somebody has looked at them.
        """
        chosen = replace(chosen, **also)
        if chosen.held_out is False and chosen.is_suspect is None:
            chosen = replace(chosen, is_suspect=False)
        clause, values = where(chosen)
        statement = f"SELECT {rows.SAMPLE_COLUMNS} FROM {rows.SAMPLE_TABLES} {clause} ORDER BY samples.id"
        blobs, labels, writers, inks, ids, weights = [], [], [], [], [], []
        for row in self._db.rows(statement, values):
            blobs.append(rows.raster_blob_of(row))
            labels.append(row["label"])
            writers.append(row["writer"])
            ids.append(row["id"])
            weights.append(row["weight"])
            if with_ink:
                inks.append(None if row["ink"] is None else decode_ink(row["ink"]))
        images = np.frombuffer(bytearray().join(blobs), np.uint8).reshape(-1, 28, 28)
        heavy = tuple(weights) if any(weight != 1 for weight in weights) else ()
        return Dataset(
            "drawings", images, tuple(labels), tuple(writers), tuple(inks), ids=tuple(ids), weights=heavy
        )

    # as pandas frames

    def samples_frame(self, chosen: SampleFilter | None = None) -> pd.DataFrame:
        """Return a row for each sample, in the order of their ids; the columns are `frames.SAMPLE_COLUMNS`.

        None: all of them, those in the trash too. Their rasters, in the same order, are those of `dataset`.
        """
        clause, values = ("", ()) if chosen is None else where(chosen)
        found = self._db.rows(
            f"""SELECT samples.id, classes.label, writers.name, origin, device, drawn_at, ink IS NOT NULL,
                    held_out, weight, reviewed, suspicion IS NOT NULL, suspicion, suggestion,
                    deleted_at IS NOT NULL
                FROM {rows.SAMPLE_TABLES} {clause} ORDER BY samples.id""",
            values,
        )
        return frames.frame_of(found, frames.SAMPLE_COLUMNS)

    def trials_frame(self) -> pd.DataFrame:
        """Return a row for each judgement, oldest first; the columns are `frames.TRIAL_COLUMNS`."""
        return frames.frame_of(
            (
                (
                    *(trial.id, trial.writer, trial.model, trial.answer, trial.truth, trial.verdict),
                    *(
                        max(trial.probabilities, default=math.nan),
                        rows.milliseconds_of(trial.judged_at),
                        trial.sample_id,
                    ),
                )
                for trial in self.trials()
            ),
            frames.TRIAL_COLUMNS,
        )

    # changing samples

    def relabel(self, ids: Collection[int], label: str) -> Changed:
        """Give samples another label, and their judgements with them; a new class is made. Raises `InputError`."""
        with self._editing():
            made = self._names.class_labelled(clean_label(label))
            return editing.relabel(self._db, ids, made.id, made.label)

    def set_weight(self, ids: Collection[int], weight: int) -> Changed:
        """How often the samples count in a training. Raises `InputError`."""
        with self._editing():
            return editing.set_weight(self._db, ids, weight)

    def mark_suspects(self, marks: Mapping[int, Suspicion | None]) -> int:
        """Doubt labels (None: no longer); returns how many are doubted. Reviewed samples are left alone."""
        with self._editing():
            return editing.mark_suspects(self._db, marks)

    def accept_labels(self, ids: Collection[int]) -> Changed:
        """Somebody has looked, and the labels are right: never doubted again until the sample is relabelled."""
        with self._editing():
            return editing.accept_labels(self._db, ids)

    def delete_samples(self, ids: Collection[int]) -> Deleted:
        """Put drawings into the trash for at least `KEPT_IN_TRASH`; the judgements of them go on counting."""
        with self._editing():
            return editing.delete(self._db, ids)

    def restore(self, change: Deleted | Changed) -> int:
        """Undo a deletion or another change, and return how many samples it concerned that are still there."""
        with self._editing():
            return editing.restore(self._db, change)

    # inside a transaction

    @contextmanager
    def _editing(self) -> Iterator[None]:
        """A transaction that changes samples which are there already."""
        with self._db.transaction():
            yield
        self._n_edits += 1

    def _sample(self, sample_id: int | None) -> Sample | None:
        statement = f"SELECT {rows.SAMPLE_COLUMNS} FROM {rows.SAMPLE_TABLES} WHERE samples.id = ?"
        row = self._db.row(statement, (sample_id,))
        return None if row is None else rows.sample_of(row)

    def _trials(self, clause: str, values: tuple[Any, ...]) -> Iterator[Trial]:
        return map(
            rows.trial_of,
            self._db.rows(f"SELECT {rows.TRIAL_COLUMNS} FROM {rows.TRIAL_TABLES} {clause}", values),
        )


def _numbers(text: str | None) -> NDArray[np.int64]:
    """From `group_concat`: one string for a hundred thousand numbers."""
    return np.fromstring(text, np.int64, sep=",") if text else np.empty(0, np.int64)

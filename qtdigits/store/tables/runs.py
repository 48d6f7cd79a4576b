"""The runs, with their recipes, figures and histories, and the queue of trainings.

A list of runs reads no history: that of a long run is a megabyte, and is last in its row.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qtdigits.core.drawing.samples import now
from qtdigits.core.run.figures import RunFigures, figures_of, recipe_values
from qtdigits.core.run.history import History
from qtdigits.errors import InputError, StoreError
from qtdigits.store import frames
from qtdigits.store.tables.database import Database
from qtdigits.store.tables.row_types import (
    DamagedRowError,
    QueueRow,
    RunId,
    RunRow,
    Time,
    from_json,
    is_a,
    milliseconds_of,
    moment_of,
    recipe_from_json,
    sound,
)

if TYPE_CHECKING:
    import pandas as pd

RUNNING = "running"
INTERRUPTED = "interrupted"
CANCELLED = "cancelled"
DAMAGED = "damaged"
"""The state of a run whose row cannot be read; its note says why."""
COLUMNS = "id, name, note, recipe, state, started_at, ended_at, model, figures, deleted_at"


@dataclass(frozen=True, eq=False)
class RunRecord:
    """One run. `state` is "running" until it ends, then its outcome ("completed", "cancelled", "failed", …).

    A run that is "running" while no process trains it was interrupted by the end of its program. `model` is the path of
    the resulting model, or "". `name` and `note` are the person's own. `deleted_at`: in the trash since then.
    """

    id: str
    recipe: Mapping[str, Any]
    state: str = RUNNING
    started_at: datetime = field(default_factory=now)
    ended_at: datetime | None = None
    model: str = ""
    name: str = ""
    note: str = ""
    figures: RunFigures = field(default_factory=RunFigures)
    deleted_at: datetime | None = None

    @property
    def title(self) -> str:
        """The name that the person gave it, else that of its recipe."""
        return self.name or str(self.recipe.get("name") or "") or self.id


class RunTable:
    """Runs in `samples.db`; reached as `SampleStore.runs`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, run: RunRecord, *, prepare: Callable[[], object] = lambda: None) -> None:
        """Add a run after `prepare` has made its files: where the run is found, they are, even if this process is killed.

        Raises `StoreError` when there is a run of this id; then nothing is prepared.
        """
        with self._db.transaction():
            if self._is_there(run.id):
                raise StoreError(f"There is a run {run.id!r} already.", "Give the new one another id.")
            self._insert(run)
            prepare()

    def reopen(self, run: RunRecord) -> None:
        """Mark a run as running again, by a recipe that may have more epochs. A deleted run comes back."""
        recipe = json.dumps(dict(run.recipe))
        with self._db.transaction():
            if self._is_there(run.id):
                self._set(run.id, state=RUNNING, ended_at=None, deleted_at=None, recipe=recipe)
            else:
                self._insert(run)

    def undo_reopen(self, before: RunRecord) -> None:
        """Restore a run that could not be resumed, but for its curves, which have not changed."""
        self._change(
            before.id,
            state=INTERRUPTED if before.state == RUNNING else before.state,
            ended_at=milliseconds_of(before.ended_at or now()),
            model=before.model,
            recipe=json.dumps(dict(before.recipe)),
            figures=json.dumps(before.figures.to_json()),
        )

    def save_history(self, run_id: str, history: History, figures: RunFigures | None = None) -> None:
        """Save the curves of a running run. `figures`: those of the history by default. Raises `StoreError`."""
        self._change(run_id, **_encoded(history, figures))

    def save_figures(self, run_id: str, figures: RunFigures) -> None:
        """Save the figures of a run before its first epoch. Raises `StoreError`."""
        self._change(run_id, **_encoded(None, figures))

    def end(
        self,
        run_id: str,
        *,
        state: str,
        model: str = "",
        history: History | None = None,
        figures: RunFigures | None = None,
    ) -> None:
        """`figures`: those of the history by default. Raises `StoreError` when there is no such run."""
        ended_at = milliseconds_of(now())
        self._change(run_id, state=state, ended_at=ended_at, model=model, **_encoded(history, figures))

    def records(self, *, in_trash: bool = False, most: int = -1) -> list[RunRecord]:
        """Return the runs, or those in the trash, the latest first; `most` of them, -1: all."""
        state = "NOT NULL" if in_trash else "NULL"
        return self._runs(f"WHERE deleted_at IS {state} ORDER BY started_at DESC, rowid DESC LIMIT ?", most)

    def frame(self) -> pd.DataFrame:
        """Return `runs_frame` of all runs, those in the trash too, the latest first."""
        return runs_frame(self._runs("ORDER BY started_at DESC, rowid DESC"))

    def data_version(self) -> int:
        """Return a number that differs whenever another connection or process has changed the store."""
        return int(self._db.value("PRAGMA data_version"))

    def running(self) -> list[RunRecord]:
        """Return the runs whose end was not recorded; they may have been interrupted."""
        return self._runs("WHERE state = ?", RUNNING)

    def find(self, wanted: str, *, in_trash: bool = False) -> RunRecord:
        """Return the run with this id or name, or the only one whose id begins so. Raises `InputError`."""
        fits = _fitting(wanted, self.records(in_trash=in_trash))
        if len(fits) == 1:
            return fits[0]
        if fits:
            ids = ", ".join(run.id for run in fits[:5])
            raise InputError(f"{wanted!r} fits several runs.", f"Say which: {ids}.")
        where, listing = (" in the trash", " --deleted") if in_trash else ("", "")
        problem, remedy = (
            f"There is no run {wanted!r}{where}.",
            f"Look at the list: qtdigits runs list{listing}.",
        )
        if others := _fitting(wanted, self.records(in_trash=not in_trash)):
            run_id = others[0].id
            problem = f"The run {run_id} is {'not ' if in_trash else ''}in the trash."
            remedy = remedy if in_trash else f"Put it back: qtdigits runs restore {run_id}"
        raise InputError(problem, remedy)

    def get(self, run_id: str) -> RunRecord | None:
        """Return the run with this id, from the trash too; None when there is none."""
        return next(iter(self._runs("WHERE id = ?", run_id)), None)

    def history(self, run_id: str) -> History | None:
        """Return the curves; None when none were recorded, or they are damaged. Raises `StoreError` when there is no such run."""
        row = self._db.row("SELECT id, history FROM runs WHERE id = ?", (run_id,))
        if row is None:
            raise _no_run(run_id)
        return next(self._db.sound(history_of, [row]), None)

    def rename(self, run_id: str, name: str) -> None:
        """Name a run; with "", it has the name of its recipe again. Raises `StoreError` when there is no such run."""
        self._change(run_id, name=" ".join(name.split()))

    def set_note(self, run_id: str, note: str) -> None:
        """Replace the note; "" removes it. Raises `StoreError` when there is no such run."""
        self._change(run_id, note=note.strip())

    def delete(self, run_ids: Iterable[str]) -> None:
        """Move runs to the trash, all or none; their models stay. Raises `StoreError`."""
        self._mark(run_ids, milliseconds_of(now()))

    def restore(self, run_ids: Iterable[str]) -> None:
        """Restore runs from the trash, all or none. Raises `StoreError`."""
        self._mark(run_ids, None)

    def purge(self, run_ids: Iterable[str]) -> None:
        """Delete for good those runs that are in the trash."""
        with self._db.transaction():
            for run_id in run_ids:
                self._db.execute("DELETE FROM runs WHERE id = ? AND deleted_at IS NOT NULL", (run_id,))

    def _runs(self, clause: str, *values: object) -> list[RunRecord]:
        return list(self._db.sound(_shown_run, self._db.rows(f"SELECT {COLUMNS} FROM runs {clause}", values)))

    def _is_there(self, run_id: str) -> bool:
        return self._db.row("SELECT 1 FROM runs WHERE id = ?", (run_id,)) is not None

    def _insert(self, run: RunRecord) -> None:
        self._db.execute(
            """INSERT INTO runs (id, name, note, recipe, state, started_at, model, figures)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                *(run.id, run.name, run.note, json.dumps(dict(run.recipe)), run.state),
                *(milliseconds_of(run.started_at), run.model, json.dumps(run.figures.to_json())),
            ),
        )

    def _mark(self, run_ids: Iterable[str], deleted_at: int | None) -> None:
        with self._db.transaction():
            for run_id in run_ids:
                self._set(run_id, deleted_at=deleted_at)

    def _change(self, run_id: str, **values: object) -> None:
        with self._db.transaction():
            self._set(run_id, **values)

    def _set(self, run_id: str, **values: object) -> None:
        columns = ", ".join(f"{column} = ?" for column in values)
        cursor = self._db.execute(f"UPDATE runs SET {columns} WHERE id = ?", (*values.values(), run_id))
        if not cursor.rowcount:
            raise _no_run(run_id)


def runs_frame(runs: Iterable[RunRecord], *, recipe_fields: Container[str] | None = None) -> pd.DataFrame:
    """Return a pandas frame with a row for each run.

    The columns are `frames.RUN_COLUMNS`; `data SOURCE`, the number of drawings of each source that was trained on;
    `accuracy SET` and `n SET` of each set that a model was scored on; and `recipe FIELD` of `recipe_fields` (None: all).
    """
    runs = list(runs)
    more: list[dict[str, object]] = [
        {
            **{f"data {source}": n for source, n in run.figures.data.items()},
            **{f"accuracy {name}": accuracy for name, (accuracy, _) in run.figures.scores.items()},
            **{f"n {name}": n for name, (_, n) in run.figures.scores.items()},
            **{
                f"recipe {name}": value
                for name, value in recipe_values(run.recipe).items()
                if recipe_fields is None or name in recipe_fields
            },
        }
        for run in runs
    ]
    return frames.with_columns(frames.frame_of(map(_cells, runs), frames.RUN_COLUMNS), more)


def _fitting(wanted: str, runs: Iterable[RunRecord]) -> list[RunRecord]:
    """Return the runs with this id, else of this name, else whose ids begin so."""
    runs = list(runs) if wanted else []
    return (
        [run for run in runs if run.id == wanted]
        or [run for run in runs if run.name == wanted]
        or [run for run in runs if run.id.startswith(wanted)]
    )


def _no_run(run_id: str) -> StoreError:
    return StoreError(f"There is no run {run_id!r}.", "Look at the list of runs.")


def _shown_run(row: sqlite3.Row) -> RunRecord:
    """Return the run, or one that says what is wrong with it. Raises `DamagedRowError` when not even its id can be used."""
    try:
        return run_of(row)
    except DamagedRowError as error:
        if not is_a(RunId, row["id"]):
            raise
        deleted_at = None if row["deleted_at"] is None else now()
        started_at = moment_of(row["started_at"] if is_a(Time, row["started_at"]) else 0)
        return RunRecord(
            row["id"], {}, state=DAMAGED, started_at=started_at, note=str(error), deleted_at=deleted_at
        )


def run_of(row: sqlite3.Row) -> RunRecord:
    """Return the run of a row of `COLUMNS`. Raises `DamagedRowError`."""
    found = sound(RunRow, row, "run")
    try:
        recipe = recipe_from_json(found.recipe)
        figures = from_json(found.figures, RunFigures, column="figures")
    except ValueError as error:
        raise DamagedRowError(f"run {found.id}", str(error)) from error
    return RunRecord(
        id=found.id,
        name=found.name,
        note=found.note,
        recipe=recipe,
        state=found.state,
        started_at=moment_of(found.started_at),
        ended_at=_moment(found.ended_at),
        model=found.model,
        figures=figures,
        deleted_at=_moment(found.deleted_at),
    )


def history_of(row: sqlite3.Row) -> History | None:
    """Return the curves of a row with `id` and `history`. Raises `DamagedRowError`."""
    try:
        return None if row["history"] is None else History.from_json(json.loads(row["history"]))
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        raise DamagedRowError(f"curves of run {row['id']}", "they cannot be read") from error


def _cells(run: RunRecord) -> tuple[object, ...]:
    """In the order of `frames.RUN_COLUMNS`."""
    figures = run.figures
    ended = None if run.ended_at is None else milliseconds_of(run.ended_at)
    return (
        *(run.id, run.title, run.note, run.state, milliseconds_of(run.started_at), ended),
        *(figures.epochs, figures.best_epoch or None, figures.val_loss, figures.val_accuracy),
        *(figures.hold_out_accuracy, figures.elapsed_s, figures.n_parameters, run.model),
        run.deleted_at is not None,
    )


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else moment_of(milliseconds)


def _encoded(history: History | None, figures: RunFigures | None) -> dict[str, str]:
    """The columns of a run's curves and figures, as far as they are given."""
    columns = {}
    if history is not None:
        columns["history"] = json.dumps(history.to_json())
        figures = figures or figures_of(history)
    if figures is not None:
        columns["figures"] = json.dumps(figures.to_json())
    return columns


@dataclass(frozen=True, eq=False)
class QueuedRun:
    """`request` is the training job as JSON. `is_known`: there is a run of this id, so it was started before."""

    run_id: str
    request: Mapping[str, Any]
    is_known: bool = False


def queued_of(row: sqlite3.Row) -> QueuedRun:
    """Return the place of a run in the queue. Raises `DamagedRowError`."""
    found = sound(QueueRow, row, "queued run")
    try:
        request = from_json(found.request, dict[str, Any], column="request")
    except ValueError as error:
        raise DamagedRowError(f"queued run {found.run_id}", str(error)) from error
    return QueuedRun(found.run_id, request, bool(found.is_known))


class QueueTable:
    """The queue of trainings, first come, first served; reached as `SampleStore.queue`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def entries(self) -> list[QueuedRun]:
        """Return the queued runs, the next one first."""
        found = self._db.rows(
            """SELECT run_id, request, EXISTS (SELECT 1 FROM runs WHERE id = run_id) AS is_known
                FROM queue ORDER BY position"""
        )
        return list(self._db.sound(queued_of, found))

    def add(self, run_id: str, request: Mapping[str, Any]) -> None:
        """Append a run; one that is queued already keeps its place and gets the new request."""
        with self._db.transaction():
            self._db.execute(
                """INSERT INTO queue (run_id, position, request)
                    VALUES (?, (SELECT coalesce(max(position), 0) + 1 FROM queue), ?)
                    ON CONFLICT (run_id) DO UPDATE SET request = excluded.request""",
                (run_id, json.dumps(dict(request))),
            )

    def remove(self, run_id: str) -> None:
        """Remove a run, if it is queued."""
        with self._db.transaction():
            self._db.execute("DELETE FROM queue WHERE run_id = ?", (run_id,))

    def move(self, run_id: str, by: int) -> None:
        """Move a run `by` places back, or forward where that is negative, as far as the queue goes."""
        with self._db.transaction():
            queue = [row["run_id"] for row in self._db.rows("SELECT run_id FROM queue ORDER BY position")]
            if run_id not in queue:
                return
            place = queue.index(run_id)
            queue.insert(max(0, place + by), queue.pop(place))
            # In two steps: positions are unique at every moment.
            numbered = list(enumerate(queue, 1))
            self._db.execute("UPDATE queue SET position = -position")
            self._db.execute_many("UPDATE queue SET position = ? WHERE run_id = ?", numbered)

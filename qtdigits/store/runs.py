"""The runs that were made: their recipes, how they ended, their histories."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from qtdigits.core.history import History
from qtdigits.core.samples import now
from qtdigits.errors import StoreError
from qtdigits.store.database import Database
from qtdigits.store.rows import milliseconds_of, moment_of

RUNNING = "running"


@dataclass(frozen=True, eq=False)
class RunRecord:
    """One run. `state` is "running" until it ends, then its outcome ("completed", "cancelled", "failed", …).

    A run that is still "running" when nothing runs was interrupted. `model` is the path of what came out, or "".
    """

    id: str
    recipe: Mapping[str, Any]
    state: str = RUNNING
    started_at: datetime = field(default_factory=now)
    ended_at: datetime | None = None
    model: str = ""
    history: History | None = None


class RunTable:
    """Runs in `samples.db`; reached as `SampleStore.runs`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, run: RunRecord) -> None:
        """Raises `StoreError` when a run of this id is there already."""
        with self._db.transaction():
            if self._db.row("SELECT 1 FROM runs WHERE id = ?", (run.id,)):
                raise StoreError(f"There is a run {run.id!r} already.", "Give the new one another id.")
            self._db.execute(
                "INSERT INTO runs (id, recipe, state, started_at, model) VALUES (?, ?, ?, ?, ?)",
                (run.id, json.dumps(dict(run.recipe)), run.state, milliseconds_of(run.started_at), run.model),
            )

    def end(self, run_id: str, *, state: str, model: str = "", history: History | None = None) -> None:
        """Raises `StoreError` when there is no such run."""
        table = None if history is None else json.dumps(history.to_json())
        with self._db.transaction():
            cursor = self._db.execute(
                "UPDATE runs SET state = ?, ended_at = ?, model = ?, history = ? WHERE id = ?",
                (state, milliseconds_of(now()), model, table, run_id),
            )
            if not cursor.rowcount:
                raise StoreError(f"There is no run {run_id!r}.", "Look at the list of runs.")

    def all(self) -> list[RunRecord]:
        """The latest first."""
        return [
            _run_of(row) for row in self._db.rows("SELECT * FROM runs ORDER BY started_at DESC, rowid DESC")
        ]


def _run_of(row: sqlite3.Row) -> RunRecord:
    return RunRecord(
        id=row["id"],
        recipe=json.loads(row["recipe"]),
        state=row["state"],
        started_at=moment_of(row["started_at"]),
        ended_at=None if row["ended_at"] is None else moment_of(row["ended_at"]),
        model=row["model"],
        history=None if row["history"] is None else History.from_json(json.loads(row["history"])),
    )

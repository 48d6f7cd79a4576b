"""The trainings that wait in line, in `samples.db`: they survive a restart, and every window sees the same line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qtdigits.store.tables.database import Database


@dataclass(frozen=True, eq=False)
class QueuedRun:
    """`request` is a training request as JSON. `is_known`: there is a run of this id already, so it was begun before."""

    run_id: str
    request: Mapping[str, Any]
    is_known: bool = False


class QueueTable:
    """First come, first served, unless somebody changes the order; reached as `SampleStore.queue`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def entries(self) -> list[QueuedRun]:
        """Those that wait, the next one first."""
        return [
            QueuedRun(row["run_id"], json.loads(row["request"]), bool(row["is_known"]))
            for row in self._db.rows(
                """SELECT run_id, request, EXISTS (SELECT 1 FROM runs WHERE id = run_id) AS is_known
                    FROM queue ORDER BY position"""
            )
        ]

    def add(self, run_id: str, request: Mapping[str, Any]) -> None:
        """At the end of the line; a run that waits already keeps its place and gets the new request."""
        with self._db.transaction():
            self._db.execute(
                """INSERT INTO queue (run_id, position, request)
                    VALUES (?, (SELECT coalesce(max(position), 0) + 1 FROM queue), ?)
                    ON CONFLICT (run_id) DO UPDATE SET request = excluded.request""",
                (run_id, json.dumps(dict(request))),
            )

    def remove(self, run_id: str) -> None:
        """Out of the line; nothing happens where it is not in it any more."""
        with self._db.transaction():
            self._db.execute("DELETE FROM queue WHERE run_id = ?", (run_id,))

    def move(self, run_id: str, by: int) -> None:
        """So many places on, or, below 0, forward, as far as the line goes."""
        with self._db.transaction():
            line = [row["run_id"] for row in self._db.rows("SELECT run_id FROM queue ORDER BY position")]
            if run_id not in line:
                return
            place = line.index(run_id)
            line.insert(max(0, place + by), line.pop(place))
            # Two steps, as no two may have the same place at any moment.
            numbered = [(number, name) for number, name in enumerate(line, 1)]
            self._db.execute("UPDATE queue SET position = -position")
            self._db.execute_many("UPDATE queue SET position = ? WHERE run_id = ?", numbered)

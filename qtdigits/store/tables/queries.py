"""What can be asked about a writer's judgements without making an object of each: 100,000 of them must not hold up a window."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from qtdigits.core.drawing.samples import Origin, Raster, Suspicion, Verdict
from qtdigits.store.tables import rows
from qtdigits.store.tables.database import Database

if TYPE_CHECKING:
    from qtdigits.core.score.practice import JudgedReading


_WRITER = "(SELECT id FROM writers WHERE name = ?)"


class Judgements:
    """Reads the trials of one writer. Skipped drawings are in none of the answers."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def models(self, writer: str) -> list[tuple[str, int, int]]:
        """(model, right, judged) of each model that was judged, the one used last first. Counted by the tally."""
        found = self._db.rows(
            f"""SELECT model, verdict, n,
                    (SELECT max(id) FROM trials WHERE trials.writer_id = trial_tally.writer_id
                        AND trials.model = trial_tally.model AND trials.verdict = trial_tally.verdict) AS newest
                FROM trial_tally WHERE writer_id = {_WRITER} AND verdict <> ? AND n > 0 ORDER BY newest DESC""",
            (writer, Verdict.SKIPPED),
        )
        counts: dict[str, tuple[int, int]] = {}
        for row in found:
            right, judged = counts.get(row["model"], (0, 0))
            is_right = row["verdict"] == Verdict.CONFIRMED
            counts[row["model"]] = (right + row["n"] * is_right, judged + row["n"])
        return [(model, right, judged) for model, (right, judged) in counts.items()]

    def confusions(self, writer: str, model: str) -> dict[tuple[str, str], int]:
        """How often each (truth, answer) occurred."""
        found = self._db.rows(
            f"""SELECT truth, answer, count(*) AS n FROM trials
                WHERE writer_id = {_WRITER} AND model = ? AND verdict <> ? AND truth IS NOT NULL
                GROUP BY truth, answer""",
            (writer, model, Verdict.SKIPPED),
        )
        return {(row["truth"], row["answer"]): int(row["n"]) for row in found}

    def drawings(self, writer: str, model: str, *, truth: str, answer: str) -> list[int]:
        """The ids of the drawings of one (truth, answer), as far as they are still there."""
        found = self._db.rows(
            f"""SELECT sample_id FROM trials
                WHERE writer_id = {_WRITER} AND model = ? AND verdict <> ? AND truth = ? AND answer = ?
                    AND sample_id IS NOT NULL ORDER BY id""",
            (writer, model, Verdict.SKIPPED, truth, answer),
        )
        return [int(row["sample_id"]) for row in found]

    def recent(self, writer: str, most: int) -> list[JudgedReading]:
        """The latest `most` readings by all models, oldest first."""
        from qtdigits.core.score.practice import JudgedReading

        found = self._db.rows(
            f"""SELECT truth, answer, model FROM trials
                WHERE writer_id = {_WRITER} AND verdict <> ? AND truth IS NOT NULL ORDER BY id DESC LIMIT ?""",
            (writer, Verdict.SKIPPED, most),
        )
        return [JudgedReading(row["truth"], row["answer"], row["model"]) for row in found][::-1]

    def n_trainable(self, writer: str, last_sample: int) -> int:
        """How many drawings of the writer up to that sample a training could learn from: those not held out."""
        return int(
            self._db.value(
                f"SELECT count(*) FROM samples WHERE writer_id = {_WRITER} AND held_out = 0 AND id <= ?",
                (writer, last_sample),
            )
        )


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """A sample at a glance. `raster` is as it was stored; `verdict` is None for a sample that was imported."""

    id: int
    label: str
    raster: Raster
    writer: str
    origin: Origin
    drawn_at: datetime
    held_out: bool
    weight: int
    suspicion: Suspicion | None
    verdict: Verdict | None
    is_deleted: bool


def thumbnails(db: Database, ids: Sequence[int]) -> list[Thumbnail]:
    """In the order of `ids`, without those that are not there."""
    wanted = [int(i) for i in ids]
    found = db.rows(
        f"""SELECT samples.id, classes.label, samples.raster, writers.name AS writer, samples.origin,
                samples.drawn_at, samples.held_out, samples.weight, samples.suspicion, samples.suggestion,
                samples.reason, samples.deleted_at,
                (SELECT verdict FROM trials WHERE sample_id = samples.id ORDER BY id DESC LIMIT 1) AS verdict
            FROM {rows.SAMPLE_TABLES} WHERE samples.id IN (SELECT value FROM json_each(?))""",
        (json.dumps(wanted),),
    )
    by_id = {
        row["id"]: Thumbnail(
            id=row["id"],
            label=row["label"],
            raster=np.frombuffer(row["raster"], np.uint8).reshape(28, 28),
            writer=row["writer"],
            origin=Origin(row["origin"]),
            drawn_at=rows.moment_of(row["drawn_at"]),
            held_out=bool(row["held_out"]),
            weight=row["weight"],
            suspicion=rows.suspicion_of(row),
            verdict=None if row["verdict"] is None else Verdict(row["verdict"]),
            is_deleted=row["deleted_at"] is not None,
        )
        for row in found
    }
    return [by_id[i] for i in wanted if i in by_id]

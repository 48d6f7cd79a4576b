"""Counts and lists for the window, from indexes and tallies: 100,000 drawings must not become 100,000 objects.

The tallies, kept by triggers, answer what is asked after every judgement; `tally_problems` compares them with a count.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.samples import Origin, Raster, Suspicion, Verdict
from qtdigits.core.score.comparison import PairedComparison
from qtdigits.core.score.practice import JudgedReading
from qtdigits.store.tables import rows
from qtdigits.store.tables.database import Database
from qtdigits.store.tables.row_types import ThumbnailRow, moment_of, sound
from qtdigits.store.tables.rows import DOUBTED, EVERYTHING, RETIRED_CLASSES, SampleFilter, shown_label, where
from qtdigits.store.tables.schema import TALLIED, TALLY_COLUMNS

_WRITER = "writer_id = (SELECT id FROM writers WHERE name = ?)"
_IS_JUDGED = f"verdict IN ('{Verdict.CONFIRMED}', '{Verdict.CORRECTED}')"
_TRUTH, _ANSWER = shown_label("trials.truth"), shown_label("trials.answer")
_ALONE = shown_label("trials.network_answer")
_NOT_COUNTING = f"""SELECT id FROM samples WHERE {DOUBTED} UNION
    SELECT samples.id FROM writers CROSS JOIN {RETIRED_CLASSES} AS retired
        CROSS JOIN samples ON samples.writer_id = writers.id AND samples.class_id = retired.id
        WHERE samples.deleted_at IS NULL"""
"""Drawings whose label is doubted or retired have nothing to say about a model."""
_COUNTED = f"(sample_id IS NULL OR sample_id NOT IN ({_NOT_COUNTING}))"
_TRIALS_OF = "CROSS JOIN trials ON trials.sample_id = left_out.id WHERE true"
"""The few drawings that do not count are looked up first, never all judgements."""
_DOUBTED_TRIALS = f"(SELECT id FROM samples WHERE {DOUBTED}) AS left_out {_TRIALS_OF}"
_JUDGED = f"""(SELECT writer_id, model, verdict, n - (
        SELECT count(*) FROM ({_NOT_COUNTING}) AS left_out {_TRIALS_OF} AND trials.writer_id = trial_tally.writer_id
            AND trials.model = trial_tally.model AND trials.verdict = trial_tally.verdict
    ) AS n FROM trial_tally)"""
"""The tally of the judgements that count."""


def count(db: Database, chosen: SampleFilter) -> int:
    """Return how many samples the filter chooses: from the tally, where it knows all the fields that are set."""
    if replace(chosen, writer=None, label=None, held_out=None, is_suspect=None) != EVERYTHING:
        clause, values = where(chosen)
        return int(db.value(f"SELECT count(*) FROM samples {clause}", values))
    conditions = {
        _WRITER: chosen.writer,
        f"class_id IN {rows.CLASSES_SHOWN_AS}": chosen.label,
        "held_out = ?": chosen.held_out,
        "is_suspect = ?": chosen.is_suspect,
    }
    given = {condition: value for condition, value in conditions.items() if value is not None}
    clause = " AND ".join((*given, f"class_id NOT IN {rows.RETIRED_CLASSES}"))
    return int(db.value(f"SELECT total(n) FROM sample_tally WHERE {clause}", tuple(given.values())))


def counts_by_label(db: Database, writer: str | None) -> dict[str, int]:
    """Return how many samples each class has, retired ones too; without those that have none."""
    clause, values = (f"WHERE {_WRITER}", (writer,)) if writer else ("", ())
    found = db.rows(
        f"""SELECT classes.label, sum(n) AS n FROM sample_tally JOIN classes AS own ON own.id = class_id
            JOIN classes ON classes.id = own.root_id {clause} GROUP BY classes.id HAVING sum(n) > 0""",
        values,
    )
    return {row["label"]: int(row["n"]) for row in found}


def sample_ids(db: Database, chosen: SampleFilter, *, most_doubtful_first: bool) -> NDArray[np.int64]:
    """Return `(n,)`: the chosen samples, ascending, or by their suspicion."""
    clause, values = where(chosen)
    if not most_doubtful_first:
        return np.sort(_numbers(db.value(f"SELECT group_concat(id) FROM samples {clause}", values)))
    ordered = f"SELECT id FROM samples {clause} ORDER BY suspicion DESC, id DESC"
    return _numbers(db.value(f"SELECT group_concat(id) FROM ({ordered})", values))


def latest_by_label(db: Database, writer: str, most: int) -> dict[str, list[int]]:
    """Return the writer's latest `most` samples of each class in use that has some, the newest first."""
    of_class = f"""SELECT id FROM samples WHERE {_WRITER} AND deleted_at IS NULL
        AND class_id IN (SELECT id FROM classes WHERE root_id = root.id) ORDER BY id DESC LIMIT ?"""
    found = db.rows(
        f"""SELECT label, (SELECT group_concat(id) FROM ({of_class})) AS ids FROM classes AS root
            WHERE root_id = id AND retired_at IS NULL AND deleted_at IS NULL""",
        (writer, most),
    )
    return {row["label"]: np.sort(_numbers(row["ids"]))[::-1].tolist() for row in found if row["ids"]}


Among = frozenset[str] | None
"""The ids of the classes whose judgements are asked for, None: of all."""


def _of(among: Among) -> tuple[str, tuple[str, ...]]:
    """Return a condition on `trials`, and its values."""
    if among is None:
        return "true", ()
    condition = f"trials.truth IN (SELECT label FROM classes WHERE id IN {rows.CLASSES_AMONG})"
    return condition, (json.dumps(sorted(among)),)


def running_accuracy(db: Database, writer: str, model: str, among: Among = None) -> tuple[int, int]:
    """Return (confirmed, judged)."""
    if among is not None:
        is_right = outcomes(db, writer, model, among)
        return int(is_right.sum()), len(is_right)
    found = db.rows(f"SELECT verdict, n FROM {_JUDGED} WHERE {_WRITER} AND model = ?", (writer, model))
    counts = {row["verdict"]: int(row["n"]) for row in found}
    confirmed = counts.get(Verdict.CONFIRMED, 0)
    return confirmed, confirmed + counts.get(Verdict.CORRECTED, 0)


def doubted_judgements(db: Database, writer: str, model: str) -> int:
    """Return how many judgements do not count because the labels of their drawings are doubted."""
    counting = f"SELECT count(*) FROM {_DOUBTED_TRIALS} AND trials.{_WRITER} AND model = ? AND {_IS_JUDGED}"
    return int(db.value(counting, (writer, model)))


def outcomes(db: Database, writer: str, model: str | None, among: Among = None) -> NDArray[np.bool_]:
    """Return `(n,)`: whether each judged drawing was read right, in the order of judging; by any model for None.

    A judgement with an odd verdict counts in no figure, and is told as damaged: the figures would be others with it.
    """
    condition, values = _of(among)
    by_model, models = ("true", ()) if model is None else ("model = ?", (model,))
    found = db.rows(
        f"""SELECT verdict, group_concat(id) AS ids FROM trials
            WHERE {_WRITER} AND {by_model} AND {condition} GROUP BY verdict""",
        (writer, *models, *values),
    )
    left_out = _numbers(
        db.value(f"SELECT group_concat(trials.id) FROM ({_NOT_COUNTING}) AS left_out {_TRIALS_OF}")
    )
    ids_by_verdict = {row["verdict"]: np.setdiff1d(_numbers(row["ids"]), left_out) for row in found}
    for odd in ids_by_verdict.keys() - set(Verdict):
        db.damaged.update({f"judgement {i}": "its verdict is not valid" for i in ids_by_verdict[odd]})
    none = np.empty(0, np.int64)
    confirmed, corrected = (ids_by_verdict.get(v, none) for v in (Verdict.CONFIRMED, Verdict.CORRECTED))
    order = np.argsort(np.concatenate([confirmed, corrected]), kind="stable")
    is_right: NDArray[np.bool_] = order < len(confirmed)
    return is_right


def judging_models(db: Database) -> list[str]:
    """Return the names of the models that have read a drawing, in alphabetical order."""
    return [
        row["model"] for row in db.rows("SELECT DISTINCT model FROM trial_tally WHERE n > 0 ORDER BY model")
    ]


def tally_problems(db: Database) -> Iterator[str]:
    """Yield where a tally differs from the count."""
    for tally, counting in TALLIED.items():
        columns = ", ".join(TALLY_COLUMNS[tally])
        for row in db.rows(
            f"""SELECT {columns}, sum(n) AS n FROM (
                    SELECT {columns}, n FROM {tally} UNION ALL SELECT {columns}, -n FROM ({counting})
                ) GROUP BY {columns} HAVING sum(n) <> 0"""
        ):
            *kind, n = row
            yield f"{tally} is wrong by {n} for {tuple(kind)}"


class Judgements:
    """The judgements of one writer; reached as `SampleStore.judgements`. Skipped drawings never count, nor do doubted ones.

    `among`: only those of drawings of these classes, None: of all.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self.among: Among = None

    def models(self, writer: str) -> list[tuple[str, int, int]]:
        """Return (model, right, judged) of each model that was judged, the one used last first."""
        found = self._db.rows(
            f"""SELECT model, verdict, n,
                    (SELECT max(id) FROM trials WHERE trials.writer_id = judged.writer_id
                        AND trials.model = judged.model AND trials.verdict = judged.verdict) AS newest
                FROM {_JUDGED} AS judged WHERE {_WRITER} AND {_IS_JUDGED} AND n > 0 ORDER BY newest DESC""",
            (writer,),
        )
        if self.among is not None:
            names = dict.fromkeys(row["model"] for row in found)
            tallies = [(name, *running_accuracy(self._db, writer, name, self.among)) for name in names]
            return [tally for tally in tallies if tally[-1]]
        counts: dict[str, tuple[int, int]] = {}
        for row in found:
            right, judged = counts.get(row["model"], (0, 0))
            is_right = row["verdict"] == Verdict.CONFIRMED
            counts[row["model"]] = (right + row["n"] * is_right, judged + row["n"])
        return [(model, right, judged) for model, (right, judged) in counts.items()]

    def confusions(self, writer: str, model: str) -> dict[tuple[str, str], int]:
        """Return how often each (truth, answer) occurred."""
        condition, values = _of(self.among)
        found = self._db.rows(
            f"""SELECT {_TRUTH} AS shown_truth, {_ANSWER} AS shown_answer, count(*) AS n FROM trials
                WHERE {_WRITER} AND model = ? AND {_IS_JUDGED} AND truth IS NOT NULL AND {_COUNTED}
                    AND {condition} GROUP BY 1, 2""",
            (writer, model, *values),
        )
        return {(row["shown_truth"], row["shown_answer"]): int(row["n"]) for row in found}

    def without_memory(self, writer: str, model: str) -> PairedComparison:
        """Compare what the network alone answered, where that is known, with what was shown, memory included."""
        condition, values = _of(self.among)
        found = self._db.row(
            f"""SELECT count(*) AS n, total(is_right) AS shown,
                    total(CASE WHEN is_changed AND is_right THEN {_ALONE} <> {_TRUTH} END) AS fixed,
                    total(CASE WHEN is_changed AND NOT is_right THEN {_ALONE} = {_TRUTH} END) AS broken
                FROM (SELECT *, verdict = ? AS is_right, network_answer <> answer AS is_changed FROM trials
                    WHERE {_WRITER} AND model = ? AND {_IS_JUDGED} AND network_answer <> '' AND {_COUNTED}
                        AND {condition}) AS trials""",
            (Verdict.CONFIRMED, writer, model, *values),
        )
        n, shown, fixed, broken = map(int, found or (0, 0, 0, 0))
        return PairedComparison(n, shown - fixed + broken, shown, fixed, broken)

    def confidences(self, writer: str, model: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the probability of each shown answer, memory included, and whether it was right: `(n,)` each."""
        condition, values = _of(self.among)
        found = self._db.rows(
            f"""SELECT {rows.TRIAL_COLUMNS} FROM {rows.TRIAL_TABLES}
                WHERE {_WRITER} AND model = ? AND {_IS_JUDGED} AND {_COUNTED} AND {condition} ORDER BY trials.id""",
            (writer, model, *values),
        )
        pairs = [
            (max(trial.probabilities), trial.is_right)
            for trial in self._db.sound(rows.trial_of, found)
            if trial.probabilities
        ]
        confidence, is_right = zip(*pairs, strict=True) if pairs else ((), ())
        return np.array(confidence, np.float64), np.array(is_right, bool)

    def drawings(self, writer: str, model: str, *, truth: str, answer: str) -> list[int]:
        """Return the ids of the drawings of one (truth, answer) that are still there."""
        found = self._db.rows(
            f"""SELECT sample_id FROM trials
                WHERE {_WRITER} AND model = ? AND {_IS_JUDGED} AND {_TRUTH} = ? AND {_ANSWER} = ?
                    AND sample_id IS NOT NULL AND {_COUNTED} ORDER BY id""",
            (writer, model, truth, answer),
        )
        return [int(row["sample_id"]) for row in found]

    def recent(self, writer: str, most: int) -> list[JudgedReading]:
        """Return the latest `most` readings by all models, oldest first."""
        condition, values = _of(self.among)
        found = self._db.rows(
            f"""SELECT {_TRUTH} AS truth, {_ANSWER} AS answer, model FROM trials
                WHERE {_WRITER} AND {_IS_JUDGED} AND trials.truth IS NOT NULL AND {_COUNTED} AND {condition}
                ORDER BY id DESC LIMIT ?""",
            (writer, *values, most),
        )
        return [JudgedReading(row["truth"], row["answer"], row["model"]) for row in found][::-1]

    def n_trainable(self, writer: str, last_sample: int) -> int:
        """Return how many of the writer's samples up to that id are not held out, nor doubted."""
        counting = f"""SELECT count(*) FROM samples WHERE {_WRITER} AND held_out = 0 AND suspicion IS NULL AND id <= ?
                AND class_id NOT IN {RETIRED_CLASSES}"""
        return int(self._db.value(counting, (writer, last_sample)))


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """A sample for a grid. `raster` is as it was stored; `verdict` is None for an imported sample."""

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
    """Return the thumbnails in the order of `ids`, without those of unknown ids and of damaged drawings."""
    wanted = [int(i) for i in ids]
    found = db.rows(
        f"""SELECT samples.id, classes.label, samples.raster, writers.name AS writer, samples.origin,
                samples.drawn_at, samples.held_out, samples.weight, samples.suspicion, samples.suggestion,
                samples.reason, samples.deleted_at,
                (SELECT verdict FROM trials WHERE sample_id = samples.id ORDER BY id DESC LIMIT 1) AS verdict
            FROM {rows.SAMPLE_TABLES} WHERE samples.id IN (SELECT value FROM json_each(?))""",
        (json.dumps(wanted),),
    )
    by_id = {one.id: one for one in db.sound(_thumbnail, found)}
    return [by_id[i] for i in wanted if i in by_id]


def _thumbnail(row: sqlite3.Row) -> Thumbnail:
    found = sound(ThumbnailRow, row, "drawing")
    return Thumbnail(
        id=found.id,
        label=found.label,
        raster=np.frombuffer(found.raster, np.uint8).reshape(28, 28),
        writer=found.writer,
        origin=found.origin,
        drawn_at=moment_of(found.drawn_at),
        held_out=bool(found.held_out),
        weight=found.weight,
        suspicion=rows.suspicion_of(found),
        verdict=found.verdict,
        is_deleted=found.deleted_at is not None,
    )


def _numbers(text: str | None) -> NDArray[np.int64]:
    """Parse the result of `group_concat`: one string for a hundred thousand numbers."""
    return np.fromstring(text, np.int64, sep=",") if text else np.empty(0, np.int64)

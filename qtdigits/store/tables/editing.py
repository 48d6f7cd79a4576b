"""Changing samples that are stored, so that it can be undone. The caller holds the transaction.

Whether a sample is held out is never changed here. Of a sample that is relabelled the judgement follows: a slip of the
finger must not count for ever as the model's mistake.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from qtdigits.core.drawing.samples import Suspicion, Verdict, now
from qtdigits.errors import InputError
from qtdigits.store.tables.database import Database
from qtdigits.store.tables.rows import milliseconds_of

KEPT_IN_TRASH = timedelta(days=30)
"""A deleted drawing can be put back for so long, at least; it is removed for good by a deletion after that."""

HEAVIEST = 100

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


def relabel(db: Database, ids: Collection[int], class_id: str, label: str) -> Changed:
    """They are no suspects any more, but may become some again: nobody has looked at the new label."""
    before = _remember(db, ids, also="AND class_id != ?", values=(class_id,))
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
    """Somebody has looked: no suspects any more, nor ever again under these labels."""
    before = _remember(db, ids)
    db.execute(
        f"""UPDATE samples SET reviewed = 1, suspicion = NULL, suggestion = NULL, reason = NULL
            WHERE id {_CHOSEN}""",
        (_json(before.ids),),
    )
    return before


def mark_suspects(db: Database, marks: Mapping[int, Suspicion | None]) -> int:
    """How many are marked now; reviewed samples are left alone, and None takes a mark away."""
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
    """Put samples into the trash, and remove for good what has been there for longer than `KEPT_IN_TRASH`."""
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


def restore(db: Database, change: Deleted | Changed) -> int:
    """Undo a change, and return how many samples it concerned that are still in the store."""
    if isinstance(change, Deleted):
        return db.execute(
            f"UPDATE samples SET deleted_at = NULL WHERE deleted_at IS NOT NULL AND id {_CHOSEN}",
            (_json(change.ids),),
        ).rowcount
    db.execute_many(
        """UPDATE samples SET class_id = ?, given_class_id = ?, weight = ?, reviewed = ?, suspicion = ?,
            suggestion = ?, reason = ? WHERE id = ?""",
        change.samples,
    )
    db.execute_many("UPDATE trials SET truth = ?, verdict = ? WHERE id = ?", change.trials)
    return int(db.value(f"SELECT count(*) FROM samples WHERE id {_CHOSEN}", (_json(change.ids),)))


def _remember(db: Database, ids: Collection[int], *, also: str = "", values: tuple[Any, ...] = ()) -> Changed:
    """Those of `ids` that are in the store and not in the trash, as they are."""
    samples = db.rows(
        f"""SELECT class_id, given_class_id, weight, reviewed, suspicion, suggestion, reason, id FROM samples
            WHERE id {_CHOSEN} AND deleted_at IS NULL {also} ORDER BY id""",
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

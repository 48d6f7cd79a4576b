"""Asking the tallies, and holding them against what is counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from qtdigits.store.tables.rows import EVERYTHING, SampleFilter
from qtdigits.store.tables.tally_tables import COUNTED, SAMPLE, TRIAL

if TYPE_CHECKING:
    from qtdigits.store.tables.database import Database


def n_by_verdict(db: Database, writer: str, model: str) -> dict[str, int]:
    """How often each `Verdict` was given; those that never were are left out."""
    found = db.rows(
        """SELECT verdict, n FROM trial_tally
            WHERE writer_id = (SELECT id FROM writers WHERE name = ?) AND model = ?""",
        (writer, model),
    )
    return {row["verdict"]: int(row["n"]) for row in found}


def n_samples(db: Database, chosen: SampleFilter) -> int | None:
    """How many samples the filter chooses; None when the tally cannot tell, because it knows nothing of a field."""
    if replace(chosen, writer=None, label=None, held_out=None, is_suspect=None) != EVERYTHING:
        return None
    conditions = {
        "writer_id = (SELECT id FROM writers WHERE name = ?)": chosen.writer,
        "class_id = (SELECT id FROM classes WHERE label = ?)": chosen.label,
        "held_out = ?": chosen.held_out,
        "is_suspect = ?": chosen.is_suspect,
    }
    given = {condition: value for condition, value in conditions.items() if value is not None}
    clause = " AND ".join(given) or "true"
    row = next(db.rows(f"SELECT total(n) AS n FROM sample_tally WHERE {clause}", tuple(given.values())))
    return int(row["n"])


def problems(db: Database) -> Iterator[str]:
    """Where a tally differs from what is counted."""
    for tally, counting in COUNTED.items():
        columns = ", ".join(TRIAL if tally == "trial_tally" else SAMPLE)
        for row in db.rows(
            f"""SELECT {columns}, sum(n) AS n FROM (
                    SELECT {columns}, n FROM {tally} UNION ALL SELECT {columns}, -n FROM ({counting})
                ) GROUP BY {columns} HAVING sum(n) <> 0"""
        ):
            *kind, n = row
            yield f"{tally} is wrong by {n} for {tuple(kind)}"

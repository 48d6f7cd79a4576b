"""How many trials and samples there are of each kind, kept up to date by the database itself.

The running accuracy and the number of drawings are asked for after every judgement. Counting 100,000 rows takes tens of
milliseconds even from an index; these tables have some hundred rows at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from qtdigits.store.filters import EVERYTHING, SampleFilter

if TYPE_CHECKING:
    from qtdigits.store.database import Database

TABLES = ("trial_tally", "sample_tally")

_TRIAL = ("writer_id", "model", "verdict")
_SAMPLE = ("writer_id", "class_id", "held_out", "is_suspect")
_IS_THERE = "deleted_at IS NULL"

# What the rows of a tally count, as a query; "{row}" is the row that came or went in a trigger.
_COUNTED = {
    "trial_tally": "SELECT writer_id, model, verdict, count(*) AS n FROM trials GROUP BY 1, 2, 3",
    "sample_tally": f"""SELECT writer_id, class_id, held_out, suspicion IS NOT NULL AS is_suspect, count(*) AS n
        FROM samples WHERE {_IS_THERE} GROUP BY 1, 2, 3, 4""",
}


def _plus(tally: str, columns: tuple[str, ...], values: str, condition: str) -> str:
    return f"""INSERT INTO {tally} ({", ".join(columns)}, n) SELECT {values}, 1 WHERE {condition}
        ON CONFLICT DO UPDATE SET n = n + 1;"""


def _minus(tally: str, columns: tuple[str, ...], values: str, condition: str) -> str:
    return f"""UPDATE {tally} SET n = n - 1
        WHERE ({", ".join(columns)}) = ({values}) AND {condition};"""


def _triggers(table: str, tally: str, columns: tuple[str, ...], values: str, condition: str) -> Iterator[str]:
    """`values` and `condition` speak of the row as "{row}"."""
    came = _plus(tally, columns, values.format(row="new"), condition.format(row="new"))
    went = _minus(tally, columns, values.format(row="old"), condition.format(row="old"))
    yield f"CREATE TRIGGER {tally}_inserted AFTER INSERT ON {table} BEGIN {came} END"
    yield f"CREATE TRIGGER {tally}_deleted AFTER DELETE ON {table} BEGIN {went} END"
    yield f"CREATE TRIGGER {tally}_updated AFTER UPDATE ON {table} BEGIN {went} {came} END"


MAKING = (
    """CREATE TABLE trial_tally (
        writer_id INTEGER NOT NULL,
        model     TEXT NOT NULL,
        verdict   TEXT NOT NULL,
        n         INTEGER NOT NULL,
        PRIMARY KEY (writer_id, model, verdict)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE sample_tally (
        writer_id  INTEGER NOT NULL,
        class_id   TEXT NOT NULL,
        held_out   INTEGER NOT NULL,
        is_suspect INTEGER NOT NULL,
        n          INTEGER NOT NULL,
        PRIMARY KEY (writer_id, class_id, held_out, is_suspect)
    ) STRICT, WITHOUT ROWID""",
    *(f"INSERT INTO {tally} {counting}" for tally, counting in _COUNTED.items()),
    *_triggers("trials", "trial_tally", _TRIAL, "{row}.writer_id, {row}.model, {row}.verdict", "true"),
    *_triggers(
        "samples",
        "sample_tally",
        _SAMPLE,
        "{row}.writer_id, {row}.class_id, {row}.held_out, {row}.suspicion IS NOT NULL",
        "{row}.deleted_at IS NULL",
    ),
)
"""The statements of the migration."""


def n_by_verdict(db: Database, writer: str, model: str) -> dict[str, int]:
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
    for tally, counting in _COUNTED.items():
        columns = ", ".join(_TRIAL if tally == "trial_tally" else _SAMPLE)
        for row in db.rows(
            f"""SELECT {columns}, sum(n) AS n FROM (
                    SELECT {columns}, n FROM {tally} UNION ALL SELECT {columns}, -n FROM ({counting})
                ) GROUP BY {columns} HAVING sum(n) <> 0"""
        ):
            *kind, n = row
            yield f"{tally} is wrong by {n} for {tuple(kind)}"

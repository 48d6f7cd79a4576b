"""The tables of tallies and the triggers that keep them: how many trials and samples there are of each kind.

The running accuracy and the number of drawings are asked for after every judgement. Counting 100,000 rows takes tens of
milliseconds even from an index; these tables have some hundred rows at most.
"""

from __future__ import annotations

from collections.abc import Iterator

TABLES = ("trial_tally", "sample_tally")

TRIAL = ("writer_id", "model", "verdict")
SAMPLE = ("writer_id", "class_id", "held_out", "is_suspect")
_IS_THERE = "deleted_at IS NULL"

# What the rows of a tally count, as a query; "{row}" is the row that came or went in a trigger.
COUNTED = {
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
    *(f"INSERT INTO {tally} {counting}" for tally, counting in COUNTED.items()),
    *_triggers("trials", "trial_tally", TRIAL, "{row}.writer_id, {row}.model, {row}.verdict", "true"),
    *_triggers(
        "samples",
        "sample_tally",
        SAMPLE,
        "{row}.writer_id, {row}.class_id, {row}.held_out, {row}.suspicion IS NOT NULL",
        "{row}.deleted_at IS NULL",
    ),
)
"""The statements of the migration."""

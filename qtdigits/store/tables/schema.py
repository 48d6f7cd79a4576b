"""The schema of `samples.db` as migrations.

Step n of `MIGRATIONS` leads from version n to version n + 1 (`PRAGMA user_version`); all of them together make a new
store from an empty file. A released step is never changed: a change of the schema is a new step.

Times are whole milliseconds since 1970 in UTC. Blobs are last in their tables, so that the other columns are read
without them; columns of filters are in an index as well.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator

from qtdigits.core.drawing.labels import DIGITS

APPLICATION_ID = 0x51744467
"""`QtDg`: tells `samples.db` from other SQLite files."""


def _make_tables(db: sqlite3.Connection) -> None:
    """Version 1.

    `writers.key` is the writer's first name, by which the hold-out is chosen: renaming does not change the choice.
    `samples.ordinal` counts a writer's samples of a class; `preprocessing` is the version that made the raster.
    `trials.sample_id` becomes NULL when a sample is removed: the judgement goes on counting.
    """
    for statement in _TABLES:
        db.execute(statement)
    db.executemany(
        "INSERT INTO classes (id, label, position) VALUES (?, ?, ?)",
        [(c.id, c.label, position) for position, c in enumerate(DIGITS)],
    )


_TABLES = (
    """CREATE TABLE writers (
        id   INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        key  TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE classes (
        id       TEXT PRIMARY KEY,
        label    TEXT NOT NULL UNIQUE,
        position INTEGER NOT NULL UNIQUE
    ) STRICT""",
    """CREATE TABLE samples (
        id            INTEGER PRIMARY KEY AUTOINCREMENT,
        writer_id     INTEGER NOT NULL REFERENCES writers,
        class_id      TEXT NOT NULL REFERENCES classes,
        ordinal       INTEGER NOT NULL,
        held_out      INTEGER NOT NULL CHECK (held_out IN (0, 1)),
        origin        TEXT NOT NULL,
        device        TEXT NOT NULL,
        drawn_at      INTEGER NOT NULL,
        preprocessing INTEGER NOT NULL,
        digest        BLOB NOT NULL,
        raster        BLOB NOT NULL CHECK (length(raster) = 784),
        ink           BLOB
    ) STRICT""",
    # Counting by writer, class, hold-out and origin is answered from this index alone.
    "CREATE INDEX samples_by_class ON samples (writer_id, class_id, ordinal, held_out, origin)",
    "CREATE INDEX samples_by_digest ON samples (digest)",
    """CREATE TABLE label_sets (
        id     INTEGER PRIMARY KEY,
        labels TEXT NOT NULL UNIQUE
    ) STRICT""",
    """CREATE TABLE trials (
        id            INTEGER PRIMARY KEY AUTOINCREMENT,
        writer_id     INTEGER NOT NULL REFERENCES writers,
        model         TEXT NOT NULL,
        answer        TEXT NOT NULL,
        verdict       TEXT NOT NULL,
        truth         TEXT,
        judged_at     INTEGER NOT NULL,
        sample_id     INTEGER REFERENCES samples ON DELETE SET NULL,
        label_set_id  INTEGER NOT NULL REFERENCES label_sets,
        probabilities BLOB NOT NULL
    ) STRICT""",
    # The running accuracy is answered from this index alone.
    "CREATE INDEX trials_by_model ON trials (writer_id, model, verdict)",
    "CREATE INDEX trials_by_writer ON trials (writer_id)",
    "CREATE INDEX trials_by_sample ON trials (sample_id)",
    """CREATE TABLE runs (
        id         TEXT PRIMARY KEY,
        recipe     TEXT NOT NULL,
        state      TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        ended_at   INTEGER,
        model      TEXT NOT NULL,
        history    TEXT
    ) STRICT""",
)


def _add_review(db: sqlite3.Connection) -> None:
    """Version 2: samples have a weight, a suspicion and a trash, can be reviewed and relabelled.

    `samples.given_class_id` is the first class of a relabelled sample, by which an import recognises it.
    `suspicion` (0 to 1), `suggestion` (a label) and `reason` are set together, for samples to review.
    A sample with a `deleted_at` is in the trash; its trials go on counting.
    """
    for statement in _REVIEW:
        db.execute(statement)


_REVIEW = (
    "ALTER TABLE samples ADD COLUMN weight INTEGER NOT NULL DEFAULT 1 CHECK (weight >= 1)",
    "ALTER TABLE samples ADD COLUMN reviewed INTEGER NOT NULL DEFAULT 0 CHECK (reviewed IN (0, 1))",
    "ALTER TABLE samples ADD COLUMN given_class_id TEXT REFERENCES classes",
    "ALTER TABLE samples ADD COLUMN suspicion REAL",
    "ALTER TABLE samples ADD COLUMN suggestion TEXT",
    "ALTER TABLE samples ADD COLUMN reason TEXT",
    "ALTER TABLE samples ADD COLUMN deleted_at INTEGER",
    # Every filter is answered from one of these two indexes alone: by writer, or in the order of ids.
    "DROP INDEX samples_by_class",
    """CREATE INDEX samples_by_class ON samples
        (writer_id, class_id, ordinal, held_out, origin, deleted_at, suspicion, drawn_at)""",
    """CREATE INDEX samples_at_a_glance ON samples
        (id, writer_id, class_id, held_out, origin, deleted_at, suspicion, drawn_at)""",
    "CREATE INDEX samples_in_trash ON samples (deleted_at) WHERE deleted_at IS NOT NULL",
    "CREATE INDEX samples_in_doubt ON samples (suspicion, deleted_at) WHERE suspicion IS NOT NULL",
    "DROP INDEX trials_by_sample",
    "CREATE INDEX trials_by_sample ON trials (sample_id, verdict, model)",
)


def _add_tallies(db: sqlite3.Connection) -> None:
    """Version 3: triggers count the trials and samples of each kind (why: docs/decisions.md)."""
    for statement in _TALLIES:
        db.execute(statement)


TALLY_COLUMNS = {
    "trial_tally": ("writer_id", "model", "verdict"),
    "sample_tally": ("writer_id", "class_id", "held_out", "is_suspect"),
}

TALLIED = {
    "trial_tally": "SELECT writer_id, model, verdict, count(*) AS n FROM trials GROUP BY 1, 2, 3",
    "sample_tally": """SELECT writer_id, class_id, held_out, suspicion IS NOT NULL AS is_suspect, count(*) AS n
        FROM samples WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4""",
}


def _triggers(table: str, tally: str, values: str, condition: str) -> Iterator[str]:
    """Return the statements that keep a tally; "{row}" in `values` and `condition` is the row that came or went."""
    columns = ", ".join(TALLY_COLUMNS[tally])
    came, went = values.format(row="new"), values.format(row="old")
    insert = f"""INSERT INTO {tally} ({columns}, n) SELECT {came}, 1 WHERE {condition.format(row="new")}
        ON CONFLICT DO UPDATE SET n = n + 1;"""
    delete = f"""UPDATE {tally} SET n = n - 1
        WHERE ({columns}) = ({went}) AND {condition.format(row="old")};"""
    yield f"CREATE TRIGGER {tally}_inserted AFTER INSERT ON {table} BEGIN {insert} END"
    yield f"CREATE TRIGGER {tally}_deleted AFTER DELETE ON {table} BEGIN {delete} END"
    yield f"CREATE TRIGGER {tally}_updated AFTER UPDATE ON {table} BEGIN {delete} {insert} END"


_TALLIES = (
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
    *(f"INSERT INTO {tally} {counting}" for tally, counting in TALLIED.items()),
    *_triggers("trials", "trial_tally", "{row}.writer_id, {row}.model, {row}.verdict", "true"),
    *_triggers(
        "samples",
        "sample_tally",
        "{row}.writer_id, {row}.class_id, {row}.held_out, {row}.suspicion IS NOT NULL",
        "{row}.deleted_at IS NULL",
    ),
)


def _name_runs(db: sqlite3.Connection) -> None:
    """Version 4: runs have a name, a note, figures for a list, and a trash; histories are last again.

    `figures` is `core.run.figures.RunFigures` as JSON. A history that cannot be read is kept as it is, without figures.
    """
    db.execute(_RUNS)
    for run in db.execute("SELECT * FROM runs ORDER BY rowid").fetchall():
        run_id, recipe, state, started_at, ended_at, model, history = run
        db.execute(
            "INSERT INTO named_runs VALUES (?, '', '', ?, ?, ?, ?, ?, ?, NULL, ?)",
            (run_id, recipe, state, started_at, ended_at, model, _figures(history), history),
        )
    db.execute("DROP TABLE runs")
    db.execute("ALTER TABLE named_runs RENAME TO runs")


_RUNS = """CREATE TABLE named_runs (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    note       TEXT NOT NULL,
    recipe     TEXT NOT NULL,
    state      TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    model      TEXT NOT NULL,
    figures    TEXT NOT NULL,
    deleted_at INTEGER,
    history    TEXT
) STRICT"""


def _figures(history: str | None) -> str:
    from qtdigits.core.run.figures import figures_of
    from qtdigits.core.run.history import History

    try:
        return json.dumps(figures_of(History.from_json(json.loads(history or ""))).to_json())
    except (ValueError, KeyError, TypeError):
        return "{}"


def _make_queue(db: sqlite3.Connection) -> None:
    """Version 5: the queue. `request` is the job for the engine, as JSON."""
    db.execute(_QUEUE)


_QUEUE = """CREATE TABLE queue (
    run_id   TEXT PRIMARY KEY,
    position INTEGER NOT NULL UNIQUE,
    request  TEXT NOT NULL
) STRICT"""


def _own_classes(db: sqlite3.Connection) -> None:
    """Version 6: classes can be merged, retired and deleted.

    `merged_into` points to the class that a merged one counts as, `root_id` to where such a chain ends: to itself for all others.
    """
    for statement in _OWNED_CLASSES:
        db.execute(statement)


_OWNED_CLASSES = (
    "ALTER TABLE classes ADD COLUMN merged_into TEXT REFERENCES classes",
    "ALTER TABLE classes ADD COLUMN root_id TEXT REFERENCES classes",
    "ALTER TABLE classes ADD COLUMN retired_at INTEGER",
    "ALTER TABLE classes ADD COLUMN deleted_at INTEGER",
    "UPDATE classes SET root_id = id",
)


def _keep_network_answers(db: sqlite3.Connection) -> None:
    """Version 7: `trials.network_answer` is what the network alone answered, without memory; "" if unknown."""
    db.execute("ALTER TABLE trials ADD COLUMN network_answer TEXT NOT NULL DEFAULT ''")


def _make_class_sets(db: sqlite3.Connection) -> None:
    """Version 8: named sets of classes, to which answers and figures can be limited."""
    for statement in _CLASS_SETS:
        db.execute(statement)


_CLASS_SETS = (
    """CREATE TABLE class_sets (
        id   INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT""",
    """CREATE TABLE class_set_members (
        set_id   INTEGER NOT NULL REFERENCES class_sets ON DELETE CASCADE,
        class_id TEXT NOT NULL REFERENCES classes,
        PRIMARY KEY (set_id, class_id)
    ) STRICT, WITHOUT ROWID""",
)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _make_tables,
    _add_review,
    _add_tallies,
    _name_runs,
    _make_queue,
    _own_classes,
    _keep_network_answers,
    _make_class_sets,
)

TABLES = frozenset(
    {
        "writers",
        "classes",
        "class_sets",
        "class_set_members",
        "samples",
        "label_sets",
        "trials",
        "runs",
        "queue",
    }
    | set(TALLIED)
)
"""The tables of the present version."""

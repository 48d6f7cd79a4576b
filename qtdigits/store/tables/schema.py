"""The schema of `samples.db`, and how an older one becomes the present one.

The schema is what the steps in `MIGRATIONS` make, one after the other, from an empty file: step n leads from version n
to version n + 1 (`PRAGMA user_version`). A step that has been released is never changed; a change of the schema is a
new step.

Times are whole milliseconds since 1970 in UTC. Blobs stand last in their tables as they were first made, so that the
other columns are read without them; what is filtered by is in an index besides.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.store.tables import tally_tables

APPLICATION_ID = 0x51744467
"""`QtDg`: tells `samples.db` from other SQLite files."""


def _make_tables(db: sqlite3.Connection) -> None:
    """Version 1.

    `writers.key` is the name first given: the hold-out is chosen by it, so that renaming does not disturb the choice.
    `samples.ordinal` counts a writer's samples of a class; `preprocessing` says which version made the raster.
    `trials.sample_id` becomes NULL when a sample is deleted: the judgement was made and goes on counting.
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
    """Version 2: drawings can be weighted, doubted, reviewed, relabelled, and deleted so that they can be put back.

    `samples.given_class_id` is the class a relabelled sample came with, by which an import knows it again.
    `suspicion` (0 to 1), `suggestion` (a label) and `reason` are set together, for samples that wait for a look.
    A sample with a `deleted_at` is in the trash: only what looks for it there finds it, and its trials go on counting.
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
    # Whatever is chosen by a filter is counted and listed from one of these two alone: by writer, or in order of id.
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
    """Version 3: what is asked for after every judgement need not be counted any more."""
    for statement in tally_tables.MAKING:
        db.execute(statement)


def _name_runs(db: sqlite3.Connection) -> None:
    """Version 4: runs have a name, a note, figures for a list, and a trash; histories stand last again.

    `figures` is `core.run.run_figures.RunFigures` as JSON. A history that cannot be read any more is kept as it is, without
    figures.
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
    """Version 5: trainings wait in line. `request` is what the engine is asked for, as JSON."""
    db.execute(_QUEUE)


_QUEUE = """CREATE TABLE queue (
    run_id   TEXT PRIMARY KEY,
    position INTEGER NOT NULL UNIQUE,
    request  TEXT NOT NULL
) STRICT"""


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _make_tables,
    _add_review,
    _add_tallies,
    _name_runs,
    _make_queue,
)

TABLES = frozenset(
    {"writers", "classes", "samples", "label_sets", "trials", "runs", "queue", *tally_tables.TABLES}
)
"""What a file of the present version has to hold."""

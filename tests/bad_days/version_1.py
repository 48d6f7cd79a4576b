"""A store as the first version of the program made it, by the statements of that time."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

STATEMENTS = (
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
    "CREATE INDEX samples_by_class ON samples (writer_id, class_id, ordinal, held_out, origin)",
    "CREATE INDEX samples_by_digest ON samples (digest)",
    "CREATE TABLE label_sets (id INTEGER PRIMARY KEY, labels TEXT NOT NULL UNIQUE) STRICT",
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
    "INSERT INTO writers VALUES (1, 'Ada', 'Ada'), (2, 'Bob', 'Robert')",
    """WITH RECURSIVE digit (d) AS (SELECT 0 UNION ALL SELECT d + 1 FROM digit WHERE d < 9)
        INSERT INTO classes SELECT d, d, d FROM digit""",
    """INSERT INTO label_sets VALUES (1, '["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]')""",
    "INSERT INTO runs VALUES ('r1', '{}', 'completed', 1660000000000, 1660000060000, 'models/mine.h5', NULL)",
    "PRAGMA application_id = 0x51744467",
    "PRAGMA user_version = 1",
)

# Imported images of one writer and confirmed or corrected drawings of another, by turns.
SAMPLES = """WITH RECURSIVE number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < ?)
    INSERT INTO samples SELECT i, 1 + i % 2, (i / 2) % 10, i / 20, i / 20 % 5 = 0, iif(i % 2, 'image', 'drawn'), 'mouse',
        1660000000000 + i, 1, randomblob(16), randomblob(784), NULL FROM number"""
TRIALS = """INSERT INTO trials SELECT id, writer_id, 'mlp', class_id, iif(id % 10, 'confirmed', 'corrected'), class_id,
        drawn_at, id, 1, zeroblob(80) FROM samples WHERE origin = 'drawn'"""


def make_version_1(folder: Path, *, n_samples: int) -> Path:
    """`samples.db` in `folder`."""
    path = folder / "samples.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("BEGIN")
        for statement in STATEMENTS:
            db.execute(statement)
        db.execute(SAMPLES, (n_samples,))
        db.execute(TRIALS)
        db.execute("COMMIT")
    return path

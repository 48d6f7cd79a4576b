"""Rows that the program would not write, as a damaged disk or another program does."""

from __future__ import annotations

import contextlib
import sqlite3
import struct
import zlib
from pathlib import Path

import numpy as np

from qtdigits.core.drawing.ink import encode_ink
from tests.store.values import an_ink

NOT_STRICT = (
    "PRAGMA writable_schema = ON",
    "UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '')",
    "UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (length(raster) = 784)', '')",
    "UPDATE sqlite_schema SET sql = replace(sql, ' NOT NULL UNIQUE', ' UNIQUE')",
)
HUGE = 2**62
BOMB = struct.pack("<BI", 1, 1) + zlib.compress(bytes(1 << 27))
EMPTY_STROKE = struct.pack("<BI", 1, 1) + zlib.compress(struct.pack("<I", 0))
NOT_FINITE = struct.pack("<BI", 1, 1) + zlib.compress(struct.pack("<Iffff", 1, np.nan, 1, 0, 1))
ODD_SAMPLES = {
    "ink that is none": ("ink", b"xyz"),
    "ink of another version": ("ink", b"\x09" + encode_ink(an_ink())[1:]),
    "ink that unpacks to 128 MB": ("ink", BOMB),
    "an empty stroke": ("ink", EMPTY_STROKE),
    "a point that is no number": ("ink", NOT_FINITE),
    "a huge time": ("drawn_at", HUGE),
    "a time that another zone cannot show": ("drawn_at", 253402300799999),
    "a time that is text": ("drawn_at", "yesterday"),
    "an origin that nobody knows": ("origin", "heaven"),
    "a raster that is too short": ("raster", b"\0" * 783),
    "a raster that is too long": ("raster", b"\0" * 785),
    "a raster that is text": ("raster", "a" * 784),
    "a weight that is text": ("weight", "many"),
    "a suspicion out of range": ("suspicion", 7.5),
    "a preprocessing that is text": ("preprocessing", "old"),
}
ODD_TRIALS = {
    "a verdict that nobody knows": ("verdict", "perhaps"),
    "a huge time": ("judged_at", HUGE),
    "probabilities of another length": ("probabilities", b"12345678"),
    "probabilities that are cut off": ("probabilities", b"123"),
    "a model that is a number": ("model", b"\0"),
}
ODD_RUNS = {
    "a recipe that is no object": ("recipe", "["),
    "a recipe that is a list": ("recipe", "[]"),
    "a recipe with a field of another kind": ("recipe", '{"epochs": "many"}'),
    "a recipe with a list inside": ("recipe", '{"dense": [1]}'),
    "a recipe that is deep": ("recipe", "[" * 100_000),
    "a recipe with a number of 400 digits": ("recipe", '{"epochs": ' + "9" * 400 + "}"),
    "figures that are no object": ("figures", "["),
    "figures that are text": ("figures", '{"epochs": "many"}'),
    "figures that are infinite": ("figures", '{"elapsed_s": 1e999}'),
    "a huge time": ("started_at", HUGE),
}


def make_odd(folder: Path, table: str, column: str, value: object, rowid: int = 1) -> None:
    """Write a value that the program would not, as a damaged disk or another program does."""
    with contextlib.closing(sqlite3.connect(folder / "samples.db", isolation_level=None)) as db:
        for statement in NOT_STRICT:
            db.execute(statement)
    with contextlib.closing(sqlite3.connect(folder / "samples.db", isolation_level=None)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, rowid))

"""A copy of the store as it is before a migration."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from qtdigits.store.files import take_name
from qtdigits.store.temporary import temporary_beside


def back_up(connection: sqlite3.Connection, path: Path, version: int) -> Path:
    """Copy the store at `path` to `samples.db.before-vN`, whole or not at all; an older copy is not replaced.

    A copy that was cut short would later be offered as what to put back, so it takes its name last.
    """
    name = f"{path.name}.before-v{version + 1}"
    numbered = (f"{name}-{number}" for number in range(2, 1000))
    free = next(p for p in map(path.with_name, (name, *numbered)) if not p.exists())
    with temporary_beside(free) as part:
        with contextlib.closing(sqlite3.connect(part)) as copy:
            # The copy needs no journal: it is thrown away when it is not finished.
            copy.execute("PRAGMA journal_mode = OFF")
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        take_name(part, free)
    return free

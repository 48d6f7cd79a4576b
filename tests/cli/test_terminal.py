"""What files and stores say reaches the terminal without its control characters."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from cli.running import Run
from qtdigits.core.recipe_files import load_recipe
from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore
from tests.store.values import a_sample, a_trial

EVIL = "\x1b[31mred\x1b]0;title\x07 \u202egnp"
COMMANDS = {char for char in map(chr, range(32)) if char not in "\n\t"} | set("\x7f\x9b\u202e\u2066")


@pytest.fixture
def evil_store(data_dir: Path) -> None:
    """A store whose texts, all of them, command the terminal."""
    with SampleStore.open(data_dir) as store:
        store.judge(a_sample("7", "Ada"), a_trial("7", "Ada"))
        store.runs.add(RunRecord("run1", load_recipe("quick").to_json()))
    with contextlib.closing(sqlite3.connect(data_dir / "samples.db", isolation_level=None)) as db:
        db.execute("UPDATE writers SET name = ? WHERE name = 'Ada'", (EVIL,))
        db.execute("UPDATE classes SET label = ? WHERE label = '7'", (EVIL,))
        db.execute("UPDATE samples SET device = ?, origin = origin", (EVIL,))
        db.execute("UPDATE runs SET name = ?, note = ?", (EVIL, EVIL))
        db.execute("UPDATE trials SET model = ?", (EVIL,))


@pytest.mark.usefixtures("evil_store")
@pytest.mark.parametrize(
    "command",
    [
        "samples list",
        "samples check",
        "writers list",
        "classes list",
        "runs list",
        "runs show run1",
        f"writers rename {EVIL.replace(' ', '_')} Bob",
        f"models show {EVIL.replace(' ', '_')}",
    ],
)
def test_that_no_command_of_a_terminal_is_printed(run: Run, command: str) -> None:
    done = run(*command.split(" "))
    assert not COMMANDS & set(done.out + done.err)
    assert "gnp" in done.out + done.err or "check" in command

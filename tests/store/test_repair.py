"""`samples check --repair`: damaged rows go into a file, damaged files are read as far as they can be."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from qtdigits.errors import DamagedStoreError
from qtdigits.store.tables.repair import n_set_aside
from qtdigits.store.tables.salvage import salvage
from qtdigits.store.tables.samples import SampleStore
from tests.store.odd_rows import ODD_RUNS, ODD_SAMPLES, ODD_TRIALS, make_odd
from tests.store.values import a_sample, a_trial

ODD = [
    *(("samples", *one) for one in ODD_SAMPLES.values()),
    *(("trials", *one) for one in ODD_TRIALS.values()),
    *(("runs", *one) for one in ODD_RUNS.values()),
    ("runs", "history", "["),
    ("samples", "writer_id", 77),
    ("samples", "class_id", "nothing"),
    ("trials", "label_set_id", 77),
]


@pytest.mark.parametrize(("table", "column", "value"), ODD)
def test_that_check_names_a_damaged_row_and_repair_sets_it_aside(
    folder: Path, table: str, column: str, value: object
) -> None:
    make_odd(folder, table, column, value)
    with SampleStore.open(folder) as store:
        assert store.check()
        assert len(store.repair()) == 1
        assert store.check() == ()
        assert store.repair() == []
    (line,) = (folder / "set-aside.jsonl").read_text().splitlines()
    aside = json.loads(line)
    assert aside["table"] == table
    assert aside["row"]
    assert n_set_aside(folder) == 1


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("writers", "name", "\x1b[31mAda"),
        ("writers", "name", "x" * 5000),
        ("writers", "name", None),
        ("writers", "name", b"\xff"),
        ("classes", "label", "\x07"),
        ("classes", "label", ""),
        ("classes", "label", None),
        ("classes", "root_id", "nothing"),
        ("classes", "merged_into", "0"),
        ("trials", "sample_id", 77),
        ("sample_tally", "n", 5),
    ],
)
def test_that_repair_mends_what_the_rest_tells_and_keeps_every_drawing(
    folder: Path, table: str, column: str, value: object
) -> None:
    if table == "sample_tally":
        with contextlib.closing(sqlite3.connect(folder / "samples.db", isolation_level=None)) as db:
            db.execute("UPDATE sample_tally SET n = 5")
    else:
        make_odd(folder, table, column, value)
    with SampleStore.open(folder) as store:
        store.repair()
        assert store.check() == ()
        assert store.count() == len(list(store.samples())) == 4


def test_that_nothing_is_set_aside_of_a_sound_store(folder: Path) -> None:
    with SampleStore.open(folder) as store:
        assert store.check() == ()
        assert store.repair() == []
    assert n_set_aside(folder) == 0


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A store of 300 drawings in a file of many pages."""
    with SampleStore.open(tmp_path) as store:
        store.add_samples([a_sample(str(i % 10)) for i in range(299)])
        store.judge(a_sample(), a_trial())
    return tmp_path / "samples.db"


@pytest.mark.parametrize("place", [0.3, 0.5, 0.8])
def test_that_a_file_with_pages_overwritten_is_read_as_far_as_it_can_be(large: Path, place: float) -> None:
    with large.open("rb+") as stream:
        stream.seek(int(large.stat().st_size * place) // 4096 * 4096)
        stream.write(b"\xa5" * 4096 * 3)
    found = salvage(large)
    with SampleStore.open(large.parent) as store:
        store.repair()
        assert store.check() == ()
        n = len(list(store.samples()))
        assert store.writers()
    assert 200 < n <= found.rows["samples"] <= 300
    assert found.rows["samples"] + found.lost.get("samples", 0) in {300, found.rows["samples"]}
    assert found.kept.stat().st_size == large.parent.joinpath(found.kept.name).stat().st_size > 4096


def test_that_drawings_with_ids_far_apart_are_read_around_damaged_pages(large: Path) -> None:
    with contextlib.closing(sqlite3.connect(large, isolation_level=None)) as file:
        for old, new in ((299, 1 << 40), (300, (1 << 63) - 1)):
            file.execute("UPDATE samples SET id = ? WHERE id = ?", (new, old))
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with large.open("rb+") as stream:
        stream.seek(large.stat().st_size // 2 // 4096 * 4096)
        stream.write(b"\xa5" * 4096 * 3)
    salvage(large)
    with contextlib.closing(sqlite3.connect(large)) as file:
        ids = {row[0] for row in file.execute("SELECT id FROM samples")}
    assert 200 < len(ids) < 300
    assert {1, 1 << 40, (1 << 63) - 1} <= ids


def test_that_a_file_of_which_nothing_can_be_read_is_left_as_it_is(large: Path) -> None:
    garbage = b"\xa5" * large.stat().st_size
    large.write_bytes(garbage)
    with pytest.raises(DamagedStoreError, match="No drawing in"):
        salvage(large)
    assert large.read_bytes() == garbage
    assert [path.name for path in large.parent.iterdir() if path.name.startswith("samples")] == ["samples.db"]

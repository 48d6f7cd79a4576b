"""One odd row is left out and named, and everything else can be read; no odd row comes in from elsewhere."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qtdigits.errors import InputError, StoreError
from qtdigits.store.data.datasets import read_samples
from qtdigits.store.data.ink_files import read_ink_jsonl
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.import_export import export_csv_pair, export_ink, import_samples
from tests.store.odd_rows import ODD_RUNS, ODD_SAMPLES, ODD_TRIALS, make_odd
from tests.store.values import a_sample


@pytest.mark.parametrize(("column", "value"), ODD_SAMPLES.values(), ids=ODD_SAMPLES)
def test_that_one_odd_drawing_is_named_and_all_others_can_be_read(
    folder: Path, column: str, value: object
) -> None:
    make_odd(folder, "samples", column, value)
    with SampleStore.open(folder) as store:
        assert [sample.id for sample in store.samples()] == [2, 3, 4]
        assert store.sample(1) is None
        assert store.dataset().ids == (2, 3, 4)
        assert [one.id for one in store.thumbnails([1, 2, 3, 4])][-3:] == [2, 3, 4]
        assert list(store.samples_frame()["id"])[-3:] == [2, 3, 4]
        assert list(store.damaged) == ["drawing 1"]
        assert len(store.ids()) == store.count() == 4
    assert export_ink(folder, folder / "out.jsonl") == 2
    assert export_csv_pair(folder, folder / "images.csv", folder / "labels.csv") == 3


@pytest.mark.parametrize(("column", "value"), ODD_TRIALS.values(), ids=ODD_TRIALS)
def test_that_one_odd_judgement_is_named_and_all_others_can_be_read(
    folder: Path, column: str, value: object
) -> None:
    make_odd(folder, "trials", column, value)
    with SampleStore.open(folder) as store:
        assert [trial.id for trial in store.trials()] == [2]
        assert list(store.trials_frame()["id"]) == [2]
        assert list(store.damaged) == ["judgement 1"]


@pytest.mark.parametrize(("column", "value"), ODD_RUNS.values(), ids=ODD_RUNS)
def test_that_one_odd_run_is_listed_as_damaged_and_says_why(folder: Path, column: str, value: object) -> None:
    make_odd(folder, "runs", column, value)
    with SampleStore.open(folder) as store:
        runs = {run.id: run for run in store.runs.records()}
        assert runs.keys() == {"run1", "run2"}
        assert runs["run1"].state == "damaged"
        assert runs["run1"].note.startswith("Run run1 is damaged: ")
        assert runs["run2"].recipe["name"] == "quick"
        assert len(store.runs.frame()) == 2


@pytest.mark.parametrize("history", ["[", "[]", '{"batches": 3}', "[" * 100_000])
def test_that_curves_that_cannot_be_read_are_none(folder: Path, history: str) -> None:
    make_odd(folder, "runs", "history", history)
    with SampleStore.open(folder) as store:
        assert store.runs.history("run1") is None
        assert list(store.damaged) == ["curves of run run1"]


def test_that_an_odd_place_in_the_queue_is_left_out(folder: Path) -> None:
    with SampleStore.open(folder) as store:
        store.queue.add("run1", {})
        store.queue.add("run2", {})
    make_odd(folder, "queue", "request", "[")
    with SampleStore.open(folder) as store:
        assert [entry.run_id for entry in store.queue.entries()] == ["run2"]


def test_that_a_text_that_is_not_utf8_keeps_nothing_from_being_read(folder: Path) -> None:
    with contextlib.closing(sqlite3.connect(folder / "samples.db", isolation_level=None)) as db:
        db.execute("UPDATE samples SET device = CAST(x'ff41' AS TEXT) WHERE id = 1")
    with SampleStore.open(folder) as store:
        assert [sample.id for sample in store.samples()] == [1, 2, 3, 4]


def test_that_a_damaged_drawing_is_not_taken_back(folder: Path) -> None:
    make_odd(folder, "samples", "ink", b"xyz", rowid=4)
    with SampleStore.open(folder) as store:
        last = store.last_trial("Ada")
        assert last is not None
        with pytest.raises(StoreError, match="Drawing 4 is damaged"):
            store.take_back(last)
        assert store.count() == 4


# What comes from elsewhere


@pytest.mark.parametrize(
    "tables",
    [("samples", one) for one in ODD_SAMPLES.values()] + [("trials", one) for one in ODD_TRIALS.values()],
)
def test_that_a_store_with_an_odd_row_is_refused_or_merged_without_it(
    folder: Path, tmp_path: Path, tables: tuple[str, tuple[str, object]]
) -> None:
    table, (column, value) = tables
    make_odd(folder, table, column, value)
    with SampleStore.open(tmp_path / "mine") as mine:
        with pytest.raises(
            InputError, match=r"samples\.db: (drawing|judgement) 1 is damaged: .+ --skip-damaged"
        ):
            mine.merge_store(folder)
        assert mine.count() == 0
        merged = mine.merge_store(folder, skip_damaged=True)
        assert merged.damaged == 1
        assert merged.added + merged.trials == 5
        assert len(list(mine.samples())) == merged.added
        assert mine.check() == ()


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("writers", "name", "\x1b[31mAda"),
        ("writers", "name", ""),
        ("writers", "name", "a" * 65),
        ("writers", "name", None),
        ("writers", "key", b"\xff"),
        ("classes", "label", "\x1b"),
        ("classes", "label", "a" * 33),
        ("classes", "label", None),
    ],
)
def test_that_names_and_labels_that_nobody_could_type_are_not_merged(
    folder: Path, tmp_path: Path, table: str, column: str, value: object
) -> None:
    make_odd(folder, table, column, value)
    with SampleStore.open(tmp_path / "mine") as mine:
        with pytest.raises(InputError, match=r"samples\.db: .*"):
            mine.merge_store(folder)
        assert mine.writers() == []


def test_that_an_odd_drawing_of_another_store_is_not_imported(folder: Path, tmp_path: Path) -> None:
    make_odd(folder, "samples", "ink", b"xyz")
    with pytest.raises(InputError, match="drawing 1 is damaged"):
        import_samples(tmp_path / "mine", folder, writer="me")
    with SampleStore.open(tmp_path / "mine") as mine:
        assert mine.count() == 0


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1066-10-14"])
def test_that_a_time_that_cannot_be_shown_everywhere_is_not_taken_from_a_file(
    tmp_path: Path, time: str
) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text(f'{{"label": "7", "drawn_at": "{time}", "strokes": [[[1, 2], [3, 4]]]}}\n')
    assert len(list(read_ink_jsonl(path))) == 1
    import_samples(tmp_path / "mine", path, writer="me")
    (found,) = read_samples(tmp_path / "mine", writer="me")
    assert abs(found.drawn_at - datetime.now(UTC)).days < 2


@pytest.mark.parametrize(
    "odd",
    [
        lambda sample: replace(sample, drawn_at=datetime.max.replace(tzinfo=UTC)),
        lambda sample: replace(sample, weight=0),
        lambda sample: replace(sample, weight=10**6),
        lambda sample: replace(sample, device="x" * 100_000),
    ],
)
def test_that_what_could_not_be_read_again_is_not_stored(tmp_path: Path, odd: Callable) -> None:
    with SampleStore.open(tmp_path) as store:
        with pytest.raises(InputError):
            store.add_samples([a_sample(), odd(a_sample())])
        assert store.count() == 0


# Stores that are programs


ENDLESS = "WITH RECURSIVE forever(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM forever)"
PROGRAMS = {
    "an endless view in place of a table": [
        "ALTER TABLE label_sets RENAME TO other",
        f"CREATE VIEW label_sets AS {ENDLESS} SELECT n AS id, 'x' AS labels FROM forever",
    ],
    "a view of a gigabyte": [
        "ALTER TABLE label_sets RENAME TO other",
        "CREATE VIEW label_sets AS SELECT 1 AS id, zeroblob(1000000000) AS labels",
    ],
    "a view that nobody asks": ["CREATE VIEW more AS SELECT 1"],
    "a trigger": ["CREATE TRIGGER more AFTER INSERT ON runs BEGIN DELETE FROM samples; END"],
    "an index on an expression": ["CREATE INDEX more ON samples (hex(raster))"],
    "a computed column": ["ALTER TABLE samples ADD COLUMN more BLOB AS (zeroblob(1000000000))"],
    "a virtual table": ["CREATE VIRTUAL TABLE more USING fts5(x)"],
}


@pytest.mark.parametrize("statements", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize("version", [None, 7])
def test_that_nothing_of_a_store_runs(
    folder: Path, tmp_path: Path, statements: list[str], version: int | None
) -> None:
    shutil.copy(folder / "samples.db", tmp_path / "theirs.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "theirs.db", isolation_level=None)) as db:
        db.execute("PRAGMA legacy_alter_table = ON")
        for statement in statements:
            db.execute(statement)
        if version is not None:
            db.execute(f"PRAGMA user_version = {version}")
    with SampleStore.open(tmp_path / "mine") as mine:
        with pytest.raises(StoreError, match="is not a plain store: "):
            mine.merge_store(tmp_path / "theirs.db")
        assert mine.count() == 0
    with pytest.raises(StoreError, match="is not a plain store: "):
        list(read_samples(tmp_path / "theirs.db", writer="me"))


def test_that_a_cell_of_a_hundred_megabytes_is_refused(folder: Path, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(folder / "samples.db", isolation_level=None)) as db:
        db.execute("UPDATE samples SET ink = zeroblob(100000000) WHERE id = 1")
    with SampleStore.open(tmp_path / "mine") as mine:
        with pytest.raises(StoreError, match="too big"):
            mine.merge_store(folder)
        assert mine.count() == 0


def test_that_a_judgement_with_an_odd_verdict_counts_in_no_figure_and_is_named(folder: Path) -> None:
    with SampleStore.open(folder) as store:
        trial = next(store.trials())
        of_all = store.running_accuracy(writer=trial.writer, model=trial.model)
    make_odd(folder, "trials", "verdict", "perhaps")
    with SampleStore.open(folder) as store:
        who = trial.writer, trial.model
        _, n = store.running_accuracy(writer=trial.writer, model=trial.model)
        n_judged = [
            judged for model, _, judged in store.judgements.models(trial.writer) if model == trial.model
        ]
        assert not store.damaged
        assert (
            len(store.outcomes(*who)) == sum(store.judgements.confusions(*who).values()) == n == of_all[1] - 1
        )
        assert n_judged == ([n] if n else [])
        assert store.damaged == {f"judgement {trial.id}": "its verdict is not valid"}

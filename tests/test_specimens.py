"""Every file that an earlier version wrote opens in this one; see `specimens/README.md`."""

from __future__ import annotations

import json
import sqlite3
import tarfile
from pathlib import Path

import pytest

from qtdigits.gui.preferences import Preferences
from qtdigits.store import backups
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import check_model, load_header
from qtdigits.store.run_files import RunFolder
from qtdigits.store.tables.salvage import salvage
from qtdigits.store.tables.samples import SampleStore
from qtdigits.store.tables.schema import MIGRATIONS

SPECIMENS = Path(__file__).parent / "specimens"
VERSIONS = range(1, len(MIGRATIONS) + 1)
MOST_BYTES = 300_000


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> int:
    found: int = request.param
    return found


@pytest.fixture
def folder(version: int, tmp_path: Path) -> Path:
    with tarfile.open(SPECIMENS / f"version-{version}.tar.gz") as archive:
        archive.extractall(tmp_path / "data", filter="data")
    return tmp_path / "data"


def test_that_a_specimen_of_each_version_is_kept_and_all_are_small() -> None:
    sizes = [(SPECIMENS / f"version-{version}.tar.gz").stat().st_size for version in VERSIONS]
    assert sum(sizes) < MOST_BYTES


def test_that_a_store_of_any_version_opens_with_all_it_has(folder: Path, version: int) -> None:
    with SampleStore.open(folder) as store:
        assert store.check() == ()
        assert store.writers() == ["Ada", "Bob"]
        n_deleted = store.count(is_deleted=True)
        assert (store.count() + n_deleted, n_deleted) == (5, int(version > 1))
        assert [trial.verdict.value for trial in store.trials()] == ["corrected", "corrected", "skipped"]
        runs = {run.id: run for run in store.runs.records()}
        assert (runs["run1"].state, runs["run1"].title) == ("completed", "tiny")
        assert runs["run1"].recipe["epochs"] == 2
        assert runs["run1"].figures.epochs == 1
        history = store.runs.history("run1")
        assert history is not None
        assert len(history.epochs) == 1
        assert runs["run2"].state == "running"
        assert [entry.run_id for entry in store.queue.entries()] == ["run3"] * (version >= 5)
        assert ("π" in store.classes().labels) is (version < 6)
        assert store.class_table.sets() == ({"few": ("1", "7")} if version >= 8 else {})
    if version < len(MIGRATIONS):
        (before,) = backups.backups(folder)
        with sqlite3.connect(before.path) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (version,)
        db.close()


def test_that_a_store_of_any_version_can_be_merged_as_somebody_elses(folder: Path, tmp_path: Path) -> None:
    content = (folder / "samples.db").read_bytes()
    with SampleStore.open(tmp_path / "mine") as mine:
        merged = mine.merge_store(folder)
        assert (merged.added, merged.trials, merged.damaged) == (mine.count(), 3, 0)
        assert merged.added >= 4
        assert mine.check() == ()
    assert (folder / "samples.db").read_bytes() == content


def test_that_a_store_of_any_version_can_be_restored(folder: Path, tmp_path: Path) -> None:
    assert backups.restore(tmp_path / "mine", folder / "samples.db").n >= 4
    with SampleStore.open(tmp_path / "mine") as mine:
        assert mine.check() == ()


def test_that_a_store_of_any_version_can_be_salvaged(folder: Path) -> None:
    found = salvage(folder / "samples.db")
    assert (found.rows["samples"], found.rows["trials"], dict(found.lost)) == (5, 3, {})
    with SampleStore.open(folder) as store:
        assert store.check() == ()


def test_that_a_model_of_any_version_opens_and_is_champion(folder: Path, tmp_path: Path) -> None:
    path = folder / "models" / "tiny.h5"
    model = check_model(path)
    assert (model.name, len(model.label_set), model.recipe.dense) == ("tiny", 10, "3")
    assert load_header(path).scores["pendigits"]["n"] == 8
    library = ModelLibrary(folder, shipped=tmp_path)
    assert library.champion_path() == path
    assert [entry.error for entry in library.entries()] == [""]


def test_that_a_run_folder_of_any_version_opens(folder: Path, version: int) -> None:
    if version < 5:
        assert not (folder / "runs").exists()
        return
    run = RunFolder(folder, "run1")
    assert run.request()["writer"] == "Ada"
    checkpoint = run.latest_checkpoint()
    assert checkpoint is not None
    assert (checkpoint.step, checkpoint.epochs, len(checkpoint.history.epochs)) == (9, 1, 1)
    assert len(run.readings()["my hold-out"]) == 2


def test_that_preferences_of_any_version_are_read(folder: Path, version: int) -> None:
    preferences = Preferences(folder)
    if version > 1:
        assert (preferences.writer, preferences.theme) == ("Ada", "dark")
    assert json.loads((folder / "champion.json").read_text())["champion"] == "models/tiny.h5"

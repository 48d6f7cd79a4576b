from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bad_days.killing import kill_at, points_of
from bad_days.version_1 import make_version_1
from qtdigits.store.tables.samples import SampleStore

N_SAMPLES = 6_000


def test_that_a_store_of_the_first_version_is_read_as_it_was_meant(tmp_path: Path) -> None:
    make_version_1(tmp_path, n_samples=400)
    with SampleStore.open(tmp_path) as store:
        assert store.writers() == ["Ada", "Bob"]
        assert store.count(writer="Ada") == store.count(writer="Bob") == 200
        assert store.count(held_out=True) == len(store.ids(held_out=True)) > 0
        assert store.running_accuracy(writer="Ada", model="mlp") == (160, 200)
        assert [run.id for run in store.runs.records()] == ["r1"]
        assert len(store.dataset(held_out=False).labels) == store.count(held_out=False)
        assert store.check() == ()
    with SampleStore.open_read_only(tmp_path / "samples.db.before-v2") as backup:
        assert backup.count() == 400
    assert sorted(path.name for path in tmp_path.iterdir()) == ["samples.db", "samples.db.before-v2"]


@pytest.mark.slow
def test_that_a_migration_is_done_or_not_begun_wherever_it_is_killed(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    before = make_version_1(tmp_path / "before", n_samples=N_SAMPLES)
    (tmp_path / "in peace").mkdir()
    shutil.copy(before, tmp_path / "in peace")
    expected = {"fsync", "rename", "CREATE TABLE", "inside a statement", "COMMIT"}
    points = points_of("migrate", tmp_path / "in peace", n_said=1, expected=expected)
    for number, point in enumerate(points):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy(before, folder)
        assert kill_at("migrate", folder, point) == []
        with SampleStore.open(folder) as store:
            assert store.count() == len(store.ids()) == N_SAMPLES
            assert store.check() == ()
        backups = sorted(folder.glob("samples.db.before-*"))
        assert backups
        for backup in backups:
            with SampleStore.open_read_only(backup) as kept:
                assert kept.count() == N_SAMPLES
                assert kept.check() == ()
        assert {path.name for path in folder.iterdir()} == {"samples.db", *(path.name for path in backups)}
        shutil.rmtree(folder)

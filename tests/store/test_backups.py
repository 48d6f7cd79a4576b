"""Backups are made once a day and before a store is replaced, are bounded, and come back whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from qtdigits.errors import DamagedStoreError, InputError
from qtdigits.store import backups
from qtdigits.store.tables.samples import SampleStore
from tests.store.values import a_sample, a_trial


@pytest.fixture
def path(folder: Path) -> Path:
    return folder / "samples.db"


def test_that_a_day_has_one_backup(path: Path) -> None:
    made = backups.back_up_today(path)
    assert made is not None
    assert backups.back_up_today(path) is None
    assert [one.path for one in backups.backups(path.parent)] == [made]
    with SampleStore.open_read_only(made) as copy:
        assert copy.count() == 4
        assert copy.check() == ()


def test_that_a_folder_without_a_store_has_no_backup(tmp_path: Path) -> None:
    assert backups.back_up_today(tmp_path / "samples.db") is None
    assert backups.backups(tmp_path) == []


def test_that_a_week_of_backups_and_a_few_others_are_kept(path: Path) -> None:
    now = datetime.now().astimezone()
    for days in range(20, 0, -1):
        for why in (backups.DAILY, backups.BEFORE_RESTORING):
            made = backups.back_up(path, why)
            moment = now - timedelta(days=days)
            old = made.rename(made.with_name(f"samples-{moment:%Y%m%d-%H%M%S}-{why}.db"))
            os.utime(old, (moment.timestamp(),) * 2)
    backups.back_up_today(path)
    kept = backups.backups(path.parent)
    assert sum(one.is_daily for one in kept) == backups.DAYS_KEPT
    assert sum(not one.is_daily for one in kept) == backups.OTHERS_KEPT
    assert kept[0].made_at.astimezone().date() == now.date()


def test_that_a_damaged_store_does_not_become_a_backup(path: Path) -> None:
    with path.open("rb+") as stream:
        stream.seek(path.stat().st_size // 2 // 4096 * 4096)
        stream.write(b"\xa5" * 8192)
    with pytest.raises(DamagedStoreError):
        backups.back_up_today(path)
    assert backups.backups(path.parent) == []
    assert list((path.parent / "backups").iterdir()) == []


def test_that_a_backup_is_restored_while_others_have_the_store_open(path: Path) -> None:
    made = backups.back_up(path)
    with SampleStore.open(path.parent) as window:
        before = window.revision
        window.judge(a_sample("5"), a_trial("5"))
        newest = window.ids().max()
        done = backups.restore(path.parent, made)
        assert (done.n, window.count()) == (4, 4)
        assert window.revision != before
        assert window.check() == ()
        window.judge(a_sample("5"), a_trial("5"))
        assert window.ids().max() > newest
    assert done.kept is not None
    assert backups.restore(path.parent, done.kept).n == 5


def test_that_the_open_store_restores_itself(path: Path) -> None:
    made = backups.back_up(path)
    with SampleStore.open(path.parent) as store:
        store.delete_samples([1, 2])
        assert backups.restore(path.parent, made).n == 4
        assert store.count() == 4


def test_that_a_backup_takes_the_place_of_a_damaged_store(path: Path) -> None:
    made = backups.back_up(path)
    path.write_bytes(b"junk")
    done = backups.restore(path.parent, made)
    assert done.n == 4
    assert done.kept is not None
    assert done.kept.read_bytes() == b"junk"


def test_that_a_damaged_backup_changes_nothing(path: Path, tmp_path: Path) -> None:
    bad = tmp_path / "samples.db.before-v3"
    bad.write_bytes(b"junk")
    with pytest.raises(DamagedStoreError):
        backups.restore(path.parent, bad)
    with SampleStore.open(path.parent) as store:
        assert store.count() == 4


def test_that_the_copies_before_migrations_are_backups(path: Path) -> None:
    shutil.copy(path, f"{path}.before-v3")
    (found,) = backups.backups(path.parent)
    assert found.why == "before-v3"
    assert backups.find_backup(path.parent, "samples.db.before-v3") == found
    with pytest.raises(InputError, match="no backup 'yesterday'"):
        backups.find_backup(path.parent, "yesterday")


def test_that_a_backup_is_made_while_another_connection_writes(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as writing:
        writing.execute("BEGIN IMMEDIATE")
        writing.execute("UPDATE samples SET weight = 5")
        made = backups.back_up(path)
        writing.execute("ROLLBACK")
    with SampleStore.open_read_only(made) as copy:
        assert {sample.weight for sample in copy.samples()} == {1}

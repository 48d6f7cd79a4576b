"""Several connections, in several processes, on one store; and a store that changes under an open window."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from qtdigits.errors import StoreError
from qtdigits.store.data.datasets import kind_of
from qtdigits.store.tables.samples import SampleStore
from tests.store.values import a_sample, a_trial

OTHER_PROCESS = """
import sys
from pathlib import Path
from qtdigits.store.tables.samples import SampleStore
from tests.store.values import a_sample, a_trial
with SampleStore.open(Path(sys.argv[1])) as store:
    store.judge(a_sample(writer="Bob"), a_trial(writer="Bob"))
"""


def test_that_another_process_does_not_take_the_log_away_from_an_open_store(tmp_path: Path) -> None:
    with SampleStore.open(tmp_path) as window:
        window.judge(a_sample(), a_trial())
        # What an import, an evaluation or a panel of the same process may do:
        with SampleStore.open(tmp_path):
            pass
        with SampleStore.open_read_only(window.path):
            pass
        kind_of(window.path)
        _judge_in_another_process(tmp_path)
        assert window.path.with_name("samples.db-wal").exists()
        for _ in range(3):
            window.judge(a_sample(), a_trial())
        with SampleStore.open_read_only(window.path) as reader:
            assert reader.count() == window.count() == 5
    with SampleStore.open(tmp_path) as store:
        assert store.count() == 5
        assert store.check() == ()


def test_that_a_failure_to_open_because_of_a_lock_does_not_touch_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qtdigits.store.tables.database.BUSY_TIMEOUT_S", 0.01)
    SampleStore.open(tmp_path).close()
    other = sqlite3.connect(tmp_path / "samples.db", isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("the file was opened past SQLite"))
    with pytest.raises(StoreError, match="Another program is using"):
        SampleStore.open(tmp_path)
    other.close()


def test_that_nothing_is_written_into_a_store_that_vanished(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    with SampleStore.open(folder) as store:
        store.judge(a_sample(), a_trial())
        folder.rename(elsewhere)
        with pytest.raises(StoreError, match=r"samples\.db is no longer there.*Put it back"):
            store.judge(a_sample(), a_trial())
        assert not folder.exists()
        elsewhere.rename(folder)
        store.judge(a_sample(), a_trial())
    with SampleStore.open(folder) as store:
        assert store.count() == 2
        assert store.check() == ()


def test_that_a_store_put_in_place_of_the_open_one_is_used_from_then_on(tmp_path: Path) -> None:
    folder, backup = tmp_path / "data", tmp_path / "backup"
    with SampleStore.open(backup) as store:
        store.judge(a_sample(writer="Bob"), a_trial(writer="Bob"))
    with SampleStore.open(folder) as store:
        store.judge(a_sample(), a_trial())
        shutil.rmtree(folder)
        shutil.copytree(backup, folder)
        store.judge(a_sample(), a_trial())
        assert store.writers() == ["Bob", "Ada"]
    with SampleStore.open(folder) as store:
        assert store.count() == 2


def test_that_rubbish_put_in_place_of_the_open_store_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "kept.db"
    with SampleStore.open(tmp_path) as store:
        store.judge(a_sample(), a_trial())
        store.path.rename(kept)
        store.path.write_bytes(b"rubbish" * 1000)
        with pytest.raises(StoreError, match=r"samples\.db is damaged"):
            store.judge(a_sample(), a_trial())
        assert store.path.read_bytes() == b"rubbish" * 1000
        kept.rename(store.path)
        store.judge(a_sample(), a_trial())
        assert store.count() == 2


def test_that_a_log_removed_by_hand_is_noticed(tmp_path: Path) -> None:
    with SampleStore.open(tmp_path) as store:
        store.judge(a_sample(), a_trial())
        store.path.with_name("samples.db-wal").unlink()
        store.judge(a_sample(), a_trial())
        store.judge(a_sample(), a_trial())
        with SampleStore.open(tmp_path) as other:
            assert other.count() == 3
            assert other.check() == ()


def _judge_in_another_process(folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS, str(folder)], check=True, cwd=Path(__file__).parents[2]
    )

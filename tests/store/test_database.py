from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from qtdigits.errors import StoreError
from qtdigits.store.tables import database, schema
from qtdigits.store.tables.database import as_store_error
from qtdigits.store.tables.samples import SampleStore
from tests.store.values import a_sample, a_trial


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A data folder whose store holds three judged drawings."""
    with SampleStore.open(tmp_path) as store:
        for _ in range(3):
            store.judge(a_sample(), a_trial())
    return tmp_path


def test_that_the_folder_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    with SampleStore.open(folder) as store:
        assert store.path == folder / "samples.db"


def test_that_a_store_whose_making_was_cut_off_in_its_first_page_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "samples.db"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 1")
    os.truncate(path, 2048)
    with pytest.raises(StoreError, match="does not begin like a store"):
        SampleStore.open(tmp_path)
    # SQLite's journal of a transaction that began with no page at all.
    header = bytes.fromhex("d9d505f920a163d7") + struct.pack(">5I", 0, 7, 0, 512, 4096)
    path.with_name("samples.db-journal").write_bytes(header.ljust(512, b"\0"))
    with SampleStore.open(tmp_path) as store:
        store.judge(a_sample(), a_trial())
        assert store.check() == ()


def test_that_a_store_is_marked_as_one(filled: Path) -> None:
    with sqlite3.connect(filled / "samples.db") as db:
        assert db.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,)
        assert db.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


def test_that_every_judgement_is_forced_to_the_disk(
    connections: list[sqlite3.Connection], filled: Path
) -> None:
    with SampleStore.open(filled):
        assert connections[-1].execute("PRAGMA synchronous").fetchone()[0] == 2
        assert connections[-1].execute("PRAGMA foreign_keys").fetchone()[0] == 1


def test_that_a_store_of_a_newer_version_is_left_alone(filled: Path) -> None:
    path = filled / "samples.db"
    _alter(path, "PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"samples\.db was written by a newer version .*Update QtDigits"):
        SampleStore.open(filled)
    assert path.read_bytes() == before


def test_that_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "samples.db"
    _alter(path, "CREATE TABLE recipes_for_cakes (id)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="database of another program"):
        SampleStore.open(tmp_path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"x", b"This is a letter to my bank." * 100, b"SQLite format 3\0" + bytes(50)]
)
def test_that_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "samples.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"samples\.db is damaged.*samples check --repair"):
        SampleStore.open(tmp_path)
    assert path.read_bytes() == content


def test_that_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "samples.db").touch()
    with SampleStore.open(tmp_path) as store:
        assert store.count() == 0


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.99])
def test_that_a_truncated_store_is_left_alone(filled: Path, kept: float) -> None:
    path = filled / "samples.db"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    before = path.read_bytes()
    with pytest.raises(StoreError, match="are missing"):
        SampleStore.open(filled)
    assert path.read_bytes() == before


def test_that_a_store_without_one_of_its_tables_is_left_alone(filled: Path) -> None:
    _alter(filled / "samples.db", "DROP TABLE runs")
    with pytest.raises(StoreError, match="the table runs is missing"):
        SampleStore.open(filled)


def test_that_overwritten_pages_are_reported_where_they_are_met(filled: Path) -> None:
    path = filled / "samples.db"
    content = bytearray(path.read_bytes())
    blob = content.index(_raster_of(filled)) // 4096 * 4096
    content[blob : blob + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    with SampleStore.open(filled) as store:
        with pytest.raises(StoreError, match=r"is damaged.*It was left as it is"):
            list(store.samples())
        with pytest.raises(StoreError, match="is damaged"):
            store.judge(a_sample(), a_trial())


def test_that_a_store_whose_schema_is_overwritten_is_left_alone(filled: Path) -> None:
    path = filled / "samples.db"
    content = path.read_bytes()[:4096]
    content += b"\xff" * (path.stat().st_size - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"pages of it are missing or overwritten.*samples check --repair"):
        SampleStore.open(filled)
    assert path.read_bytes() == content


def test_that_a_thorough_check_finds_what_opening_does_not(filled: Path) -> None:
    _alter(filled / "samples.db", "DELETE FROM samples WHERE id = 2", "UPDATE writers SET id = 5")
    with SampleStore.open(filled) as store:
        problems = store.check()
    assert "row 2 of trials refers to a row of samples that is not there" in problems
    assert "row 1 of samples refers to a row of writers that is not there" in problems


def test_that_a_damaged_store_names_its_backup(filled: Path) -> None:
    shutil.copy(filled / "samples.db", filled / "samples.db.before-v2")
    (filled / "samples.db").write_bytes(b"junk")
    with pytest.raises(StoreError, match=r"qtdigits backups restore samples\.db\.before-v2"):
        SampleStore.open(filled)


def test_that_a_data_folder_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file/data cannot be written"):
        SampleStore.open(tmp_path / "file" / "data")


def test_that_a_folder_in_place_of_the_store_is_reported(tmp_path: Path) -> None:
    (tmp_path / "samples.db").mkdir()
    for opening in (SampleStore.open, SampleStore.open_to_read):
        with pytest.raises(StoreError, match=r"samples\.db is a folder"):
            opening(tmp_path)


READ_WITHOUT_ROOM = """
import resource, sys
from pathlib import Path
from qtdigits.errors import StoreError
from qtdigits.store.tables.samples import SampleStore

resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # no file can grow any more
try:
    SampleStore.open(Path(sys.argv[1]))
except StoreError:
    with SampleStore.open_to_read(Path(sys.argv[1])) as store:
        print(store.count())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a process has no limit of this kind there")
def test_that_a_store_can_be_read_where_there_is_no_room_for_its_log(filled: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", READ_WITHOUT_ROOM, filled], capture_output=True, text=True, check=True
    )
    with SampleStore.open(filled) as store:
        assert done.stdout == f"{store.count()}\n"


def test_that_a_read_only_store_is_reported(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests may run as root, for whom nothing is read-only: so the answer of the system is replaced.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "samples.db")
    with pytest.raises(StoreError, match=r"samples\.db is read-only.*Allow writing"):
        SampleStore.open(filled)


def test_that_a_data_folder_without_permission_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    for opening in (SampleStore.open, SampleStore.open_to_read):
        with pytest.raises(StoreError, match=r"samples\.db cannot be written: permission denied"):
            opening(tmp_path)


def test_that_writing_into_a_store_opened_for_reading_is_reported(filled: Path) -> None:
    with (
        SampleStore.open_read_only(filled / "samples.db") as store,
        pytest.raises(StoreError, match="is read-only"),
    ):
        store.judge(a_sample(), a_trial())


def test_that_a_store_that_stays_locked_is_reported(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.01)
    other = sqlite3.connect(filled / "samples.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with SampleStore.open(filled) as store:
        assert store.count() == 3
        with pytest.raises(StoreError, match=r"Another program is using your drawings .*Try again"):
            store.judge(a_sample(), a_trial())
        other.execute("ROLLBACK")
        other.close()
        store.judge(a_sample(), a_trial())
        assert store.count() == 4


def test_that_reading_leaves_nothing_beside_the_file(filled: Path) -> None:
    copy = filled / "copy" / "somebody else's.db"
    copy.parent.mkdir()
    shutil.copy(filled / "samples.db", copy)
    with SampleStore.open_read_only(copy) as store:
        assert store.count() == 3
    assert list(copy.parent.iterdir()) == [copy]


def test_that_a_store_in_use_can_be_read_with_all_that_is_in_it(filled: Path) -> None:
    with SampleStore.open(filled) as writing:
        writing.judge(a_sample(), a_trial())
        with SampleStore.open_read_only(filled / "samples.db") as reading:
            assert reading.count() == 4


def test_that_a_missing_file_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no file"):
        SampleStore.open_read_only(tmp_path / "samples.db")
    assert list(tmp_path.iterdir()) == []


def test_that_stores_opened_together_share_one_new_file(tmp_path: Path) -> None:
    failures: list[StoreError] = []
    together = threading.Barrier(4)

    def open_and_judge(folder: Path) -> None:
        sample, trial = a_sample(), a_trial()
        together.wait()
        try:
            with SampleStore.open(folder) as store:
                store.judge(sample, trial)
        except StoreError as error:
            failures.append(error)

    for number in range(5):
        folder = tmp_path / str(number)
        threads = [threading.Thread(target=open_and_judge, args=(folder,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with SampleStore.open(folder) as store:
            assert (store.count(), len(store.classes())) == (4, 10)
    assert failures == []


def test_that_making_a_store_waits_for_others_even_where_sqlite_does_not(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = filled / "samples.db"
    _alter(path, "PRAGMA journal_mode = DELETE")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM writers").fetchall()
    monkeypatch.setattr(time, "sleep", lambda seconds: other.close())
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *args, **options: connect(*args, **options | {"timeout": 0})
    )
    with SampleStore.open(filled) as store:
        assert store.count() == 3
        assert path.with_name("samples.db-wal").exists()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        other.execute("SELECT 1")  # as somebody slept


def _add_column(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE writers ADD COLUMN hand TEXT NOT NULL DEFAULT 'right'")


def _fail(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM samples")
    db.execute("SELECT * FROM a_table_that_is_not_there")


def test_that_an_older_store_is_backed_up_and_brought_up_to_date(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, _add_column))
    with SampleStore.open(filled) as store:
        assert store.count() == 3
    with contextlib.closing(sqlite3.connect(filled / "samples.db")) as db:
        assert db.execute("SELECT hand FROM writers").fetchone() == ("right",)
        assert db.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
    monkeypatch.undo()
    with SampleStore.open_read_only(filled / f"samples.db.before-v{len(schema.MIGRATIONS) + 1}") as backup:
        assert backup.count() == 3
        assert backup.check() == ()


def test_that_a_failed_migration_changes_nothing(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, _add_column, _fail))
    with pytest.raises(StoreError, match="a_table_that_is_not_there"):
        SampleStore.open(filled)
    monkeypatch.undo()
    with SampleStore.open(filled) as store:
        assert store.count() == 3
    with contextlib.closing(sqlite3.connect(filled / "samples.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)


def test_that_a_backup_is_never_replaced(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, _fail))
    for _ in range(2):
        with pytest.raises(StoreError):
            SampleStore.open(filled)
    next_version = len(schema.MIGRATIONS)
    assert (filled / f"samples.db.before-v{next_version}").exists()
    assert (filled / f"samples.db.before-v{next_version}-2").exists()


def test_that_an_older_store_is_read_without_being_changed(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = filled / "samples.db"
    before = path.read_bytes()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, _add_column))
    with SampleStore.open_read_only(path) as store:
        assert store.count() == 3
        with pytest.raises(StoreError):
            store.judge(a_sample(), a_trial())
    assert path.read_bytes() == before
    assert [file.name for file in filled.iterdir()] == ["samples.db"]


def _alter(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


def _raster_of(folder: Path) -> bytes:
    with SampleStore.open(folder) as store:
        return next(store.samples()).raster.tobytes()


@pytest.mark.parametrize(("free", "text"), [(0, "the disk is full"), (1 << 30, "Check the disk")])
def test_that_a_full_disk_is_called_so_where_sqlite_only_knows_of_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, text: str
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=free))
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
    with pytest.raises(StoreError, match=text), as_store_error(tmp_path / "samples.db"):
        raise error


def test_that_an_iteration_that_is_given_up_may_outlive_the_store(filled: Path) -> None:
    with SampleStore.open(filled) as store:
        samples = store.samples()
        next(samples)
    samples.close()

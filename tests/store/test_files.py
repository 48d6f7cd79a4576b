from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from qtdigits.errors import StoreError
from qtdigits.store.files import (
    make_folder,
    remove_abandoned,
    temporary_beside,
    write_file,
    writing,
    writing_all,
)
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables.samples import SampleStore


def test_that_a_file_gets_its_content(tmp_path: Path) -> None:
    write_file(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert _names(tmp_path) == ["a"]


def test_that_an_interrupted_write_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def write_half() -> None:
        with writing(path) as stream:
            stream.write(b"half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["a"]


def test_that_a_full_disk_is_reported_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def fsync(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StoreError, match="a: the disk is full"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["a"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no way to make a name durable")
def test_that_content_is_on_the_disk_before_it_has_its_name_and_the_name_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced, fsync = tmp_path / "a", [], os.fsync

    def remember(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "content"
        synced.append((kind, path.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", remember)
    write_file(path, b"new")
    assert synced == [("content", False), ("folder", True)]


def test_that_a_write_beyond_what_the_system_allows_changes_nothing(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="limits on the size of files are a matter of POSIX")
    path = tmp_path / "a"
    path.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(StoreError, match="a: the disk is full"):
            write_file(path, bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["a"]


def test_that_a_folder_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file/a cannot be written"):
        write_file(tmp_path / "file" / "a", b"")
    with pytest.raises(StoreError, match="file/folder cannot be written"):
        make_folder(tmp_path / "file" / "folder")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_that_a_folder_without_permission_is_reported(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match=r"permission denied.*choose another folder"):
        write_file(tmp_path / "a", b"")


def test_that_a_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="folder is not a file"):
        write_file(tmp_path / "folder", b"")


def test_that_a_link_keeps_pointing_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to("file")
    write_file(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize("existed", [True, False])
def test_that_files_that_belong_together_change_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existed: bool
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    if existed:
        first.write_bytes(b"old")
        second.write_bytes(b"old")
    replace = Path.replace

    def replace_but_not_second(self: Path, target: Path) -> Path:
        if target.name == "second":
            raise PermissionError(errno.EACCES, "Permission denied", str(self), None, str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replace_but_not_second)

    def write_both() -> None:
        with writing_all(first, second) as streams:
            for stream in streams:
                stream.write(b"new")

    with pytest.raises(StoreError, match="second cannot be written: permission denied"):
        write_both()
    assert _names(tmp_path) == (["first", "second"] if existed else [])
    assert not existed or first.read_bytes() == second.read_bytes() == b"old"


KILLED_WRITER = """
import os, signal, sys
from pathlib import Path
from qtdigits.store.files import writing
with writing(Path(sys.argv[1])) as stream:
    stream.write(b"half")
    stream.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="there is no SIGKILL, and such a file has to be old before it is removed"
)


def test_that_what_a_killed_writer_left_goes_with_the_next_writing(tmp_path: Path) -> None:
    for name in ("a.h5", "a.h5", "b.h5"):
        _kill_while_writing(tmp_path / name)
    assert len(_names(tmp_path)) == 2
    write_file(tmp_path / "a.h5", b"new")
    assert "a.h5" in _names(tmp_path)
    assert [name.startswith(".b.h5.") for name in _names(tmp_path)] == [True, False]


def test_that_opening_the_store_clears_the_data_folder(tmp_path: Path) -> None:
    _kill_while_writing(tmp_path / "champion.json")
    SampleStore.open(tmp_path).close()
    assert _names(tmp_path) == ["samples.db"]


def test_that_a_new_model_clears_the_folder_of_models(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    _kill_while_writing(tmp_path / "models" / "mine.h5")
    ModelLibrary(tmp_path, shipped=tmp_path).new_path("another")
    assert _names(tmp_path / "models") == []


def test_that_a_file_which_is_being_written_stays(tmp_path: Path) -> None:
    with temporary_beside(tmp_path / "a") as part:
        remove_abandoned(tmp_path)
        assert part.exists()
        part.rename(tmp_path / "a")
    assert _names(tmp_path) == ["a"]


def test_that_hidden_files_of_others_stay(tmp_path: Path) -> None:
    names = [".a.part", ".a.0123456789ab.part.bak", ".a.0123456789AB.part", "a.0123456789ab.part"]
    for name in names:
        (tmp_path / name).touch()
    remove_abandoned(tmp_path)
    assert _names(tmp_path) == sorted(names)


def test_that_a_file_cleared_away_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    really_open = os.open

    def open_and_lose_the_first(path: Path, *arguments: int) -> int:
        descriptor = really_open(path, *arguments)
        made.append(Path(path).name)
        if len(made) == 1:
            Path(path).unlink()
        return descriptor

    monkeypatch.setattr(os, "open", open_and_lose_the_first)
    with temporary_beside(tmp_path / "a") as part:
        assert part.exists()
        assert part.name == made[1]


def _kill_while_writing(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED_WRITER, str(path)], cwd=Path(__file__).parents[2], check=False
    )
    assert done.returncode == -9


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())

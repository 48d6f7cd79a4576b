from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from qtdigits.errors import StoreError
from qtdigits.store.files import make_folder, write_file, writing, writing_all


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


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())

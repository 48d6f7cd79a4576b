from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qtdigits.store.files import remove_abandoned, temporary_beside, write_file
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables.samples import SampleStore

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

"""Drawings are kept elsewhere while the store cannot be opened, and imported when it can."""

from __future__ import annotations

from pathlib import Path

import pytest

from qtdigits.errors import StoreError
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import save_model
from qtdigits.store.rescue import IMPORTED_NAME, Opened, open_or_rescue
from qtdigits.store.tables.database import FILE_NAME
from store.values import a_model, a_sample, a_trial


def break_store(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / FILE_NAME).write_bytes(b"no store" * 1000)


def opened(tmp_path: Path) -> Opened:
    return open_or_rescue(tmp_path / "data", rescue_folders=[tmp_path / "first", tmp_path / "second"])


def test_that_a_sound_store_is_opened_and_nothing_else_is_made(tmp_path: Path) -> None:
    found = opened(tmp_path)
    found.store.close()
    assert (found.folder, found.problem, found.notice) == (tmp_path / "data", None, "")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_that_drawings_are_rescued_and_taken_in_once_the_store_is_back(tmp_path: Path) -> None:
    break_store(tmp_path / "data")
    rescued = opened(tmp_path)
    assert rescued.folder == tmp_path / "first"
    assert "damaged" in str(rescued.problem)
    assert str(tmp_path / "first") in str(rescued.problem)
    rescued.store.judge(a_sample("7", "Ada"), a_trial(writer="Ada"))
    rescued.store.judge(a_sample("1", "Ada"), a_trial(writer="Ada"))
    rescued.store.close()
    (tmp_path / "first" / "models").mkdir()
    save_model(a_model(name="new"), tmp_path / "first" / "models" / "new.h5")

    (tmp_path / "data" / FILE_NAME).unlink()
    back = opened(tmp_path)
    assert (back.n_imported, back.problem) == (2, None)
    assert back.notice.startswith("2 drawings from the time when the store could not be opened were imported")
    assert back.store.count() == 2
    assert len(list(back.store.trials(writer="Ada"))) == 2
    back.store.close()
    assert (tmp_path / "first" / IMPORTED_NAME).is_file()
    assert (tmp_path / "data" / "models" / "new.h5").is_file()

    again = opened(tmp_path)
    again.store.close()
    assert (again.n_imported, again.notice) == (0, "")


def test_that_a_rescue_that_is_still_open_is_taken_in_and_left_where_it_is(tmp_path: Path) -> None:
    break_store(tmp_path / "data")
    still_open = opened(tmp_path)
    still_open.store.judge(a_sample("7"), a_trial())
    (tmp_path / "data" / FILE_NAME).unlink()
    with opened(tmp_path).store as store:
        assert store.count() == 1
    still_open.store.judge(a_sample("1"), a_trial())
    still_open.store.close()
    with opened(tmp_path).store as store:
        assert store.count() == 2


def test_that_a_rescue_folder_that_cannot_be_used_is_passed_over(tmp_path: Path) -> None:
    break_store(tmp_path / "data")
    break_store(tmp_path / "first")
    found = opened(tmp_path)
    found.store.close()
    assert found.folder == tmp_path / "second"


def test_that_a_rescue_that_cannot_be_read_is_named_and_left_alone(tmp_path: Path) -> None:
    break_store(tmp_path / "first")
    found = opened(tmp_path)
    found.store.close()
    assert found.problem is None
    assert f"Drawings are kept in {tmp_path / 'first'}" in found.notice
    assert (tmp_path / "first" / FILE_NAME).read_bytes().startswith(b"no store")


def test_that_where_nothing_can_be_written_nothing_is_taken_and_that_is_said(tmp_path: Path) -> None:
    for name in ("data", "first", "second"):
        break_store(tmp_path / name)
    found = opened(tmp_path)
    assert "stays on the canvas" in str(found.problem)
    assert found.store.count() == 0
    with pytest.raises(StoreError):
        found.store.judge(a_sample("7"), a_trial())
    found.store.close()
    assert ModelLibrary(found.folder).entries()

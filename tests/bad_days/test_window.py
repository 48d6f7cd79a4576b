"""The window on a bad day: it opens, says what is the case, reads, and loses nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from qtdigits import paths
from qtdigits.gui.main_window import MainWindow
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables.database import FILE_NAME
from qtdigits.store.tables.samples import SampleStore

OpenWindow = Callable[[], MainWindow]


STROKE = np.array([(300, 300, 0, 1), (500, 500, 50, 1), (300, 700, 90, 1)], np.float32)


def draw_and_judge(window: MainWindow, label: str) -> None:
    window.session.add_stroke(STROKE, "mouse")
    window.drawing.judge(label)


def test_that_with_a_damaged_store_drawings_are_kept_and_come_back(
    open_window: OpenWindow, data_dir: Path
) -> None:
    whole = SampleStore.open(data_dir)
    whole.close()
    content = (data_dir / FILE_NAME).read_bytes()
    (data_dir / FILE_NAME).write_bytes(b"rubbish" * 2000)
    window = open_window()
    assert "is damaged" in window.messages.text
    assert "imported when the store can be opened again" in window.messages.text
    assert window.session.model_name
    draw_and_judge(window, "7")
    assert "is damaged" in window.messages.text
    window.close()

    (data_dir / FILE_NAME).write_bytes(content)
    again = open_window()
    assert again.messages.text.startswith("1 drawing from")
    assert [sample.label for sample in again.session.store.samples()] == ["7"]


def test_that_where_nothing_can_be_written_the_drawing_stays_on_the_canvas(
    open_window: OpenWindow, data_dir: Path
) -> None:
    for folder in (data_dir, data_dir.parent / "rescue" / data_dir.name):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE_NAME).write_bytes(b"rubbish" * 2000)
    window = open_window()
    assert "stays on the canvas" in window.messages.text
    draw_and_judge(window, "7")
    assert not window.session.ink.is_blank
    window.drawing.clear()
    window.close()


def promoted(data_dir: Path, *stems: str) -> ModelLibrary:
    """Shipped models in the data folder, the last one in use."""
    library = ModelLibrary(data_dir)
    (data_dir / "models").mkdir()
    for stem in stems:
        path = data_dir / "models" / f"mine-{stem}.h5"
        path.write_bytes((paths.shipped_models_dir() / f"{stem}.h5").read_bytes())
        library.promote(path)
    return library


@pytest.mark.parametrize("harm", ["vanished", "damaged"])
def test_that_without_its_champion_it_reads_with_the_one_before_and_says_so(
    open_window: OpenWindow, data_dir: Path, harm: str
) -> None:
    path = promoted(data_dir, "mlp-50-50", "default").champion_path()
    if harm == "vanished":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:5000])
    window = open_window()
    assert window.session.model_path == data_dir / "models" / "mine-mlp-50-50.h5"
    assert "mine-default.h5" in window.messages.text
    assert "is used instead" in window.messages.text
    draw_and_judge(window, "7")
    assert window.session.store.count() == 1
    assert "mine-default.h5" in window.messages.text
    window.close()
    assert not open_window().messages.text


@pytest.mark.parametrize("harm", ["vanished", "damaged"])
def test_that_when_its_champion_is_lost_while_it_is_open_the_one_before_takes_over_between_two_drawings(
    open_window: OpenWindow, qtbot: QtBot, data_dir: Path, harm: str
) -> None:
    path = promoted(data_dir, "mlp-50-50", "default").champion_path()
    window = open_window()
    before = data_dir / "models" / "mine-mlp-50-50.h5"
    with qtbot.waitSignal(window.session.notice_given) as given:
        if harm == "vanished":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:5000])
    assert "mine-default.h5" in str(given.args)
    assert window.session.model_path == before
    assert "is used instead" in window.messages.text

    window.messages.dismiss()
    window.session.add_stroke(STROKE, "mouse")
    read_by = window.session.model_name
    before.unlink()
    window.session.look_for_changes()
    assert window.session.model_path == before
    window.drawing.judge("7")
    assert window.session.model_path is not None
    assert window.session.model_path.parent == paths.shipped_models_dir()
    assert "mine-mlp-50-50.h5" in window.messages.text
    assert [trial.model for trial in window.session.store.trials()] == [read_by]


def test_that_a_model_file_that_is_written_anew_stays_in_use(
    open_window: OpenWindow, qtbot: QtBot, data_dir: Path
) -> None:
    path = promoted(data_dir, "default").champion_path()
    window = open_window()
    for _ in range(2):
        whole = path.read_bytes()
        path.unlink()
        path.write_bytes(whole)
        window.session.look_for_changes()
        assert window.session.model_path == path
        assert not window.messages.text
    with qtbot.waitSignal(window.session.notice_given):
        path.unlink()
    assert window.session.model_path != path


def test_that_a_damaged_choice_is_said_and_put_right_by_the_next_one(
    open_window: OpenWindow, data_dir: Path
) -> None:
    mine = promoted(data_dir, "mlp-50-50").champion_path()
    (data_dir / "champion.json").write_text('{"champion": 3')
    window = open_window()
    assert "champion.json is damaged" in window.messages.text
    assert window.session.model_name
    window.session.use_model(mine)
    assert json.loads((data_dir / "champion.json").read_text())["champion"] == "models/mine-mlp-50-50.h5"


def test_that_two_windows_on_one_store_keep_what_both_do(open_window: OpenWindow, data_dir: Path) -> None:
    first, second = open_window(), open_window()
    for label in ("1", "2", "3"):
        draw_and_judge(first, label)
        draw_and_judge(second, label)
    first.session.use_model(paths.shipped_models_dir() / "mlp-50-50.h5")
    second.session.use_model(paths.shipped_models_dir() / "cnn-32-64.h5")
    draw_and_judge(first, "4")
    assert first.session.store.count() == second.session.store.count() == 7
    assert ModelLibrary(data_dir).champion_path().stem == "cnn-32-64"
    assert first.session.model_name == "mlp-50-50"
    assert second.session.store.check() == ()


def test_that_each_window_rolls_back_from_what_it_reads_with(open_window: OpenWindow, data_dir: Path) -> None:
    shipped = paths.shipped_models_dir()
    first, second = open_window(), open_window()
    first.session.use_model(shipped / "mlp-50-50.h5")
    second.session.use_model(shipped / "cnn-32-64.h5")
    first.session.roll_back()
    assert first.session.model_name == ModelLibrary(data_dir).champion_path().stem == "default"
    assert second.session.model_name == "cnn-32-64"
    second.session.roll_back()
    assert second.session.model_name == "default"

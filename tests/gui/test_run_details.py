"""The result of a run that was made before, looked at again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QScrollArea
from pytestqt.qtbot import QtBot

from gui.stand_ins import FakeSession
from qtdigits.core.run.events import RunFinished
from qtdigits.core.score.comparison import Comparison, PairedComparison
from qtdigits.core.score.metrics import ReadDrawings, Score
from qtdigits.errors import ModelFileError
from qtdigits.gui.champion import Champion
from qtdigits.gui.panels.runs import run_details
from qtdigits.gui.panels.runs.run_details import RunResultPage
from qtdigits.gui.results.confusion_matrix import ConfusionMatrix
from qtdigits.gui.results.score_details import DrawingStrip
from qtdigits.gui.theme import palette_of
from qtdigits.gui.widgets.colours import DARK, LIGHT
from qtdigits.store.run_files import RunFolder
from qtdigits.store.tables.runs import RunRecord
from qtdigits.training.runs import RunResult

CONFUSION = np.array([[8, 2], [0, 0]], np.int64)
SCORE = Score(("0", "1"), CONFUSION).to_json()
FOUND = Comparison(
    PairedComparison.of_ids(10, 7, 8, (11, 12), (13,), (14,)),
    PairedComparison.of_ids(3000, 2990, 2991, (1,)),
    "default",
)
FINISHED = RunFinished("run", "completed", "/m/new.h5", 3, 2, 9.0, {"my hold-out": SCORE}, FOUND.to_json())
RUN = RunRecord("run", {}, model="/m/new.h5")
LEFT = Qt.MouseButton.LeftButton


class Shown:
    def __init__(self, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
        self.result: RunResult | ModelFileError = RunResult(FINISHED)
        self.session = FakeSession()
        self.session.champion = Champion("default", Path("/m/default.h5"), {"my hold-out": SCORE})
        self.asked: list[str] = []
        monkeypatch.setattr(run_details, "result_of", self._find)
        readings = ReadDrawings(
            ("0", "1"),
            np.zeros((2, 28, 28), np.uint8),
            np.zeros(2, np.int64),
            np.ones(2, np.int64),
            np.array([0.9, 0.6], np.float32),
        )
        monkeypatch.setattr(
            RunFolder,
            "readings",
            lambda folder: {"my hold-out": readings} if folder.path.name == "run" else {},
        )
        self.widget = RunResultPage(session=self.session)
        qtbot.addWidget(self.widget)
        self.widget.resize(900, 800)
        self.widget.show_run(RUN)

    def _find(self, _data_dir: Path, run: RunRecord) -> RunResult:
        self.asked.append(run.id)
        if isinstance(self.result, ModelFileError):
            raise self.result
        return self.result

    @property
    def texts(self) -> set[str]:
        shown = [label for label in self.widget.findChildren(QLabel) if label.isVisible()]
        return {label.text() for label in shown}

    def button(self, name: str) -> QPushButton:
        found = self.widget.findChild(QPushButton, f"runs.{name}")
        assert isinstance(found, QPushButton)
        return found


@pytest.fixture
def hidden(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Shown:
    return Shown(qtbot, monkeypatch)


@pytest.fixture
def shown(hidden: Shown, qtbot: QtBot) -> Shown:
    with qtbot.waitExposed(hidden.widget):
        hidden.widget.show()
    return hidden


def test_that_nothing_is_read_before_somebody_looks(hidden: Shown) -> None:
    assert hidden.asked == []
    hidden.widget.show()
    assert hidden.asked == ["run"]


def test_that_figures_stand_beside_the_model_in_use(shown: Shown) -> None:
    assert {"80.00 %", "In use: default", "70.00 % of 10", "no clear difference (+10.00)"} <= shown.texts


def test_that_a_model_is_not_compared_with_itself(shown: Shown, qtbot: QtBot) -> None:
    shown.session.become(Champion("new", Path("/m/new.h5"), {"my hold-out": SCORE}))
    qtbot.waitUntil(lambda: "80.00 %" in shown.texts)
    assert not any(text.startswith("In use") for text in shown.texts)
    assert shown.button("useButton").text() == "In use"


def test_that_figures_of_another_set_are_not_called_better_or_worse(shown: Shown, qtbot: QtBot) -> None:
    more = Score(("0", "1"), 10 * CONFUSION).to_json()
    shown.session.become(Champion("other", Path("/m/other.h5"), {"my hold-out": more}))
    qtbot.waitUntil(lambda: "not the same drawings" in shown.texts)


def test_that_what_it_was_worth_on_its_day_is_said_with_the_drawings_behind_it(
    shown: Shown, qtbot: QtBot
) -> None:
    said = (
        "beside “default”, the model in use then: reads 70.0 → 80.0 % of your 10 held-out drawings; 2 fixed"
    )
    assert any(said in text for text in shown.texts)
    for name, ids in (("fixed", (11, 12)), ("broken", (13,)), ("still", (14,))):
        qtbot.mouseClick(shown.button(f"{name}Button"), LEFT)
        assert shown.session.selected[-1][1] == ids


def test_that_one_click_asks_to_use_the_model(shown: Shown, qtbot: QtBot) -> None:
    qtbot.mouseClick(shown.button("useButton"), LEFT)
    assert shown.session.used == [Path("/m/new.h5")]


def test_that_a_cell_of_the_matrix_opens_its_drawings(shown: Shown, qtbot: QtBot) -> None:
    matrix = shown.widget.findChild(ConfusionMatrix)
    qtbot.mouseClick(matrix, LEFT, pos=matrix.cell_rect(0, 1).center().toPoint())
    assert shown.widget.findChild(DrawingStrip).accessibleDescription() == "90 %, 60 %"


def test_that_a_model_that_is_gone_cannot_be_used_but_has_its_figures(shown: Shown, qtbot: QtBot) -> None:
    gone = RunFinished("run", "completed", "", 3, 2, 9.0, {"my hold-out": SCORE})
    shown.result = RunResult(gone, "It is not there any more.")
    shown.widget.show_run(RUN)
    qtbot.waitUntil(lambda: {"It is not there any more.", "80.00 %"} <= shown.texts)
    assert not shown.button("useButton").isEnabled()


def test_that_a_result_that_cannot_be_read_is_said_in_its_place_and_the_next_is_shown(
    shown: Shown, qtbot: QtBot
) -> None:
    shown.result = ModelFileError("Only the curves are kept.")
    shown.widget.show_run(RUN)
    assert shown.texts == {"Only the curves are kept."}
    shown.result = RunResult(FINISHED)
    shown.widget.show_run(RUN)
    qtbot.waitUntil(lambda: "80.00 %" in shown.texts)
    assert "Only the curves are kept." not in shown.texts


def test_that_the_theme_can_change_before_and_after_it_is_looked_at(hidden: Shown) -> None:
    hidden.widget.setPalette(palette_of(DARK))
    hidden.widget.show()
    hidden.widget.setPalette(palette_of(LIGHT))
    assert "80.00 %" in hidden.texts


def test_that_a_narrow_page_is_not_scrolled_sideways(shown: Shown) -> None:
    shown.widget.resize(480, 600)
    areas = [area for area in shown.widget.findChildren(QScrollArea) if area.isVisible()]
    assert areas
    assert [area.horizontalScrollBar().maximum() for area in areas] == [0] * len(areas)

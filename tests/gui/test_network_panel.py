"""The look into the network, with a small real network and a reader whose answer hangs on one place."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt, QThread
from PySide6.QtWidgets import QLabel

from gui.models import saved_model
from qtdigits.core.judging import Reading
from qtdigits.core.network_inspection import WITH, WITHOUT
from qtdigits.gui.panels.network import inspector as inspector_module
from qtdigits.gui.panels.network.inspector import Inspector, Question
from qtdigits.gui.panels.network.network_panel import NetworkPanel
from qtdigits.gui.panels.network.network_views import HeatView, TileGrid
from qtdigits.gui.session import Session
from qtdigits.gui.theme import palette_of
from qtdigits.gui.widgets.colours import DARK, LIGHT
from qtdigits.gui.widgets.parts import ChoiceBox
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model, save_model
from qtdigits.store.tables.samples import SampleStore

UPRIGHT = np.array([[500, 100, 0, 1], [500, 900, 50, 1]], np.float32)
ACROSS = np.array([[200, 500, 0, 1], [800, 500, 50, 1]], np.float32)


class TopReader:
    """Says 7 as long as there is ink in the upper quarter, and is not sure of anything without."""

    has_embedding = False

    def __init__(self, model, classes=None):
        self.label_set, self.model_name, self.undecided_below = model.label_set, model.name, 0.0

    def show_as(self, classes):
        pass

    def read(self, raster, memory=None):
        return Reading(raster, self.label_set.labels, self.read_many(raster[np.newaxis])[0])

    def read_many(self, images):
        answers = np.full((len(images), 10), 0.1, np.float32)
        has_top = images[:, :7].any(axis=(1, 2))
        answers[has_top] = 0.01
        answers[has_top, 7] = 0.91
        return answers


class HeldUpReader(TopReader):
    """Waits for `go_on` before each reading."""

    go_on = threading.Semaphore(0)
    n_read = 0

    def read_many(self, images):
        assert self.go_on.acquire(timeout=60)
        HeldUpReader.n_read += 1
        return super().read_many(images)


@pytest.fixture
def path(tmp_path):
    """A softmax regression in which the class 2 looks at one pixel."""
    model = load_model(saved_model(tmp_path / "shipped" / "small.h5", drawn_accuracy=0.9).path)
    kernel, bias = (array.copy() for array in model.weights["output"])
    kernel[28 * 3 + 4, 2] = 5
    return save_model(replace(model, weights={"output": (kernel, bias)}), model.path).path


@pytest.fixture
def session(qtbot, data_dir, path, monkeypatch):
    monkeypatch.setattr("qtdigits.gui.current_reader.Reader", TopReader)
    session = Session(
        store=SampleStore.open(data_dir),
        library=ModelLibrary(data_dir, shipped=path.parent),
        data_dir=data_dir,
    )
    session.ensure_champion()
    yield session
    session.close()


@pytest.fixture(autouse=True)
def _reader(monkeypatch):
    monkeypatch.setattr(inspector_module, "Reader", TopReader)


@pytest.fixture
def inspector(qtbot):
    inspector = Inspector(load=load_model)
    yield inspector
    inspector.shutdown()


@pytest.fixture
def panel(qtbot, session):
    panel = NetworkPanel(session=session)
    qtbot.addWidget(panel)
    panel.resize(900, 700)
    return panel


def drawing(value=255):
    raster = np.zeros((28, 28), np.uint8)
    raster[3:25, 13:15] = value
    return raster


def answer(panel):
    return panel.findChild(QLabel, "decidedLabel").text()


def test_that_outputs_and_filters_come_before_what_decided(qtbot, inspector, path):
    order = []
    inspector.layer_computed.connect(lambda _: order.append("seen"))
    with (
        qtbot.waitSignal(inspector.occlusion_computed) as decided,
        qtbot.waitSignal(inspector.layer_computed) as seen,
    ):
        inspector.ask(Question(path, drawing(), "", WITHOUT))
        inspector.occlusion_computed.connect(lambda _: order.append("decided"))
    (seen,), (decided,) = seen.args, decided.args
    assert order == ["seen", "decided"]
    assert seen.outputs.shape == (10,)
    assert seen.filters.shape == (10, 28, 28)
    assert seen.filters[2, 3, 4] == 5
    assert decided.answer == "7"
    assert decided.before == pytest.approx(0.91)
    assert decided.lowest == pytest.approx(0.1)
    assert decided.instead == "0"


def test_that_ink_the_answer_hangs_on_is_found(qtbot, inspector, path):
    raster = np.zeros((28, 28), np.uint8)
    raster[4, 10:13] = raster[20, 10:13] = 255
    with qtbot.waitSignal(inspector.occlusion_computed) as found:
        inspector.ask(Question(path, raster, "", WITHOUT))
    heat = found.args[0].heat
    assert found.args[0].lowest == pytest.approx(0.1)
    assert heat[4, 11] > 0.3
    assert (heat[12:] == 0).all()


def test_that_of_many_questions_the_last_one_is_answered_whole(qtbot, inspector, path, monkeypatch):
    monkeypatch.setattr(inspector_module, "Reader", HeldUpReader)
    decided = []
    inspector.occlusion_computed.connect(decided.append)
    questions = [Question(path, drawing(ink), "", WITH) for ink in (50, 100, 150, 200)]
    with qtbot.waitSignal(inspector.layer_computed):
        inspector.ask(questions[0])
    for question in questions[1:]:
        inspector.ask(question)
    before = HeldUpReader.n_read
    with qtbot.waitSignal(inspector.occlusion_computed):
        for _ in range(12):
            HeldUpReader.go_on.release()
    assert [found.question for found in decided] == [questions[-1]]
    # one reading of the first question at most, then those of the last: the answer, and three batches under patches
    assert HeldUpReader.n_read - before <= 1 + 4


def test_that_a_model_that_cannot_be_loaded_is_told_of_and_the_next_one_is_looked_into(
    qtbot, inspector, path, tmp_path
):
    with qtbot.waitSignal(inspector.failed) as failed:
        inspector.ask(Question(tmp_path / "gone.h5", drawing(), "", None))
    assert "gone.h5" in str(failed.args[0])
    with qtbot.waitSignal(inspector.layer_computed):
        inspector.ask(Question(path, drawing(), "", None))


def test_that_nobody_looks_while_the_panel_is_hidden(qtbot, panel, session):
    session.add_stroke(UPRIGHT, "mouse")
    assert panel.inspector.findChild(QThread) is None
    with qtbot.waitSignal(panel.inspector.occlusion_computed):
        panel.show()
    assert "Read as 7" in answer(panel)


def test_that_the_panel_follows_the_drawing(qtbot, panel, session):
    with qtbot.waitSignal(panel.inspector.layer_computed):
        panel.show()
    assert answer(panel).startswith("Draw something")
    with qtbot.waitSignal(panel.inspector.occlusion_computed) as found:
        session.add_stroke(UPRIGHT, "mouse")
    assert (found.args[0].question.raster == session.reading.raster).all()
    with qtbot.waitSignal(panel.inspector.occlusion_computed) as found:
        session.add_stroke(ACROSS, "mouse")
    assert (found.args[0].question.raster == session.reading.raster).all()
    with qtbot.waitSignal(panel.inspector.layer_computed):
        session.skip()
    assert answer(panel).startswith("Draw something")


def test_that_what_the_patch_does_can_be_chosen(qtbot, panel, session):
    session.add_stroke(UPRIGHT, "mouse")
    with qtbot.waitSignal(panel.inspector.occlusion_computed):
        panel.show()
    assert (
        answer(panel) == "Read as 7, 91.0 %; where it matters most, taking ink away leaves 10.0 %, read as 0."
    )
    box = panel.findChild(ChoiceBox, "patchBox")
    with qtbot.waitSignal(panel.inspector.occlusion_computed) as found:
        qtbot.keyClick(box, Qt.Key.Key_Down)
    assert found.args[0].question.ink == WITH
    assert answer(panel) == "Read as 7, 91.0 %; no single patch changes that."


def test_that_the_tiles_of_the_answer_bear_the_labels_of_the_classes(qtbot, panel):
    with qtbot.waitSignal(panel.inspector.layer_computed):
        panel.show()
    grid = panel.findChild(TileGrid)
    assert panel.findChild(ChoiceBox, "layerBox").currentText() == "Answer · 10"
    assert grid.labels == tuple("0123456789")
    assert not grid.tile_rect(0).intersects(grid.tile_rect(1))


def test_that_places_are_read_out_with_the_arrow_keys(qtbot, panel, session):
    session.add_stroke(UPRIGHT, "mouse")
    with qtbot.waitSignal(panel.inspector.occlusion_computed):
        panel.show()
    heat, said = panel.findChild(HeatView), panel.findChild(QLabel, "pixelLabel")
    assert "arrow keys" in said.text()
    qtbot.keyClick(heat, Qt.Key.Key_Up)
    assert said.text().startswith("Row 14, column 15: the answer falls by 0.0 points")


def test_that_heat_is_painted_blue_over_what_speaks_for_the_answer(qtbot, panel):
    heat = np.zeros((28, 28), np.float32)
    heat[:10, :10], heat[18:, 18:] = 0.5, -0.5
    view = panel.findChild(HeatView)
    for theme in (LIGHT, DARK):
        view.setPalette(palette_of(theme))
        view.resize(300, 340)
        view.show_drawing(np.zeros((28, 28), np.uint8), heat)
        picture = view.grab().toImage()
        supports, opposes = picture.pixelColor(30, 30), picture.pixelColor(260, 260)
        assert supports.blue() > supports.red() + 60
        assert opposes.red() > opposes.blue() + 60

from __future__ import annotations

import shutil
from dataclasses import replace
from threading import Event

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QTableWidget, QWidget

from gui.models import saved_model
from gui.stand_ins import Answers
from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import Suspicion
from qtdigits.core.score.metrics import Tally
from qtdigits.errors import ModelFileError
from qtdigits.gui.background import Background
from qtdigits.gui.import_export import ImportExport
from qtdigits.gui.panels import models
from qtdigits.gui.panels.models import COLUMNS, ModelsPanel
from qtdigits.gui.session import Session
from qtdigits.paths import shipped_models_dir
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model, save_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.compare import Parts, Replayed
from store.values import a_sample

LEFT = Qt.MouseButton.LeftButton


class NoReader:
    label_set = DIGITS
    has_embedding = False

    def __init__(self, model, classes=None):
        self.model_name = model.name


def replay_of(paths, drawings, *, header_of, load, progress):
    """As many of the drawings as there are, all read rightly."""
    progress(0, len(drawings))
    parts = Parts(Tally(4, 3), Tally(len(drawings) - 4, 1))
    return [Replayed(path.stem, path, parts) for path in paths]


class Tab:
    """The panel with a store of 20 drawings and one model."""

    def __init__(self, qtbot, data_dir, shipped):
        store = SampleStore.open(data_dir)
        store.add_samples([a_sample("7", "Ada") for _ in range(20)])
        saved_model(shipped / "model-a.h5", drawn_accuracy=0.9)
        library = ModelLibrary(data_dir, shipped=shipped)
        self.session = Session(store=store, library=library, data_dir=data_dir)
        self.session.set_writer("Ada")
        self.notices = []
        self.session.notice_given.connect(self.notices.append)
        self.answers = Answers(None)
        self.exchange = ImportExport(session=self.session, ask=self.answers)
        self.panel = ModelsPanel(session=self.session, import_export=self.exchange)
        qtbot.addWidget(self.panel)
        self.panel.show()

    def cell(self, title):
        """Of the first model."""
        table = self.panel.findChild(QTableWidget, "modelsTable")
        titles = [table.horizontalHeaderItem(column).text() for column in range(table.columnCount())]
        return table.item(0, titles.index(title))

    @property
    def mine(self):
        return [self.cell(title).text() for title in ("My hold-out", "Mine, not learned")]

    @property
    def note(self):
        return self.panel.findChild(QLabel, "modelsNote").text()

    @property
    def button(self):
        return self.panel.findChild(QPushButton, "replayButton")

    def close(self):
        self.session.close()


@pytest.fixture
def open_tab(qtbot, data_dir, tmp_path, monkeypatch):
    opened = []

    def open_tab(replay=replay_of):
        monkeypatch.setattr(models, "replay", replay)
        opened.append(Tab(qtbot, data_dir, tmp_path / "shipped"))
        return opened[-1]

    yield open_tab
    for tab in opened:
        tab.close()


def test_that_reading_my_drawings_fills_the_columns_with_intervals(qtbot, open_tab):
    tab = open_tab()
    assert tab.mine == ["–", "–"]
    with qtbot.waitSignal(tab.panel.findChild(Background).done):
        qtbot.mouseClick(tab.button, LEFT)
    assert tab.mine == ["75.0 % [30, 95]", "6.2 % [1, 28]"]
    assert tab.cell("My hold-out").toolTip() == "3 of 4 read right"
    assert "20 drawings by Ada" in tab.note
    assert tab.button.isEnabled()


def test_that_it_says_how_many_doubtful_drawings_do_not_count(qtbot, open_tab):
    tab = open_tab()
    tab.session.store.mark_suspects({int(tab.session.store.ids()[0]): Suspicion(0.9, "1", "looks like a 1")})
    with qtbot.waitSignal(tab.panel.findChild(Background).done):
        qtbot.mouseClick(tab.button, LEFT)
    assert "Read just now: 19 drawings by Ada" in tab.note
    assert "1 doubtful drawing is not counted." in tab.note


def test_that_the_drawings_are_read_as_the_model_is_used_with_memory(qtbot, open_tab):
    def remembering(paths, drawings, *, header_of, load, progress):
        alone, used = Parts(Tally(4, 3), Tally(16, 10)), Parts(Tally(4, 4), Tally(16, 15))
        return [Replayed(path.stem, path, alone, with_memory=used) for path in paths]

    tab = open_tab(remembering)
    assert tab.cell("Drawings right").text() == "–"
    with qtbot.waitSignal(tab.panel.findChild(Background).done):
        qtbot.mouseClick(tab.button, LEFT)
    assert tab.cell("Drawings right").text().startswith("95.0 %")
    assert "19 of 20" in tab.cell("Drawings right").toolTip()
    assert "13 without" in tab.cell("Drawings right").toolTip()


def test_that_another_writer_does_not_get_these_figures(qtbot, open_tab):
    tab = open_tab()
    with qtbot.waitSignal(tab.panel.findChild(Background).done):
        qtbot.mouseClick(tab.button, LEFT)
    tab.session.set_writer("Bob")
    assert tab.mine == ["–", "–"]
    assert "when they were judged" in tab.note


def test_that_the_hold_out_of_a_model_is_its_writers_alone(qtbot, open_tab):
    tab = open_tab()
    saved_model(tab.session.library.new_path("own"), drawn_accuracy=0.99, writer="Ada")
    table = tab.panel.findChild(QTableWidget, "modelsTable")

    def shown():
        found = [row for row in range(table.rowCount()) if table.item(row, 1).text() == "own"]
        return [table.item(row, 3).text() for row in found]

    tab.session.models_changed.emit()
    assert shown() == ["50.00 %"]
    tab.session.set_writer("Bob")
    assert shown() == ["–"]
    tab.session.set_writer("Ada")
    assert shown() == ["50.00 %"]


def test_that_imported_drawings_that_a_model_may_know_are_told_and_not_counted(qtbot, open_tab):
    def of_files(paths, drawings, *, header_of, load, progress):
        parts = Parts(not_learned=Tally(5, 4), of_files=Tally(15, 15))
        return [Replayed(path.stem, path, parts) for path in paths]

    tab = open_tab(of_files)
    with qtbot.waitSignal(tab.panel.findChild(Background).done):
        qtbot.mouseClick(tab.button, LEFT)
    assert tab.mine == ["–", "80.0 % [38, 96]"]
    assert "15 imported drawings are left out" in tab.cell("My hold-out").toolTip()
    assert "20 drawings by Ada" in tab.note
    assert "they may be from the same file" in tab.note


def test_that_what_cannot_be_read_is_said(qtbot, open_tab):
    def fail(*_args, **_others):
        raise ModelFileError("The model is damaged.", "Use another.")

    tab = open_tab(fail)
    with qtbot.waitSignal(tab.panel.findChild(Background).failed):
        qtbot.mouseClick(tab.button, LEFT)
    assert tab.note == "The model is damaged. Use another."
    assert tab.button.isEnabled()


def test_that_closing_cancels_a_replay(qtbot, open_tab):
    began = Event()

    def endless(paths, drawings, *, header_of, load, progress):
        began.set()
        while True:
            progress(0, 1)

    tab = open_tab(endless)
    qtbot.mouseClick(tab.button, LEFT)
    assert began.wait(60)
    assert not tab.button.isEnabled()
    tab.close()  # waits for the thread


def test_that_a_model_that_could_not_read_is_named(open_tab, qtbot):
    def broken(paths, drawings, *, header_of, load, progress):
        return [Replayed(path.stem, path, error="It is damaged.") for path in paths]

    tab = open_tab(broken)
    qtbot.mouseClick(tab.button, LEFT)
    qtbot.waitUntil(lambda: "Could not be used: model-a" in tab.note)
    assert tab.mine == ["–", "–"]
    assert tab.cell("My hold-out").toolTip() == "It is damaged."


def test_that_a_persons_own_figures_stand_first_and_titles_above_their_figures(open_tab):
    tab = open_tab()
    table = tab.panel.findChild(QTableWidget, "modelsTable")
    titles = [table.horizontalHeaderItem(column).text() for column in range(table.columnCount())]
    assert titles[1:7] == [
        *("Model", "Drawings right", "My hold-out", "Mine, not learned", "By strangers", "MNIST test")
    ]
    for column, title in enumerate(titles):
        if title in titles[2:7]:
            assert table.horizontalHeaderItem(column).textAlignment() == table.item(0, column).textAlignment()


def test_that_a_model_that_cannot_be_read_is_said_to_be_so(open_tab, tmp_path):
    tab = open_tab()
    next((tmp_path / "shipped").glob("*.h5")).write_bytes(b"no model")
    tab.session.model_trained()
    assert tab.cell("Model").text() == "model-a: cannot be read"
    assert tab.mine == ["–", "–"]


def test_that_a_writer_without_drawings_is_told_so_instead_of_figures(open_tab, qtbot):
    def nothing(paths, drawings, *, header_of, load, progress):
        return [Replayed(path.stem, path) for path in paths]

    tab = open_tab(nothing)
    tab.session.set_writer("Bob")
    qtbot.mouseClick(tab.button, LEFT)
    qtbot.waitUntil(lambda: tab.note == "There are no drawings by Bob to read yet.")


def test_that_a_narrow_window_shows_the_list_without_scrolling_and_a_menu_has_the_other_columns(
    open_tab, qtbot
):
    tab = open_tab()
    table = tab.panel.findChild(QTableWidget, "modelsTable")
    tab.panel.resize(540, 500)
    saved_model(tab.session.library.new_path("a-model-with-a-name-as-long-as-a-sentence"), drawn_accuracy=0.9)
    tab.session.models_changed.emit()
    qtbot.mouseClick(tab.button, LEFT)
    qtbot.waitUntil(lambda: "Read just now" in tab.note)
    assert table.horizontalScrollBar().maximum() == 0
    header = table.horizontalHeader()
    (network,) = [choice for choice in header.actions() if choice.text() == "Network"]
    assert header.isSectionHidden(COLUMNS.index("Network"))
    network.trigger()
    assert not header.isSectionHidden(COLUMNS.index("Network"))


def test_that_the_chosen_model_is_told_in_full(open_tab, qtbot):
    tab = open_tab()
    table = tab.panel.findChild(QTableWidget, "modelsTable")
    table.selectRow(0)
    told = tab.panel.findChild(QLabel, "modelDetails").text()
    assert "90.00 % of strangers' digits right" in told
    assert told.endswith("model-a.h5")


def test_that_the_chosen_model_is_exported_by_a_process_of_its_own(qtbot, open_tab, tmp_path):
    (tmp_path / "shipped").mkdir()
    shutil.copy(shipped_models_dir() / "mlp-50-50.h5", tmp_path / "shipped" / "model-b.h5")
    tab = open_tab()
    table = tab.panel.findChild(QTableWidget, "modelsTable")
    export = tab.panel.findChild(QPushButton, "exportModelButton")
    assert not export.isEnabled()
    table.selectRow(1)
    tab.answers.reply = tmp_path / "taken.tflite"
    with qtbot.waitSignal(tab.exchange.findChild(Background).done, timeout=60_000):
        qtbot.mouseClick(export, LEFT)
    assert b'"mlp-50-50"' in tab.answers.reply.read_bytes()
    assert tab.notices[-1] == (
        "Exporting to taken.tflite: done. Read back, it answers the same; probabilities differ by at most 0."
    )


def test_that_a_model_that_cannot_be_exported_is_reported(qtbot, open_tab, tmp_path):
    tab = open_tab()
    (path,) = [entry.path for entry in tab.session.library.entries()]
    model = load_model(path)
    wrong = np.roll(np.eye(10, dtype=np.float32)[:1], 3)
    save_model(replace(model, golden=replace(model.golden, probabilities=wrong)), path)
    tab.panel.findChild(QTableWidget, "modelsTable").selectRow(0)
    tab.answers.reply = tmp_path / "taken.tflite"
    with qtbot.waitSignal(tab.session.problem_met, timeout=60_000) as met:
        qtbot.mouseClick(tab.panel.findChild(QPushButton, "exportModelButton"), LEFT)
    assert "Exporting to taken.tflite failed, and nothing was changed." in str(met.args[0])
    assert "its weights do not give its golden answers" in str(met.args[0])
    assert not tab.answers.reply.exists()


def test_that_an_ending_without_a_format_is_reported(qtbot, open_tab, tmp_path):
    tab = open_tab()
    tab.panel.findChild(QTableWidget, "modelsTable").selectRow(0)
    tab.answers.reply = tmp_path / "taken.doc"
    with qtbot.waitSignal(tab.session.problem_met) as met:
        qtbot.mouseClick(tab.panel.findChild(QPushButton, "exportModelButton"), LEFT)
    assert "taken.doc stands for no format" in str(met.args[0])


def is_shown(tab, name):
    return tab.panel.findChild(QWidget, name).isVisible()


def importing(tab, path):
    tab.answers.reply = path
    return tab.panel.findChild(QPushButton, "importModelButton")


def test_that_a_model_file_is_imported_and_chosen(qtbot, open_tab, tmp_path):
    tab = open_tab()
    (theirs := tmp_path / "hand-of-Bob.h5").write_bytes((shipped_models_dir() / "mlp-50-50.h5").read_bytes())
    with qtbot.waitSignal(tab.exchange.model_added, timeout=60_000):
        qtbot.mouseClick(importing(tab, theirs), LEFT)
        assert is_shown(tab, "cancelModelButton")
        assert is_shown(tab, "modelProgress")
        assert tab.note == "Importing hand-of-Bob.h5 …"
    assert tab.note == "Imported: MLP 50-50, 10 classes."
    assert tab.panel.findChild(QLabel, "modelDetails").text().startswith("MLP 50-50")
    assert not is_shown(tab, "cancelModelButton")
    assert ModelLibrary(tab.session.data_dir).find("hand-of-Bob").parent.name == "models"


def test_that_an_import_can_be_cancelled(qtbot, open_tab, tmp_path):
    tab = open_tab()
    (theirs := tmp_path / "theirs.h5").write_bytes((shipped_models_dir() / "mlp-50-50.h5").read_bytes())
    with qtbot.waitSignal(tab.exchange.findChild(Background).failed, timeout=60_000):
        qtbot.mouseClick(importing(tab, theirs), LEFT)
        qtbot.mouseClick(tab.panel.findChild(QPushButton, "cancelModelButton"), LEFT)
    assert tab.notices[-1] == "Importing theirs.h5: cancelled."
    assert is_shown(tab, "importModelButton")


def test_that_a_file_that_is_no_model_is_reported_in_one_line(qtbot, open_tab, tmp_path):
    tab = open_tab()
    (theirs := tmp_path / "theirs.keras").write_text("nothing")
    with qtbot.waitSignal(tab.session.problem_met, timeout=60_000) as met:
        qtbot.mouseClick(importing(tab, theirs), LEFT)
    told = str(met.args[0])
    assert told.startswith("Importing theirs.keras failed, and nothing was changed.")
    assert "neither a .keras file nor an HDF5 file" in told

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QMenuBar, QPushButton, QVBoxLayout, QWidget

from gui.stand_ins import Answers, FakeTrainer
from qtdigits.core.drawing.samples import Suspicion
from qtdigits.core.run.events import JobProgress
from qtdigits.errors import StoreError
from qtdigits.gui import sample_edits
from qtdigits.gui.actions import Command, fill_menus
from qtdigits.gui.engine_process import Current, JobEnding
from qtdigits.gui.panels.samples import sample_filters, samples_model
from qtdigits.gui.panels.samples.sample_details import LargeDrawing
from qtdigits.gui.panels.samples.sample_grid import (
    CELL_HEIGHT_PX,
    CELL_WIDTH_PX,
    SampleGrid,
)
from qtdigits.gui.panels.samples.samples_model import PAGE, SamplesModel
from qtdigits.gui.panels.samples.samples_panel import BUSY, TRAINING, SamplesPanel, review_text
from qtdigits.gui.sample_edits import SampleEdits
from qtdigits.gui.session import Session
from qtdigits.gui.theme import palette_of
from qtdigits.gui.widgets.colours import DARK, LIGHT
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables import editing
from qtdigits.store.tables.rows import SampleFilter
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import LabelReviewJob
from store.values import NOON, StandingClock, a_sample, a_trial, an_image

KEY = Qt.Key
CTRL, SHIFT, LEFT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.MouseButton.LeftButton,
)
DOUBT = Suspicion(0.75, "1", "it has no bar")


class ExportTo:
    """Stands in for the exchange: remembers what was to be written."""

    def __init__(self):
        self.exported = []

    def import_drawings(self):
        raise AssertionError("nothing here imports")

    def export_chosen(self, chosen, title):
        self.exported.append((chosen, title))


def cell(grid, row):
    return grid.visualRect(grid.model().index(row, 0))


SMOOTHED = 4
"""Of 255: how far from the ink's own colour a thin line may be in an image that was enlarged smoothly."""


def distance(one, other):
    return max(abs(a - b) for a, b in zip(one.getRgb(), other.getRgb(), strict=True))


class Browser:
    """The panel in a window with Undo in its menu, and what a person sees and does there."""

    def __init__(self, session, qtbot):
        self.session, self.store, self.qtbot = session, session.store, qtbot
        self.ask, self.exchange = Answers(True), ExportTo()
        self.trainer = FakeTrainer()
        self.window = QWidget()
        self.edits = SampleEdits(session=session, parent=self.window)
        self.panel = SamplesPanel(
            session=session,
            edits=self.edits,
            import_export=self.exchange,
            trainer=self.trainer,
            ask=self.ask,
        )
        undo = Command("&Edit", "Undo", session.undo, "Ctrl+Z")
        self._actions = fill_menus(QMenuBar(self.window), (undo,), window=self.window)
        self.window.addActions(list(self._actions.values()))
        QVBoxLayout(self.window).addWidget(self.panel)
        self.window.resize(860, 700)
        qtbot.addWidget(self.window)
        with qtbot.waitActive(self.window):
            self.window.show()
            self.window.activateWindow()
        self.grid = self.panel.findChild(SampleGrid)

    def find(self, kind, name):
        return self.panel.findChild(kind, name)

    def text(self, name):
        return self.find(QLabel, name).text()

    def click(self, name):
        QTest.mouseClick(self.find(QPushButton, name), LEFT)

    def choose(self, box, text):
        self.find(QComboBox, box).setCurrentText(text)

    def relabel(self, label):
        entry = self.find(QLineEdit, "relabelEntry")
        entry.setText(label)
        QTest.keyClick(entry, KEY.Key_Return)

    def select(self, *rows):
        self.grid.select_rows(list(rows))
        self.grid.setFocus()

    @property
    def shown(self):
        model = self.grid.model()
        return [model.index(row, 0).data() for row in range(model.rowCount())]

    @property
    def selected(self):
        return [row for rows in self.grid.selected_rows() for row in rows]


@pytest.fixture
def session(data_dir, tmp_path):
    store = SampleStore.open(data_dir)
    library = ModelLibrary(data_dir, shipped=tmp_path / "none")
    session = Session(store=store, library=library, data_dir=data_dir)
    yield session
    session.close()


@pytest.fixture
def browser(session, qtbot, monkeypatch):
    """Oldest first: 0 to 4 by Ada, read right; 5 misread; 6 and 7 imported, by Bob. All of them on one day, which is today."""
    monkeypatch.setattr(sample_filters, "datetime", StandingClock)
    for label in "01234":
        session.store.judge(a_sample(label, drawn_at=NOON), a_trial(label, answer=label))
    session.store.judge(a_sample("5", drawn_at=NOON), a_trial("5", answer="6"))
    session.store.add_samples([an_image("6", "Bob", drawn_at=NOON), a_sample("7", "Bob", drawn_at=NOON)])
    return Browser(session, qtbot)


def test_that_the_newest_drawings_come_first(browser):
    assert browser.shown == list("76543210")
    assert browser.text("drawingsCount") == "8 drawings"


def test_that_a_drawing_judged_meanwhile_appears_and_leaves_the_choice_alone(browser):
    browser.select(2)
    browser.session.store.judge(a_sample("9"), a_trial("9"))
    browser.session.samples_changed.emit()
    assert browser.shown == list("976543210")
    assert browser.selected == [3]


def test_that_what_another_program_changes_is_shown(browser, qtbot, data_dir):
    with SampleStore.open(data_dir) as other:
        other.relabel([8], "9")
    qtbot.waitUntil(lambda: browser.shown[0] == "9")


def test_that_nothing_is_read_while_the_panel_is_hidden(browser, monkeypatch):
    browser.panel.hide()
    with monkeypatch.context() as patch:
        for name in ("ids", "count", "writers", "classes", "thumbnails"):
            patch.setattr(browser.store, name, lambda *_, **__: pytest.fail("the store was read"))
        browser.session.samples_changed.emit()
    browser.store.judge(a_sample("9"), a_trial("9"))
    browser.session.samples_changed.emit()
    browser.panel.show()
    assert browser.shown[0] == "9"


@pytest.mark.parametrize(
    ("box", "choice", "expected"),
    [
        ("labelFilter", "3", "3"),
        ("writerFilter", "Bob", "76"),
        ("verdictFilter", "Misread", "5"),
        ("verdictFilter", "Read right", "43210"),
        ("modelFilter", "mlp", "543210"),
        ("originFilter", "Images", ""),
        ("dateFilter", "Today", "76543210"),
        ("dateFilter", "Yesterday", ""),
        ("dateFilter", "Before that", ""),
        ("stateFilter", "Doubtful", ""),
    ],
)
def test_that_a_choice_narrows_what_is_shown(browser, box, choice, expected):
    browser.choose(box, choice)
    assert browser.shown == list(expected)
    assert browser.text("drawingsCount") == f"{len(expected)} of 8 drawings"
    browser.click("clearFiltersButton")
    assert len(browser.shown) == 8
    assert browser.find(QComboBox, box).currentIndex() == 0


def test_that_held_out_and_trained_on_are_all(browser):
    browser.choose("stateFilter", "Held out")
    held_out = browser.shown
    browser.choose("stateFilter", "Trained on")
    assert sorted(held_out + browser.shown) == list("01234567")


def test_that_a_writer_who_has_gone_is_not_filtered_by(browser):
    browser.choose("writerFilter", "Bob")
    browser.store.merge_writers("Bob", "Ada")
    browser.session.samples_edited()
    assert len(browser.shown) == 8


def test_that_typing_a_label_and_enter_relabels_and_ctrl_z_undoes(browser, qtbot):
    browser.select(0, 2)
    QTest.keyClicks(browser.grid, "4")
    entry = browser.find(QLineEdit, "relabelEntry")
    assert (entry.hasFocus(), entry.text()) == (True, "4")
    QTest.keyClick(entry, KEY.Key_Return)
    assert browser.shown == list("46443210")
    assert browser.text("editedLabel") == "2 drawings relabelled as 4."
    qtbot.waitUntil(lambda: not entry.hasFocus())
    QTest.keyClick(browser.window.focusWidget(), KEY.Key_Z, CTRL)
    assert browser.shown == list("76543210")
    assert browser.text("editedLabel") == "Undone: relabelling of 2 drawings as 4."


def test_that_a_new_class_is_asked_for(browser):
    browser.select(0)
    browser.ask.reply = False
    browser.relabel("π")
    assert (browser.shown[0], "π" in browser.store.classes()) == ("7", False)
    browser.ask.reply = True
    browser.relabel("π")
    assert browser.shown[0] == "π"
    assert len(browser.ask.asked) == 2


def test_that_delete_goes_on_to_the_next_drawing_and_can_be_undone(browser):
    browser.select(2)
    QTest.keyClick(browser.grid, KEY.Key_Delete)
    assert browser.shown == list("7643210")
    assert browser.selected == [2]
    QTest.keyClick(browser.grid, KEY.Key_Delete)
    assert browser.shown == list("763210")
    browser.click("undoEditButton")
    browser.click("undoEditButton")
    assert browser.shown == list("76543210")
    assert not browser.find(QPushButton, "undoEditButton").isVisible()


def test_that_deleted_drawings_can_be_put_back_after_a_restart(browser, data_dir):
    with SampleStore.open(data_dir) as before:
        before.delete_samples([3, 4])
    browser.choose("stateFilter", "Deleted")
    assert browser.shown == list("32")
    assert "30 days" in browser.text("drawingsCount")
    assert not browser.find(QPushButton, "deleteButton").isVisible()
    browser.select(0)
    browser.click("putBackButton")
    assert browser.shown == ["2"]
    browser.choose("stateFilter", "All drawings")
    assert browser.shown == list("7654310")


def test_that_a_weight_is_set_and_taken_back(browser):
    browser.select(0, 1)
    browser.click("weightButton")
    assert [s.weight for s in browser.store.samples()] == [1, 1, 1, 1, 1, 1, 5, 5]
    assert browser.text("editedLabel") == "2 drawings count 5 times."
    browser.click("weightButton")
    assert {s.weight for s in browser.store.samples()} == {1}


def test_that_what_is_held_out_cannot_count_for_more_and_says_why(browser):
    browser.store.add_samples(a_sample("7", "Bob") for _ in range(10))
    browser.session.samples_edited()
    held_out = browser.store.ids(held_out=True).tolist()
    ids = browser.grid.model().ids.tolist()
    among = [ids.index(held_out[0]), ids.index(browser.store.ids(held_out=False)[0])]
    browser.select(*among)
    browser.click("weightButton")
    assert browser.text("editedLabel") == "1 drawing counts 5 times; 1 drawing held out: never trained on."
    assert browser.store.sample(held_out[0]).weight == 1
    browser.select(among[0])
    assert not browser.find(QPushButton, "weightButton").isEnabled()
    assert browser.find(QPushButton, "weightButton").toolTip().startswith("Held out")
    browser.select(among[0], ids.index(held_out[1]))
    browser.click("weightButton")
    assert browser.text("editedLabel") == "2 drawings held out: never trained on."
    browser.select(among[1])
    assert browser.find(QPushButton, "weightButton").isEnabled()


def test_that_the_window_says_how_many_wait_and_leads_there(browser):
    browser.store.mark_suspects({2: DOUBT, 5: replace(DOUBT, score=0.9)})
    browser.session.samples_edited()
    assert browser.text("waitingLabel").startswith("2 drawings to review")
    browser.choose("writerFilter", "Bob")
    browser.click("showDoubtfulButton")
    assert browser.shown == ["4", "1"]


def test_that_enter_accepts_a_doubtful_label_and_goes_on(browser):
    browser.store.mark_suspects({2: DOUBT, 5: replace(DOUBT, score=0.9)})
    browser.session.samples_edited()
    browser.click("showDoubtfulButton")
    browser.select(0)
    assert "Perhaps it is 1 (90" in browser.text("doubtText")
    QTest.keyClick(browser.grid, KEY.Key_Return)
    assert (browser.shown, browser.selected) == (["1"], [0])
    QTest.keyClick(browser.grid, KEY.Key_Return)
    assert browser.shown == []
    assert browser.store.sample(5).is_reviewed
    assert browser.store.count(held_out=False) == len(browser.store.dataset(held_out=False))


def test_that_a_doubtful_drawing_can_be_given_the_suggested_label(browser):
    browser.store.mark_suspects({5: DOUBT})
    browser.session.samples_edited()
    browser.select(3)
    browser.click("followSuggestionButton")
    assert browser.store.sample(5).label == "1"
    assert browser.store.count(is_suspect=True) == 0


def test_that_all_suggestions_are_taken_at_once_and_undone_at_once(browser):
    sevens, nines = Suspicion(0.9, "7", ""), Suspicion(0.8, "9", "")
    browser.store.mark_suspects({1: sevens, 2: nines, 3: sevens})
    browser.session.samples_changed.emit()
    assert not browser.find(QPushButton, "takeSuggestionsButton").isVisible()
    browser.click("showDoubtfulButton")
    assert sorted(browser.shown) == list("012")
    browser.click("takeSuggestionsButton")
    browser.qtbot.waitUntil(lambda: browser.text("editedLabel") == "3 drawings relabelled as suggested.")
    assert browser.shown == []
    assert [browser.store.sample(i).label for i in (1, 2, 3)] == ["7", "9", "7"]
    browser.click("undoEditButton")
    browser.qtbot.waitUntil(lambda: sorted(browser.shown) == list("012"))


def test_that_the_buttons_of_the_review_stay_where_they_are(browser):
    browser.store.mark_suspects(
        {
            1: Suspicion(0.9, "7", ""),
            2: Suspicion(0.8, "4", "it is nearer to four drawings of a 4 than to any 1"),
        }
    )
    browser.session.samples_changed.emit()
    browser.click("showDoubtfulButton")
    names = ("followSuggestionButton", "acceptLabelButton", "deleteButton")

    def places():
        browser.panel.grab()  # lays it out
        buttons = [browser.find(QPushButton, name) for name in names]
        return [(one.mapTo(browser.panel, QPoint()), one.size()) for one in buttons]

    browser.select(0)
    first = places()
    browser.select(1)
    assert places() == first


def test_that_enter_on_a_drawing_without_doubt_changes_nothing(browser):
    browser.select(0)
    QTest.keyClick(browser.grid, KEY.Key_Return)
    assert not browser.store.sample(8).is_reviewed


def test_that_the_details_say_who_when_and_what_was_read(browser):
    browser.select(2)
    assert browser.text("drawingHeading") == "5 · Ada"
    assert "mlp misread it: 6 (90" in browser.text("drawingFacts")
    assert "mouse" in browser.text("drawingFacts")
    browser.select(0)
    assert "Not judged yet" in browser.text("drawingFacts")
    browser.select(0, 1, 2)
    assert browser.text("drawingHeading") == "3 drawings"
    browser.grid.clearSelection()
    assert "Choose a drawing" in browser.text("drawingFacts")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_that_ink_and_images_are_drawn_large_in_the_windows_colours(browser, theme):
    browser.panel.setPalette(palette_of(theme))
    for row in (0, 1):
        browser.select(row)
        image = browser.panel.findChild(LargeDrawing).grab().toImage()
        pixels = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
        for colour in (QColor(theme.ink), QColor(theme.canvas)):
            assert min(distance(colour, pixel) for pixel in pixels) <= SMOOTHED


def test_that_what_is_chosen_or_shown_is_exported(browser):
    browser.choose("writerFilter", "Bob")
    browser.click("exportButton")
    browser.select(0, 1)
    browser.click("exportButton")
    (shown, title), (chosen, title_of_chosen) = browser.exchange.exported
    assert (shown, title) == (SampleFilter(writer="Bob"), "Export 2 drawings as ink")
    assert (set(chosen.ids), title_of_chosen) == ({7, 8}, "Export 2 drawings as ink")


def test_that_arrows_home_end_and_shift_choose(browser):
    browser.window.resize(330 + 3 * CELL_WIDTH_PX, 700)
    browser.select(0)
    columns = browser.grid.columns
    assert 2 <= columns < 8
    for key, row in ((KEY.Key_Right, 1), (KEY.Key_Down, 1 + columns), (KEY.Key_End, 7), (KEY.Key_Home, 0)):
        QTest.keyClick(browser.grid, key)
        assert browser.selected == [row]
    QTest.keyClick(browser.grid, KEY.Key_Right, SHIFT)
    QTest.keyClick(browser.grid, KEY.Key_Right, SHIFT)
    assert browser.selected == [0, 1, 2]
    QTest.keyClick(browser.grid, KEY.Key_A, CTRL)
    assert browser.selected == list(range(8))
    QTest.keyClick(browser.grid, KEY.Key_Escape)
    assert browser.selected == []


def test_that_clicks_choose_one_some_or_a_stretch(browser):
    def click(row, modifiers=Qt.KeyboardModifier.NoModifier):
        QTest.mouseClick(browser.grid.viewport(), LEFT, modifiers, cell(browser.grid, row).center())

    click(1)
    assert browser.selected == [1]
    click(4, SHIFT)
    assert sorted(browser.selected) == [1, 2, 3, 4]
    click(2, CTRL)
    assert sorted(browser.selected) == [1, 3, 4]
    click(5)
    assert browser.selected == [5]


# The model and the view, with more than anybody looks at.


@pytest.fixture
def many(session):
    """2,500 images."""
    rng = np.random.default_rng(1)
    rasters = rng.integers(0, 256, (2500, 28, 28), np.uint8)
    session.store.add_samples(an_image(str(i % 10), raster=raster) for i, raster in enumerate(rasters))
    return session.store


@pytest.fixture
def grid(many, qtbot):
    model = SamplesModel(store=many)
    grid = SampleGrid(model=model)
    model.setParent(grid)
    qtbot.addWidget(grid)
    grid.resize(600, 400)
    grid.show()
    model.set_filter(SampleFilter())
    return grid


def test_that_the_scroll_bar_is_right_before_anything_is_read(grid):
    lines = -(-2500 // grid.columns)
    assert grid.verticalScrollBar().maximum() == lines * CELL_HEIGHT_PX - grid.viewport().height()


def test_that_a_scroll_bar_is_seen_only_where_there_is_something_to_scroll(grid, qtbot):
    bar = grid.verticalScrollBar()
    assert bar.isEnabled()
    grid.model().set_filter(SampleFilter(label="none of these"))
    qtbot.waitUntil(lambda: not bar.isEnabled())
    assert bar.isVisible()  # or the columns would jump


def test_that_only_what_is_seen_is_read(grid, many, monkeypatch):
    read = []
    original = many.thumbnails
    monkeypatch.setattr(many, "thumbnails", lambda ids: read.append(len(ids)) or original(ids))
    grid.grab()
    assert sum(read) <= 2 * PAGE
    bar = grid.verticalScrollBar()
    bar.setValue(bar.maximum())
    grid.grab()
    assert sum(read) <= 4 * PAGE
    assert grid.indexAt(cell(grid, 2499).center()).row() == 2499


def test_that_pages_that_were_left_long_ago_are_forgotten(many, qtbot, monkeypatch):
    monkeypatch.setattr(samples_model, "PAGES_KEPT", 3)
    read = []
    original = many.thumbnails
    monkeypatch.setattr(many, "thumbnails", lambda ids: read.append(ids[0]) or original(ids))
    model = SamplesModel(store=many)
    model.set_filter(SampleFilter())
    for page in (0, 1, 2, 0, 3, 0, 1):
        row = page * PAGE
        assert model.thumbnail(row).id == 2500 - row
    assert read == [2500 - page * PAGE for page in (0, 1, 2, 3, 1)]


def test_that_the_cells_fill_the_width_without_gaps_or_overlaps(grid):
    cells = [cell(grid, row) for row in range(grid.columns)]
    assert cells[0].left() == 0
    assert cells[-1].right() == grid.viewport().width() - 1
    assert all(a.right() + 1 == b.left() for a, b in pairwise(cells))
    assert cell(grid, grid.columns) == QRect(QPoint(0, CELL_HEIGHT_PX), cells[0].size())


def test_that_a_choice_scrolls_into_view(grid):
    grid.select_rows([1700])
    assert grid.viewport().rect().contains(cell(grid, 1700))


def test_that_what_was_at_the_top_stays_there_when_the_width_changes(grid):
    bar = grid.verticalScrollBar()
    bar.setValue(100 * CELL_HEIGHT_PX)
    first = grid.indexAt(QPoint(5, 5)).row()
    grid.resize(400, 400)
    assert abs(grid.indexAt(QPoint(5, 5)).row() - first) < grid.columns


def test_that_all_of_them_can_be_chosen(grid):
    grid.selectAll()
    assert grid.selected_rows() == [range(2500)]


def review(n: int, waiting: int) -> JobEnding:
    return JobEnding(LabelReviewJob("e", "data"), "finished", {"n": n, "waiting": waiting})


def test_that_a_review_of_the_labels_says_what_it_does_and_what_it_found(browser):
    check = browser.panel.findChild(QPushButton, "checkLabelsButton")
    browser.click("checkLabelsButton")
    assert browser.trainer.asked == [("review labels",)]
    browser.trainer.job_started.emit(Current(LabelReviewJob("e", "data")))
    assert not check.isEnabled()
    assert browser.text("editedLabel") == "Checking the labels …"
    browser.trainer.job_progressed.emit(JobProgress("m", "writer matrix", "Learning from ada", 0, 4))
    browser.trainer.job_progressed.emit(JobProgress("e", "label review", "Checking the labels", 0, 1))
    assert browser.text("editedLabel") == "Checking the labels: 0 of 1 writers …"
    browser.trainer.job_ended.emit(review(5, 2))
    assert check.isEnabled()
    assert browser.text("editedLabel") == "5 checked; 2 to review."


def test_that_a_busy_engine_is_said_to_be_busy(browser):
    browser.trainer.is_free = False
    browser.click("checkLabelsButton")
    assert browser.text("editedLabel") == BUSY
    browser.trainer.is_training = True
    browser.click("checkLabelsButton")
    assert browser.text("editedLabel") == TRAINING


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        (review(0, 0), "There is nothing to check yet."),
        (review(1, 0), "1 checked; nothing looks wrong."),
        (review(1200, 1), "1,200 checked; 1 to review."),
        (JobEnding(LabelReviewJob("e", "data"), "cancelled"), "The check was cancelled."),
        (JobEnding(LabelReviewJob("e", "data"), "failed", message="The disk is full."), ""),
    ],
)
def test_that_the_outcome_of_a_review_is_said_in_words(ending, text):
    assert review_text(ending) == text


def test_that_many_drawings_are_changed_a_part_at_a_time_and_undone_as_one(browser, qtbot, monkeypatch):
    monkeypatch.setattr(sample_edits, "AT_ONCE", 2)
    edits, store = browser.edits, browser.store
    before = {sample.id: sample.label for sample in store.samples()}
    ids, said = list(before)[:5], []
    edits.edited.connect(said.append)
    edits.relabel(ids, "4")
    assert store.count(label="4") < 5
    assert not edits.can_undo
    qtbot.waitUntil(lambda: edits.can_undo)
    assert [sample.label for sample in store.samples(ids=tuple(ids))] == ["4"] * 5
    assert said == [
        "2 of 5 drawings …",
        "4 of 5 drawings …",
        f"{sum(before[i] != '4' for i in ids)} drawings relabelled as 4.",
    ]
    browser.session.undo()
    qtbot.waitUntil(lambda: said[-1].startswith("Undone"))
    assert {sample.id: sample.label for sample in store.samples()} == before
    assert not edits.can_undo


def test_that_what_was_changed_before_an_error_can_be_undone(browser, qtbot, monkeypatch):
    monkeypatch.setattr(sample_edits, "AT_ONCE", 2)
    edits, store = browser.edits, browser.store
    before = {sample.id: sample.weight for sample in store.samples()}
    ids, problems, n_calls = store.ids(held_out=False).tolist(), [], []
    browser.session.problem_met.connect(problems.append)

    def full_at_the_second(db, ids, weight, change=editing.set_weight):
        n_calls.append(len(ids))
        if len(n_calls) == 2:
            raise StoreError("the disk is full")
        return change(db, ids, weight)

    monkeypatch.setattr(editing, "set_weight", full_at_the_second)
    edits.set_weight(ids, 7)
    qtbot.waitUntil(lambda: bool(problems))
    assert [s.weight for s in store.samples(ids=tuple(ids))].count(7) == 2
    browser.session.undo()
    assert {sample.id: sample.weight for sample in store.samples()} == before


def test_that_what_was_begun_is_done_before_the_store_is_closed(browser, monkeypatch):
    monkeypatch.setattr(sample_edits, "AT_ONCE", 2)
    ids = [sample.id for sample in browser.store.samples()][:5]
    browser.edits.delete(ids)
    browser.session.closing.emit()
    assert browser.store.count(is_deleted=True) == 5


def test_that_damaged_drawings_are_named_and_all_others_are_shown(browser, qtbot, data_dir):
    with contextlib.closing(sqlite3.connect(data_dir / "samples.db", isolation_level=None)) as db:
        db.execute("UPDATE samples SET origin = 'heaven' WHERE id = 2")
        db.execute("UPDATE samples SET ink = x'00' WHERE id = 3")
    qtbot.waitUntil(lambda: None in browser.shown)
    assert browser.shown == [*"765432", None, "0"]
    browser.grid.grab()
    browser.select(6)
    shown = [one.text() for one in browser.panel.findChildren(QLabel)]
    assert any(text.startswith("This drawing is damaged: its origin") for text in shown)
    browser.select(5)
    shown = [one.text() for one in browser.panel.findChildren(QLabel)]
    assert any(text.startswith("This drawing is damaged: its ink cannot be read") for text in shown)

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QTableWidget

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.gui.panels.classes_dialog import ClassesDialog
from qtdigits.gui.session import Session
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables.samples import SampleStore
from store.values import a_sample

STROKE = np.array([[100, 100, 0, 0.5], [800, 900, 50, 0.5]], np.float32)


class Answers:
    """Stands in for the dialogs: answers one after the other."""

    def __init__(self) -> None:
        self.answers: list[str] = []

    def answer(self, *_question: object, **_options: object) -> str:
        return self.answers.pop(0)

    text = choice = answer


@pytest.fixture
def ask() -> Answers:
    return Answers()


@pytest.fixture
def session(qapp, data_dir: Path):
    session = Session(store=SampleStore.open(data_dir), library=ModelLibrary(data_dir), data_dir=data_dir)
    session.store.add_samples([a_sample(label, "me") for label in ("7", "7", "♥", "♥", "O")])
    session.samples_edited()
    yield session
    session.close()


@pytest.fixture
def dialog(qtbot, session, ask):
    dialog = ClassesDialog(session=session, ask=ask)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def rows(dialog: ClassesDialog) -> dict[str, list[str]]:
    table = dialog.findChild(QTableWidget, "classesTable")
    cells = [
        [table.item(row, column).text() for column in range(table.columnCount())]
        for row in range(table.rowCount())
    ]
    return {row[0]: row[1:] for row in cells}


def press(dialog: ClassesDialog, name: str) -> None:
    button = dialog.findChild(QPushButton, name)
    assert button.isEnabled()
    button.click()


def said(dialog: ClassesDialog) -> str:
    return dialog.findChild(QLabel, "classesAnswer").text()


def test_that_every_class_says_how_many_drawings_it_has_and_what_it_looks_like(dialog) -> None:
    assert rows(dialog)["7"][0] == "2"
    assert rows(dialog)["♥"][:2] == ["2", "memory"]
    assert rows(dialog)["O"][2] == "0"


def test_that_a_class_is_renamed_and_that_is_undone(dialog, session, ask) -> None:
    dialog.choose("♥")
    ask.answers = ["heart"]
    press(dialog, "renameClassButton")
    assert rows(dialog)["heart"][0] == "2"
    assert "heart" in session.classes.active.labels
    press(dialog, "undoClassButton")
    assert "♥" in rows(dialog)
    session.redo()
    assert "heart" in rows(dialog)


def test_that_classes_are_merged_retired_deleted_and_brought_back(dialog, session, ask) -> None:
    dialog.choose("♥")
    ask.answers = ["7"]
    press(dialog, "mergeClassButton")
    assert (rows(dialog)["7"][0], rows(dialog)["♥"][-1]) == ("4", "merged into 7")
    dialog.choose("♥")
    press(dialog, "restoreClassButton")
    for name, state in (("retireClassButton", "retired"), ("deleteClassButton", "deleted")):
        dialog.choose("♥")
        press(dialog, name)
        assert rows(dialog)["♥"][-1] == state
        dialog.choose("♥")
        press(dialog, "restoreClassButton")
        assert (rows(dialog)["♥"][0], rows(dialog)["♥"][-1]) == ("2", "")
    for _ in range(6):
        session.undo()
    assert (rows(dialog)["♥"][0], rows(dialog)["7"][0]) == ("2", "2")


def test_that_what_cannot_be_done_is_said(dialog, ask) -> None:
    dialog.choose("♥")
    ask.answers = ["7"]
    press(dialog, "renameClassButton")
    assert "already" in said(dialog)
    assert "♥" in rows(dialog)


def test_that_a_new_class_is_undone_and_redone(dialog, session, ask) -> None:
    ask.answers = [" ♠ "]
    press(dialog, "addClassButton")
    assert "♠" in rows(dialog)
    press(dialog, "undoClassButton")
    assert "♠" not in rows(dialog)
    session.redo()
    assert "♠" in session.classes.active.labels


def test_that_changes_of_sets_are_undone(dialog, session, ask) -> None:
    ask.answers = ["runes", "♥ ♠"]
    press(dialog, "classSetsButton")
    session.use_class_set("runes")
    ask.answers = ["runes", ""]
    press(dialog, "classSetsButton")
    assert (rows(dialog)["♥"][3], session.class_set) == ("", "")
    press(dialog, "undoClassButton")
    assert rows(dialog)["♥"][3] == "runes"
    session.use_class_set("runes")
    press(dialog, "undoClassButton")
    assert (rows(dialog)["♥"][3], "♠" in rows(dialog), session.class_set) == ("", False, "")
    assert session.classes.among is None


def test_that_undoing_the_first_drawing_of_a_class_leaves_no_trace_of_it(dialog, session) -> None:
    session.add_stroke(STROKE, "mouse")
    assert session.judge("♠")
    assert "♠" in rows(dialog)
    session.undo()
    assert "♠" not in rows(dialog)
    session.redo()
    assert rows(dialog)["♠"][0] == "1"


def test_that_a_set_is_made_changed_and_deleted(dialog, session, ask) -> None:
    ask.answers = ["runes", "♥ 0-2"]  # there is no set to choose from yet
    press(dialog, "classSetsButton")
    assert session.store.class_table.sets() == {"runes": ("0", "1", "2", "♥")}
    assert rows(dialog)["♥"][3] == "runes"
    session.use_class_set("runes")
    ask.answers = ["runes", ""]
    press(dialog, "classSetsButton")
    assert session.store.class_table.sets() == {}
    assert session.class_set == ""


def test_that_the_window_limits_answers_to_the_set_that_is_chosen(window, ask) -> None:
    session = window.session
    session.store.class_table.put_set("small", ["1", "2"])
    session.samples_edited()
    session.classes_changed.emit()
    box = window.findChild(QComboBox, "classSetBox")
    assert [box.itemText(i) for i in range(box.count())][:2] == ["All classes", "small"]
    box.setCurrentText("small")
    box.activated.emit(box.currentIndex())
    assert session.class_set == "small"
    assert session.classes.active.labels == ("1", "2")
    box.setCurrentIndex(0)
    box.activated.emit(0)
    assert session.classes.active == DIGITS

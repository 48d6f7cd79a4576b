"""One stack for whatever a person did: drawing, judging, importing and changing stored drawings."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from qtdigits.errors import StoreError

LEFT, CONTROL, SHIFT = (
    Qt.MouseButton.LeftButton,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
IMAGE = ",".join(["0"] * 400 + ["255"] * 100 + ["0"] * 284)


def draw(window):
    QTest.mousePress(window.canvas, LEFT, pos=QPoint(100, 60))
    QTest.mouseMove(window.canvas, QPoint(150, 200))
    QTest.mouseRelease(window.canvas, LEFT, pos=QPoint(150, 200))


def press(window, key, modifiers=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(window.focusWidget() or window, key, modifiers)


def state(window):
    """What counts in the store, and what is on the canvas. Imported drawings stay in the trash."""
    store = window.session.store
    return (
        {sample.id: sample.label for sample in store.samples()},
        [(trial.id, trial.truth) for trial in store.trials()],
        len(window.session.ink.strokes),
    )


@pytest.fixture
def pair(window, tmp_path):
    """Two images to import, which the window finds when it asks for a file."""
    (tmp_path / "images.csv").write_text(f"{IMAGE}\n")
    (tmp_path / "labels.csv").write_text("7\n")
    window.ask.reply = tmp_path / "images.csv"
    return tmp_path


def test_that_ctrl_z_undoes_whatever_was_done_last_and_ctrl_shift_z_redoes_it(window, qtbot, pair):
    states, undoable = [state(window)], []

    def done():
        states.append(state(window))
        undoable.append(window.session.undo_stack.next_undone.name)

    draw(window)
    done()
    press(window, Qt.Key.Key_5)
    press(window, Qt.Key.Key_Return)
    done()
    window.edits.relabel([1], "6")
    done()
    window.import_export.import_csv_pair()
    qtbot.waitUntil(lambda: window.session.store.count() == 2 and "added" in window.messages.text)
    done()
    window.edits.delete([1, 2])
    done()
    draw(window)
    done()
    press(window, Qt.Key.Key_Escape)
    done()
    window.edits.put_back([2])
    done()
    assert undoable == [
        "stroke",
        "judgement as 5",
        "relabelling of 1 drawing as 6",
        "import of 1 drawing",
        "deletion of 2 drawings",
        "stroke",
        "clearing",
        "return of 1 drawing",
    ]
    for before in reversed(states[:-1]):
        press(window, Qt.Key.Key_Z, CONTROL)
        assert state(window) == before
    for after in states[1:]:
        press(window, Qt.Key.Key_Z, CONTROL | SHIFT)
        assert state(window) == after


def test_that_undoing_a_judgement_of_another_writer_lets_them_draw_again(window):
    draw(window)
    press(window, Qt.Key.Key_Return)
    window.session.set_writer("Ada")
    press(window, Qt.Key.Key_Z, CONTROL)
    assert window.session.writer == "me"
    assert window.messages.text == "The writer is me again, who drew this."
    assert len(window.session.ink.strokes) == 1
    assert window.session.store.count() == 0


def test_that_a_class_goes_with_the_judgement_that_made_it_and_comes_back_with_it(window):
    window.ask.reply = True
    store = window.session.store
    draw(window)
    QTest.keyClicks(window.drawing.entry, "heart")
    press(window, Qt.Key.Key_Return)
    assert "heart" in store.classes()
    press(window, Qt.Key.Key_Z, CONTROL)
    assert "heart" not in store.classes()
    assert not window.session.is_known("heart")
    press(window, Qt.Key.Key_Z, CONTROL | SHIFT)
    assert [sample.label for sample in store.samples()] == ["heart"]
    assert "heart" in store.classes()
    draw(window)
    QTest.keyClicks(window.drawing.entry, "heart")
    press(window, Qt.Key.Key_Return)
    press(window, Qt.Key.Key_Z, CONTROL)
    assert "heart" in store.classes()


def test_that_an_undo_which_failed_can_be_tried_again(window, monkeypatch):
    draw(window)
    press(window, Qt.Key.Key_Return)
    window.edits.delete([1])
    with monkeypatch.context() as broken:

        def full(_change):
            raise StoreError("The disk is full.")

        broken.setattr(window.session.store, "restore", full)
        press(window, Qt.Key.Key_Z, CONTROL)
    assert window.messages.text == "The disk is full."
    assert window.session.undo_stack.next_undone.name == "deletion of 1 drawing"
    press(window, Qt.Key.Key_Z, CONTROL)
    assert window.session.store.count() == 1
    press(window, Qt.Key.Key_Y, CONTROL)
    assert window.session.store.count() == 0

"""Drawing and judging in the window, by mouse, pen and keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QPointingDevice
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from gui.pens import pen, pen_device

LEFT, CONTROL, SHIFT = (
    Qt.MouseButton.LeftButton,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


def draw(window, *points):
    places = [QPoint(*point) for point in points or ((100, 60), (200, 60), (150, 200))]
    QTest.mousePress(window.canvas, LEFT, pos=places[0])
    for place in places[1:]:
        QTest.mouseMove(window.canvas, place)
    QTest.mouseRelease(window.canvas, LEFT, pos=places[-1])


def press(window, key, modifiers=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(window.focusWidget() or window, key, modifiers)


def strokes(window):
    return [stroke.tolist() for stroke in window.session.ink.strokes]


@pytest.mark.parametrize(("key", "modifiers"), [(Qt.Key.Key_Z, CONTROL | SHIFT), (Qt.Key.Key_Y, CONTROL)])
def test_that_undo_gives_back_what_the_eraser_took_and_redo_takes_it_again(window, key, modifiers):
    draw(window, (60, 60), (200, 60))
    draw(window, (60, 160), (200, 160))
    first, second = strokes(window)
    eraser = pen_device(QPointingDevice.PointerType.Eraser)
    pen(window.canvas, eraser, QEvent.Type.TabletPress, 100, 60, 0.5)
    assert strokes(window) == [second]
    press(window, Qt.Key.Key_Z, CONTROL)
    assert strokes(window) == [first, second]
    press(window, key, modifiers)
    assert strokes(window) == [second]


def test_that_undo_gives_back_a_cleared_drawing_and_a_judged_one(window):
    draw(window)
    drawn = strokes(window)
    press(window, Qt.Key.Key_Escape)
    assert strokes(window) == []
    press(window, Qt.Key.Key_Z, CONTROL)
    assert strokes(window) == drawn
    assert list(window.session.store.trials()) == []
    press(window, Qt.Key.Key_5)
    press(window, Qt.Key.Key_Return)
    press(window, Qt.Key.Key_Z, CONTROL)
    assert strokes(window) == drawn
    assert window.session.store.count() == 0
    press(window, Qt.Key.Key_Y, CONTROL)
    assert strokes(window) == []
    assert [sample.label for sample in window.session.store.samples()] == ["5"]


def test_that_a_key_typed_on_the_empty_canvas_is_not_the_label_of_the_next_drawing(window):
    press(window, Qt.Key.Key_7)
    draw(window)
    assert window.drawing.entry.text() == ""
    press(window, Qt.Key.Key_Return)
    assert [sample.label for sample in window.session.store.samples()] == ["3"]


def test_that_a_label_typed_between_two_strokes_stays(window):
    draw(window, (60, 60), (200, 60))
    press(window, Qt.Key.Key_7)
    draw(window, (60, 160), (200, 160))
    press(window, Qt.Key.Key_Return)
    assert [sample.label for sample in window.session.store.samples()] == ["7"]


def test_that_a_new_class_is_told_with_what_it_needs_and_its_first_drawing_can_be_learned_from(window):
    window.ask.reply = True
    draw(window)
    QTest.keyClicks(window.drawing.entry, "Ä")
    press(window, Qt.Key.Key_Return)
    assert "“Ä” is a class now" in window.findChild(QLabel, "toldLabel").text()
    (sample,) = window.session.store.samples()
    assert (sample.label, sample.held_out) == ("Ä", False)

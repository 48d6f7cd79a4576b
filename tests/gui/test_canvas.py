from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QPointingDevice
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gui.pens import pen, pen_device
from qtdigits.core.drawing.ink import Ink
from qtdigits.gui.panels.drawing.canvas import UNITS, Canvas, stroke_near

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def canvas(qtbot):
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(400, 400)
    canvas.show()
    qtbot.waitExposed(canvas)
    return canvas


def strokes_of(canvas):
    seen = []
    canvas.stroke_finished.connect(lambda stroke, device: seen.append((stroke, device)))
    return seen


def drag(canvas, *points):
    QTest.mousePress(canvas, LEFT, pos=QPoint(*points[0]))
    for point in points[1:]:
        QTest.mouseMove(canvas, QPoint(*point))
    QTest.mouseRelease(canvas, LEFT, pos=QPoint(*points[-1]))


def test_that_a_drag_becomes_one_stroke_in_thousandths_of_the_side(canvas):
    seen = strokes_of(canvas)
    drag(canvas, (100, 100), (200, 100), (200, 300))
    (stroke, device) = seen[0]
    assert len(seen) == 1
    np.testing.assert_allclose(stroke[:, :2], [[250, 250], [500, 250], [500, 750]], atol=0.5)
    assert device.startswith("mouse")


def test_that_times_never_go_back_over_several_strokes(canvas):
    seen = strokes_of(canvas)
    drag(canvas, (100, 100), (200, 100))
    drag(canvas, (100, 200), (200, 200))
    times = np.concatenate([stroke[:, 2] for stroke, _ in seen])
    assert (np.diff(times) >= 0).all()


def test_that_a_click_is_a_stroke_of_one_point(canvas):
    seen = strokes_of(canvas)
    drag(canvas, (120, 130))
    assert seen[0][0].shape == (1, 4)


def test_that_a_trembling_tap_is_a_dot(canvas):
    seen = strokes_of(canvas)
    drag(canvas, (120, 130), (121, 130), (120, 131))
    assert seen[0][0].shape == (1, 4)


def test_that_the_right_button_draws_nothing(canvas):
    seen = strokes_of(canvas)
    QTest.mouseClick(canvas, Qt.MouseButton.RightButton, pos=QPoint(50, 50))
    assert seen == []


def test_that_a_fast_stroke_is_painted_without_gaps(canvas):
    seen = strokes_of(canvas)
    drag(canvas, (60, 200), (340, 200))
    canvas.show_ink(Ink.of([seen[0][0]]))
    row = canvas.grab().toImage()
    greys = [row.pixelColor(x, 200).lightness() for x in range(65, 335)]
    assert max(greys) < 80


def test_that_mouse_events_which_the_system_makes_from_touch_draw_nothing(canvas):
    seen = strokes_of(canvas)
    for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
        event = QMouseEvent(
            kind,
            QPointF(50, 50),
            QPointF(50, 50),
            QPointF(50, 50),
            LEFT,
            LEFT,
            Qt.KeyboardModifier.NoModifier,
            Qt.MouseEventSource.MouseEventSynthesizedBySystem,
        )
        QApplication.sendEvent(canvas, event)
    assert seen == []


def test_that_the_pen_draws_with_its_pressure_and_the_mouse_that_follows_it_does_not(canvas):
    seen = strokes_of(canvas)
    device = pen_device()
    pressed = pen(canvas, device, QEvent.Type.TabletPress, 100, 100, 0.25)
    pen(canvas, device, QEvent.Type.TabletMove, 200, 100, 0.75)
    pen(canvas, device, QEvent.Type.TabletRelease, 200, 100, 0.0, Qt.MouseButton.NoButton)
    drag(canvas, (100, 100), (200, 100))
    assert pressed.isAccepted()
    assert len(seen) == 1
    np.testing.assert_allclose(seen[0][0][:, 3], [0.25, 0.75])
    assert seen[0][1] == "stylus a pen"


def test_that_a_pen_which_leaves_without_a_release_ends_its_stroke_and_takes_its_ring_away(canvas, qapp):
    seen, device, blank = strokes_of(canvas), pen_device(), canvas.grab().toImage()
    pen(canvas, device, QEvent.Type.TabletMove, 200, 200, 0.0, Qt.MouseButton.NoButton)
    assert canvas.grab().toImage() != blank
    pen(qapp, device, QEvent.Type.TabletLeaveProximity, 200, 200, 0.0, Qt.MouseButton.NoButton)
    assert canvas.grab().toImage() == blank
    pen(canvas, device, QEvent.Type.TabletPress, 100, 100, 0.5)
    pen(canvas, device, QEvent.Type.TabletMove, 200, 100, 0.5)
    pen(qapp, device, QEvent.Type.TabletLeaveProximity, 200, 100, 0.0, Qt.MouseButton.NoButton)
    assert not canvas.is_drawing
    pen(canvas, device, QEvent.Type.TabletPress, 100, 300, 0.5)
    pen(canvas, device, QEvent.Type.TabletRelease, 200, 300, 0.0, Qt.MouseButton.NoButton)
    assert [stroke[:, 1].tolist() for stroke, _ in seen] == [[250, 250], [750, 750]]


def test_that_a_pen_which_hovers_or_presses_again_has_ended_its_stroke(canvas):
    seen, device = strokes_of(canvas), pen_device()
    pen(canvas, device, QEvent.Type.TabletPress, 100, 100, 0.5)
    pen(canvas, device, QEvent.Type.TabletMove, 200, 100, 0.5)
    pen(canvas, device, QEvent.Type.TabletMove, 300, 300, 0.0, Qt.MouseButton.NoButton)
    assert not canvas.is_drawing
    pen(canvas, device, QEvent.Type.TabletPress, 100, 200, 0.5)
    pen(canvas, device, QEvent.Type.TabletPress, 100, 300, 0.5)
    pen(canvas, device, QEvent.Type.TabletRelease, 200, 300, 0.0, Qt.MouseButton.NoButton)
    assert [stroke[:, 1].tolist() for stroke, _ in seen] == [[250, 250], [500], [750, 750]]


def test_that_a_mouse_whose_release_was_missed_does_not_join_two_strokes(canvas):
    seen = strokes_of(canvas)
    QTest.mousePress(canvas, LEFT, pos=QPoint(100, 100))
    QTest.mouseMove(canvas, QPoint(200, 100))
    place = QPointF(300, 300)
    none = Qt.MouseButton.NoButton
    moved = QMouseEvent(QEvent.Type.MouseMove, place, place, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(canvas, moved)
    assert not canvas.is_drawing
    drag(canvas, (100, 300), (200, 300))
    assert [stroke[:, 1].tolist() for stroke, _ in seen] == [[250, 250], [750, 750]]


def test_that_a_hovering_pen_draws_nothing(canvas):
    seen = strokes_of(canvas)
    pen(canvas, pen_device(), QEvent.Type.TabletMove, 100, 100, 0.0, Qt.MouseButton.NoButton)
    assert seen == []
    assert not canvas.is_drawing


def test_that_the_eraser_end_names_the_stroke_it_touches(canvas):
    canvas.show_ink(Ink.of([[[100, 100], [400, 100]], [[100, 800], [400, 800]]]))
    erased = []
    canvas.stroke_erased.connect(erased.append)
    eraser = pen_device(QPointingDevice.PointerType.Eraser)
    pen(canvas, eraser, QEvent.Type.TabletPress, 100, 40, 0.5)
    assert erased == [0]


def test_that_the_palm_draws_nothing_while_the_pen_is_near(canvas):
    seen = strokes_of(canvas)
    pen(canvas, pen_device(), QEvent.Type.TabletMove, 100, 100, 0.0, Qt.MouseButton.NoButton)
    screen = QTest.createTouchDevice()
    QTest.touchEvent(canvas, screen).press(0, QPoint(50, 50), canvas).commit()
    QTest.touchEvent(canvas, screen).release(0, QPoint(50, 90), canvas).commit()
    assert seen == []


def test_that_one_finger_draws_and_a_second_one_does_not(canvas):
    seen = strokes_of(canvas)
    screen = QTest.createTouchDevice()
    QTest.touchEvent(canvas, screen).press(0, QPoint(50, 50), canvas).commit()
    QTest.touchEvent(canvas, screen).move(0, QPoint(90, 50), canvas).press(
        1, QPoint(300, 300), canvas
    ).commit()
    QTest.touchEvent(canvas, screen).release(0, QPoint(90, 50), canvas).stationary(1).commit()
    QTest.touchEvent(canvas, screen).release(1, QPoint(300, 300), canvas).commit()
    assert len(seen) == 1
    assert seen[0][1].startswith("touch")
    np.testing.assert_allclose(seen[0][0][-1, :2], [225, 125], atol=1)


def test_that_ink_keeps_its_place_in_the_square_when_the_canvas_grows(canvas):
    canvas.show_ink(Ink.of([[[UNITS / 2, 100], [UNITS / 2, 900]]]))
    canvas.resize(600, 600)
    image = canvas.grab().toImage()
    assert image.pixelColor(300, 300).lightness() < 80
    assert image.pixelColor(200, 300).lightness() > 200


def test_that_the_last_of_two_crossing_strokes_is_the_one_near_a_point():
    ink = Ink.of([[[0, 0], [100, 100]], [[0, 100], [100, 0]]])
    assert stroke_near(ink, (50, 50), 5) == 1
    assert stroke_near(ink, (10, 10), 5) == 0
    assert stroke_near(ink, (50, 90), 5) is None

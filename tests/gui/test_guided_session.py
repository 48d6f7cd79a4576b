from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton

from gui.stand_ins import action
from qtdigits.core.drawing.labels import with_article
from qtdigits.core.drawing.samples import Verdict
from qtdigits.core.score.practice import Goal
from qtdigits.gui.preferences import Preferences

LEFT = Qt.MouseButton.LeftButton
GOAL = Goal(half_width=0.03)


def draw(window):
    places = [QPoint(100, 60), QPoint(200, 60), QPoint(150, 200)]
    QTest.mousePress(window.canvas, LEFT, pos=places[0])
    for place in places[1:]:
        QTest.mouseMove(window.canvas, place)
    QTest.mouseRelease(window.canvas, LEFT, pos=places[-1])


def press(window, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(window.focusWidget() or window, key, modifier)


def text(window, name):
    return window.findChild(QLabel, name).text()


def asked_until(window, is_wanted):
    """Start sessions until the first digit asked for is a wanted one."""
    seed = 0
    while True:
        window.guided.start(GOAL, seed=seed)
        if is_wanted(window.guided.asked):
            return window.guided.asked
        seed += 1


def test_that_the_canvas_says_what_to_draw_and_how_far_it_is(window):
    press(window, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    assert text(window, "guidedAsked") == f"Draw {with_article(window.guided.asked)}"
    assert text(window, "guidedProgress").startswith("1 of about ")


def test_that_a_screen_reader_says_what_to_draw_though_the_keyboard_is_elsewhere(window, monkeypatch):
    said = []
    monkeypatch.setattr(QAccessible, "isActive", lambda: True)
    monkeypatch.setattr(QAccessible, "updateAccessibility", lambda event: said.append(event.message()))
    window.guided.start(GOAL, seed=1)
    asked = window.guided.asked
    window.guided.end()
    assert said == [f"Draw {with_article(asked)}", "Nothing was drawn. Ended by you."]


def test_that_enter_stores_the_drawing_as_what_was_asked_for_and_counts_the_error(window):
    asked = asked_until(window, lambda label: label != "3")
    draw(window)
    press(window, Qt.Key.Key_Return)
    (trial,) = window.session.store.trials()
    assert (trial.truth, trial.answer, trial.verdict) == (asked, "3", Verdict.CORRECTED)


def test_that_enter_confirms_when_the_answer_is_what_was_asked_for(window):
    asked_until(window, lambda label: label == "3")
    draw(window)
    press(window, Qt.Key.Key_Return)
    (trial,) = window.session.store.trials()
    assert trial.verdict is Verdict.CONFIRMED
    assert (window.guided.run.n, window.guided.run.correct) == (1, 1)


def test_that_a_typed_label_goes_before_the_asked_one_which_is_asked_again(window):
    asked = asked_until(window, lambda label: label not in "38")
    draw(window)
    press(window, Qt.Key.Key_8)
    press(window, Qt.Key.Key_Return)
    (trial,) = window.session.store.trials()
    assert trial.truth == "8"
    assert window.guided.asked == asked


def test_that_escape_skips_without_counting_and_is_shown(window):
    window.guided.start(GOAL, seed=1)
    asked = window.guided.asked
    draw(window)
    press(window, Qt.Key.Key_Escape)
    assert (window.guided.run.n, window.guided.asked) == (0, asked)
    assert "1 skipped" in text(window, "guidedProgress")
    assert window.session.accuracy().n == 0


def test_that_taking_back_goes_back_in_the_session_too(window):
    window.guided.start(GOAL, seed=1)
    asked = window.guided.asked
    draw(window)
    press(window, Qt.Key.Key_Return)
    assert window.guided.asked != asked
    window.drawing.undo()
    assert (window.guided.run.n, window.guided.asked) == (0, asked)


def test_that_it_ends_itself_and_says_the_result(window):
    window.guided.start(Goal(half_width=0.4, least=3), seed=1)
    while window.guided.run is not None:
        draw(window)
        press(window, Qt.Key.Key_Return)
    n = window.session.accuracy().n
    result = text(window, "guidedAsked")
    assert f"of {n} read right" in result
    assert "narrow enough" in result
    draw(window)
    press(window, Qt.Key.Key_Return)
    assert next(iter(window.session.store.samples(newest_first=True))).label == "3"


def test_that_it_can_be_ended_at_any_time_and_its_result_put_away(window):
    window.guided.start(GOAL, seed=1)
    QTest.mouseClick(window.findChild(QPushButton, "guidedEndButton"), LEFT)
    assert text(window, "guidedAsked") == "Nothing was drawn. Ended by you."
    QTest.mouseClick(window.findChild(QPushButton, "guidedDoneButton"), LEFT)
    assert not window.findChild(QLabel, "guidedAsked").isVisible()


def test_that_how_sure_it_makes_the_figure_is_a_setting_that_is_kept(window, data_dir):
    action(window, "Guided session: to ±5 points").trigger()
    window.guided.toggle()
    assert window.guided.run.goal.half_width == 0.05
    assert Preferences(data_dir).guided_half_width == 0.05
    checked = [a.text() for a in window.findChildren(QAction) if "±" in a.text() and a.isChecked()]
    assert checked == ["Guided session: to ±5 points"]


def test_that_another_model_or_writer_ends_it_as_its_figure_would_be_of_two(window):
    window.guided.start(GOAL, seed=1)
    window.session.use_model(window.session.library.find("model-b"))
    assert window.guided.run is None
    assert "another model" in text(window, "guidedAsked")
    window.guided.start(GOAL, seed=1)
    window.session.set_writer("Ada")
    assert window.guided.run is None

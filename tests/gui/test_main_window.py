from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QScrollArea, QSpinBox, QWidget

from gui.fake_engine import batch, epoch, request, started
from gui.models import saved_model
from gui.stand_ins import action
from qtdigits.core.drawing.samples import Suspicion, Verdict
from qtdigits.core.run.events import EngineReady, RunCancelled, RunFinished
from qtdigits.core.score.comparison import Comparison, PairedComparison
from qtdigits.core.score.metrics import RunningAccuracy, Tally
from qtdigits.errors import StoreError
from qtdigits.gui.bars import accuracy_text, accuracy_tip
from qtdigits.gui.engine_process import JobEnding
from qtdigits.gui.main_window import FIRST_SIZE, TABS, first_size
from qtdigits.gui.preferences import Preferences

LEFT = Qt.MouseButton.LeftButton


def child(window, kind, name):
    found = window.findChild(kind, name)
    assert found is not None, name
    return found


def draw(window, *points):
    canvas = window.canvas
    places = [QPoint(*point) for point in points or ((100, 60), (200, 60), (150, 200))]
    QTest.mousePress(canvas, LEFT, pos=places[0])
    for place in places[1:]:
        QTest.mouseMove(canvas, place)
    QTest.mouseRelease(canvas, LEFT, pos=places[-1])


def press(window, key):
    QTest.keyClick(window.focusWidget() or window, key)


def answer(window):
    return child(window, QLabel, "answerLabel").text()


def test_that_every_widget_with_a_fixed_name_is_there(window):
    names = """canvas answerLabel probabilityLabel labelEntry accuracyLabel recogniseButton clearButton fixButton writerBox
    modelBox trainButton stopButton cancelButton lossPlot accuracyPlot epochsSpin trainingStatus"""
    for name in names.split():
        assert window.findChild(QWidget, name) is not None, name


def test_that_a_stroke_is_answered_without_a_button(window):
    assert answer(window) == ""
    draw(window)
    assert answer(window) == "3"
    assert child(window, QLabel, "probabilityLabel").text() == "91.0 %"


def test_that_a_model_that_is_not_sure_says_so_and_enter_alone_stores_nothing(window):
    window.session.reader.undecided_below = 0.95
    draw(window)
    assert answer(window) == "?"
    probability = child(window, QLabel, "probabilityLabel")
    assert (probability.text(), probability.property("role")) == ("not sure: perhaps 3, 91 %", "warning")
    hint = child(window, QLabel, "judgingHint")
    assert "What is it?" in hint.text()
    press(window, Qt.Key.Key_Return)
    assert "Type the right" in hint.text()
    assert window.session.store.count() == 0
    assert not window.session.ink.is_blank
    right = child(window, QPushButton, "rightButton")
    assert right.text() == "It is 3"
    QTest.mouseClick(right, LEFT)
    (trial,) = window.session.store.trials()
    assert (trial.verdict, trial.answer, trial.truth) == (Verdict.CONFIRMED, "3", "3")
    window.session.reader.undecided_below = 0.5
    draw(window)
    assert (answer(window), probability.property("role")) == ("3", "good")
    assert right.text() == "Right"


def test_that_what_resembles_nothing_known_is_a_question_with_a_guess(window):
    window.session.reader.similarity, window.session.reader.unlike_below = 0.2, 0.5
    draw(window)
    assert answer(window) == "?"
    assert child(window, QLabel, "probabilityLabel").text() == "looks new: perhaps 3"
    press(window, Qt.Key.Key_Return)
    assert window.session.store.count() == 0
    assert child(window, QPushButton, "rightButton").text() == "It is 3"


def test_that_enter_confirms_stores_and_clears(window):
    draw(window)
    press(window, Qt.Key.Key_Return)
    assert answer(window) == ""
    assert [s.label for s in window.session.store.samples()] == ["3"]
    assert "1 trial · 100.0 %" in child(window, QLabel, "accuracyLabel").text()


def test_that_one_key_and_enter_correct_without_moving_the_focus(window):
    draw(window)
    press(window, Qt.Key.Key_8)
    press(window, Qt.Key.Key_Enter)
    (trial,) = window.session.store.trials()
    assert (trial.verdict, trial.answer, trial.truth) == (Verdict.CORRECTED, "3", "8")
    assert child(window, QLineEdit, "labelEntry").text() == ""


def test_that_typing_works_although_the_focus_is_on_a_button(window):
    draw(window)
    child(window, QPushButton, "recogniseButton").setFocus()
    press(window, Qt.Key.Key_5)
    press(window, Qt.Key.Key_Return)
    assert [s.label for s in window.session.store.samples()] == ["5"]


def test_that_escape_clears_without_counting(window):
    draw(window)
    press(window, Qt.Key.Key_Escape)
    assert answer(window) == ""
    assert window.session.store.count() == 0
    assert window.session.accuracy().n == 0


def test_that_control_z_takes_back_a_stroke_then_a_judgement(window):
    draw(window)
    press(window, Qt.Key.Key_Return)
    draw(window)
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.session.ink.is_blank
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert answer(window) == "3"
    assert window.session.store.count() == 0


def test_that_the_key_alone_is_enough_where_that_is_preferred(window, data_dir):
    action(window, "A key alone corrects").trigger()
    draw(window)
    press(window, Qt.Key.Key_4)
    assert [s.label for s in window.session.store.samples()] == ["4"]
    assert Preferences(data_dir).key_alone_corrects


def test_that_the_buttons_do_what_the_keys_do(window):
    draw(window)
    QTest.mouseClick(child(window, QPushButton, "clearButton"), LEFT)
    assert window.session.ink.is_blank
    draw(window)
    QTest.keyClicks(window.drawing.entry, "6")
    QTest.mouseClick(child(window, QPushButton, "fixButton"), LEFT)
    draw(window)
    QTest.mouseClick(child(window, QPushButton, "rightButton"), LEFT)
    assert [s.label for s in window.session.store.samples()] == ["6", "3"]


def test_that_fix_without_a_label_asks_for_one_and_stores_nothing(window):
    draw(window)
    QTest.mouseClick(child(window, QPushButton, "fixButton"), LEFT)
    assert window.session.store.count() == 0
    assert window.drawing.entry.hasFocus()


def test_that_a_class_nobody_has_used_is_asked_about_first(window):
    window.ask.reply = False
    draw(window)
    QTest.keyClicks(window.drawing.entry, "A")
    press(window, Qt.Key.Key_Return)
    assert window.session.store.count() == 0
    window.ask.reply = True
    press(window, Qt.Key.Key_Return)
    assert [s.label for s in window.session.store.samples()] == ["A"]
    assert len(window.ask.asked) == 2


def test_that_without_a_drawing_nothing_is_asked_about_a_class(window):
    QTest.keyClicks(window.drawing.entry, "Eva")
    press(window, Qt.Key.Key_Return)
    assert window.ask.asked == []


def test_that_a_problem_is_said_in_the_window_and_the_drawing_stays(window, monkeypatch):
    def full(*_):
        raise StoreError("The disk is full.", "Make room.")

    monkeypatch.setattr(window.session.store, "judge", full)
    draw(window)
    press(window, Qt.Key.Key_Return)
    assert window.messages.text == "The disk is full. Make room."
    assert answer(window) == "3"


def test_that_the_chosen_model_is_used_and_remembered(window):
    window.top_bar.list_models()
    box = child(window, QComboBox, "modelBox")
    box.setCurrentIndex(box.findText("model-b"))
    box.activated.emit(box.currentIndex())
    assert window.session.model_name == "model-b"
    assert window.session.library.champion_path().stem == "model-b"


def test_that_a_new_writer_starts_with_no_trials_and_is_remembered(window, data_dir):
    window.ask.reply = "Ada"
    box = child(window, QComboBox, "writerBox")
    box.activated.emit(box.count() - 1)
    assert box.currentText() == "Ada"
    assert child(window, QLabel, "accuracyLabel").text() == "Ada · no trials yet"
    assert window.focusWidget() is window.drawing.entry
    assert Preferences(data_dir).writer == "Ada"


def test_that_after_a_change_of_model_nobody_is_said_to_have_drawn_nothing(window):
    draw(window)
    press(window, Qt.Key.Key_Return)
    box = child(window, QComboBox, "modelBox")
    window.top_bar.list_models()
    other = next(i for i in range(box.count()) if box.itemText(i) == "model-b")
    box.setCurrentIndex(other)
    box.activated.emit(other)
    assert window.session.model_name == "model-b"
    assert (
        child(window, QLabel, "accuracyLabel").text()
        == "me · 1 trial · 100.0 % [20.7, 100.0] by earlier models"
    )


def test_that_the_retrain_request_names_this_data_folder_and_recipe(window, data_dir):
    child(window, QSpinBox, "epochsSpin").setValue(3)
    request = window.trainer.job_for(window.training_panel.recipe())
    assert request.recipe.epochs == 3
    assert str(request.data_dir) == str(data_dir)


def test_that_dark_colours_are_kept(window, data_dir):
    window.set_theme("dark")
    assert window.canvas.grab().toImage().pixelColor(5, 5).lightness() < 60
    assert Preferences(data_dir).theme == "dark"
    window.set_theme("light")


def test_that_the_csv_pair_goes_out_and_comes_in_through_the_menu(window, qtbot, tmp_path):
    draw(window)
    press(window, Qt.Key.Key_Return)
    window.ask.reply = tmp_path / "images.csv"
    action(window, "Export as CSV pair…").trigger()
    qtbot.waitUntil(lambda: "1 drawing written" in window.messages.text)
    assert (tmp_path / "labels.csv").read_text().strip() == "3"
    action(window, "Import the 2022 report's CSV pair…").trigger()
    qtbot.waitUntil(lambda: "1 drawing added" in window.messages.text)
    assert window.session.store.count() == 2
    question = window.ask.asked[-1][1]
    assert question.startswith("Add 1 drawing by me?")
    assert "3 (1)." in question
    child(window, QPushButton, "messageActionButton").click()
    assert child(window, QLabel, "toldLabel").text() == "Undone: import of 1 drawing."
    assert window.messages.text == ""
    assert window.session.store.count() == 1
    action(window, "Redo import of 1 drawing").trigger()
    assert window.session.store.count() == 2
    action(window, "Undo import of 1 drawing").trigger()
    action(window, "Undo judgement as 3").trigger()
    assert window.session.store.count() == 0


def test_that_an_offer_to_undo_an_import_goes_when_something_else_was_done(window, qtbot, tmp_path):
    (tmp_path / "images.csv").write_text(",".join(["0"] * 400 + ["255"] * 100 + ["0"] * 284) + "\n")
    (tmp_path / "labels.csv").write_text("7\n")
    window.ask.reply = tmp_path / "images.csv"
    action(window, "Import the 2022 report's CSV pair…").trigger()
    qtbot.waitUntil(lambda: bool(window.messages.text) and "…" not in window.messages.text)
    assert "1 drawing added" in window.messages.text
    draw(window)
    assert window.messages.text == ""
    assert action(window, "Undo stroke").isEnabled()
    assert not action(window, "Redo").isEnabled()


def test_that_nothing_is_imported_without_a_yes(window, qtbot, tmp_path, monkeypatch):
    (tmp_path / "images.csv").write_text(",".join(["0"] * 784) + "\n")
    (tmp_path / "labels.csv").write_text("7\n")
    window.ask.reply = tmp_path / "images.csv"
    monkeypatch.setattr(window.ask, "yes", lambda *_: False)
    action(window, "Import the 2022 report's CSV pair…").trigger()
    qtbot.waitUntil(lambda: "nothing was added" in window.messages.text)
    assert window.session.store.count() == 0


def test_that_without_drawings_nobody_is_asked_where_to_export_them(window):
    for export in (window.import_export.export_ink, window.import_export.export_csv_pair):
        window.messages.dismiss()
        export()
        assert window.messages.text == "There are no drawings to export."
    assert window.ask.asked == []


def test_that_a_report_about_who_draws_is_saved_in_the_background(window, qtbot, tmp_path):
    window.import_export.save_report()
    assert window.messages.text == "There is nothing to report: me has not drawn anything yet."
    assert window.ask.asked == []
    for label in "37":
        draw(window)
        window.session.judge(label)
    window.ask.reply = tmp_path / "page.html"
    action(window, "Save a report…").trigger()
    qtbot.waitUntil(lambda: "done." in window.messages.text, timeout=20_000)
    assert "of 2 drawings by me right" in window.messages.text
    assert "of 2 drawings by me right" in (tmp_path / "page.html").read_text("utf-8")


def test_that_a_bad_file_is_refused_with_its_line_and_the_store_is_unchanged(window, qtbot, tmp_path):
    (tmp_path / "bad.csv").write_text("1,2,3\n")
    (tmp_path / "labels.csv").write_text("7\n")
    window.ask.reply = tmp_path / "bad.csv"
    action(window, "Import the 2022 report's CSV pair…").trigger()
    qtbot.waitUntil(lambda: "failed" in window.messages.text)
    assert "bad.csv" in window.messages.text
    assert window.session.store.count() == 0


@pytest.mark.parametrize(
    ("correct", "n", "text"),
    [(0, 0, "me · no trials yet"), (312, 318, "me · 318 trials · 98.1 % [95.9, 99.1]")],
)
def test_that_the_running_accuracy_is_said_with_its_interval(correct, n, text):
    accuracy = RunningAccuracy("me", "m", correct, n)
    assert accuracy_text(accuracy) == text
    assert "the model m" in accuracy_tip(accuracy)
    assert "doubtful" not in accuracy_tip(accuracy)
    more = accuracy_tip(RunningAccuracy("me", "m", correct, n, 14))
    assert "14 doubtful drawings are not counted until their labels are reviewed." in more


def test_that_a_model_without_trials_leaves_the_writers_record_in_sight():
    accuracy = RunningAccuracy("me", "new", 0, 0, earlier=Tally(318, 312))
    assert accuracy_text(accuracy) == "me · 318 trials · 98.1 % [95.9, 99.1] by earlier models"
    assert "No drawing by me has been judged with the model new yet." in accuracy_tip(accuracy)


def test_that_what_was_stored_is_told_beside_model_and_engine(window):
    draw(window)
    window.drawing.judge("8")
    assert child(window, QLabel, "toldLabel").text() == "Stored: 8, not 3."
    assert child(window, QLabel, "championLabel").isVisible()
    window.status_bar.findChild(QTimer).timeout.emit()
    assert child(window, QLabel, "toldLabel").text() == ""


def test_that_curves_are_saved_from_the_file_menu(window, tmp_path):
    window.ask.reply = tmp_path / "curves.csv"
    action(window, "Save curves…").trigger()
    assert (tmp_path / "curves.csv").read_text().startswith("run,kind,epoch,step")


def test_that_learning_is_open_first_and_alt_and_a_number_turn_to_the_tabs(window):
    assert TABS[:2] == ("Learning", "Training")
    assert window.tabs.tabText(window.tabs.currentIndex()) == "Learning"
    assert child(window, QPushButton, "learnButton").isVisible()
    assert window.drawing.entry.hasFocus()
    by_keys = {found.shortcut().toString(): found for found in window.findChildren(QAction)}
    for place, name in enumerate(TABS):
        assert by_keys[f"Alt+{place + 1}"].text().replace("&", "") == name
        by_keys[f"Alt+{place + 1}"].trigger()
        assert window.tabs.currentIndex() == place


def test_that_the_canvas_invites_until_something_was_drawn_and_nothing_moves(window):
    canvas = window.canvas
    assert canvas.shows_invitation
    inviting, place = canvas.grab().toImage(), canvas.geometry()
    QTest.mousePress(canvas, LEFT, pos=QPoint(20, 20))
    assert not canvas.shows_invitation
    on_digit = canvas.rect().center() - QPoint(0, round(0.055 * min(canvas.width(), canvas.height())))
    without = canvas.grab().toImage()
    assert inviting.pixelColor(on_digit) != inviting.pixelColor(5, 5)
    assert without.pixelColor(on_digit) == without.pixelColor(5, 5)
    QTest.mouseRelease(canvas, LEFT, pos=QPoint(40, 40))
    assert canvas.geometry() == place
    press(window, Qt.Key.Key_Escape)
    assert canvas.shows_invitation  # that one was not kept
    draw(window)
    press(window, Qt.Key.Key_Return)
    assert not canvas.shows_invitation
    window.session.set_writer("Ada")
    assert canvas.shows_invitation


def test_that_the_runs_tab_adds_no_second_plot_of_a_fixed_name(window):
    window.curves.make()
    window.tabs.setCurrentIndex(TABS.index("Runs"))
    assert window.tabs.currentWidget().content is not None
    for name in ("lossPlot", "accuracyPlot"):
        assert len(window.findChildren(QWidget, name)) == 1


def train(window, *events):
    """A training as an engine tells of it."""
    process = window.trainer.process
    process.event_received.emit(EngineReady(0))
    window.trainer.train(window.training_panel.recipe())
    for event in events:
        process.event_received.emit(event)


def run_finished(window, **comparison):
    model = saved_model(window.session.library.new_path("new"), drawn_accuracy=0.95).path
    in_training = window.tabs.currentWidget()
    found = Comparison(PairedComparison(), PairedComparison(), "old").to_json() | comparison
    ending = JobEnding(
        request(),
        "finished",
        RunFinished("run", "completed", str(model), 1, 1, 2.0, {}, comparison=found),
    )
    window.trainer.job_ended.emit(ending)
    assert window.tabs.currentWidget() is in_training
    return "new"


@pytest.mark.parametrize(
    ("promotion", "advice", "is_used"),
    [("automatic", "use", True), ("automatic", "ask", False), ("ask", "use", False), ("never", "use", False)],
)
def test_that_a_new_model_takes_over_by_itself_only_when_wished_and_safe(window, promotion, advice, is_used):
    window.preferences.promotion = promotion
    name = run_finished(window, advice=advice, sentence="reads more")
    assert (window.session.model_name == name) is is_used


@pytest.mark.parametrize(("advice", "is_said"), [("use", True), ("ask", True), ("keep", False)])
def test_that_a_new_model_is_offered_between_two_drawings_to_who_looks_elsewhere(window, advice, is_said):
    window.tabs.setCurrentIndex(TABS.index("Drawings"))
    draw(window)
    run_finished(window, advice=advice, sentence="reads more")
    assert window.messages.text == ""
    press(window, Qt.Key.Key_Return)
    assert window.messages.text == ("A new model is ready: it reads more." if is_said else "")
    if is_said:
        child(window, QPushButton, "messageActionButton").click()
        assert window.tabs.tabText(window.tabs.currentIndex()) == "Learning"


def test_that_the_verdict_goes_on_with_how_new_drawings_are_read(window):
    before = window.session.model_name
    for label in ("3", "7"):
        draw(window)
        window.drawing.judge(label)
    window.top_bar.list_models()  # so that it is known which models there are
    path = saved_model(window.session.library.new_path("new"), drawn_accuracy=0.95).path
    found = Comparison(PairedComparison.of_ids(4, 2, 4, (1, 2)), PairedComparison(), before).to_json()
    ending = RunFinished("run", "completed", str(path), 1, 1, 2.0, {}, comparison=found)
    train(window, ending)
    child(window, QPushButton, "verdictUseButton").click()
    advice = child(window, QLabel, "verdictAdvice")
    assert "Draw on" in advice.text()
    draw(window)
    window.drawing.judge("3")
    assert advice.text().startswith("In use now: of your new drawings, 1 of 1 was read right")
    assert "Before, 1 of 2 were read right" in advice.text()
    window.session.set_writer("Ada")
    assert advice.text() == "In use now. One click goes back to the model before."


def test_that_who_sees_the_verdict_or_wants_no_offer_gets_none(window):
    for seen in ("Training", "Learning"):
        window.tabs.setCurrentIndex(TABS.index(seen))
        run_finished(window, advice="use", sentence="reads more")
        assert window.messages.text == ""
    assert child(window, QLabel, "verdictLabel").isVisible()
    window.tabs.setCurrentIndex(TABS.index("Drawings"))
    window.preferences.promotion = "never"
    run_finished(window, advice="use", sentence="reads more")
    assert window.messages.text == ""


def test_that_the_drawings_behind_a_number_are_shown_in_their_tab(window, qtbot):
    for _ in range(3):
        draw(window)
        window.drawing.judge("7")
    first = next(iter(window.session.store.samples()))
    window.session.select_samples("fixed by the new model", (first.id,))
    panel = window.tabs.currentWidget().content
    assert panel.findChild(QLabel, "drawingsCount").text() == "1 drawing fixed by the new model"


def test_that_drawings_that_wait_are_offered_with_the_way_to_them(window):
    for _ in range(3):
        draw(window)
        window.drawing.judge("7")
    doubted = next(iter(window.session.store.samples())).id
    window.session.store.mark_suspects({doubted: Suspicion(0.8, "1", "looks like a 1")})
    window.suspects.suspects_found.emit(1)
    assert window.messages.text.startswith("1 drawing to review")
    child(window, QPushButton, "messageActionButton").click()
    assert window.messages.text == ""
    panel = window.tabs.currentWidget().content
    assert panel.findChild(QLabel, "drawingsCount").text() == "1 of 3 drawings"


def test_that_after_some_corrections_learning_is_offered_and_one_click_begins_it(window):
    window.trainer.process.event_received.emit(EngineReady(0))
    window.trainer.learn_hand()
    assert window.messages.text.startswith("Draw some digits first")
    for _ in range(5):
        draw(window)
        window.drawing.judge("7")
    assert window.messages.text.startswith("Some of your drawings were misread")
    child(window, QPushButton, "messageActionButton").click()
    assert window.messages.text == ""
    job = window.trainer.current.job
    assert (job.recipe.name, job.writer) == ("my-hand", "me")
    assert job.base == str(window.session.model_path)
    window.trainer.process.event_received.emit(RunCancelled("run"))


def test_that_the_offer_to_learn_is_withdrawn_when_that_begins_by_another_way(window):
    window.trainer.process.event_received.emit(EngineReady(0))
    for _ in range(5):
        draw(window)
        window.drawing.judge("7")
    assert window.messages.text.startswith("Some of your drawings were misread")
    window.trainer.learn_hand()
    assert window.messages.text == ""
    window.messages.show_notice("Something else.")
    window.trainer.learn_hand()
    assert window.messages.text == "Something else."
    window.trainer.process.event_received.emit(RunCancelled("run"))


def test_that_the_window_fits_a_small_screen_whatever_tab_is_open(window, qtbot):
    """960×540 is a screen of 1920×1080 at 200 %; frame and task bar take some of the height."""
    train(window, started(), batch(), replace(epoch(), hold_out_accuracy=0.5))
    window.resize(960, 640)
    for place, name in enumerate(TABS):
        window.tabs.setCurrentIndex(place)
        qtbot.waitUntil(
            lambda: not any(timer.isActive() for timer in window.training_panel.findChildren(QTimer))
        )
        least = window.minimumSizeHint()
        assert (least.width(), least.height()) <= (960, 540), name
        assert window.width() == 960
        for area in window.tabs.currentWidget().findChildren(QScrollArea):
            assert not area.isVisible() or area.horizontalScrollBar().maximum() == 0, name
    assert window.tabs.tabBar().sizeHint().width() <= window.tabs.width()
    window.trainer.process.event_received.emit(RunCancelled("run"))


def test_that_the_window_opens_no_larger_than_the_screen():
    assert first_size(QSize(2560, 1400)) == FIRST_SIZE
    small = first_size(QSize(1280, 770))
    assert small.width() < 1280
    assert small.height() < 770


def test_that_the_menu_offers_to_end_or_pause_a_training_only_while_that_does_something(window):
    commands = [action(window, text) for text in ("Stop, keep the best", "Pause or resume", "Cancel")]

    def are_enabled():
        return [command.isEnabled() for command in commands]

    assert are_enabled() == [False, False, False]
    train(window, started())
    assert are_enabled() == [False, False, True]
    window.trainer.process.event_received.emit(batch())
    assert are_enabled() == [True, True, True]
    window.trainer.process.event_received.emit(RunCancelled("run"))
    assert are_enabled() == [False, False, False]


def test_that_enter_after_a_new_label_for_a_stored_drawing_does_not_judge_what_is_on_the_canvas(
    window, qtbot
):
    draw(window)
    press(window, Qt.Key.Key_Return)
    draw(window)
    window.tabs.setCurrentIndex(TABS.index("Drawings"))
    window.session.select_samples("all", [1])
    grid = child(window, QWidget, "drawingsView")
    grid.selectAll()
    entry = child(window, QLineEdit, "relabelEntry")
    entry.setFocus()
    QTest.keyClicks(entry, "8")
    QTest.keyClick(entry, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not entry.hasFocus())
    assert [sample.label for sample in window.session.store.samples()] == ["8"]
    assert len(window.session.ink.strokes) == 1

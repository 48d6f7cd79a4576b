from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QPushButton, QWidget

from gui.fake_engine import batch, started
from gui.models import saved_model
from gui.stand_ins import Answers, FixedReader
from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import Suspicion, Trial, Verdict, is_held_out
from qtdigits.core.run.events import RunCancelled, RunContinued, RunFailed, RunFinished, RunPaused
from qtdigits.core.score.comparison import Comparison, PairedComparison
from qtdigits.core.score.learning import LearningPoint
from qtdigits.core.score.metrics import wilson_interval
from qtdigits.gui.guided import GuidedSession
from qtdigits.gui.panels.learning import learning_panel
from qtdigits.gui.panels.learning.class_tiles import MOST_SHOWN, ClassTile
from qtdigits.gui.panels.learning.learning_panel import LearningPanel
from qtdigits.gui.plots.calm_plot import CalmPlot
from qtdigits.gui.plots.charts import NO_DRAWINGS, ShareChart
from qtdigits.gui.plots.plot import Plot
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.results.confusion_matrix import ConfusionMatrix
from qtdigits.gui.results.live_curves import LiveCurves
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.colours import DARK, LIGHT
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model, save_model
from qtdigits.store.tables.samples import SampleStore
from store.values import a_sample

STROKE = np.array([[400, 200, 0, 1], [400, 800, 50, 1]], np.float32)


@pytest.fixture
def session(qtbot, data_dir, tmp_path, monkeypatch):
    monkeypatch.setattr("qtdigits.gui.current_reader.Reader", FixedReader)
    shipped = tmp_path / "shipped"
    saved_model(shipped / "model-3.h5", drawn_accuracy=0.9)
    saved_model(shipped / "model-7.h5", drawn_accuracy=0.8)
    session = Session(
        store=SampleStore.open(data_dir),
        library=ModelLibrary(data_dir, shipped=shipped),
        data_dir=data_dir,
    )
    session.ensure_champion()
    yield session
    session.close()


@pytest.fixture
def guided(session):
    return GuidedSession(session=session, preferences=Preferences(session.data_dir))


@pytest.fixture
def curves(qtbot, session, trainer):
    preferences = Preferences(session.data_dir)
    return LiveCurves(session=session, trainer=trainer, preferences=preferences, ask=Answers())


@pytest.fixture
def open_panel(qtbot, session, trainer, guided, curves):
    def open_it():
        panel = LearningPanel(session=session, trainer=trainer, guided=guided, curves=curves)
        qtbot.addWidget(panel)
        panel.resize(800, 700)
        panel.show()
        panel.prepare_charts()
        return panel

    return open_it


@pytest.fixture
def panel(open_panel):
    return open_panel()


TITLES = ("Confusion matrix", "Learning this hand")


def judge(session, *labels):
    for label in labels:
        session.add_stroke(STROKE, "mouse")
        session.judge(label)


def learn(session):
    """Use a model that has learned from what is stored so far; gives the id of the last of these drawings."""
    last = int(max(session.store.ids()))
    path = session.library.new_path("learned-3")
    model = load_model(session.library.find("model-3"))
    save_model(replace(model, name=path.stem, provenance={"drawings": {"last_sample": last}}), path)
    session.use_model(path)
    return last


def text(panel, name):
    return panel.findChild(QLabel, name).text()


def everything(panel):
    """Sentences, charts and the matrix, as the panel shows them."""
    matrix = panel.findChild(ConfusionMatrix)
    return (
        {found.objectName(): found.text() for found in panel.findChildren(QLabel)},
        {name: drawn(panel, name) for name in ("Running accuracy", "Learning curve")},
        [matrix.describe(row, column) for row in range(10) for column in range(10)],
    )


def chart(panel, title):
    (found,) = (part for part in panel.findChildren(ShareChart) if part.accessibleName() == title)
    return found


def drawn(panel, title):
    """What a chart shows: the points of each line, by its name in the legend."""
    plot = chart(panel, title).findChild(CalmPlot)
    return {
        item.name(): tuple(values.tolist() for values in item.getData())
        for item in plot.listDataItems()
        if item.name()
    }


def test_that_a_click_on_a_cell_asks_for_its_drawings(qtbot, panel, session):
    judge(session, "3", "8", "8")
    matrix = panel.findChild(ConfusionMatrix)
    place = matrix.cell_rect(8, 3).center().toPoint()
    with qtbot.waitSignal(session.selection_changed) as selected:
        qtbot.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=place)
    (selection,) = selected.args
    assert selection.title == "of 8, read as 3 by model-3"
    assert [session.store.sample(found).label for found in selection.ids] == ["8", "8"]


def test_that_figure_interval_and_curve_grow_with_each_judgement(panel, session):
    assert text(panel, "runningFigure") == "–"
    judge(session, "3", "3", "3", "8")
    assert text(panel, "runningFigure") == "3 of 4 right"
    assert "3 of 4 drawings by me read right by the model model-3; 95 % interval 30.1 to 95.4 %." in text(
        panel, "runningDetail"
    )
    assert drawn(panel, "Running accuracy") == {"all": ([1, 2, 3, 4], [1, 1, 1, 0.75])}


def test_that_the_end_of_the_band_is_within_the_axis(panel, session):
    judge(session, "3", "3", "3", "3")
    lowest, _ = wilson_interval(4, 4)
    (bottom, top) = chart(panel, "Running accuracy").findChild(CalmPlot).viewRange()[1]
    assert lowest < 0.6
    assert bottom <= lowest < top


def test_that_the_moving_curve_comes_with_the_fiftieth_drawing(panel, session):
    judge(session, *["3"] * 50, "8")
    assert drawn(panel, "Running accuracy")["last 50"] == ([50, 51], pytest.approx([1, 0.98]))


def test_that_what_is_added_judgement_by_judgement_is_what_the_store_says(panel, open_panel, session):
    judge(session, *"3383123")
    assert everything(panel) == everything(open_panel())


def test_that_a_judgement_reads_nothing_from_the_store_again(panel, session, monkeypatch):
    judge(session, "3")
    monkeypatch.setattr(panel, "reload", lambda: pytest.fail("read again"))
    judge(session, "8", "3")
    assert text(panel, "runningFigure") == "2 of 3 right"


def test_that_taking_back_is_seen(panel, session):
    judge(session, "3", "8")
    session.undo()
    assert text(panel, "runningFigure") == "1 of 1 right"


def test_that_nothing_is_read_while_it_is_hidden_and_all_is_there_when_shown(panel, session):
    panel.hide()
    judge(session, "3", "8")
    assert text(panel, "runningFigure") == "–"
    panel.show()
    assert text(panel, "runningFigure") == "1 of 2 right"


def test_that_figures_of_an_earlier_model_can_be_chosen(panel, session):
    judge(session, "3", "8")
    session.use_model(session.library.find("model-7"))
    judge(session, "7")
    assert text(panel, "runningFigure") == "1 of 1 right"
    box = panel.findChild(QComboBox, "runningModelBox")
    assert [box.itemText(i) for i in range(box.count())] == ["model-7 (in use)", "model-3"]
    box.setCurrentIndex(1)
    box.activated.emit(1)
    assert "1 of 2 drawings by me read right by the model model-3" in text(panel, "runningDetail")


def test_that_another_writer_has_figures_of_his_own(panel, session):
    judge(session, "3")
    session.set_writer("Ada")
    assert text(panel, "runningFigure") == "–"
    assert "drawings by Ada" in text(panel, "runningDetail")


def test_that_the_coach_names_what_is_misread(panel, session):
    judge(session, *DIGITS.labels * 12)
    judge(session, "7", "7", "3")
    assert text(panel, "coachLabel").startswith("Draw some ")
    assert "were read as 3." in text(panel, "coachLabel")


def test_that_without_learning_the_curve_says_when_it_begins(panel, session):
    judge(session, "3")
    assert "No network has learned from this hand yet" in text(panel, "forecastLabel")
    assert not chart(panel, "Learning curve").isVisible()


def test_that_the_learning_curve_shows_points_and_forecast(panel, session, monkeypatch):
    judge(session, "3")
    amounts = (LearningPoint(0, 12, 60), LearningPoint(20, 6, 60), LearningPoint(120, 3, 200))
    monkeypatch.setattr(learning_panel, "learning_points", lambda *_, **__: amounts)
    panel.mark_stale()
    assert list(drawn(panel, "Learning curve")) == ["expected", "judged"]
    assert chart(panel, "Learning curve").accessibleDescription() == text(panel, "forecastLabel")
    assert "more for" in text(panel, "forecastLabel")


def test_that_a_judgement_is_a_point_of_the_learning_curve_at_once(panel, session):
    judge(session, *"333333338888")
    last = learn(session)
    judge(session, "3")
    assert chart(panel, "Learning curve").accessibleDescription() == text(panel, "forecastLabel")
    (learned, misread) = drawn(panel, "Learning curve")["judged"]
    assert learned == [0, session.store.judgements.n_trainable(session.writer, last)]
    assert misread == [4 / 12, 0]


def test_that_it_says_what_was_gained_since_the_hand_was_learned_and_shows_both(panel, session):
    judge(session, *"333333338888")
    assert not shown(panel, "verdictLabel")
    learn(session)
    judge(session, "3", "3")
    assert text(panel, "runningFigure") == "2 of 2 right"
    assert text(panel, "verdictLabel") == "Since it learned from you: 2 of 2 read right. Before: 8 of 12."
    assert text(panel, "verdictRecommendation") == "That may still be chance: draw on, and it will show."
    assert not shown(panel, "verdictEvidence")
    panel.findChild(QPushButton, "evidenceButton").click()
    assert shown(panel, "verdictEvidence")
    assert text(panel, "verdictEvidence").startswith(
        "Before, 8 of 12 were read right, 66.7 % (39.1 to 86.2 %). The gain of 33.3 points may still be chance"
    )
    assert drawn(panel, "Running accuracy")["before"] == ([0, 2], pytest.approx([8 / 12, 8 / 12]))
    box = panel.findChild(QComboBox, "runningModelBox")
    box.setCurrentIndex(1)
    box.activated.emit(1)
    assert not shown(panel, "verdictLabel")


def test_that_what_memory_has_gained_is_the_first_thing_said_and_its_evidence_a_click_away(panel, session):
    for truth, answer, alone in ("333", "883", "773", "338"):
        trial = Trial("me", "model-3", answer, Verdict.CONFIRMED, truth, DIGITS.labels, (0.1,) * 10)
        session.store.judge(a_sample(truth, "me"), replace(trial, network_answer=alone))
    session.samples_edited()
    assert text(panel, "verdictLabel") == (
        "Your corrections already help: 4 of 4 read right. The network alone: 1."
    )
    assert not shown(panel, "useNewButton")
    panel.findChild(QPushButton, "evidenceButton").click()
    assert "3 fixed and 0 broken" in text(panel, "verdictEvidence")
    learn(session)
    assert not shown(panel, "verdictLabel")


@pytest.mark.parametrize("width_px", [800, 420])
def test_that_the_titles_of_matrix_and_learning_curve_stand_on_one_line(panel, session, width_px):
    judge(session, "3")
    panel.resize(width_px, 900)
    titles = [found for found in panel.findChildren(QLabel) if found.text() in TITLES]
    QApplication.processEvents()
    middles = [found.mapTo(panel, found.rect().center()).y() for found in titles]
    assert abs(middles[0] - middles[1]) <= titles[0].fontMetrics().height() / 2
    assert len(titles) == len(TITLES)


def tile(panel, label):
    return panel.findChild(ClassTile, f"classTile.{label}")


def test_that_each_class_has_a_tile_with_the_latest_drawings_and_what_it_needs(panel, session):
    assert [tile(panel, label).accessibleName() for label in "03"] == [
        "0: none yet",
        "3: none yet",
    ]
    judge(session, *"3388888")
    newest = max(session.store.ids(label="3"))
    assert tile(panel, "3").accessibleName() == "3: 2 drawn, draw 3 more"
    assert tile(panel, "3").content.drawings[0].id == newest
    assert tile(panel, "0").accessibleName() == "0: none yet, draw 5"
    assert tile(panel, "8").accessibleName() == "8: 5 drawn, 5 of 5 misread"
    assert len(tile(panel, "8").content.drawings) == MOST_SHOWN
    judge(session, *"333")
    assert tile(panel, "3").accessibleName() == "3: 5 drawn, all read right"
    session.undo()
    assert tile(panel, "3").accessibleName() == "3: 4 drawn, draw 1 more"


def test_that_a_tile_shows_the_drawings_of_its_class(qtbot, panel, session):
    judge(session, "3", "8", "8")
    with qtbot.waitSignal(session.selection_changed) as selected:
        qtbot.mouseClick(tile(panel, "8"), Qt.MouseButton.LeftButton)
    (selection,) = selected.args
    assert selection.title == "of 8 by me"
    assert [session.store.sample(found).label for found in selection.ids] == ["8", "8"]
    assert not tile(panel, "0").isEnabled()


def test_that_tiles_are_of_the_writer_who_draws(panel, session):
    judge(session, "3")
    session.set_writer("Ada")
    assert tile(panel, "3").content.n == 0


def test_that_a_new_class_has_a_tile(panel, session):
    judge(session, "A")
    session.samples_edited()
    assert tile(panel, "A").content.n == 1


def test_that_figures_and_tiles_need_no_plots(qtbot, session, trainer, guided, curves):
    judge(session, "3", "8")
    panel = LearningPanel(session=session, trainer=trainer, guided=guided, curves=curves)
    qtbot.addWidget(panel)
    panel.show()
    assert not panel.has_charts
    assert not panel.findChildren(ShareChart)
    assert text(panel, "runningFigure") == "1 of 2 right"
    assert tile(panel, "8").content.n == 1


def test_that_nothing_empty_is_shown_before_the_first_drawing(panel, session):
    matrix = panel.findChild(ConfusionMatrix)
    assert not chart(panel, "Running accuracy").isVisible()
    assert not matrix.isVisible()
    judge(session, "3")
    assert chart(panel, "Running accuracy").isVisible()
    assert matrix.isVisible()


def test_that_the_button_starts_and_ends_a_guided_session(panel, guided):
    button = panel.findChild(QPushButton, "guidedButton")
    button.click()
    assert guided.asked
    assert button.text() == "End guided session"
    button.click()
    assert not guided.asked
    assert button.text() == "Guided session"


def test_that_the_charts_are_painted_in_the_colours_of_the_window(panel, session, dress):
    dress(LIGHT)
    judge(session, "3", "8", "3")
    running = chart(panel, "Running accuracy")
    before = running.grab().toImage()
    dress(DARK)
    assert running.grab().toImage() != before


def test_that_a_chart_without_curves_says_so_instead_of_showing_an_empty_scale(panel, session):
    running = chart(panel, "Running accuracy")
    assert running.accessibleDescription() == NO_DRAWINGS
    assert not running.findChild(CalmPlot).isVisible()
    judge(session, "3")
    assert "1 of 1 drawing by" in running.accessibleDescription()
    assert running.findChild(CalmPlot).isVisible()


def test_that_a_narrow_panel_leaves_the_figures_sentence_the_whole_width(panel, session):
    judge(session, "3")
    panel.resize(520, 700)
    QApplication.processEvents()
    detail = panel.findChild(QLabel, "runningDetail")
    assert detail.width() > 400


def test_that_a_hand_can_be_learned_as_soon_as_there_is_a_drawing_of_it(panel, session, trainer):
    learn = panel.findChild(QPushButton, "learnButton")
    assert not learn.isEnabled()
    judge(session, "3")
    (drawing,) = map(int, session.store.ids())
    session.store.mark_suspects({drawing: Suspicion(0.8, "8", "looks like an 8")})
    session.samples_edited()
    assert not learn.isEnabled()  # doubtful drawings are not learned from
    session.store.accept_labels([drawing])
    session.samples_edited()
    learn.click()
    assert trainer.is_busy
    assert trainer.current.job.recipe.name == "my-hand"


def test_that_a_drawing_that_is_held_out_is_nothing_to_learn_from(panel, session):
    place = next(i for i in range(5) if is_held_out("me", DIGITS.classes[3].id, i))
    judge(session, *["3"] * place)
    doubt = Suspicion(0.8, "8", "looks like an 8")
    session.store.mark_suspects(dict.fromkeys(map(int, session.store.ids()), doubt))
    session.samples_edited()
    judge(session, "3")
    assert session.store.count(held_out=True) == 1
    assert not panel.findChild(QPushButton, "learnButton").isEnabled()
    judge(session, "3")
    assert panel.findChild(QPushButton, "learnButton").isEnabled()


def test_that_after_a_change_of_model_the_writers_record_is_shown_until_it_is_judged(panel, session):
    judge(session, "3", "3", "3", "8")
    session.use_model(session.library.find("model-7"))
    assert text(panel, "runningFigure") == "3 of 4 right"
    assert "Before, 3 of 4 were read right" in text(panel, "runningDetail")
    judge(session, "7")
    assert text(panel, "runningFigure") == "1 of 1 right"
    assert "Before" not in text(panel, "runningDetail")


@pytest.fixture
def training(qtbot, panel, session, trainer, engines):
    """The panel while the hand is learned; its first batch has not come yet."""
    judge(session, "3", "8")
    panel.findChild(QPushButton, "learnButton").click()
    qtbot.waitUntil(lambda: "run_job" in engines[0].command_names)
    engines[0].say(started())
    qtbot.waitUntil(lambda: text(panel, "learning.trainingStatus").startswith("epoch 1 of 3"))
    return panel


def shown(panel, name):
    return panel.findChild(QWidget, name).isVisible()


def test_that_the_curves_of_a_training_fill_the_tab_while_it_runs(qtbot, training, engines):
    assert not shown(training, "runningFigure")
    assert text(training, "learning.trainingTitle") == "Learning this hand"
    loss = training.findChild(Plot, "lossPlot")
    assert loss.isVisible()
    assert training.findChild(Plot, "accuracyPlot").isVisible()
    engines[0].say(batch(1), batch(2))
    qtbot.waitUntil(lambda: "0.5" in loss.accessibleDescription() or len(loss.densest) == 2)
    qtbot.waitUntil(lambda: "left" in text(training, "learning.trainingStatus"))
    engines[0].say(RunCancelled("run"))
    qtbot.waitUntil(lambda: shown(training, "runningFigure"))
    assert not loss.isVisible()


def test_that_a_training_is_paused_stopped_and_cancelled_from_the_tab(qtbot, training, trainer, engines):
    buttons = {
        what: training.findChild(QPushButton, f"learning.{what}Button")
        for what in ("stop", "pause", "cancel")
    }
    assert [button.isEnabled() for button in buttons.values()] == [False, False, True]
    engines[0].say(batch(1))
    qtbot.waitUntil(buttons["pause"].isEnabled)
    buttons["pause"].click()
    engines[0].say(RunPaused("run"))
    qtbot.waitUntil(lambda: buttons["pause"].text() == "Resume")
    buttons["pause"].click()
    engines[0].say(RunContinued("run"))
    qtbot.waitUntil(lambda: buttons["pause"].text() == "Pause")
    buttons["stop"].click()
    assert not buttons["stop"].isEnabled()
    buttons["cancel"].click()
    assert engines[0].command_names[-4:] == ["pause", "resume", "stop", "cancel"]
    engines[0].say(RunCancelled("run"))
    qtbot.waitUntil(lambda: not buttons["cancel"].isVisible())


def test_that_the_own_figures_can_be_looked_at_while_a_training_runs(qtbot, training, engines):
    training.findChild(QPushButton, "digitsButton").click()
    assert shown(training, "runningFigure")
    training.findChild(QPushButton, "liveButton").click()
    assert shown(training, "lossPlot")
    training.findChild(QPushButton, "digitsButton").click()
    engines[0].say(RunCancelled("run"))
    qtbot.waitUntil(lambda: not shown(training, "liveButton"))


def test_that_no_curves_of_the_run_before_are_shown_while_the_next_prepares(
    qtbot, training, trainer, engines
):
    engines[0].say(batch(1), RunCancelled("run"))
    qtbot.waitUntil(lambda: shown(training, "runningFigure"))
    trainer.learn_hand()
    assert not shown(training, "lossPlot")
    assert shown(training, "learning.cancelButton")
    trainer.cancel()


def test_that_a_training_that_failed_says_why(qtbot, training, engines):
    engines[0].say(RunFailed("run", "StoreError", message="The disk is full.", remedy="Make room."))
    qtbot.waitUntil(lambda: shown(training, "learningProblem"))
    assert text(training, "learningProblem") == "The training failed. The disk is full. Make room."


BETTER = Comparison(
    PairedComparison.of_ids(40, 37, 39, (11, 12, 13), (14,)),
    PairedComparison.of_ids(3000, 2990, 2991, (1,)),
    "model-3",
)
EVEN = Comparison(PairedComparison.of_ids(13, 12, 13, (11,)), PairedComparison(), "model-3")


@pytest.fixture
def propose(qtbot, training, session, engines):
    """End the training with a new model; `found` compares it with the one in use. Gives its path."""

    def end(found):
        path = session.library.new_path("learned-8")
        model = load_model(session.library.find("model-3"))
        save_model(replace(model, name=path.stem, provenance={}), path)
        engines[0].say(RunFinished("run", "completed", str(path), 1, 1, 2.0, {}, comparison=found.to_json()))
        qtbot.waitUntil(lambda: shown(training, "verdictLabel"))
        return path

    return end


def test_that_the_verdict_is_a_sentence_with_two_buttons_and_its_evidence_a_click_away(training, propose):
    propose(BETTER)
    assert text(training, "verdictLabel") == (
        "The new one reads 39 of your 40 held-out drawings right. The one in use: 37."
    )
    assert text(training, "verdictRecommendation") == BETTER.recommendation
    assert shown(training, "useNewButton")
    assert shown(training, "keepOldButton")
    assert not shown(training, "verdictEvidence")
    training.findChild(QPushButton, "evidenceButton").click()
    evidence = text(training, "verdictEvidence")
    assert shown(training, "verdictEvidence")
    assert evidence.startswith("Reads 92.5 → 97.5 % of your 40 held-out drawings; 3 fixed, 1 broken; MNIST ")
    assert "95 % intervals: the new one 87.1 to 99.6 %, the one in use 80.1 to 97.4 %." in evidence
    assert BETTER.hand.evidence in evidence
    assert evidence.count("MNIST 99.") == 1


def test_that_the_new_one_is_used_and_one_click_leads_back(training, session, propose):
    path = propose(BETTER)
    training.findChild(QPushButton, "useNewButton").click()
    assert session.model_path == path
    assert not shown(training, "useNewButton")
    assert "Draw on" in text(training, "verdictLabel")
    training.findChild(QPushButton, "backToOldButton").click()
    assert session.model_name == "model-3"
    assert shown(training, "useNewButton")


def test_that_the_old_one_is_kept_and_the_verdict_goes(training, session, propose):
    propose(EVEN)
    training.findChild(QPushButton, "keepOldButton").click()
    assert session.model_name == "model-3"
    assert not shown(training, "verdictLabel")


def test_that_the_verdict_stands_while_the_next_training_runs(training, trainer, propose):
    propose(BETTER)
    trainer.learn_hand()
    training.findChild(QPushButton, "digitsButton").click()
    assert shown(training, "verdictLabel")
    trainer.cancel()


def test_that_a_verdict_says_whose_drawings_it_is_about(training, session, propose):
    propose(BETTER)
    session.set_writer("Ada")
    assert text(training, "verdictLabel") == (
        "The new one reads 39 of 40 held-out drawings by me right. The one in use: 37."
    )
    assert text(training, "verdictEvidence").startswith("This is about the drawings by me.")


def steps(panel):
    return [text(panel, f"firstStep.{number}") for number in (1, 2, 3)]


def test_that_three_steps_show_somebody_new_where_he_is_until_they_are_done(panel, session):
    assert steps(panel) == [
        "1  Draw 10 digits",
        "2  Correct one that it misreads",
        "3  Draw it again, see it learn",
    ]
    assert shown(panel, "welcomeLabel")
    assert not shown(panel, "runningFigure")
    judge(session, *"338")
    assert steps(panel)[:2] == ["1  Draw 10 digits: 3 so far", "✓  Correct one that it misreads"]
    assert panel.findChild(QLabel, "firstStep.1").property("role") == "heading"
    assert shown(panel, "runningFigure")
    judge(session, *"3333333")
    assert steps(panel)[0] == "✓  Draw 10 digits"
    assert shown(panel, "firstSteps")
    session.use_model(session.library.find("model-7"))
    judge(session, "3", "7")  # a 3 read as 7
    assert shown(panel, "firstSteps")
    session.use_model(session.library.find("model-3"))
    judge(session, "3")
    assert not shown(panel, "firstSteps")


def test_that_another_writer_begins_with_the_first_step(panel, session):
    judge(session, *"3" * 50)
    assert not shown(panel, "firstSteps")
    session.set_writer("Ada")
    assert shown(panel, "firstSteps")
    assert steps(panel)[0] == "1  Draw 10 digits"


def test_that_a_verdict_is_refreshed_when_the_label_of_a_drawing_changes(training, session, propose):
    first, second = map(int, session.store.ids())
    propose(Comparison(PairedComparison.of_ids(13, 11, 13, (first, second)), PairedComparison(), "model-3"))
    assert text(training, "verdictLabel") == (
        "The new one reads 13 of your 13 held-out drawings right. The one in use: 11."
    )
    session.store.relabel([first], "5")
    session.samples_edited()
    assert text(training, "verdictLabel") == (
        "The new one reads 12 of your 12 held-out drawings right. The one in use: 11."
    )
    assert "1 drawing was relabelled, deleted or doubted since: not counted." in text(
        training, "verdictEvidence"
    )
    assert "1 fixed, 0 broken" in text(training, "verdictEvidence")
    session.store.mark_suspects({second: Suspicion(0.8, "3", "looks like a 3")})
    session.samples_edited()
    assert "11 of your 11" in text(training, "verdictLabel")
    session.store.accept_labels([second])
    session.samples_edited()
    assert "12 of your 12" in text(training, "verdictLabel")
    session.store.delete_samples([second])
    session.samples_edited()
    assert "11 of your 11" in text(training, "verdictLabel")

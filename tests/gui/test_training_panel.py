from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from gui.fake_engine import FakeEngines, batch, epoch, finished, request, started
from gui.plotted import plotted
from gui.stand_ins import Answers, FakeSession
from qtdigits.core.recipe_files import load_recipe
from qtdigits.core.run.events import (
    Notice,
    Progress,
    RunCancelled,
    RunContinued,
    RunFailed,
    RunPaused,
    RunResumed,
)
from qtdigits.core.run.figures import RunFigures
from qtdigits.core.run.history import History
from qtdigits.core.score.comparison import Comparison, PairedComparison
from qtdigits.core.score.metrics import Score
from qtdigits.gui.champion import Champion
from qtdigits.gui.engine_process import EngineState
from qtdigits.gui.panels.training.recipe_page import OPEN_FILE
from qtdigits.gui.panels.training.training_controls import described
from qtdigits.gui.panels.training.training_panel import TrainingPanel
from qtdigits.gui.panels.training.verdict_card import VerdictCard
from qtdigits.gui.plots.plot import Plot
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.results.confusion_matrix import ConfusionMatrix
from qtdigits.gui.results.live_curves import LiveCurves
from qtdigits.gui.results.run_summary import verdict
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.colours import DARK, LIGHT, Theme
from qtdigits.store.run_files import RunFolder
from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import TrainingJob


class Panel:
    """The panel under test, and its parts by their names."""

    def __init__(self, trainer: Trainer, store: SampleStore, preferences: Preferences) -> None:
        self.trainer = trainer
        self.session, self.ask = FakeSession(), Answers()
        self.session.store = store
        self.curves = LiveCurves(session=self.session, trainer=trainer, preferences=preferences, ask=self.ask)
        self.widget = TrainingPanel(session=self.session, trainer=trainer, curves=self.curves, ask=self.ask)

    @property
    def job(self) -> TrainingJob:
        """What is trained."""
        assert self.trainer.current is not None
        assert isinstance(self.trainer.current.job, TrainingJob)
        return self.trainer.current.job

    def button(self, name: str) -> QPushButton:
        found = self.widget.findChild(QPushButton, name)
        assert isinstance(found, QPushButton)
        return found

    @property
    def texts(self) -> set[str]:
        shown = [label for label in self.widget.findChildren(QLabel) if label.isVisible()]
        return {label.text() for label in shown}

    def text(self, name: str) -> str:
        found = self.widget.findChild(QLabel, name)
        assert isinstance(found, QLabel)
        return found.text()

    def is_usable(self, name: str) -> bool:
        return self.button(name).isVisible() and self.button(name).isEnabled()

    def plot(self, name: str) -> Plot:
        found = self.widget.findChild(Plot, name)
        assert isinstance(found, Plot)
        return found


@pytest.fixture
def panel(qtbot: QtBot, trainer: Trainer, session: Session, tmp_path: Path) -> Panel:
    panel = Panel(trainer, session.store, Preferences(tmp_path))
    qtbot.addWidget(panel.widget)
    panel.widget.resize(800, 700)
    with qtbot.waitExposed(panel.widget):
        panel.widget.show()
    return panel


@pytest.fixture
def running(qtbot: QtBot, panel: Panel, engines: FakeEngines) -> Panel:
    """A panel whose run has begun and has no batch yet."""
    qtbot.mouseClick(panel.button("trainButton"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: engines[0].command_names == ["run_job"])
    engines[0].say(started())
    qtbot.waitUntil(lambda: panel.text("trainingStatus").startswith("quick · epoch 1 of 3"))
    return panel


def score(right: int, wrong: int) -> dict[str, object]:
    """Of class 0, `wrong` are read as 1."""
    return Score(("0", "1"), np.array([[right, wrong], [0, 0]], np.int64)).to_json()


def test_that_an_idle_panel_is_calm(panel: Panel) -> None:
    assert panel.is_usable("trainButton")
    assert not panel.button("stopButton").isVisible()
    assert not panel.button("cancelButton").isVisible()
    assert panel.widget.findChild(QWidget, "denseEdit") is None
    assert panel.widget.findChild(QSpinBox, "epochsSpin").isVisible()
    assert not panel.curves.are_made


def test_that_what_is_chosen_at_first_ends_while_somebody_watches(panel: Panel) -> None:
    assert panel.widget.recipe() == load_recipe("quick")
    assert panel.widget.findChild(QComboBox, "recipeBox").currentText() == "quick"


def test_that_plots_are_found_by_name_before_and_after_the_curves_are_made(panel: Panel) -> None:
    for name in ("lossPlot", "accuracyPlot"):
        assert len(panel.widget.findChildren(QWidget, name)) == 1
    panel.curves.make()
    assert panel.curves.are_made
    for name in ("lossPlot", "accuracyPlot"):
        assert len(panel.widget.findChildren(QWidget, name)) == 1
        assert panel.plot(name).isVisible()


def test_that_the_epochs_beside_the_button_go_into_the_recipe(qtbot: QtBot, panel: Panel) -> None:
    panel.widget.choose_recipe("mlp-50-50")
    panel.widget.findChild(QSpinBox, "epochsSpin").setValue(4)
    assert "adjusted" in panel.text("trainingStatus")
    qtbot.mouseClick(panel.button("trainButton"), Qt.MouseButton.LeftButton)
    assert (panel.job.recipe.name, panel.job.recipe.epochs) == ("mlp-50-50", 4)


def test_that_the_first_batch_reaches_the_curves(qtbot: QtBot, running: Panel, engines: FakeEngines) -> None:
    engines[0].say(batch(1, loss=0.5))
    qtbot.waitUntil(lambda: len(plotted(running.plot("lossPlot"), "batches")[0]) == 1)
    assert plotted(running.plot("lossPlot"), "batches")[1] == [0.5]
    assert running.plot("lossPlot").isVisible()


def test_that_the_status_tells_epoch_best_times_and_speed(
    qtbot: QtBot, running: Panel, engines: FakeEngines
) -> None:
    assert running.text("trainingData") == "MNIST 54,000 + 212 drawings"
    engines[0].say(batch(10), epoch(1), batch(11))
    expected = "quick · epoch 2 of 3 · 1:02 left · best 1 · 0:14 elapsed · 12,340 images/s"
    qtbot.waitUntil(lambda: running.text("trainingStatus") == expected)


def test_that_the_status_names_the_recipe_of_the_run_whatever_is_chosen_for_the_next(
    qtbot: QtBot, panel: Panel, engines: FakeEngines
) -> None:
    qtbot.mouseClick(panel.button("trainButton"), Qt.MouseButton.LeftButton)
    assert panel.text("trainingStatus") == "quick · Starting the training engine …"
    panel.widget.choose_recipe("cnn-32-64")
    qtbot.waitUntil(lambda: bool(engines.made) and engines[0].command_names == ["run_job"])
    assert panel.text("trainingStatus") == "quick · Preparing the data …"
    engines[0].say(started(), batch())
    qtbot.waitUntil(lambda: panel.text("trainingStatus").startswith("quick · epoch 1 of 3"))


def test_that_the_status_tells_how_much_patience_is_used(
    qtbot: QtBot, running: Panel, engines: FakeEngines
) -> None:
    patient = replace(started(epochs=20), recipe={"name": "default", "patience": 10})
    engines[0].say(patient, epoch(1), *(epoch(number, is_best=False) for number in (2, 3, 4)), batch(41))
    qtbot.waitUntil(lambda: "best 1 · patience 3 of 10 ·" in running.text("trainingStatus"))


def test_that_there_is_nothing_to_stop_before_the_first_batch(
    qtbot: QtBot, running: Panel, engines: FakeEngines
) -> None:
    assert not running.is_usable("stopButton")
    assert running.is_usable("cancelButton")
    assert not running.is_usable("trainButton")
    engines[0].say(batch())
    qtbot.waitUntil(lambda: running.is_usable("stopButton"))


def test_that_what_the_trained_network_is_scored_on_cannot_be_stopped_or_paused(
    qtbot: QtBot, running: Panel, engines: FakeEngines
) -> None:
    engines[0].say(batch(), epoch())
    qtbot.waitUntil(lambda: running.is_usable("stopButton"))
    engines[0].say(Progress("run", "Scoring", 1, 2))
    qtbot.waitUntil(lambda: running.text("trainingStatus").startswith("quick · Scoring"))
    assert not running.is_usable("stopButton")
    assert not running.is_usable("pauseButton")
    assert running.is_usable("cancelButton")


def test_that_stop_is_sent_once_and_the_run_can_still_be_cancelled(
    qtbot: QtBot, running: Panel, engines: FakeEngines
) -> None:
    engines[0].say(batch())
    qtbot.waitUntil(lambda: running.is_usable("stopButton"))
    qtbot.mouseClick(running.button("stopButton"), Qt.MouseButton.LeftButton)
    running.trainer.stop()
    assert engines[0].command_names == ["run_job", "stop"]
    assert "stopping" in running.text("trainingStatus")
    assert not running.is_usable("stopButton")
    qtbot.mouseClick(running.button("cancelButton"), Qt.MouseButton.LeftButton)
    assert engines[0].command_names == ["run_job", "stop", "cancel"]


def test_that_a_run_can_wait_and_go_on(qtbot: QtBot, running: Panel, engines: FakeEngines) -> None:
    assert not running.is_usable("pauseButton")
    engines[0].say(batch())
    qtbot.waitUntil(lambda: running.is_usable("pauseButton"))
    pause = running.button("pauseButton")
    qtbot.mouseClick(pause, Qt.MouseButton.LeftButton)
    engines[0].say(RunPaused("run"))
    qtbot.waitUntil(lambda: pause.text() == "Resume")
    assert running.text("trainingStatus").startswith("quick · paused · epoch 1 of 3")
    qtbot.mouseClick(pause, Qt.MouseButton.LeftButton)
    engines[0].say(RunContinued("run"))
    qtbot.waitUntil(lambda: pause.text() == "Pause")
    assert running.text("trainingStatus").startswith("quick · epoch 1 of 3")
    assert engines[0].command_names == ["run_job", "pause", "resume"]


def test_that_a_run_that_goes_on_has_one_continuous_curve(
    qtbot: QtBot, running: Panel, engines: FakeEngines
) -> None:
    before = History()
    for event in (batch(1, loss=0.5), batch(10, loss=0.25), epoch(1)):
        before.apply(event)
    engines[0].say(started(), RunResumed("run", 1, 10, before.to_json()), batch(11, loss=0.125))
    qtbot.waitUntil(lambda: len(plotted(running.plot("lossPlot"), "batches")[0]) == 3)
    assert plotted(running.plot("lossPlot"), "batches")[1] == [0.5, 0.25, 0.125]
    assert plotted(running.plot("lossPlot"), "validation")[1] == [0.3]


def test_that_the_verdict_comes_with_a_comparison_and_can_be_acted_on(
    qtbot: QtBot, running: Panel, engines: FakeEngines
) -> None:
    assert running.widget.findChild(VerdictCard).isHidden()
    running.session.become(Champion("default", Path("/models/default.h5")))
    found = Comparison(
        PairedComparison.of_ids(40, 37, 39, (11, 12), (13,), ()),
        PairedComparison(3000, 2990, 2991),
        "default",
    )
    engines[0].say(batch(1), epoch(1), replace(finished(), comparison=found.to_json()))
    qtbot.waitUntil(lambda: running.is_usable("verdictUseButton"))

    running.button("verdictUseButton").click()
    assert running.session.used == [Path("/models/new.h5")]
    running.button("fixedButton").click()
    assert running.session.selected == [("fixed by the new model", (11, 12))]
    running.session.become(Champion("new", Path("/models/new.h5")))
    running.button("rollBackButton").click()
    assert running.session.n_rolled_back == 1


def test_that_a_cancelled_run_says_that_nothing_was_kept(
    qtbot: QtBot, running: Panel, engines: FakeEngines
) -> None:
    qtbot.mouseClick(running.button("cancelButton"), Qt.MouseButton.LeftButton)
    assert engines[0].command_names == ["run_job", "cancel"]
    assert "cancelling" in running.text("trainingStatus")
    assert not running.is_usable("cancelButton")
    with qtbot.waitSignal(running.trainer.job_ended):
        engines[0].say(RunCancelled("run"))
    assert running.is_usable("trainButton")
    assert "no model was kept" in running.text("trainingStatus")


def test_that_a_run_that_its_engine_was_made_to_end_is_not_called_cancelled(
    qtbot: QtBot, running: Panel, engines: FakeEngines
) -> None:
    with qtbot.waitSignal(running.trainer.job_ended):
        engines[0].say(RunCancelled("run", is_interrupted=True))
    assert "Resume it from the Runs tab" in running.text("trainingStatus")


def test_that_a_lost_engine_is_explained_and_the_next_training_works(
    qtbot: QtBot, running: Panel, engines: FakeEngines
) -> None:
    engines[0].say(batch())
    qtbot.waitUntil(lambda: running.is_usable("stopButton"))
    with qtbot.waitSignal(running.trainer.job_ended):
        engines[0].die()
    assert "was killed" in running.text("trainingError")
    assert "model in use is unchanged" in running.text("trainingError")
    assert running.is_usable("trainButton")
    assert running.button("retryButton").text() == "Resume"
    qtbot.mouseClick(running.button("retryButton"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(engines) == 2 and engines[1].command_names == ["run_job"])
    first, again = (engine.commands[0].job for engine in engines.made)  # type: ignore[union-attr]
    assert again == replace(first, resumes=True)
    assert not running.button("retryButton").isVisible()
    engines[1].say(started(), batch(1, loss=0.25))
    qtbot.waitUntil(lambda: plotted(running.plot("lossPlot"), "batches")[1] == [0.25])


def test_that_the_curves_are_the_previous_runs_until_the_next_one_starts(
    qtbot: QtBot, running: Panel, engines: FakeEngines
) -> None:
    engines[0].say(batch(), epoch())
    qtbot.waitUntil(lambda: plotted(running.plot("lossPlot"), "validation")[1] != [])
    finish(qtbot, running, engines)
    assert running.plot("lossPlot").accessibleDescription().startswith("at the end: ")
    qtbot.mouseClick(running.button("trainButton"), Qt.MouseButton.LeftButton)
    assert running.plot("lossPlot").accessibleDescription().startswith("previous run, at the end: ")
    assert running.plot("lossPlot").isVisible()
    engines[0].say(started(), batch(1, loss=0.25))
    qtbot.waitUntil(lambda: plotted(running.plot("lossPlot"), "batches")[1] == [0.25])
    assert "previous run" not in running.plot("lossPlot").accessibleDescription()


def test_that_an_engine_lost_while_idle_is_only_noticed(
    qtbot: QtBot, panel: Panel, engines: FakeEngines, trainer: Trainer
) -> None:
    trainer.start_engine()
    qtbot.waitUntil(lambda: trainer.state is EngineState.READY)
    engines[0].die()
    qtbot.waitUntil(lambda: "starts a new one" in panel.text("trainingNotice"))
    assert not panel.button("retryButton").isVisible()
    assert panel.is_usable("trainButton")


def test_that_a_failed_run_shows_message_and_remedy(
    qtbot: QtBot, running: Panel, engines: FakeEngines
) -> None:
    with qtbot.waitSignal(running.trainer.job_ended):
        engines[0].say(RunFailed("run", "training", "The loss is no number.", "Choose a smaller step."))
    assert running.text("trainingError") == "The loss is no number. Choose a smaller step."
    assert running.is_usable("retryButton")


def test_that_trying_again_means_the_training_that_failed(
    qtbot: QtBot, panel: Panel, engines: FakeEngines, trainer: Trainer
) -> None:
    """Not the recipe that is chosen in the panel; and whoever began it, such as the learning by itself."""
    trainer.learn_hand_unasked()
    qtbot.waitUntil(lambda: bool(engines.made) and engines[0].command_names == ["run_job"])
    with qtbot.waitSignal(trainer.job_ended):
        engines[0].say(RunFailed("run", "model", "There is no file mine.h5.", "Choose another model."))
    qtbot.mouseClick(panel.button("retryButton"), Qt.MouseButton.LeftButton)
    assert panel.job.recipe.name == "my-hand"


def an_interrupted_run(session: Session, *, epochs: int = 3) -> None:
    recipe = load_recipe("quick").with_values(epochs=12)
    figures = RunFigures(epochs=epochs)
    session.store.runs.add(RunRecord("before", recipe.to_json(), figures=figures))
    RunFolder(session.data_dir, "before").write_request(TrainingJob("before", "", recipe).to_json())


@pytest.mark.parametrize(
    ("epochs", "text"),
    [(3, "“quick” was interrupted after epoch 3."), (0, "“quick” was interrupted in its first epoch.")],
)
def test_that_an_interrupted_run_is_offered_and_resumed(
    qtbot: QtBot, panel: Panel, session: Session, engines: FakeEngines, epochs: int, text: str
) -> None:
    an_interrupted_run(session, epochs=epochs)
    panel.widget.offer_interrupted()
    assert text in panel.texts
    qtbot.mouseClick(panel.button("resumeInterruptedButton"), Qt.MouseButton.LeftButton)
    assert (panel.job.id, panel.job.resumes, panel.job.recipe.epochs) == ("before", True, 12)
    assert text not in panel.texts


def test_that_an_interrupted_run_is_not_offered_again_and_none_that_trains_or_is_older(
    qtbot: QtBot, panel: Panel, session: Session
) -> None:
    panel.widget.offer_interrupted()
    assert not panel.is_usable("resumeInterruptedButton")
    an_interrupted_run(session)
    lock = RunFolder(session.data_dir, "before").lock
    assert lock.acquire()
    panel.widget.offer_interrupted()
    assert not panel.is_usable("resumeInterruptedButton")
    lock.release()
    panel.widget.offer_interrupted()
    assert panel.is_usable("resumeInterruptedButton")
    qtbot.mouseClick(panel.button("notNowButton"), Qt.MouseButton.LeftButton)
    assert not panel.is_usable("resumeInterruptedButton")
    session.store.runs.add(RunRecord("newer", {}, state="completed"))
    panel.widget.offer_interrupted()
    assert not panel.is_usable("resumeInterruptedButton")


def test_that_notices_and_rehearsals_are_told(qtbot: QtBot, panel: Panel, engines: FakeEngines) -> None:
    panel.widget.start_training()
    qtbot.waitUntil(lambda: engines[0].command_names == ["run_job"])
    engines[0].say(Progress("run", "Loading MNIST", 1, 4))
    qtbot.waitUntil(lambda: panel.text("trainingStatus") == "quick · Loading MNIST · 1 of 4")
    engines[0].say(started(is_rehearsal=True))
    qtbot.waitUntil(lambda: "synthetic ink" in panel.text("trainingNotice"))
    engines[0].say(Notice("run", "One drawing was left out."))
    qtbot.waitUntil(lambda: panel.text("trainingNotice") == "One drawing was left out.")


def test_that_a_recipe_with_a_mistake_cannot_be_trained(
    qtbot: QtBot, panel: Panel, engines: FakeEngines
) -> None:
    qtbot.mouseClick(panel.button("adjustButton"), Qt.MouseButton.LeftButton)
    layers = panel.widget.findChild(QLineEdit, "denseEdit")
    assert layers.isVisible()
    layers.setText("50, x")
    assert not panel.is_usable("trainButton")
    assert "Dense layer 2" in panel.text("denseNote")
    panel.widget.start_training()
    assert "Dense layer 2" in panel.text("trainingError")
    assert len(engines) == 0
    layers.setText("50")
    assert panel.is_usable("trainButton")


def test_that_a_recipe_is_opened_from_a_file(panel: Panel, tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text('dense = "8"\nepochs = 2\n', "utf-8")
    box = panel.widget.findChild(QComboBox, "recipeBox")
    panel.ask.reply = path
    box.activated.emit(box.findText(OPEN_FILE))
    assert box.currentText() == "small"
    assert (panel.widget.recipe().dense, panel.widget.recipe().epochs) == ("8", 2)
    panel.widget.choose_recipe("mlp-50-50")
    panel.widget.choose_recipe("small")
    assert panel.widget.recipe().dense == "8"


def test_that_a_recipe_file_that_cannot_be_used_changes_nothing(panel: Panel, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("epochs = 0\n", "utf-8")
    box = panel.widget.findChild(QComboBox, "recipeBox")
    before = panel.widget.recipe()
    panel.ask.reply = path
    box.activated.emit(box.findText(OPEN_FILE))
    assert "bad.toml" in panel.text("trainingError")
    assert panel.widget.recipe() == before
    assert box.currentText() == before.name
    panel.ask.reply = None
    box.activated.emit(box.findText(OPEN_FILE))
    assert panel.widget.recipe() == before


def finish(qtbot: QtBot, panel: Panel, engines: FakeEngines, **scores: dict[str, object]) -> None:
    with qtbot.waitSignal(panel.trainer.job_ended):
        engines[0].say(batch(30), epoch(3), finished(scores=scores))


def test_that_a_finished_run_shows_its_figures_and_confusions(
    qtbot: QtBot, running: Panel, engines: FakeEngines
) -> None:
    finish(qtbot, running, engines, validation=score(990, 10))
    assert {"99.00 %", "98.2 to 99.5 %", "1,000"} <= running.texts
    assert running.is_usable("useButton")
    assert running.is_usable("trainButton")
    assert running.widget.findChild(ConfusionMatrix).isVisible()
    assert "0 read as 1: 10×" in running.text("worstConfusions")


def test_that_hold_out_comes_first_and_is_compared(
    qtbot: QtBot, running: Panel, engines: FakeEngines
) -> None:
    running.session.become(Champion("old", Path("/models/old.h5"), {"my hold-out": score(80, 20)}))
    finish(qtbot, running, engines, **{"validation": score(990, 10), "my hold-out": score(99, 1)})
    box = running.widget.findChild(QComboBox, "confusionSet")
    assert [box.itemText(i) for i in range(box.count())] == ["my hold-out", "validation"]
    assert {"In use then: old", "80.00 % of 100", "better by 19.00 points", "not known"} <= running.texts
    labels = running.widget.findChildren(QLabel)
    told = next(found for found in labels if found.text() == "better by 19.00 points")
    qtbot.waitUntil(lambda: 0 < told.heightForWidth(told.width()) < 2 * told.fontMetrics().lineSpacing())


def test_that_the_figures_before_are_those_of_the_model_that_was_compared_not_of_one_taken_up_meanwhile(
    qtbot: QtBot, panel: Panel, engines: FakeEngines, trainer: Trainer, session: Session
) -> None:
    session.store.queue.add("run", replace(request(), champion="/models/old.h5").to_json())
    trainer.reload_queue()
    trainer.start_next()
    qtbot.waitUntil(lambda: bool(engines.made) and engines[0].command_names == ["run_job"])
    engines[0].say(started())
    panel.session.become(Champion("other", Path("/models/other.h5"), {"MNIST test": score(9, 1)}))
    found = Comparison(PairedComparison.of_ids(40, 37, 39, (11, 12), ()), PairedComparison(), "old")
    scores = {"my hold-out": score(39, 1), "MNIST test": score(8, 2)}
    with qtbot.waitSignal(panel.trainer.job_ended):
        engines[0].say(batch(1), epoch(1), replace(finished(scores=scores), comparison=found.to_json()))
    assert {"In use then: old", "92.50 % of 40", "not known"} <= panel.texts
    assert panel.text("verdictWhy").startswith("Compared with old, which was in use when")


def test_that_one_click_asks_to_use_the_new_model(qtbot: QtBot, running: Panel, engines: FakeEngines) -> None:
    finish(qtbot, running, engines, validation=score(9, 1))
    qtbot.mouseClick(running.button("useButton"), Qt.MouseButton.LeftButton)
    assert running.session.used == [Path("/models/new.h5")]
    running.session.become(Champion("new", Path("/models/new.h5")))
    assert running.button("useButton").text() == "In use"
    assert not running.is_usable("useButton")


def test_that_curves_and_results_are_one_click_apart(
    qtbot: QtBot, running: Panel, engines: FakeEngines
) -> None:
    finish(qtbot, running, engines, validation=score(9, 1))
    assert not running.button("resultsButton").isVisible()
    qtbot.mouseClick(running.button("curvesButton"), Qt.MouseButton.LeftButton)
    assert running.plot("lossPlot").isVisible()
    qtbot.mouseClick(running.button("resultsButton"), Qt.MouseButton.LeftButton)
    assert running.button("useButton").isVisible()


@pytest.mark.parametrize("by_itself", [False, True])
def test_that_no_figures_of_the_last_training_stand_under_one_that_was_interrupted(
    qtbot: QtBot, running: Panel, engines: FakeEngines, trainer: Trainer, by_itself: bool
) -> None:
    found = Comparison(
        PairedComparison.of_ids(40, 37, 39, (11, 12), (13,)), PairedComparison(3000, 2990, 2991), "default"
    )
    with qtbot.waitSignal(running.trainer.job_ended):
        ended = finished(scores={"my hold-out": score(39, 1)})
        engines[0].say(batch(1), epoch(1), replace(ended, comparison=found.to_json()))
    assert running.button("curvesButton").isVisible()
    if by_itself:
        trainer.learn_hand_unasked()
    else:
        qtbot.mouseClick(running.button("trainButton"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: engines[0].command_names == ["run_job", "run_job"])
    engines[0].say(started(), batch())
    qtbot.waitUntil(lambda: running.is_usable("stopButton"))
    with qtbot.waitSignal(running.trainer.job_ended):
        engines[0].die()
    assert running.plot("lossPlot").isVisible()
    assert not running.button("resultsButton").isVisible()
    assert running.widget.findChild(VerdictCard).isHidden()


def test_that_a_set_without_drawings_is_said_to_be_empty(
    qtbot: QtBot, running: Panel, engines: FakeEngines
) -> None:
    finish(qtbot, running, engines, validation=score(9, 1), empty=score(0, 0))
    assert "nothing to score yet" in running.texts


def test_that_clicks_leave_the_keyboard_where_it_is(panel: Panel) -> None:
    for button in panel.widget.findChildren(QPushButton):
        assert button.focusPolicy() == Qt.FocusPolicy.TabFocus, button.objectName()
    for box in panel.widget.findChildren(QComboBox):
        assert box.focusPolicy() == Qt.FocusPolicy.TabFocus, box.objectName()


def test_that_the_theme_can_change_at_any_time(
    qtbot: QtBot, running: Panel, engines: FakeEngines, dress: Callable[[Theme], None]
) -> None:
    engines[0].say(batch(), epoch())
    dress(DARK)
    finish(qtbot, running, engines, validation=score(9, 1))
    dress(LIGHT)
    assert running.button("useButton").isVisible()


def test_that_cells_of_the_confusion_matrix_can_be_read_by_keyboard_and_pointer(qtbot: QtBot) -> None:
    view = ConfusionMatrix()
    qtbot.addWidget(view)
    view.resize(300, 300)
    view.set_score(Score(("0", "1"), np.array([[8, 2], [0, 0]], np.int64)))
    with qtbot.waitExposed(view):
        view.show()
    said: list[str] = []
    view.cell_described.connect(said.append)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert said[-1] == "0 read as 1: 2 of 10 (20.0 %)"
    qtbot.mouseMove(view, view.cell_rect(0, 0).center().toPoint())
    qtbot.waitUntil(lambda: said[-1] == "0 read rightly: 8 of 10 (80.0 %)")
    assert view.cell_at(view.cell_rect(1, 0).center()) == (1, 0)
    assert "0 as 1 (2)" in view.accessibleDescription()


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        (score(99, 1), score(80, 20), "better by 19.00 points"),
        (score(80, 20), score(99, 1), "worse by 19.00 points"),
        (score(98, 2), score(97, 3), "no clear difference (+1.00)"),
        (score(1, 0), score(0, 1), "no clear difference (+100.00)"),
        (score(22, 0), score(17, 5), "no clear difference (+22.73)"),
        (score(31, 0), score(23, 8), "better by 25.81 points"),
    ],
)
def test_that_a_verdict_needs_more_than_chance(
    new: dict[str, object], old: dict[str, object], expected: str
) -> None:
    assert verdict(new, old)[0] == expected


# The queue.


def queued(panel: Panel) -> list[str]:
    return [entry.run_id for entry in panel.trainer.queue]


def test_that_the_order_can_be_changed_and_a_run_removed(
    qtbot: QtBot, running: Panel, session: Session
) -> None:
    for run in "abc":
        session.store.queue.add(run, request(run).to_json())
    running.trainer.reload_queue()

    def press(name: str) -> None:
        assert running.is_usable(name)
        qtbot.mouseClick(running.button(name), Qt.MouseButton.LeftButton)

    press("queuedUp.2")
    assert queued(running) == ["a", "c", "b"]
    press("queuedDown.0")
    assert queued(running) == ["c", "a", "b"]
    press("queuedAway.1")
    assert queued(running) == ["c", "b"]
    assert running.text("queueTitle") == "2 trainings are queued"
    assert not running.is_usable("queuedUp.0")
    for _ in range(2):
        press("queuedAway.0")
    assert running.widget.findChild(QWidget, "queueStrip").isHidden()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"recipe": {"name": "mlp-50-50", "epochs": 4}}, "mlp-50-50 · 4 epochs"),
        ({"recipe": {"name": "m", "epochs": 9}, "resumes": True}, "m · resumed, to epoch 9"),
        (
            {"recipe": {"name": "my-hand", "epochs": 1, "start": "champion"}, "writer": "Ada"},
            "my-hand · 1 epoch · Ada",
        ),
    ],
)
def test_that_what_is_queued_is_described(values: dict[str, object], said: str) -> None:
    assert described(values) == said


@pytest.fixture
def quick_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qtdigits.gui.trainer.NEXT_MS", 0)


def test_that_train_becomes_train_next_during_a_training(
    qtbot: QtBot, quick_queue: None, panel: Panel, engines: FakeEngines
) -> None:
    panel.widget.choose_recipe("mlp-50-50")
    train = panel.button("trainButton")
    qtbot.mouseClick(train, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(engines.made) and engines[0].command_names == ["run_job"])
    assert (train.text(), train.isEnabled()) == ("Train next", False)
    engines[0].say(replace(started(), recipe={"name": "mlp-50-50"}), batch())
    qtbot.waitUntil(train.isEnabled)
    panel.widget.choose_recipe("cnn-32-64")
    qtbot.mouseClick(train, Qt.MouseButton.LeftButton)
    assert [entry.request["recipe"]["name"] for entry in panel.trainer.queue] == ["cnn-32-64"]
    qtbot.waitUntil(lambda: panel.text("trainingStatus").startswith("mlp-50-50 · epoch 1 of 3"))
    engines[0].say(finished())
    qtbot.waitUntil(lambda: engines[0].command_names == ["run_job", "run_job"])
    assert train.text() == "Train next"
    engines[0].say(started())
    engines[0].die()
    qtbot.waitUntil(lambda: panel.trainer.state is EngineState.LOST)
    assert train.text() == "Train"


def test_that_a_training_lost_while_others_are_queued_is_not_passed_over_in_silence(
    qtbot: QtBot, quick_queue: None, running: Panel, engines: FakeEngines
) -> None:
    for _ in range(2):
        running.trainer.train(load_recipe("quick"))
    engines[0].say(batch())
    engines[0].die()
    qtbot.waitUntil(lambda: len(engines) == 2 and engines[1].command_names == ["run_job"])
    assert "The training engine was killed" in running.text("trainingNotice")
    assert "resumed from the Runs tab" in running.text("trainingNotice")
    engines[1].say(started(), RunFailed("b", "memory", "There is not enough memory.", "Use smaller batches."))
    qtbot.waitUntil(lambda: len(engines) == 3 and engines[2].command_names == ["run_job"])
    assert "Use smaller batches." in running.text("trainingNotice")
    assert "resumed" not in running.text("trainingNotice")


def test_that_a_lost_queue_can_be_started_again(
    qtbot: QtBot, quick_queue: None, panel: Panel, engines: FakeEngines, session: Session
) -> None:
    session.store.queue.add("a", request("a").to_json())
    panel.trainer.reload_queue()
    qtbot.waitUntil(lambda: bool(engines.made) and engines[0].command_names == ["run_job"])
    engines[0].die()
    qtbot.waitUntil(lambda: panel.is_usable("startQueueButton"))
    assert "the training engine was lost" in panel.text("queueTitle")
    qtbot.mouseClick(panel.button("startQueueButton"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(engines) == 2 and engines[1].command_names == ["run_job"])


def test_that_a_training_that_is_wanted_while_another_window_trains_is_queued_and_that_is_said(
    panel: Panel, engines: FakeEngines, session: Session
) -> None:
    session.store.runs.add(RunRecord("theirs", {}))
    theirs = RunFolder(session.data_dir, "theirs")
    assert theirs.lock.acquire()
    panel.widget.start_training()
    assert len(panel.trainer.queue) == 1
    assert any("is queued until" in text for text in panel.texts)
    assert len(engines) == 0
    theirs.lock.release()


def test_that_a_training_that_begins_by_itself_does_not_close_the_recipe(
    qtbot: QtBot, panel: Panel, engines: FakeEngines
) -> None:
    qtbot.mouseClick(panel.button("adjustButton"), Qt.MouseButton.LeftButton)
    panel.trainer.learn_hand_unasked()
    assert panel.button("adjustButton").text() == "Done"

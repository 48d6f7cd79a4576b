from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QInputDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableView,
    QTableWidget,
    QTabWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui.fake_engine import batch, epoch, finished, request, started
from gui.plotted import plotted
from gui.stand_ins import FakeSession, FakeTrainer, action
from qtdigits.core.recipe_files import load_recipe
from qtdigits.core.run.figures import figures_of
from qtdigits.core.run.history import History
from qtdigits.gui.engine_process import JobEnding
from qtdigits.gui.panels.runs import run_details
from qtdigits.gui.panels.runs.runs_panel import RunsPanel
from qtdigits.gui.plots.curve_controls import CurveSettings
from qtdigits.gui.plots.plot import Plot
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.widgets.ask import Ask
from qtdigits.store.run_files import RunFolder
from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.runs import RunResult, can_be_resumed, is_running
from store.values import a_checkpoint

START = datetime(2024, 5, 1, tzinfo=UTC)
LEFT = Qt.MouseButton.LeftButton


class Answers(Ask):
    reply: str | None = None
    suggestion = ""
    questions: list[str]
    epochs: int | None = None
    suggested_epochs = 0

    def one_of(
        self, title: str, question: str, answers: Sequence[str], *, no: str, is_grave: bool = False
    ) -> str | None:
        self.questions = [question]
        return answers[0] if self.reply == "yes" and is_grave else None

    def text(
        self, title: str, question: str, suggestion: str = "", *, may_be_empty: bool = False
    ) -> str | None:
        self.suggestion = suggestion
        return self.reply if self.reply or may_be_empty else None

    def number(self, title: str, question: str, suggestion: int, most: int) -> int | None:
        self.suggested_epochs = suggestion
        return self.epochs


def a_history(loss: float = 0.5) -> History:
    history = History()
    history.apply(batch(5, loss=loss))
    history.apply(epoch(1))
    return history


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SampleStore]:
    """Three runs, the latest `c`; `b` differs from its recipe in the epochs; `a` interrupted."""
    recipe = load_recipe("mlp-50-50")
    with SampleStore.open(tmp_path) as store:
        for number, name in enumerate("abc"):
            changed = recipe.with_values(epochs=77) if name == "b" else recipe
            store.runs.add(RunRecord(name, changed.to_json(), started_at=START + timedelta(hours=number)))
        scores = {"MNIST test": {"accuracy": 0.9721, "n": 10_000}}
        figures = replace(figures_of(a_history(0.25), scores), data={"MNIST": 54_000, "drawings": 212})
        store.runs.end("b", state="completed", history=a_history(0.25), figures=figures)
        failed = replace(figures_of(a_history(0.75)), message="It diverged.")
        store.runs.end("c", state="failed", history=a_history(0.75), figures=failed)
        yield store


@contextlib.contextmanager
def running_elsewhere(folder: Path, run: str) -> Iterator[None]:
    """Another process is at work on the run."""
    lock = RunFolder(folder, run).lock
    assert lock.acquire()
    yield
    lock.release()


class Shown:
    def __init__(self, store: SampleStore, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.trainer = FakeTrainer()
        self.ask = Answers()
        self.session = FakeSession()
        self.session.store, self.session.data_dir = store, folder
        self.preferences = Preferences(folder)
        self.looked_at: list[str] = []
        monkeypatch.setattr(run_details, "result_of", self._result_of)
        self.widget = RunsPanel(
            session=self.session,
            trainer=self.trainer,
            preferences=self.preferences,
            ask=self.ask,
        )
        self.table = self.widget.findChild(QTableView, "runsTable")

    def _result_of(self, _data_dir: Path, run: RunRecord) -> RunResult:
        self.looked_at.append(run.id)
        return RunResult(finished())

    @property
    def tabs(self) -> QTabWidget:
        found = self.widget.findChild(QTabWidget)
        assert isinstance(found, QTabWidget)
        return found

    def button(self, name: str) -> QPushButton:
        found = self.widget.findChild(QPushButton, name)
        assert isinstance(found, QPushButton)
        return found

    def column(self, column: int) -> list[str]:
        model = self.table.model()
        return [model.index(row, column).data() for row in range(model.rowCount())]

    def choose(self, *rows: int) -> None:
        selection = self.table.selectionModel()
        selection.clearSelection()
        for row in rows:
            flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
            selection.select(self.table.model().index(row, 0), flags)

    @property
    def hint(self) -> str:
        found = self.widget.findChild(QLabel, "runsHint")
        assert isinstance(found, QLabel)
        return found.text()

    def loss_points(self, curve: str) -> list[float]:
        plot = self.widget.findChild(Plot, "runs.lossPlot")
        assert isinstance(plot, Plot)
        return plotted(plot, curve)[1]

    @property
    def compared(self) -> list[str]:
        table = self.widget.findChild(QTableWidget, "runDifferences")
        return [table.horizontalHeaderItem(column).text() for column in range(table.columnCount())]

    @property
    def differences(self) -> dict[str, list[str]]:
        table = self.widget.findChild(QTableWidget, "runDifferences")
        assert isinstance(table, QTableWidget)
        return {
            table.verticalHeaderItem(row).text(): [
                table.item(row, column).text() for column in range(table.columnCount())
            ]
            for row in range(table.rowCount())
        }


@pytest.fixture
def panel(qtbot: QtBot, store: SampleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shown:
    shown = Shown(store, tmp_path, monkeypatch)
    qtbot.addWidget(shown.widget)
    shown.widget.resize(900, 700)
    with qtbot.waitExposed(shown.widget):
        shown.widget.show()
    return shown


def test_that_runs_are_listed_with_what_came_of_them(panel: Shown) -> None:
    assert panel.column(2) == ["failed", "completed", "interrupted"]
    assert panel.column(3) == ["1 (best 1)", "1 (best 1)", "–"]
    assert panel.column(6) == ["–", "97.21 %", "–"]
    assert panel.column(8) == ["mlp-50-50", "mlp-50-50, epochs 77", "mlp-50-50"]
    assert panel.hint == "Choose one run, or several to compare"


def test_that_a_run_can_be_looked_at_again(panel: Shown) -> None:
    panel.choose(1)
    assert panel.loss_points("batches") == [0.25]
    assert panel.differences["Epochs"] == ["77"]
    assert panel.differences["MNIST test"] == ["97.21 % of 10,000"]


def test_that_several_runs_lie_over_one_another_with_what_differs(panel: Shown) -> None:
    panel.choose(0, 1)
    names = [f"mlp-50-50 {(START + timedelta(hours=h)).astimezone():%d %b %H:%M:%S}" for h in (2, 1)]
    assert [panel.loss_points(f"{name}: smoothed") for name in names] == [[0.75], [0.25]]
    assert panel.compared == names
    assert panel.differences["Epochs"] == ["20", "77"]
    assert panel.differences["Trained on"] == ["–", "MNIST 54,000 + 212 drawings"]
    assert panel.differences["Why there is no model"] == ["It diverged.", "–"]
    assert "Optimizer" not in panel.differences
    assert panel.hint == "2 of 3 chosen"


def test_that_a_run_without_a_history_has_no_points(panel: Shown) -> None:
    panel.choose(2)
    assert panel.loss_points("batches") == []
    assert panel.session.reported == []


def test_that_a_run_can_be_named_and_noted(qtbot: QtBot, panel: Shown, store: SampleStore) -> None:
    panel.choose(1)
    panel.ask.reply = "longer"
    qtbot.mouseClick(panel.button("renameRunButton"), LEFT)
    panel.ask.reply = "no better"
    qtbot.mouseClick(panel.button("noteRunButton"), LEFT)
    assert panel.column(0)[1] == "longer ✎"
    assert store.runs.find("longer").note == "no better"
    panel.ask.reply = None
    qtbot.mouseClick(panel.button("renameRunButton"), LEFT)
    assert store.runs.find("b").name == "longer"


def test_that_name_and_note_are_there_to_be_changed_and_can_be_taken_away(
    qtbot: QtBot, panel: Shown, store: SampleStore
) -> None:
    store.runs.rename("b", "longer")
    store.runs.set_note("b", "no better")
    panel.widget.reload()
    panel.choose(1)
    for name, before in (("renameRunButton", "longer"), ("noteRunButton", "no better")):
        panel.ask.reply = ""
        qtbot.mouseClick(panel.button(name), LEFT)
        assert panel.ask.suggestion == before
    assert panel.column(0)[1] == "mlp-50-50"
    assert store.runs.find("b").note == ""


@pytest.mark.parametrize(("may_be_empty", "answer"), [(True, ""), (False, None)])
def test_that_an_empty_answer_counts_only_where_it_may(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, may_be_empty: bool, answer: str | None
) -> None:
    def accept_blank(dialog: QInputDialog) -> int:
        dialog.setTextValue(" ")
        return QInputDialog.DialogCode.Accepted

    monkeypatch.setattr(QInputDialog, "exec", accept_blank)
    assert Ask().text("Note", "?", may_be_empty=may_be_empty) == answer


def test_that_choosing_a_kind_of_file_gives_the_file_its_ending(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choose_second(dialog: QFileDialog) -> int:
        dialog.filterSelected.emit(dialog.nameFilters()[1])
        return QFileDialog.DialogCode.Accepted

    monkeypatch.setattr(QFileDialog, "exec", choose_second)
    path = Ask().file_to_save("Export", "model.onnx", "ONNX (*.onnx);;LiteRT (*.tflite)")
    assert path is not None
    assert path.name == "model.tflite"


def test_that_deleted_runs_come_back_one_delete_at_a_time(qtbot: QtBot, panel: Shown) -> None:
    panel.choose(0)
    qtbot.mouseClick(panel.button("deleteRunsButton"), LEFT)
    panel.choose(0, 1)
    qtbot.mouseClick(panel.button("deleteRunsButton"), LEFT)
    assert panel.column(2) == []
    assert panel.hint == "No training has been made yet"
    qtbot.mouseClick(panel.button("undoRunsButton"), LEFT)
    assert panel.column(2) == ["completed", "interrupted"]
    qtbot.mouseClick(panel.button("undoRunsButton"), LEFT)
    assert len(panel.column(2)) == 3
    assert panel.session.told == ["Undone: deletion of 2 runs.", "Undone: deletion of 1 run."]
    panel.session.undo_stack.redo()
    assert panel.column(2) == ["completed", "interrupted"]
    panel.session.undo()
    assert not panel.button("undoRunsButton").isVisible()


def test_that_the_trash_can_be_looked_into_and_emptied_back(qtbot: QtBot, panel: Shown) -> None:
    panel.choose(0)
    qtbot.mouseClick(panel.button("deleteRunsButton"), LEFT)
    qtbot.mouseClick(panel.button("runsTrashButton"), LEFT)
    assert panel.column(2) == ["failed"]
    panel.choose(0)
    assert panel.button("deleteRunsButton").text() == "Put back"
    qtbot.mouseClick(panel.button("deleteRunsButton"), LEFT)
    assert panel.hint == "The trash is empty"
    qtbot.mouseClick(panel.button("runsTrashButton"), LEFT)
    assert len(panel.column(2)) == 3


def test_that_a_run_which_has_just_ended_appears_and_the_choice_stays(
    panel: Shown, store: SampleStore
) -> None:
    panel.choose(1)
    store.runs.add(RunRecord("run", load_recipe("mlp-50-50").to_json()))
    panel.trainer.begin(request(), started())
    assert panel.column(2)[0] == "running"
    store.runs.end("run", state="completed", history=a_history())
    panel.trainer.end(JobEnding(request(), "finished", finished()))
    assert panel.column(2)[0] == "completed"
    assert panel.hint == "1 of 4 chosen"
    assert panel.loss_points("batches") == [0.25]


def test_that_what_a_terminal_has_trained_is_there_when_somebody_looks_again(
    qtbot: QtBot, panel: Shown, tmp_path: Path
) -> None:
    other = QWidget()
    qtbot.addWidget(other)
    panel.choose(1)
    panel.widget.hide()
    with SampleStore.open(tmp_path) as terminal:
        terminal.runs.add(RunRecord("d", load_recipe("mlp-50-50").to_json()))
        panel.widget.show()
        assert panel.hint == "1 of 4 chosen"
        other.show()
        other.activateWindow()
        qtbot.waitUntil(other.isActiveWindow)
        terminal.runs.end("d", state="completed", history=a_history())
        panel.widget.activateWindow()
    qtbot.waitUntil(lambda: panel.column(2)[0] == "completed")


def test_that_a_history_that_cannot_be_read_is_known_as_damaged_and_the_list_stays(
    panel: Shown, store: SampleStore
) -> None:
    with contextlib.closing(sqlite3.connect(store.path)) as db:
        db.execute("UPDATE runs SET history = 'junk' WHERE id = 'b'")
        db.commit()
    panel.choose(1)
    assert "curves of run b" in panel.session.store.damaged
    assert len(panel.column(0)) == 3


def test_that_how_curves_are_seen_is_remembered_here_too(panel: Shown) -> None:
    panel.choose(1)
    action(panel.widget, "Logarithmic").trigger()
    assert panel.preferences.curves["is_log"] is True


def test_that_how_curves_are_seen_elsewhere_counts_here(qtbot: QtBot, panel: Shown) -> None:
    panel.choose(1)
    panel.widget.hide()
    panel.preferences.curves = CurveSettings(smoothing=0.0, hidden=("training",)).to_json()
    panel.widget.show()
    assert panel.loss_points("smoothed") == []
    assert panel.loss_points("training") == []
    assert panel.loss_points("validation") == [0.3]


def several_epochs(*accuracies: float, best: int) -> History:
    history = History()
    for number, accuracy in enumerate(accuracies, 1):
        ended = replace(epoch(number), val_accuracy=accuracy, hold_out_accuracy=accuracy - 0.1)
        history.apply(replace(ended, is_best=number == best))
    return history


def test_that_the_table_shows_the_best_the_last_or_a_chosen_epoch_and_remembers_which(
    qtbot: QtBot, panel: Shown, store: SampleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.runs.end("c", state="completed", history=several_epochs(0.7, 0.9, 0.8, best=2))
    store.runs.end("b", state="completed", history=several_epochs(0.6, best=1))
    panel.widget.mark_stale()
    assert panel.column(4) == ["90.00 %", "60.00 %", "–"]
    box = panel.widget.findChild(QComboBox, "runsEpochBox")
    panel.choose(0, 1)

    def take(index: int) -> None:
        box.setCurrentIndex(index)
        box.activated.emit(index)

    take(1)
    qtbot.waitUntil(lambda: panel.column(4) == ["80.00 %", "60.00 %", "–"])
    assert panel.column(5) == ["70.00 %", "50.00 %", "–"]
    assert panel.differences["Validation, last epoch"] == ["80.00 %", "60.00 %"]
    panel.ask.epochs = 3
    take(box.count() - 1)
    qtbot.waitUntil(lambda: panel.column(4) == ["80.00 %", "–", "–"])
    assert box.currentText() == "Epoch 3"
    panel.session.closing.emit()
    again = Shown(store, tmp_path, monkeypatch)
    qtbot.addWidget(again.widget)
    with qtbot.waitExposed(again.widget):
        again.widget.show()
    qtbot.waitUntil(lambda: again.table.model().rowCount() and again.column(4) == ["80.00 %", "–", "–"])
    assert again.widget.findChild(QComboBox, "runsEpochBox").currentText() == "Epoch 3"
    again.session.closing.emit()


def test_that_a_comparison_leaves_out_what_is_the_same(panel: Shown, store: SampleStore) -> None:
    figures = replace(figures_of(a_history()), data={"MNIST": 54_000}, digests={"MNIST": "ab" * 32})
    for name in "bc":
        store.runs.end(name, state="completed", history=a_history(), figures=figures)
    panel.widget.mark_stale()
    panel.choose(0, 1)
    assert list(panel.differences) == ["Epochs"]
    store.runs.end(
        "c", state="completed", history=a_history(), figures=replace(figures, data={"MNIST": 6_000})
    )
    panel.widget.mark_stale()
    assert panel.differences == {"Epochs": ["20", "77"], "Trained on": ["MNIST 6,000", "MNIST 54,000"]}
    panel.choose(0)
    assert {"Ended", "Time", "Trained on", "SHA-256 of MNIST", "Optimizer"} <= set(panel.differences)


def test_that_no_more_runs_are_compared_than_colours_tell_apart(panel: Shown, store: SampleStore) -> None:
    for number in range(9):
        store.runs.add(RunRecord(f"more {number}", {"name": f"r{number}"}))
    panel.widget.mark_stale()
    panel.choose(*range(10))
    assert panel.hint == "10 runs are chosen; the first 8 are compared"
    assert len(panel.differences["Recipe"]) == 8


def test_that_runs_can_be_put_in_order_by_their_figures(panel: Shown) -> None:
    panel.table.sortByColumn(6, Qt.SortOrder.DescendingOrder)
    assert panel.column(2) == ["completed", "failed", "interrupted"]
    panel.table.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    assert panel.column(2) == ["interrupted", "failed", "completed"]
    panel.choose(2)
    assert panel.loss_points("batches") == [0.25]


def test_that_runs_can_be_looked_for_by_all_that_is_said_of_them(panel: Shown, store: SampleStore) -> None:
    store.runs.set_note("c", "Too Slow")
    panel.widget.mark_stale()
    search = panel.widget.findChild(QLineEdit, "runsSearch")
    for words, expected in (("epochs 77", ["completed"]), ("slow fail", ["failed"]), ("nothing", [])):
        search.setText(words)
        assert panel.column(2) == expected
    search.clear()
    assert len(panel.column(2)) == 3


def test_that_an_interrupted_run_is_resumed_and_an_ended_one_trained_longer(
    panel: Shown, qtbot: QtBot, tmp_path: Path
) -> None:
    for name in "ab":
        RunFolder(tmp_path, name).write_request(request(name).to_json())
    RunFolder(tmp_path, "b").write_checkpoint(a_checkpoint())
    panel.ask.epochs = 4
    for row, name, told in (
        (2, "resumeRunButton", ("resume", "a")),
        (1, "extendRunButton", ("extend", "b", 4)),
    ):
        panel.choose(row)
        offered = {name: panel.button(name).isVisible() for name in ("resumeRunButton", "extendRunButton")}
        assert offered == {"resumeRunButton": False, "extendRunButton": False} | {name: True}
        qtbot.mouseClick(panel.button(name), LEFT)
        assert panel.trainer.asked[-1] == told
    assert panel.ask.suggested_epochs == 38  # half of those that were planned
    panel.ask.epochs = None
    qtbot.mouseClick(panel.button("extendRunButton"), LEFT)
    assert len(panel.trainer.asked) == 2
    panel.choose(0)
    assert not panel.button("resumeRunButton").isVisible()
    panel.choose(0, 2)
    assert not panel.button("resumeRunButton").isVisible()


@pytest.mark.parametrize("state", ["diverged", "completed"])
def test_that_what_has_come_to_its_end_is_not_resumed(tmp_path: Path, state: str) -> None:
    RunFolder(tmp_path, "run").write_request(request().to_json())
    assert not can_be_resumed(tmp_path, RunRecord("run", {}, state=state))


def test_that_a_run_of_another_process_is_left_alone(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "run")
    folder.write_request(request().to_json())
    assert can_be_resumed(tmp_path, RunRecord("run", {}))
    assert folder.lock.acquire()
    assert is_running(tmp_path, RunRecord("run", {}, state="running"))
    assert not can_be_resumed(tmp_path, RunRecord("run", {}))
    folder.lock.release()


def test_that_a_run_of_another_window_is_not_called_interrupted(panel: Shown, tmp_path: Path) -> None:
    assert panel.column(2)[2] == "interrupted"
    with running_elsewhere(tmp_path, "a"):
        panel.widget.reload()
        assert panel.column(2)[2] == "running elsewhere"


def test_that_a_running_training_cannot_be_deleted(panel: Shown, store: SampleStore, tmp_path: Path) -> None:
    store.runs.add(RunRecord("run", load_recipe("mlp-50-50").to_json()))
    panel.trainer.begin(request(), started())
    delete = panel.button("deleteRunsButton")
    with running_elsewhere(tmp_path, "a"):
        panel.widget.reload()
        for row, can_be_deleted in ((0, False), (1, True), (2, True), (3, False)):
            panel.choose(row)
            assert delete.isEnabled() == can_be_deleted
    store.runs.end("run", state="completed", history=a_history())
    panel.trainer.end(JobEnding(request(), "finished", finished()))
    panel.choose(0)
    assert delete.isEnabled()


def test_that_a_run_which_a_model_came_of_shows_its_result_again(panel: Shown, store: SampleStore) -> None:
    store.runs.end("b", state="completed", model="/models/b.h5", history=a_history())
    panel.widget.mark_stale()
    panel.choose(1)
    assert panel.tabs.isTabVisible(1)
    assert panel.looked_at == []
    panel.table.activated.emit(panel.table.model().index(1, 0))
    assert (panel.tabs.tabText(panel.tabs.currentIndex()), panel.looked_at) == ("Result", ["b"])
    panel.choose(0)
    assert not panel.tabs.isTabVisible(1)
    panel.choose(0, 1)
    assert not panel.tabs.isTabVisible(1)
    assert panel.tabs.tabText(2) == "Differences"


def test_that_the_trash_is_emptied_only_after_a_question(
    qtbot: QtBot, panel: Shown, store: SampleStore
) -> None:
    for row in (0, 0):
        panel.choose(row)
        qtbot.mouseClick(panel.button("deleteRunsButton"), LEFT)
    assert not panel.button("emptyRunsTrashButton").isVisible()
    qtbot.mouseClick(panel.button("runsTrashButton"), LEFT)
    qtbot.mouseClick(panel.button("emptyRunsTrashButton"), LEFT)
    assert panel.ask.questions[0].startswith("Delete 2 runs for good, with curves")
    assert sorted(panel.column(2)) == ["completed", "failed"]
    panel.ask.reply = "yes"
    qtbot.mouseClick(panel.button("emptyRunsTrashButton"), LEFT)
    assert panel.column(2) == ["interrupted"]
    qtbot.waitUntil(panel.button("runsTrashButton").isEnabled)
    panel.session.closing.emit()
    assert store.runs.records(in_trash=True) == []
    assert not panel.button("undoRunsButton").isVisible()
    assert panel.session.reported == []


def test_that_a_run_that_ended_in_its_first_epoch_does_not_look_as_if_each_batch_were_one(
    panel: Shown, store: SampleStore
) -> None:
    history = History()
    history.apply(batch(5))
    store.runs.save_history("a", history, replace(figures_of(history), steps_per_epoch=10))
    panel.widget.mark_stale()
    panel.choose(2)
    plot = panel.widget.findChild(Plot, "runs.lossPlot")
    assert plotted(plot, "batches")[0] == [0.5]


def test_that_a_narrow_window_shows_the_list_without_scrolling(qtbot: QtBot, panel: Shown) -> None:
    panel.widget.resize(540, 600)
    qtbot.waitUntil(lambda: panel.table.width() < 540)
    assert panel.table.horizontalScrollBar().maximum() == 0
    header = panel.table.horizontalHeader()
    (recipe,) = [choice for choice in header.actions() if choice.text() == "Recipe"]
    recipe.trigger()
    assert not panel.table.isColumnHidden(8)

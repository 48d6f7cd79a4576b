"""The *Studies* tab: what it shows of studies on disk, how one is begun, steered and resumed, and what becomes of a trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableView,
    QTableWidget,
    QTabWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui.fake_engine import FakeEngines
from gui.models import saved_model
from gui.plotted import plotted
from gui.stand_ins import Answers
from qtdigits.core.recipe import recipe_of
from qtdigits.core.run.control import StudyControl
from qtdigits.core.run.events import EpochEnded, Event, JobCancelled, JobProgress, RunContinued, RunPaused
from qtdigits.core.run.figures import figures_of
from qtdigits.core.run.history import History
from qtdigits.core.search import Search
from qtdigits.core.study import GRID, StudySpec
from qtdigits.engine.protocol import RunJob
from qtdigits.gui.import_export import ImportExport
from qtdigits.gui.main_window import MainWindow
from qtdigits.gui.panels.studies.new_study import NewStudyDialog
from qtdigits.gui.panels.studies.studies_panel import StudiesPanel
from qtdigits.gui.plots.calm_plot import CalmPlot
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.store.tables.runs import RunRecord
from qtdigits.training import train
from qtdigits.training.jobs import StudyJob
from qtdigits.training.studies import work_on
from qtdigits.training.study_overview import StudyReader
from qtdigits.training.study_storage import JOURNAL, create_or_join
from tests.training.study_workers import train_at_once

TINY = recipe_of({"dense": "16", "epochs": 2, "mnist_images": 0, "synthetic_images": 200})
MakePanel = Callable[[], StudiesPanel]


def make_study(folder: Path, *search: str, name: str = "widths", trials: int = 4, second: str = "") -> None:
    parsed = tuple(map(Search.parse, search))
    spec = StudySpec(TINY, parsed, sampler=GRID, trials=trials, use_drawings=False, second=second)
    create_or_join(name, spec.checked(), data_dir=folder)


def work(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "widths", *, most: int = 1_000_000
) -> None:
    """Work on a study until its end, or until `most` epochs have ended."""
    monkeypatch.setattr(train, "train_job", train_at_once)
    control, epochs = StudyControl(), []

    def on_event(event: Event) -> None:
        epochs.extend([event] if isinstance(event, EpochEnded) else [])
        if len(epochs) >= most:
            control.stop()

    spec = StudySpec(TINY, (Search.parse("neurons=16|32"),))
    work_on(create_or_join(name, spec, data_dir=folder), data_dir=folder, control=control, on_event=on_event)


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def make_panel(qtbot: QtBot, session: Session, trainer: Trainer, answers: Answers) -> Iterator[MakePanel]:
    made = []  # one that goes before the session is closed would take its thread with it

    def make() -> StudiesPanel:
        panel = StudiesPanel(
            session=session, trainer=trainer, import_export=ImportExport(session=session, ask=answers)
        )
        made.append(panel)
        qtbot.addWidget(panel)
        panel.resize(800, 700)
        with qtbot.waitExposed(panel):
            panel.show()
        return panel

    yield make
    session.close()


@pytest.fixture
def finished(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, make_panel: MakePanel, qtbot: QtBot
) -> StudiesPanel:
    """A panel that shows a study of 16, 32, 48 and 64 neurons that has ended."""
    make_study(data_dir, "neurons=16|32|48|64")
    work(data_dir, monkeypatch)
    panel = make_panel()
    qtbot.waitUntil(lambda: said(panel, "studyStatus").startswith("finished"))
    return panel


def said(panel: QWidget, name: str) -> str:
    return panel.findChild(QLabel, name).text()


def press(panel: QWidget, name: str) -> None:
    QTest.mouseClick(panel.findChild(QPushButton, name), Qt.MouseButton.LeftButton)


def is_offered(panel: QWidget, name: str) -> bool:
    offered = panel.findChild(QPushButton, name)
    return offered.isVisible() and offered.isEnabled()


def rows(panel: QWidget) -> list[list[str]]:
    table = panel.findChild(QTableWidget, "studiesTable")
    return [
        [table.item(row, column).text() for column in range(table.columnCount())]
        for row in range(table.rowCount())
    ]


def turn_to(panel: QWidget, title: str) -> None:
    pages = panel.findChild(QTabWidget, "studyTabs")
    pages.setCurrentIndex([pages.tabText(i) for i in range(pages.count())].index(title))
    QApplication.processEvents()  # a page is made, then shown


def chart(panel: QWidget, title: str) -> CalmPlot:
    return panel.findChild(QWidget, f"study {title}").findChild(CalmPlot)


# What is on disk.


def test_that_an_empty_tab_says_what_a_study_is(make_panel: MakePanel, qtbot: QtBot) -> None:
    panel = make_panel()
    assert panel.findChild(QLabel, "studiesHint").isVisible()
    assert "A study trains one recipe many times" in said(panel, "studiesHint")
    assert is_offered(panel, "newStudyButton")
    assert not panel.findChild(QTabWidget, "studyTabs").isVisible()


def test_that_a_study_is_listed_with_its_best_trial_and_its_interval(finished: StudiesPanel) -> None:
    assert rows(finished) == [["widths", "4 of 4", "64.00 % (54.24 to 72.73 %)", "finished"]]
    assert said(finished, "bestTrial") == (
        "The best of 4 complete trials reads 64.00 % (54.24 to 72.73 %) of the validation part right: neurons = 64."
    )
    assert said(finished, "studyStatus") == "finished · 4 complete of 4"
    assert said(finished, "chosenTrial").startswith("Trial 3: 64.00 %")


@pytest.mark.parametrize("name", ["journals", "importances-of/widths"])
def test_that_a_study_may_have_any_name(
    name: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch, make_panel: MakePanel, qtbot: QtBot
) -> None:
    make_study(data_dir, "neurons=16|32", name=name, trials=2)
    work(data_dir, monkeypatch, name)
    panel = make_panel()
    qtbot.waitUntil(lambda: said(panel, "studyStatus").startswith("finished"))
    assert [row[0] for row in rows(panel)] == [name]


def test_that_the_tab_fits_a_small_screen(finished: StudiesPanel) -> None:
    for title in ("One field", "All fields", "Importance", "Curves", "Trials"):
        turn_to(finished, title)
    assert finished.minimumSizeHint().width() <= 480
    assert finished.minimumSizeHint().height() <= 420


def test_that_the_history_shows_each_trial_and_the_best_so_far(finished: StudiesPanel) -> None:
    shown = chart(finished, "History")
    assert plotted(shown, "trial") == ([0, 1, 2, 3], [0.16, 0.32, 0.48, 0.64])
    assert plotted(shown, "best so far")[1][-1] == 0.64
    assert plotted(shown, "chosen trial") == ([3], [0.64])


def test_that_slices_curves_and_parallel_coordinates_show_the_same_trials(finished: StudiesPanel) -> None:
    for title in ("One field", "All fields", "Curves"):
        turn_to(finished, title)
    x, y = plotted(chart(finished, "One field"), "trial")
    assert x == pytest.approx([0.125, 0.375, 0.625, 0.875])
    assert y == [0.16, 0.32, 0.48, 0.64]
    assert plotted(chart(finished, "Curves"), "chosen trial") == ([1, 2], [0.64, 0.64])
    assert plotted(chart(finished, "All fields"), "best tenth")[0][:2] == [0, 1]


def test_that_a_trial_chosen_in_the_table_is_chosen_in_the_charts(finished: StudiesPanel) -> None:
    turn_to(finished, "Trials")
    table = finished.findChild(QTableView, "trialsTable")
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Down)
    assert said(finished, "chosenTrial").startswith("Trial 2: 48.00 %")
    turn_to(finished, "History")
    assert plotted(chart(finished, "History"), "chosen trial") == ([2], [0.48])


def test_that_a_second_objective_has_a_page_of_its_own(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, make_panel: MakePanel, qtbot: QtBot
) -> None:
    make_study(data_dir, "neurons=16|64", second="size")
    work(data_dir, monkeypatch)
    panel = make_panel()
    qtbot.waitUntil(lambda: said(panel, "studyStatus").startswith("finished"))
    turn_to(panel, "Trade-off")
    size_kb = len(b"a model") / 1000
    assert plotted(chart(panel, "Trade-off"), "none is better in both") == ([size_kb], [0.64])


def test_that_importances_have_intervals_and_find_what_matters(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_study(data_dir, "neurons=10|20|30|40|50", "patience=5|6|7|8", trials=20)
    work(data_dir, monkeypatch)
    found = StudyReader(data_dir).importances("widths")
    assert list(found) == ["neurons", "patience"]
    assert sum(value for value, _, _ in found.values()) == pytest.approx(1)
    assert all(low <= value <= high for value, low, high in found.values())


def test_that_what_a_terminal_adds_is_seen(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, make_panel: MakePanel, qtbot: QtBot
) -> None:
    make_study(data_dir, "neurons=16|32|48|64")
    panel = make_panel()
    qtbot.waitUntil(lambda: said(panel, "studyStatus") == "interrupted · 0 complete of 4")
    work(data_dir, monkeypatch)
    qtbot.waitUntil(lambda: said(panel, "studyStatus") == "finished · 4 complete of 4")


def test_that_a_journal_that_cannot_be_read_says_so_in_its_row(
    data_dir: Path, make_panel: MakePanel, qtbot: QtBot
) -> None:
    path = data_dir / "studies" / "broken" / JOURNAL
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no journal\n" * 3)
    panel = make_panel()
    qtbot.waitUntil(lambda: rows(panel) != [] and rows(panel)[0][3] == "cannot be read")
    assert panel.findChild(QLabel, "studiesHint").isVisible()


# Begun, steered, resumed.


def test_that_a_page_about_the_study_is_saved(
    finished: StudiesPanel, answers: Answers, session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    answers.reply = tmp_path / "page.html"
    with qtbot.waitSignal(session.notice_given, timeout=20_000, check_params_cb=lambda text: "done." in text):
        press(finished, "saveStudyReportButton")
    assert "Report about the study widths" in answers.reply.read_text("utf-8")


def test_that_there_is_no_page_about_a_study_without_a_complete_trial(
    make_panel: MakePanel, data_dir: Path, qtbot: QtBot
) -> None:
    make_study(data_dir, "neurons=16|32")
    panel = make_panel()
    qtbot.waitUntil(lambda: said(panel, "studyStatus").startswith("interrupted"))
    assert not is_offered(panel, "saveStudyReportButton")


def job_of(engines: FakeEngines) -> StudyJob:
    (command,) = [one for one in engines[-1].commands if isinstance(one, RunJob)]
    assert isinstance(command.job, StudyJob)
    return command.job


def test_that_a_study_is_begun_from_the_form(
    make_panel: MakePanel, engines: FakeEngines, trainer: Trainer, qtbot: QtBot
) -> None:
    panel = make_panel()
    press(panel, "newStudyButton")
    dialog = panel.findChild(NewStudyDialog)
    dialog.findChild(QLineEdit, "studyNameEdit").setText("rates")
    dialog.findChild(QLineEdit, "studyTrialsEdit").setText("7")
    press(dialog, "startStudyButton")
    qtbot.waitUntil(lambda: len(engines) == 1 and engines[-1].command_names == ["run_job"])
    job = job_of(engines)
    spec = StudySpec.from_json(job.spec)
    assert (job.name, spec.trials, spec.recipe.name) == ("rates", 7, "quick")
    assert rows(panel) == [["rates", "…", "", "starting"]]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("studyNameEdit", "a b", "cannot be the name of a study"),
        ("studyTrialsEdit", "many", "no number of trials"),
        ("searchValuesEdit", "9..1", "is no range of it"),
    ],
)
def test_that_the_form_says_what_is_wrong_and_begins_nothing(
    name: str, text: str, problem: str, make_panel: MakePanel
) -> None:
    panel = make_panel()
    press(panel, "newStudyButton")
    dialog = panel.findChild(NewStudyDialog)
    dialog.findChild(QLineEdit, name).setText(text)
    assert problem in said(dialog, "newStudyNote")
    assert not is_offered(dialog, "startStudyButton")


def test_that_an_interrupted_study_is_resumed_paused_and_stopped(
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_panel: MakePanel,
    engines: FakeEngines,
    trainer: Trainer,
    qtbot: QtBot,
) -> None:
    make_study(data_dir, "neurons=16|32|48|64")
    work(data_dir, monkeypatch, most=3)
    panel = make_panel()
    qtbot.waitUntil(lambda: said(panel, "studyStatus") == "interrupted · 1 complete of 4")
    press(panel, "resumeStudyButton")
    qtbot.waitUntil(lambda: len(engines) == 1 and engines[-1].command_names == ["run_job"])
    job = job_of(engines)
    assert (job.name, job.spec) == ("widths", {})
    engines[-1].say(JobProgress(job.id, job.kind, "trial 1: epoch 1 of 2, 0:03 left"))
    qtbot.waitUntil(lambda: "trial 1: epoch 1 of 2" in said(panel, "studyStatus"))
    press(panel, "pauseStudyButton")
    engines[-1].say(RunPaused("run"))
    qtbot.waitUntil(lambda: said(panel, "studyStatus").startswith("paused"))
    press(panel, "resumeStudyButton")
    engines[-1].say(RunContinued("run"))
    qtbot.waitUntil(lambda: said(panel, "studyStatus").startswith("running"))
    press(panel, "stopStudyButton")
    assert said(panel, "studyStatus").startswith("stopping")
    engines[-1].say(JobCancelled(job.id, job.kind))
    qtbot.waitUntil(lambda: is_offered(panel, "resumeStudyButton"))
    assert engines[-1].command_names == ["run_job", "pause", "resume", "stop"]


# A trial.


def test_that_a_trial_is_shown_among_the_runs(
    finished: StudiesPanel, data_dir: Path, session: Session, qtbot: QtBot
) -> None:
    study = StudyReader(data_dir).read("widths")
    assert study is not None
    assert study.best is not None
    with qtbot.waitSignal(session.run_wanted) as wanted:
        press(finished, "openTrialButton")
    assert wanted.args == [study.best.run]


@pytest.mark.parametrize("is_deleted", [False, True])
def test_that_a_run_that_is_wanted_is_chosen_in_its_tab(window: MainWindow, is_deleted: bool) -> None:
    runs = window.session.store.runs
    for name in ("one", "two"):
        runs.add(RunRecord(name, {"name": name}, started_at=datetime(2024, 5, 1, tzinfo=UTC)))
        runs.end(name, state="cancelled", history=History(), figures=figures_of(History()))
    if is_deleted:
        runs.delete(["one"])
    window.session.show_run("one")
    assert window.tabs.tabText(window.tabs.currentIndex()) == "Runs"
    (chosen,) = window.findChild(QTableView, "runsTable").selectionModel().selectedRows()
    assert chosen.data() == "one"


def test_that_a_run_of_another_machine_is_not_looked_for_in_the_trash(
    window: MainWindow, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(window.session.notice_given) as given:
        window.session.show_run("one")
    assert "another machine" in given.args[0]
    assert not window.findChild(QPushButton, "runsTrashButton").isChecked()


def test_that_the_model_of_a_trial_is_used_with_one_click(
    finished: StudiesPanel, data_dir: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[Path] = []
    monkeypatch.setattr(session, "use_model", used.append)
    press(finished, "useTrialButton")
    assert used == [data_dir / "studies" / "widths" / "models" / "0003-1.h5"]


def test_that_the_model_of_a_trial_is_named_at_the_top(window: MainWindow, data_dir: Path) -> None:
    window.top_bar.list_models()
    path = data_dir / "studies" / "widths" / "models" / "0003-1.h5"
    saved_model(path, drawn_accuracy=0.9)
    window.session.use_model(path)
    assert window.findChild(QComboBox, "modelBox").currentData() == str(path)

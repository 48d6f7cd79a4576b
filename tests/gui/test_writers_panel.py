"""The writers panel: what it would measure, its progress, and the matrix."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from gui.fake_engine import FakeEngines
from qtdigits.core.drawing.samples import Suspicion
from qtdigits.core.recipe_files import load_recipe
from qtdigits.core.run.events import JobCancelled, JobFailed, JobFinished, JobProgress
from qtdigits.core.score.comparison import PairedComparison
from qtdigits.core.score.writers import BASE, MatrixRow, WriterMatrix
from qtdigits.errors import QtDigitsError
from qtdigits.gui.engine_process import EngineState
from qtdigits.gui.panels import writers_panel
from qtdigits.gui.panels.writers_panel import ONE_WRITER, MatrixTable, WritersPanel
from qtdigits.gui.session import Session
from qtdigits.gui.theme import palette_of
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.colours import DARK
from qtdigits.store.frames import MATRIX_COLUMNS
from qtdigits.store.kept_files import load_writer_matrix
from qtdigits.training.jobs import WriterMatrixJob
from store.values import a_sample

MATRIX = WriterMatrix(
    "default",
    "drawings",
    ("ada", "bob"),
    (
        MatrixRow(BASE, BASE, 0, {"ada": PairedComparison(100, 60, 60), "bob": PairedComparison(50, 49, 49)}),
        MatrixRow(
            "writer",
            "ada",
            80,
            {"ada": PairedComparison(20, 10, 20, 10, 0), "bob": PairedComparison(50, 49, 49)},
        ),
        MatrixRow("writer", "bob", 40, {"ada": PairedComparison(100, 60, 51, 0, 9)}),
    ),
    is_whole=False,
)


class SaveTo:
    """Stands in for the dialogs."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def file_to_save(self, *_question: str) -> Path:
        return self._path


class Room:
    """The panel, what a person sees and does there, and the engine behind it."""

    def __init__(
        self,
        session: Session,
        trainer: Trainer,
        engines: FakeEngines,
        folder: Path,
        qtbot: QtBot,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.session, self.trainer, self.engines, self.folder = session, trainer, engines, folder
        self.now_s = 0.0
        monkeypatch.setattr(writers_panel, "monotonic", lambda: self.now_s)
        self.panel = self.made()
        qtbot.addWidget(self.panel)
        self.problems: list[QtDigitsError] = []
        self.notices: list[str] = []
        session.problem_met.connect(self.problems.append)
        session.notice_given.connect(self.notices.append)
        self.panel.show()

    def made(self) -> WritersPanel:
        return WritersPanel(
            session=self.session,
            trainer=self.trainer,
            ask=SaveTo(self.folder / "out.csv"),  # type: ignore[arg-type]
        )

    def button(self, name: str) -> QPushButton:
        found = self.panel.findChild(QPushButton, name)
        assert isinstance(found, QPushButton)
        return found

    def text(self, name: str) -> str:
        found = self.panel.findChild(QLabel, name)
        assert isinstance(found, QLabel)
        return found.text() if not found.isHidden() else ""

    @property
    def table(self) -> MatrixTable:
        found = self.panel.findChild(MatrixTable)
        assert isinstance(found, MatrixTable)
        return found

    def cell(self, row: int, column: int) -> str:
        item = self.table.item(row, column)
        assert item is not None
        return item.text().strip()

    def begin(self, qtbot: QtBot) -> str:
        self.button("measureButton").click()
        qtbot.waitUntil(lambda: self.trainer.state is EngineState.WORKING)
        assert self.trainer.current is not None
        return self.trainer.current.id


@pytest.fixture
def room(
    qtbot: QtBot,
    data_dir: Path,
    session: Session,
    trainer: Trainer,
    engines: FakeEngines,
    monkeypatch: pytest.MonkeyPatch,
) -> Room:
    session.store.add_samples(a_sample("7", "ada") for _ in range(5))
    return Room(session, trainer, engines, data_dir, qtbot, monkeypatch)


def test_that_one_writer_is_not_enough_and_two_are(room: Room) -> None:
    assert room.text("matrixStatus") == ONE_WRITER
    assert not room.button("measureButton").isEnabled()
    room.session.store.add_samples([a_sample("7", "bob")])
    room.session.samples_edited()
    assert room.text("matrixStatus") == "2 writers, 6 drawings: 4 trainings in the background"
    assert room.button("measureButton").isEnabled()
    of_ada = room.session.store.ids(writer="ada").tolist()
    room.session.store.mark_suspects({of_ada[0]: Suspicion(0.9, "1", "looks like a 1")})
    room.session.samples_edited()
    assert room.text("matrixStatus") == (
        "2 writers, 5 drawings: 4 trainings in the background; 1 doubtful drawing is not counted"
    )


@pytest.fixture
def two(room: Room) -> Room:
    room.session.store.add_samples([a_sample("7", "bob")])
    room.session.samples_edited()
    return room


def test_that_it_begins_with_the_best_shipped_model(two: Room, qtbot: QtBot) -> None:
    two.begin(qtbot)
    assert two.trainer.current is not None
    assert isinstance(two.trainer.current.job, WriterMatrixJob)
    assert two.trainer.current.job.model.endswith("b.h5")


def test_that_progress_is_told_with_what_is_left(two: Room, qtbot: QtBot) -> None:
    job_id = two.begin(qtbot)
    assert not two.button("measureButton").isVisible()
    assert two.button("stopMeasuringButton").isVisible()
    two.engines[0].say(JobProgress(job_id, "writer matrix", "Learning from ada", 0, 4))
    qtbot.waitUntil(lambda: two.text("matrixStatus") == "Learning from ada · 0 of 4 trainings done")
    two.now_s = 20.0
    two.engines[0].say(JobProgress(job_id, "writer matrix", "Learning from bob", 1, 4))
    told = "Learning from bob · 1 of 4 trainings done · about 1:00 left"
    qtbot.waitUntil(lambda: two.text("matrixStatus") == told)


def test_that_what_came_out_is_shown_and_kept(two: Room, qtbot: QtBot) -> None:
    job_id = two.begin(qtbot)
    two.engines[0].say(JobFinished(job_id, "writer matrix", {"matrix": MATRIX.to_json()}))
    qtbot.waitUntil(lambda: not two.trainer.is_busy)
    assert two.button("measureButton").isVisible()
    assert [two.cell(0, 0), two.cell(1, 0), two.cell(2, 0), two.cell(2, 1)] == [
        "60.0 %\n50.2 to 69.1",
        "▲ 100.0 %\n83.9 to 100.0",
        "▼ 51.0 %\n41.3 to 60.6",
        "–",
    ]
    own = two.table.item(1, 0)
    assert own is not None
    assert own.font().bold()
    assert "10 fixed, 0 broken" in own.toolTip()
    assert "was stopped" in two.text("matrixAbout")
    assert load_writer_matrix(two.folder) == MATRIX
    later = two.made()
    qtbot.addWidget(later)
    table = later.findChild(MatrixTable)
    assert isinstance(table, MatrixTable)
    assert table.rowCount() == 3
    later.setPalette(palette_of(DARK))
    assert table.item(1, 0).background().color().name() == DARK.good


def test_that_a_matrix_of_writers_who_are_gone_says_so(two: Room, qtbot: QtBot) -> None:
    job_id = two.begin(qtbot)
    two.engines[0].say(JobFinished(job_id, "writer matrix", {"matrix": MATRIX.to_json()}))
    qtbot.waitUntil(lambda: not two.trainer.is_busy)
    assert "any more" not in two.text("matrixAbout")
    two.session.rename_writer("bob", "Robert")
    assert "bob is not among the writers any more: measure anew." in two.text("matrixAbout")


def test_that_it_is_written_as_csv(two: Room, qtbot: QtBot) -> None:
    assert not two.button("exportMatrixButton").isEnabled()
    job_id = two.begin(qtbot)
    two.engines[0].say(JobFinished(job_id, "writer matrix", {"matrix": MATRIX.to_json()}))
    qtbot.waitUntil(lambda: not two.trainer.is_busy)
    two.button("exportMatrixButton").click()
    assert "out.csv" in two.notices[0]
    assert (two.folder / "out.csv").read_text().startswith(",".join(MATRIX_COLUMNS))


def test_that_stop_and_cancel_reach_the_engine(two: Room, qtbot: QtBot) -> None:
    two.begin(qtbot)
    two.button("stopMeasuringButton").click()
    assert two.engines[0].command_names == ["run_job", "stop"]
    two.button("cancelMeasuringButton").click()
    assert two.engines[0].command_names == ["run_job", "stop", "cancel"]


def test_that_cancelling_is_answered(two: Room, qtbot: QtBot) -> None:
    job_id = two.begin(qtbot)
    two.button("cancelMeasuringButton").click()
    two.engines[0].say(JobCancelled(job_id, "writer matrix"))
    qtbot.waitUntil(lambda: not two.trainer.is_busy)
    assert two.text("matrixStatus") == "Ended without a result."
    assert two.button("measureButton").isVisible()


def test_that_a_stop_before_anything_was_learned_keeps_the_matrix_of_before(two: Room, qtbot: QtBot) -> None:
    first = two.begin(qtbot)
    two.engines[0].say(JobFinished(first, "writer matrix", {"matrix": MATRIX.to_json()}))
    qtbot.waitUntil(lambda: not two.trainer.is_busy)
    second = two.begin(qtbot)
    bare = replace(MATRIX, rows=MATRIX.rows[:1])
    two.engines[0].say(JobFinished(second, "writer matrix", {"matrix": bare.to_json()}))
    qtbot.waitUntil(lambda: not two.trainer.is_busy)
    assert two.text("matrixStatus") == "Ended without a result; the matrix measured before stays."
    assert two.table.rowCount() == len(MATRIX.rows)
    assert load_writer_matrix(two.folder) == MATRIX


def test_that_a_failure_is_said_and_the_matrix_of_before_stays(two: Room, qtbot: QtBot) -> None:
    job_id = two.begin(qtbot)
    two.engines[0].say(JobFailed(job_id, "writer matrix", "store", "The disk is full.", "Make some room."))
    qtbot.waitUntil(lambda: not two.trainer.is_busy)
    assert str(two.problems[0]) == "The disk is full. Make some room."
    two.trainer.train(load_recipe("quick"))
    two.button("measureButton").click()
    assert "The engine is busy" in str(two.problems[1])

"""Asking the engine to look through the labels, and saying when more drawings wait than before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gui.fake_engine import FakeEngines, request, started
from gui.models import saved_model
from qtdigits.core.drawing.samples import Suspicion
from qtdigits.core.run.events import JobFailed, JobFinished, JobProgress
from qtdigits.errors import QtDigitsError
from qtdigits.gui.engine.engine_controller import EngineController, EngineState
from qtdigits.gui.samples.label_checks import BUSY, TRAINING, LabelChecks, checked_text
from qtdigits.gui.session import Session
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import WriterMatrixJob
from store.values import a_sample

STROKE = np.array([[0, 0, 0, 1], [10, 10, 50, 1]], np.float32)
DOUBT = Suspicion(0.8, "1", "looks like a 1, and like your own 1s")


class Bench:
    def __init__(self, session: Session, controller: EngineController, engines: FakeEngines, folder: Path):
        self.session, self.controller, self.engines = session, controller, engines
        self.checks = LabelChecks(session=session, controller=controller, data_dir=folder)
        self.said: list[str] = []
        self.grown: list[int] = []
        self.problems: list[QtDigitsError] = []
        self.checks.told.connect(self.said.append)
        self.checks.waiting_grew.connect(self.grown.append)
        session.problem_met.connect(self.problems.append)

    @property
    def errand(self) -> str:
        assert self.controller.other_job is not None
        return self.controller.other_job.id

    def doubt(self, *ids: int) -> None:
        """As the engine does: by a connection of its own."""
        with SampleStore.open(self.session.store.path.parent) as store:
            store.mark_suspects(dict.fromkeys(ids, DOUBT))


@pytest.fixture
def bench(
    data_dir: Path, tmp_path: Path, controller: EngineController, engines: FakeEngines
) -> Iterator[Bench]:
    saved_model(tmp_path / "shipped" / "a.h5", drawn_accuracy=0.9)
    store = SampleStore.open(data_dir)
    store.add_samples(a_sample("7") for _ in range(5))
    library = ModelLibrary(data_dir, shipped=tmp_path / "shipped")
    session = Session(store=store, library=library, data_dir=data_dir)
    yield Bench(session, controller, engines, data_dir)
    store.close()


def wait_for_work(qtbot: QtBot, bench: Bench) -> None:
    qtbot.waitUntil(lambda: bench.controller.state is EngineState.WORKING)


def test_that_a_check_says_what_it_does_and_what_it_found(qtbot: QtBot, bench: Bench) -> None:
    bench.checks.start()
    wait_for_work(qtbot, bench)
    errand = bench.errand
    bench.doubt(2, 3)
    bench.engines[0].say(JobProgress(errand, "label review", "Checking the labels", 0, 1))
    bench.engines[0].say(JobFinished(errand, "label review", {"n": 5, "waiting": 2}))
    qtbot.waitUntil(lambda: not bench.checks.is_busy)
    assert bench.said == [
        "Checking the labels …",
        "Checking the labels: 0 of 1 writers …",
        "5 looked through; 2 wait for your eye.",
    ]
    assert bench.grown == [2]


def test_that_drawings_that_wait_already_are_not_announced_again(qtbot: QtBot, bench: Bench) -> None:
    bench.doubt(2)
    bench.checks.start()
    wait_for_work(qtbot, bench)
    bench.engines[0].say(JobFinished(bench.errand, "label review", {"n": 5, "waiting": 1}))
    qtbot.waitUntil(lambda: not bench.checks.is_busy)
    assert bench.grown == []


def test_that_what_a_training_finds_is_said_between_two_drawings(qtbot: QtBot, bench: Bench) -> None:
    bench.session.add_stroke(STROKE, "mouse")
    bench.controller.train(request())
    qtbot.waitUntil(lambda: bench.controller.state is EngineState.TRAINING)
    bench.doubt(2)
    with qtbot.waitSignal(bench.session.samples_changed):
        bench.engines[0].say(started())
    assert bench.grown == []
    bench.session.skip()
    assert bench.grown == [1]


def test_that_a_busy_engine_is_said_to_be_busy(qtbot: QtBot, bench: Bench) -> None:
    bench.controller.train(request())
    bench.checks.start()
    bench.controller.cancel()
    bench.controller.run(WriterMatrixJob("m", "data"))
    bench.checks.start()
    assert bench.said == [TRAINING, BUSY]
    assert not bench.checks.is_busy


def test_that_a_failure_is_a_problem_with_its_remedy(qtbot: QtBot, bench: Bench) -> None:
    bench.checks.start()
    wait_for_work(qtbot, bench)
    bench.engines[0].say(
        JobFailed(bench.errand, "label review", "store", "The disk is full.", "Make some room.")
    )
    qtbot.waitUntil(lambda: not bench.checks.is_busy)
    assert [str(error) for error in bench.problems] == ["The disk is full. Make some room."]
    bench.checks.start()
    bench.engines[0].die()
    qtbot.waitUntil(lambda: not bench.checks.is_busy)
    assert "once more" in str(bench.problems[-1])


@pytest.mark.parametrize(
    ("n", "waiting", "text"),
    [
        (0, 0, "There is nothing to look through yet."),
        (1, 0, "1 looked through; nothing looks wrong."),
        (1200, 1, "1,200 looked through; 1 waits for your eye."),
    ],
)
def test_that_numbers_are_said_in_words(n: int, waiting: int, text: str) -> None:
    assert checked_text(n, waiting) == text

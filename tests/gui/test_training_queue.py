"""Trainings in line: one at a time, in an order that can be changed, by one window, and none is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from gui.fake_engine import FakeEngines, batch, request
from gui.stand_ins import FakeSession
from qtdigits.core.recipe import Recipe
from qtdigits.core.run.events import EngineLost, RunCancelled, RunFailed, RunFinished, RunStarted
from qtdigits.engine.protocol import RunJob
from qtdigits.errors import QtDigitsError
from qtdigits.gui.engine.engine_controller import EngineController, EngineState
from qtdigits.gui.panels.training.training_controls import QueueStrip, described
from qtdigits.gui.panels.training.training_panel import TrainingPanel
from qtdigits.gui.training.training_queue import TrainingQueue
from qtdigits.gui.widgets.colours import LIGHT
from qtdigits.store.locks import ProcessLock
from qtdigits.store.run_files import RunFolder
from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import TrainingJob
from qtdigits.training.runs import is_any_running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SampleStore]:
    with SampleStore.open(tmp_path) as store:
        yield store


@pytest.fixture
def make_queue(
    store: SampleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[EngineController], TrainingQueue]]:
    monkeypatch.setattr("qtdigits.gui.training.training_queue.NEXT_MS", 0)
    made: list[TrainingQueue] = []

    monkeypatch.setattr("qtdigits.gui.training.training_queue.AGAIN_MS", 10)

    def make(controller: EngineController) -> TrainingQueue:
        made.append(
            TrainingQueue(
                table=store.queue,
                controller=controller,
                data_dir=tmp_path,
                is_held_back=partial(is_any_running, store.runs, tmp_path),
            )
        )
        return made[-1]

    yield make
    for queue in made:
        queue.stop()


@pytest.fixture
def queue(
    make_queue: Callable[[EngineController], TrainingQueue], controller: EngineController
) -> TrainingQueue:
    return make_queue(controller)


def sent(engines: FakeEngines, place: int = 0) -> list[str]:
    """Ids of the runs that an engine was asked for."""
    if len(engines) <= place:
        return []
    return [command.job.id for command in engines[place].commands if isinstance(command, RunJob)]


def begun(run: str) -> RunStarted:
    return RunStarted(run, {"name": "mlp-50-50"}, ("0", "1"), {"MNIST": 9}, 9, 1, 10, 3, 42)


def ended(run: str) -> RunFinished:
    return RunFinished(run, "completed", f"{run}.h5", 3, 2, 9.0, {})


def test_that_runs_are_trained_one_after_the_other_whatever_becomes_of_them(
    qtbot: QtBot, queue: TrainingQueue, engines: FakeEngines, store: SampleStore
) -> None:
    for run in "abcd":
        queue.add(request(run))
    qtbot.waitUntil(lambda: sent(engines) == ["a"])
    assert [entry.run_id for entry in queue.waiting] == ["b", "c", "d"]
    for place, ending, then in (
        (0, ended("a"), ["a", "b"]),
        (0, RunCancelled("b"), ["a", "b", "c"]),
        (1, RunFailed("c", "training", "It failed."), ["d"]),  # to a new engine
    ):
        engines[-1].say(begun(ending.run), ending)
        qtbot.waitUntil(lambda place=place, then=then: sent(engines, place) == then)
    engines[-1].say(begun("d"))
    qtbot.waitUntil(lambda: store.queue.entries() == [])


def test_that_a_run_leaves_the_line_when_it_trains_and_not_before(
    qtbot: QtBot, queue: TrainingQueue, engines: FakeEngines, store: SampleStore
) -> None:
    queue.add(request("a"))
    qtbot.waitUntil(lambda: sent(engines) == ["a"])
    assert [entry.run_id for entry in store.queue.entries()] == ["a"]
    engines[0].say(begun("a"))
    qtbot.waitUntil(lambda: store.queue.entries() == [])


def test_that_the_line_is_there_after_a_restart_and_a_run_that_had_been_begun_goes_on(
    qtbot: QtBot, queue: TrainingQueue, engines: FakeEngines, store: SampleStore
) -> None:
    store.queue.add("a", request("a").to_json())
    store.runs.add(RunRecord("a", {}))
    queue.reload()
    qtbot.waitUntil(lambda: sent(engines) == ["a"])
    assert engines[0].commands[0].job.resumes  # type: ignore[union-attr]


def test_that_the_order_can_be_changed_and_a_run_taken_out(
    qtbot: QtBot, queue: TrainingQueue, controller: EngineController, engines: FakeEngines
) -> None:
    controller.train(request("by hand"))
    strip = QueueStrip(queue=queue)
    qtbot.addWidget(strip)
    for run in "abc":
        queue.add(request(run))

    def press(name: str) -> None:
        found = strip.findChild(QPushButton, name)
        assert isinstance(found, QPushButton)
        assert found.isEnabled()
        qtbot.mouseClick(found, Qt.MouseButton.LeftButton)

    strip.show()
    press("queuedUp.2")
    assert [entry.run_id for entry in queue.waiting] == ["a", "c", "b"]
    press("queuedDown.0")
    assert [entry.run_id for entry in queue.waiting] == ["c", "a", "b"]
    press("queuedAway.1")
    assert [entry.run_id for entry in queue.waiting] == ["c", "b"]
    assert strip.findChild(QLabel, "queueTitle").text() == "2 trainings wait in line"
    assert not strip.findChild(QPushButton, "queuedUp.0").isEnabled()
    for _ in range(2):
        press("queuedAway.0")
    assert strip.isHidden()


def test_that_a_training_by_hand_goes_first_and_the_line_follows(
    qtbot: QtBot, queue: TrainingQueue, controller: EngineController, engines: FakeEngines
) -> None:
    controller.train(request("by hand"))
    queue.add(request("a"))
    qtbot.waitUntil(lambda: sent(engines) == ["by hand"])
    engines[0].say(begun("by hand"), ended("by hand"))
    qtbot.waitUntil(lambda: sent(engines) == ["by hand", "a"])


def test_that_of_two_windows_one_works_the_line_off_until_it_is_closed(
    qtbot: QtBot,
    make_queue: Callable[[EngineController], TrainingQueue],
    make_controller: Callable[..., EngineController],
) -> None:
    here, there = FakeEngines(), FakeEngines()
    first, second = make_queue(make_controller(here)), make_queue(make_controller(there))
    first.add(request("a"))
    qtbot.waitUntil(lambda: sent(here) == ["a"])
    second.add(request("b"))
    second.work_off()
    assert sent(there) == []
    assert second.is_worked_off_elsewhere
    here[0].say(begun("a"), ended("a"))
    qtbot.waitUntil(lambda: sent(here) == ["a", "b"])
    here[0].say(begun("b"), ended("b"))

    def is_through() -> bool:
        second.reload()
        return second.waiting == ()

    qtbot.waitUntil(is_through)
    second.add(request("c"))
    first.stop()
    second.reload()
    qtbot.waitUntil(lambda: sent(there) == ["c"])


def test_that_an_engine_lost_before_a_run_begins_stops_the_line_and_loses_nothing(
    qtbot: QtBot, queue: TrainingQueue, engines: FakeEngines
) -> None:
    for run in "ab":
        queue.add(request(run))
    qtbot.waitUntil(lambda: sent(engines) == ["a"])
    engines[0].die()
    qtbot.waitUntil(lambda: queue.is_halted)
    assert [entry.run_id for entry in queue.waiting] == ["a", "b"]
    queue.go_on()
    qtbot.waitUntil(lambda: sent(engines, 1) == ["a"])


def test_that_an_engine_lost_in_a_run_does_not_stop_the_line(
    qtbot: QtBot, queue: TrainingQueue, engines: FakeEngines
) -> None:
    for run in "ab":
        queue.add(request(run))
    qtbot.waitUntil(lambda: sent(engines) == ["a"])
    engines[0].say(begun("a"), batch())
    qtbot.waitUntil(lambda: [entry.run_id for entry in queue.waiting] == ["b"])
    engines[0].die()
    qtbot.waitUntil(lambda: sent(engines, 1) == ["b"])


def test_that_what_is_no_request_is_told_and_left_out(
    qtbot: QtBot, queue: TrainingQueue, engines: FakeEngines, store: SampleStore
) -> None:
    problems: list[QtDigitsError] = []
    queue.problem_met.connect(problems.append)
    store.queue.add("odd", {"run": ""})
    store.queue.add("a", request("a").to_json())
    queue.reload()
    qtbot.waitUntil(lambda: sent(engines) == ["a"])
    assert "Not a training" in str(problems[0])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"recipe": {"name": "mlp-50-50", "epochs": 4}}, "mlp-50-50 · 4 epochs"),
        ({"recipe": {"name": "m", "epochs": 9}, "resumes": True}, "m · goes on to epoch 9"),
        (
            {"recipe": {"name": "my-hand", "epochs": 1, "start": "champion"}, "writer": "Ada"},
            "my-hand · 1 epoch · Ada",
        ),
    ],
)
def test_that_what_waits_is_described(values: dict[str, object], said: str) -> None:
    assert described(values) == said


def test_that_train_becomes_train_next_while_a_training_goes_on(
    qtbot: QtBot, queue: TrainingQueue, controller: EngineController, engines: FakeEngines
) -> None:
    made: list[TrainingJob] = []

    def make_request(recipe: Recipe) -> TrainingJob:
        made.append(TrainingJob(id=f"run {len(made)}", recipe=recipe, data_dir=""))
        return made[-1]

    panel = TrainingPanel(
        session=FakeSession(), controller=controller, make_request=make_request, theme=LIGHT, queue=queue
    )
    qtbot.addWidget(panel)
    panel.show()
    panel.choose_recipe("mlp-50-50")
    train = panel.findChild(QPushButton, "trainButton")
    qtbot.mouseClick(train, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: sent(engines) == ["run 0"])
    assert (train.text(), train.isEnabled()) == ("Train next", False)
    engines[0].say(begun("run 0"), batch())
    qtbot.waitUntil(train.isEnabled)
    panel.choose_recipe("cnn-32-64")
    qtbot.mouseClick(train, Qt.MouseButton.LeftButton)
    assert [entry.request["recipe"]["name"] for entry in queue.waiting] == ["cnn-32-64"]
    status = panel.findChild(QLabel, "trainingStatus")
    qtbot.waitUntil(lambda: status.text().startswith("mlp-50-50 · epoch 1 of 3"))
    engines[0].say(ended("run 0"))
    qtbot.waitUntil(lambda: sent(engines) == ["run 0", "run 1"])
    assert train.text() == "Train next"
    engines[0].say(begun("run 1"), EngineLost("gone"))
    qtbot.waitUntil(lambda: controller.state is EngineState.LOST)
    assert train.text() == "Train"


def test_that_a_training_lost_while_others_wait_is_not_passed_over_in_silence(
    qtbot: QtBot, queue: TrainingQueue, controller: EngineController, engines: FakeEngines
) -> None:
    panel = TrainingPanel(
        session=FakeSession(),
        controller=controller,
        make_request=lambda recipe: request("a"),
        theme=LIGHT,
        queue=queue,
    )
    qtbot.addWidget(panel)
    panel.start_training()
    qtbot.waitUntil(lambda: sent(engines) == ["a"])
    queue.add(request("b"))
    engines[0].say(begun("a"), batch())
    engines[0].die()
    qtbot.waitUntil(lambda: sent(engines, -1) == ["b"])
    notice = panel.findChild(QLabel, "trainingNotice")
    assert "The training engine was killed" in notice.text()
    assert "go on from the Runs tab" in notice.text()
    queue.add(request("c"))
    engines[1].say(
        begun("b"), RunFailed("b", "memory", "There is not enough memory.", "Use smaller batches.")
    )
    qtbot.waitUntil(lambda: sent(engines, -1)[-1:] == ["c"])
    assert "Use smaller batches." in notice.text()
    assert "go on" not in notice.text()


def test_that_the_line_waits_while_another_window_trains(
    qtbot: QtBot, queue: TrainingQueue, engines: FakeEngines, store: SampleStore, tmp_path: Path
) -> None:
    store.runs.add(RunRecord("theirs", {}))
    theirs = RunFolder(tmp_path, "theirs")
    assert not queue.must_wait
    assert theirs.lock.acquire()
    assert queue.must_wait
    with qtbot.waitSignal(queue.findChild(QTimer).timeout):
        queue.add(request("ours"))
    assert sent(engines) == []
    theirs.lock.release()
    qtbot.waitUntil(lambda: sent(engines) == ["ours"])


def test_that_a_training_that_another_window_was_quicker_with_stands_in_line(
    qtbot: QtBot,
    make_controller: Callable[..., EngineController],
    make_queue: Callable[..., TrainingQueue],
    tmp_path: Path,
) -> None:
    engines = FakeEngines()
    controller = make_controller(engines, lock=ProcessLock(tmp_path / "training.lock"))
    queue = make_queue(controller)
    panel = TrainingPanel(
        session=FakeSession(),
        controller=controller,
        make_request=lambda recipe: TrainingJob("ours", "", recipe),
        theme=LIGHT,
        queue=queue,
    )
    qtbot.addWidget(panel)
    theirs = ProcessLock(tmp_path / "training.lock")
    assert theirs.acquire()
    panel.start_training()
    assert [entry.run_id for entry in queue.waiting] == ["ours"]
    with qtbot.waitSignal(queue.findChild(QTimer).timeout):
        queue.work_off()
    assert sent(engines) == []
    theirs.release()
    qtbot.waitUntil(lambda: sent(engines) == ["ours"])


def test_that_the_one_who_waits_takes_the_line_over_when_the_other_window_is_closed(
    qtbot: QtBot,
    queue: TrainingQueue,
    engines: FakeEngines,
    tmp_path: Path,
) -> None:
    theirs = ProcessLock(tmp_path / "queue.lock")
    assert theirs.acquire()
    with qtbot.waitSignal(queue.findChild(QTimer).timeout):
        queue.add(request("a"))
    assert sent(engines) == []
    theirs.release()
    qtbot.waitUntil(lambda: sent(engines) == ["a"])


def test_that_what_another_window_has_put_into_the_line_is_seen_when_a_run_ends(
    qtbot: QtBot, queue: TrainingQueue, engines: FakeEngines, store: SampleStore
) -> None:
    queue.add(request("a"))
    qtbot.waitUntil(lambda: sent(engines) == ["a"])
    engines[0].say(begun("a"))
    qtbot.waitUntil(lambda: store.queue.entries() == [])
    store.queue.add("theirs", request("theirs").to_json())
    engines[0].say(ended("a"))
    qtbot.waitUntil(lambda: sent(engines) == ["a", "theirs"])


def test_that_a_training_that_is_wanted_while_another_window_trains_stands_in_line_and_that_is_said(
    qtbot: QtBot,
    queue: TrainingQueue,
    controller: EngineController,
    engines: FakeEngines,
    store: SampleStore,
    tmp_path: Path,
) -> None:
    store.runs.add(RunRecord("theirs", {}))
    theirs = RunFolder(tmp_path, "theirs")
    assert theirs.lock.acquire()
    panel = TrainingPanel(
        session=FakeSession(),
        controller=controller,
        make_request=lambda recipe: request("ours"),
        theme=LIGHT,
        queue=queue,
    )
    qtbot.addWidget(panel)
    panel.start_training()
    assert [entry.run_id for entry in queue.waiting] == ["ours"]
    assert any("waits in line" in found.text() for found in panel.findChildren(QLabel))
    assert sent(engines) == []
    theirs.lock.release()
    qtbot.waitUntil(lambda: sent(engines) == ["ours"])

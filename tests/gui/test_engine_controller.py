from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, QThread, Slot
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.fake_engine import FakeEngines, batch, finished, request, started
from qtdigits.core.run.events import (
    EngineLost,
    EngineReady,
    Event,
    JobCancelled,
    JobFinished,
    RunCancelled,
    RunContinued,
    RunFailed,
    RunFinished,
    RunPaused,
)
from qtdigits.errors import EngineError
from qtdigits.gui.engine.engine_controller import EngineController, EngineState
from qtdigits.store.locks import ProcessLock
from qtdigits.training.jobs import LabelReviewJob

MakeController = Callable[..., EngineController]


class Listener(QObject):
    """Keeps what a controller says, and in which thread it was heard."""

    def __init__(self, controller: EngineController) -> None:
        super().__init__()
        self.events: list[Event] = []
        self.states: list[EngineState] = []
        self.threads: list[QThread] = []
        controller.event_received.connect(self._on_event)
        controller.state_changed.connect(self._on_state)

    @Slot(object)
    def _on_event(self, event: Event) -> None:
        self.events.append(event)
        self.threads.append(QThread.currentThread())

    @Slot(object)
    def _on_state(self, state: EngineState) -> None:
        self.states.append(state)
        self.threads.append(QThread.currentThread())

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def wait_for(qtbot: QtBot, controller: EngineController, state: EngineState) -> None:
    qtbot.waitUntil(lambda: controller.state is state)


def test_that_start_does_not_wait_and_becomes_ready(
    qtbot: QtBot, engines: FakeEngines, controller: EngineController
) -> None:
    assert controller.state is EngineState.OFF
    controller.start()
    assert controller.state is EngineState.STARTING
    wait_for(qtbot, controller, EngineState.READY)
    assert len(engines) == 1


def test_that_a_second_start_makes_no_second_engine(
    qtbot: QtBot, engines: FakeEngines, controller: EngineController
) -> None:
    controller.start()
    controller.start()
    wait_for(qtbot, controller, EngineState.READY)
    controller.start()
    assert len(engines) == 1


def test_that_train_starts_the_engine_and_sends_when_it_is_ready(
    qtbot: QtBot, make_controller: MakeController
) -> None:
    engines = FakeEngines(are_ready=False)
    controller = make_controller(engines)
    assert controller.train(request())
    assert controller.is_busy
    assert engines[0].commands == []
    engines[0].start()
    engines[0].say(EngineReady(pid=1))
    qtbot.waitUntil(lambda: engines[0].command_names == ["run_job"])
    assert controller.state is EngineState.TRAINING


def test_that_only_one_run_goes_on_at_a_time(
    qtbot: QtBot, engines: FakeEngines, controller: EngineController
) -> None:
    assert controller.train(request("first"))
    assert not controller.train(request("second"))
    wait_for(qtbot, controller, EngineState.TRAINING)
    assert not controller.train(request("third"))
    assert engines[0].command_names == ["run_job"]


def test_that_listeners_hear_everything_in_order_and_in_the_gui_thread(
    qtbot: QtBot, engines: FakeEngines, controller: EngineController, qapp: QApplication
) -> None:
    heard = Listener(controller)
    controller.train(request())
    wait_for(qtbot, controller, EngineState.TRAINING)
    batches = [batch(step) for step in range(1, 200)]
    engines[0].say(started(), *batches, finished())
    wait_for(qtbot, controller, EngineState.READY)
    qtbot.waitUntil(lambda: bool(heard.of(RunFinished)))
    assert heard.events[1:] == [started(), *batches, finished()]
    assert set(heard.threads) == {qapp.thread()}
    assert heard.states == [
        EngineState.STARTING,
        EngineState.READY,
        EngineState.TRAINING,
        EngineState.READY,
    ]


def test_that_stop_asks_once_and_the_run_ends_by_itself(
    qtbot: QtBot, engines: FakeEngines, controller: EngineController
) -> None:
    controller.train(request())
    wait_for(qtbot, controller, EngineState.TRAINING)
    controller.stop()
    controller.stop()
    assert controller.state is EngineState.STOPPING
    assert engines[0].command_names == ["run_job", "stop"]
    engines[0].say(finished())
    wait_for(qtbot, controller, EngineState.READY)
    assert not controller.is_busy


def test_that_a_run_waits_goes_on_and_can_be_stopped_while_it_waits(
    qtbot: QtBot, engines: FakeEngines, controller: EngineController
) -> None:
    controller.train(request())
    wait_for(qtbot, controller, EngineState.TRAINING)
    controller.pause()
    assert controller.state is EngineState.TRAINING
    engines[0].say(RunPaused("run"))
    wait_for(qtbot, controller, EngineState.PAUSED)
    controller.go_on()
    engines[0].say(RunContinued("run"))
    wait_for(qtbot, controller, EngineState.TRAINING)
    engines[0].say(RunPaused("run"))
    wait_for(qtbot, controller, EngineState.PAUSED)
    controller.stop()
    engines[0].say(RunContinued("run"))
    assert engines[0].command_names == ["run_job", "pause", "resume", "stop"]
    engines[0].say(finished())
    wait_for(qtbot, controller, EngineState.READY)


def test_that_an_engine_which_answers_a_cancel_is_not_killed(
    qtbot: QtBot, engines: FakeEngines, controller: EngineController
) -> None:
    controller.train(request())
    wait_for(qtbot, controller, EngineState.TRAINING)
    controller.cancel()
    assert engines[0].command_names == ["run_job", "cancel"]
    engines[0].say(RunCancelled("run"))
    wait_for(qtbot, controller, EngineState.READY)
    assert not engines[0].was_killed


def test_that_a_silent_engine_is_killed_after_a_cancel_and_replaced(
    qtbot: QtBot, engines: FakeEngines, make_controller: MakeController
) -> None:
    controller = make_controller(engines, cancel_timeout_ms=1)
    heard = Listener(controller)
    controller.train(request())
    wait_for(qtbot, controller, EngineState.TRAINING)
    controller.cancel()
    qtbot.waitUntil(lambda: len(engines) == 2 and controller.state is EngineState.READY)
    assert engines[0].was_killed
    assert heard.of(RunCancelled) == [RunCancelled("run")]
    assert not heard.of(EngineLost)


def test_that_a_run_can_be_cancelled_before_the_engine_is_ready(
    qtbot: QtBot, make_controller: MakeController
) -> None:
    engines = FakeEngines(are_ready=False)
    controller = make_controller(engines)
    heard = Listener(controller)
    controller.train(request())
    controller.cancel()
    assert heard.of(RunCancelled) == [RunCancelled("run")]
    engines[0].say(EngineReady(pid=1))
    wait_for(qtbot, controller, EngineState.READY)
    assert engines[0].commands == []


@pytest.mark.parametrize("is_training", [True, False])
def test_that_a_dead_engine_is_reported_once_and_the_next_run_gets_a_new_one(
    qtbot: QtBot, engines: FakeEngines, controller: EngineController, is_training: bool
) -> None:
    heard = Listener(controller)
    controller.start()
    wait_for(qtbot, controller, EngineState.READY)
    if is_training:
        controller.train(request())
    engines[0].die()
    wait_for(qtbot, controller, EngineState.LOST)
    qtbot.waitUntil(lambda: len(heard.of(EngineLost)) == 1)
    assert not controller.is_busy
    assert controller.train(request("again"))
    qtbot.waitUntil(lambda: len(engines) == 2 and engines[1].command_names == ["run_job"])
    assert len(heard.of(EngineLost)) == 1


def test_that_an_engine_which_dies_between_two_runs_ends_the_run_sent_to_it(
    qtbot: QtBot, engines: FakeEngines, controller: EngineController
) -> None:
    heard = Listener(controller)
    controller.start()
    wait_for(qtbot, controller, EngineState.READY)
    engines[0].die()
    assert controller.train(request())
    wait_for(qtbot, controller, EngineState.LOST)
    assert len(heard.of(EngineLost)) == 1
    assert not controller.is_busy


def test_that_an_engine_which_cannot_be_started_is_reported(
    qtbot: QtBot, make_controller: MakeController
) -> None:
    class Unstartable(FakeEngines):
        def __call__(self) -> Any:
            engine = super().__call__()
            engine.start = refuse  # type: ignore[method-assign]
            return engine

    def refuse() -> None:
        raise EngineError("The engine could not be started.", "Install QtDigits again.")

    controller = make_controller(Unstartable())
    heard = Listener(controller)
    controller.train(request())
    wait_for(qtbot, controller, EngineState.LOST)
    assert [event.message for event in heard.of(EngineLost)] == [
        "The engine could not be started. Install QtDigits again."
    ]


def test_that_a_listener_may_train_again_at_once(
    qtbot: QtBot, engines: FakeEngines, controller: EngineController
) -> None:
    class Stubborn(QObject):
        @Slot(object)
        def again(self, event: Event) -> None:
            if isinstance(event, EngineLost):
                controller.train(request("again"))

    stubborn = Stubborn()
    controller.event_received.connect(stubborn.again)
    controller.train(request())
    wait_for(qtbot, controller, EngineState.TRAINING)
    engines[0].die()
    qtbot.waitUntil(lambda: len(engines) == 2 and engines[1].command_names == ["run_job"])


@pytest.mark.parametrize("is_training", [True, False])
def test_that_shutdown_closes_the_engine_and_joins_its_thread(
    qtbot: QtBot, engines: FakeEngines, controller: EngineController, is_training: bool
) -> None:
    controller.start()
    wait_for(qtbot, controller, EngineState.READY)
    if is_training:
        controller.train(request())
    controller.shutdown()
    assert engines[0].was_closed
    assert controller.state is EngineState.OFF
    assert not [thread for thread in controller.findChildren(QThread) if thread.isRunning()]
    assert not controller.train(request())


def test_that_shutdown_right_after_start_leaves_nothing_running(
    engines: FakeEngines, controller: EngineController
) -> None:
    controller.start()
    controller.shutdown()
    assert not [thread for thread in controller.findChildren(QThread) if thread.isRunning()]
    assert len(engines) == 1


def test_that_an_errand_ends_like_a_run_and_nothing_else_begins_meanwhile(
    qtbot: QtBot, engines: FakeEngines, controller: EngineController
) -> None:
    listener = Listener(controller)
    errand = LabelReviewJob("e", "data")
    assert controller.run(errand)
    assert controller.other_job == errand
    wait_for(qtbot, controller, EngineState.WORKING)
    assert not controller.train(request())
    engines[0].say(JobFinished("e", "label review", {"n": 3}))
    wait_for(qtbot, controller, EngineState.READY)
    assert listener.of(JobFinished) == [JobFinished("e", "label review", {"n": 3})]
    assert controller.other_job is None
    assert not controller.is_busy


def test_that_an_errand_can_be_given_up_before_and_while_it_goes_on(
    qtbot: QtBot, make_controller: MakeController
) -> None:
    engines = FakeEngines(are_ready=False)
    controller = make_controller(engines, cancel_timeout_ms=20)
    listener = Listener(controller)
    controller.run(LabelReviewJob("early", "data"))
    controller.cancel()
    assert listener.of(JobCancelled) == [JobCancelled("early", "label review")]
    engines[0].say(EngineReady(pid=1))
    wait_for(qtbot, controller, EngineState.READY)
    controller.run(LabelReviewJob("late", "data"))
    controller.cancel()
    qtbot.waitUntil(lambda: JobCancelled("late", "label review") in listener.events)
    assert engines[0].was_killed


def test_that_of_two_windows_that_are_asked_at_once_one_trains(
    qtbot: QtBot, make_controller: MakeController, tmp_path: Path
) -> None:
    """Also while their engines start, when nothing of either training is on the disk."""
    engines = FakeEngines(are_ready=False)
    first, second = (make_controller(engines, lock=ProcessLock(tmp_path / "training.lock")) for _ in range(2))
    assert first.train(request("first"))
    assert second.is_locked_elsewhere
    assert not second.train(request("second"))
    assert not second.is_busy
    assert second.run(LabelReviewJob("errand", data_dir=""))


@pytest.mark.parametrize("ending", ["finished", "died", "cancelled while waiting", "shut down"])
def test_that_another_window_may_train_when_the_training_has_ended(
    qtbot: QtBot, make_controller: MakeController, tmp_path: Path, ending: str
) -> None:
    engines = FakeEngines(are_ready=ending in {"finished", "died"})
    first, second = (make_controller(engines, lock=ProcessLock(tmp_path / "training.lock")) for _ in range(2))
    first.train(request())
    qtbot.waitUntil(lambda: len(engines) == 1)
    match ending:
        case "finished":
            wait_for(qtbot, first, EngineState.TRAINING)
            engines[0].say(started(), finished())
        case "died":
            engines[0].die()
        case "cancelled while waiting":
            first.cancel()
        case "shut down":
            first.shutdown()
    qtbot.waitUntil(lambda: not second.is_locked_elsewhere)
    assert second.train(request("second"))


def test_that_a_folder_without_room_for_a_lock_keeps_nobody_from_training(
    make_controller: MakeController, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    controller = make_controller(FakeEngines(), lock=ProcessLock(tmp_path / "file" / "training.lock"))
    assert controller.train(request())


def test_that_the_training_after_a_failed_one_gets_a_new_engine(
    qtbot: QtBot, engines: FakeEngines, make_controller: MakeController, tmp_path: Path
) -> None:
    """An engine that has no memory left would fail again and again."""
    lock = ProcessLock(tmp_path / "training.lock")
    controller = make_controller(engines, lock=lock)
    heard = Listener(controller)
    controller.train(request("first"))
    wait_for(qtbot, controller, EngineState.TRAINING)
    engines[0].say(RunFailed("first", "memory", "There is not enough memory for this run."))
    qtbot.waitUntil(lambda: heard.of(RunFailed) != [])
    assert controller.train(request("second"))
    wait_for(qtbot, controller, EngineState.TRAINING)
    assert engines[0].was_killed
    assert [engine.command_names for engine in engines.made] == [["run_job"], ["run_job"]]
    assert lock.is_mine
    assert heard.of(EngineLost) == []

"""The window closes on a training: it is asked what becomes of it, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from pytestqt.qtbot import QtBot

from gui.fake_engine import FakeEngines, batch, finished, request, started
from qtdigits.core.events import RunCancelled, RunPaused
from qtdigits.gui.ask import Ask
from qtdigits.gui.closing import Choice, Closing
from qtdigits.gui.engine_controller import EngineController, EngineState


class Answers(Ask):
    def __init__(self) -> None:
        super().__init__()
        self.reply: Choice | None = None
        self.asked = 0

    def one_of(self, title: str, question: str, answers: Sequence[str], *, no: str) -> str | None:
        self.asked += 1
        assert list(answers) == [str(choice) for choice in Choice]
        return None if self.reply is None else str(self.reply)


@pytest.fixture
def ask() -> Answers:
    return Answers()


@pytest.fixture
def closing(controller: EngineController, ask: Answers) -> Closing:
    return Closing(controller=controller, ask=ask, stop=controller.stop)


@pytest.fixture
def in_training(qtbot: QtBot, controller: EngineController, engines: FakeEngines) -> FakeEngines:
    controller.train(request())
    qtbot.waitUntil(lambda: len(engines) == 1 and engines[0].command_names == ["Train"])
    engines[0].say(started(), batch())
    return engines


def test_that_nothing_is_asked_when_nothing_goes_on(closing: Closing, ask: Answers) -> None:
    assert closing.wanted() is Choice.LATER
    assert ask.asked == 0


def test_that_the_window_stays_when_the_person_gives_up(
    closing: Closing, ask: Answers, in_training: FakeEngines
) -> None:
    assert closing.wanted() is None
    assert not closing.is_waiting


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (Choice.FINISH, ["Train", "GoOn"]),
        (Choice.STOP, ["Train", "Stop"]),
        (Choice.CANCEL, ["Train", "Cancel"]),
    ],
)
def test_that_the_window_waits_for_the_end_of_the_training(
    qtbot: QtBot,
    closing: Closing,
    ask: Answers,
    in_training: FakeEngines,
    choice: Choice,
    told: list[str],
) -> None:
    ask.reply = choice
    assert closing.wanted() is choice
    closing.wait(choice)
    assert closing.is_waiting
    assert in_training[0].command_names == told
    with qtbot.waitSignal(closing.is_over):
        in_training[0].say(RunCancelled("run") if choice is Choice.CANCEL else finished())
    assert not closing.is_waiting


def test_that_a_paused_training_goes_on_to_its_end(
    qtbot: QtBot, closing: Closing, controller: EngineController, in_training: FakeEngines
) -> None:
    in_training[0].say(RunPaused("run"))
    qtbot.waitUntil(lambda: controller.state is EngineState.PAUSED)
    closing.wait(Choice.FINISH)
    assert in_training[0].command_names == ["Train", "GoOn"]


def test_that_an_engine_that_dies_meanwhile_ends_the_waiting(
    qtbot: QtBot, closing: Closing, in_training: FakeEngines
) -> None:
    closing.wait(Choice.FINISH)
    with qtbot.waitSignal(closing.is_over):
        in_training[0].die()


def test_that_going_on_another_time_interrupts_the_run_and_does_not_cancel_it(
    make_controller: Callable[..., EngineController], qtbot: QtBot
) -> None:
    engines = FakeEngines()
    controller = make_controller(engines)
    controller.train(request())
    qtbot.waitUntil(lambda: len(engines) == 1 and engines[0].command_names == ["Train"])
    controller.shutdown()
    assert engines[0].was_closed
    assert engines[0].command_names == ["Train"]

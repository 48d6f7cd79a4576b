"""The window closes on a training: it is asked what becomes of it, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from gui.fake_engine import FakeEngines, batch, finished, request, started
from qtdigits.core.run.events import RunCancelled, RunPaused
from qtdigits.gui.engine.engine_controller import EngineController, EngineState
from qtdigits.gui.training.closing import Choice, Closing
from qtdigits.gui.training.training_queue import TrainingQueue
from qtdigits.gui.widgets.ask import Ask
from qtdigits.store.tables.samples import SampleStore


class Answers(Ask):
    def __init__(self) -> None:
        super().__init__()
        self.reply: Choice | None = None
        self.offered: list[list[Choice]] = []
        self.question = ""
        self.meanwhile: Callable[[], object] = lambda: None

    def one_of(self, title: str, question: str, answers: Sequence[str], *, no: str) -> str | None:
        self.offered.append([Choice(answer) for answer in answers])
        self.question = question
        self.meanwhile()
        return None if self.reply is None else str(self.reply)


@pytest.fixture
def ask() -> Answers:
    return Answers()


@pytest.fixture
def make_closing(
    controller: EngineController, ask: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[Closing, TrainingQueue]]]:
    monkeypatch.setattr("qtdigits.gui.training.training_queue.NEXT_MS", 0)
    monkeypatch.setattr("qtdigits.gui.training.training_queue.AGAIN_MS", 10)
    queues = []
    with SampleStore.open(tmp_path) as store:

        def make(*, can_stop: bool = True) -> tuple[Closing, TrainingQueue]:
            queue = TrainingQueue(
                table=store.queue,
                controller=controller,
                data_dir=tmp_path,
                is_held_back=lambda: closing.is_asking,
            )
            queues.append(queue)
            closing = Closing(
                controller=controller,
                ask=ask,
                queue=queue,
                stop=controller.stop,
                can_stop=lambda: can_stop,
            )
            return closing, queue

        yield make
        for queue in queues:
            queue.stop()


@pytest.fixture
def closing(make_closing: Callable[..., tuple[Closing, TrainingQueue]]) -> Closing:
    return make_closing()[0]


@pytest.fixture
def in_training(qtbot: QtBot, controller: EngineController, engines: FakeEngines) -> FakeEngines:
    controller.train(request())
    qtbot.waitUntil(lambda: len(engines) == 1 and engines[0].command_names == ["run_job"])
    engines[0].say(started(), batch())
    return engines


def test_that_nothing_is_asked_when_nothing_goes_on(closing: Closing, ask: Answers) -> None:
    assert closing.wanted() is Choice.LATER
    assert not ask.offered


def test_that_the_window_stays_when_the_person_gives_up(
    closing: Closing, ask: Answers, in_training: FakeEngines
) -> None:
    assert closing.wanted() is None
    assert not closing.is_waiting


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (Choice.FINISH, ["run_job", "resume"]),
        (Choice.STOP, ["run_job", "stop"]),
        (Choice.CANCEL, ["run_job", "cancel"]),
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
    assert in_training[0].command_names == ["run_job", "resume"]


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
    qtbot.waitUntil(lambda: len(engines) == 1 and engines[0].command_names == ["run_job"])
    controller.shutdown()
    assert engines[0].was_closed
    assert engines[0].command_names == ["run_job"]


def test_that_nothing_is_offered_to_be_kept_before_there_is_something(
    make_closing: Callable[..., tuple[Closing, TrainingQueue]], ask: Answers, in_training: FakeEngines
) -> None:
    for can_stop in (True, False):
        make_closing(can_stop=can_stop)[0].wanted()
    assert ask.offered == [list(Choice), [Choice.FINISH, Choice.LATER, Choice.CANCEL]]


def test_that_the_question_tells_what_becomes_of_the_line(
    make_closing: Callable[..., tuple[Closing, TrainingQueue]], ask: Answers, in_training: FakeEngines
) -> None:
    closing, queue = make_closing()
    for run, told in (("second", "The training that waits"), ("third", "The 2 trainings that wait")):
        queue.add(request(run))
        closing.wanted()
        assert told in ask.question


def test_that_no_other_training_begins_before_the_question_is_answered(
    qtbot: QtBot,
    make_closing: Callable[..., tuple[Closing, TrainingQueue]],
    controller: EngineController,
    ask: Answers,
    in_training: FakeEngines,
) -> None:
    closing, queue = make_closing()
    queue.add(request("second"))

    def ends_and_the_line_is_looked_at() -> None:
        in_training[0].say(finished())
        qtbot.waitUntil(lambda: not controller.is_busy)
        queue.work_off()
        assert in_training[0].command_names == ["run_job"]

    ask.meanwhile = ends_and_the_line_is_looked_at
    assert closing.wanted() is None
    qtbot.waitUntil(lambda: in_training[0].command_names == ["run_job", "run_job"])


def test_that_a_training_the_engine_has_not_heard_of_waits_in_line_for_another_time(
    make_controller: Callable[..., EngineController], ask: Answers, tmp_path: Path
) -> None:
    controller = make_controller(FakeEngines(are_ready=False))
    with SampleStore.open(tmp_path) as store:
        queue = TrainingQueue(table=store.queue, controller=controller, data_dir=tmp_path)
        closing = Closing(
            controller=controller, ask=ask, queue=queue, stop=controller.stop, can_stop=lambda: False
        )
        controller.train(request())
        ask.reply = Choice.LATER
        assert closing.wanted() is Choice.LATER
        closing.keep_unsent()
        queue.stop()
        assert [entry.run_id for entry in store.queue.entries()] == ["run"]

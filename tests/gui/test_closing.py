"""The window closes during a training: the person is asked what should happen to it, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from gui.fake_engine import FakeEngines, batch, finished, request, started
from qtdigits.core.recipe_files import load_recipe
from qtdigits.core.run.events import RunCancelled, RunPaused
from qtdigits.gui.closing import Closing, ClosingChoice
from qtdigits.gui.engine_process import EngineState
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.ask import Ask


class Answers(Ask):
    def __init__(self) -> None:
        super().__init__()
        self.reply: ClosingChoice | None = None
        self.offered: list[list[ClosingChoice]] = []
        self.question = ""
        self.agrees = False
        self.meanwhile: Callable[[], object] = lambda: None

    def one_of(
        self, title: str, question: str, answers: Sequence[str], *, no: str, is_grave: bool = False
    ) -> str | None:
        self.offered.append([ClosingChoice(answer) for answer in answers])
        self.question = question
        self.meanwhile()
        return None if self.reply is None else str(self.reply)

    def yes(self, title: str, question: str) -> bool:
        self.question = question
        return self.agrees


@pytest.fixture
def ask() -> Answers:
    return Answers()


@pytest.fixture
def closing(session: Session, trainer: Trainer, ask: Answers, monkeypatch: pytest.MonkeyPatch) -> Closing:
    monkeypatch.setattr("qtdigits.gui.trainer.NEXT_MS", 0)
    monkeypatch.setattr("qtdigits.gui.trainer.AGAIN_MS", 10)
    return Closing(session=session, trainer=trainer, ask=ask)


@pytest.fixture
def in_training(qtbot: QtBot, trainer: Trainer, engines: FakeEngines) -> FakeEngines:
    """Engines of which the first has sent its first batch."""
    trainer.train(load_recipe("quick"))
    qtbot.waitUntil(lambda: len(engines) == 1 and engines[0].command_names == ["run_job"])
    engines[0].say(started(), batch())
    qtbot.waitUntil(lambda: trainer.can_stop)
    return engines


def test_that_nothing_is_asked_when_nothing_is_at_work(closing: Closing, ask: Answers) -> None:
    assert closing.ask_what_to_do() is ClosingChoice.LATER
    assert not ask.offered


def test_that_the_window_stays_when_the_person_does_not_choose(
    closing: Closing, ask: Answers, in_training: FakeEngines
) -> None:
    assert closing.ask_what_to_do() is None
    assert in_training[0].command_names == ["run_job"]


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (ClosingChoice.FINISH, ["run_job", "resume"]),
        (ClosingChoice.STOP, ["run_job", "stop"]),
        (ClosingChoice.CANCEL, ["run_job", "cancel"]),
    ],
)
def test_that_the_window_waits_for_the_end_of_the_training(
    qtbot: QtBot,
    closing: Closing,
    ask: Answers,
    in_training: FakeEngines,
    choice: ClosingChoice,
    told: list[str],
) -> None:
    ask.reply = choice
    assert closing.ask_what_to_do() is choice
    with qtbot.waitSignal(closing.is_over):
        closing.wait(choice)
        assert in_training[0].command_names == told
        in_training[0].say(RunCancelled("run") if choice is ClosingChoice.CANCEL else finished())


def test_that_a_paused_training_is_resumed_to_its_end(
    qtbot: QtBot, closing: Closing, trainer: Trainer, in_training: FakeEngines
) -> None:
    in_training[0].say(RunPaused("run"))
    qtbot.waitUntil(lambda: trainer.state is EngineState.PAUSED)
    closing.wait(ClosingChoice.FINISH)
    assert in_training[0].command_names == ["run_job", "resume"]


def test_that_an_engine_that_dies_meanwhile_ends_the_waiting(
    qtbot: QtBot, closing: Closing, in_training: FakeEngines
) -> None:
    closing.wait(ClosingChoice.FINISH)
    with qtbot.waitSignal(closing.is_over):
        in_training[0].die()


def test_that_a_training_that_has_ended_while_the_question_was_open_is_not_waited_for(
    qtbot: QtBot, closing: Closing, trainer: Trainer, in_training: FakeEngines
) -> None:
    in_training[0].say(finished())
    qtbot.waitUntil(lambda: not trainer.is_busy)
    with qtbot.waitSignal(closing.is_over):
        closing.wait(ClosingChoice.STOP)


def test_that_a_training_that_is_cancelled_before_the_engine_has_it_ends_the_waiting_once(
    qtbot: QtBot, session: Session, make_trainer: Callable[..., Trainer], ask: Answers
) -> None:
    trainer = make_trainer(FakeEngines(are_ready=False), session=session)
    closing = Closing(session=session, trainer=trainer, ask=ask)
    over: list[bool] = []
    closing.is_over.connect(lambda: over.append(trainer.is_busy))
    trainer.train(load_recipe("quick"))
    with qtbot.waitSignal(closing.is_over):
        closing.wait(ClosingChoice.CANCEL)
    assert over == [False]


def test_that_nothing_begins_while_the_window_waits(
    qtbot: QtBot, closing: Closing, trainer: Trainer, session: Session, in_training: FakeEngines
) -> None:
    session.store.queue.add("next", request("next").to_json())
    closing.wait(ClosingChoice.FINISH)
    with qtbot.waitSignal(closing.is_over):
        in_training[0].say(finished())
    trainer.start_next()
    assert not trainer.is_busy


def test_that_nothing_is_offered_to_be_kept_before_there_is_something(
    qtbot: QtBot, closing: Closing, ask: Answers, trainer: Trainer, engines: FakeEngines
) -> None:
    trainer.train(load_recipe("quick"))
    closing.ask_what_to_do()
    qtbot.waitUntil(lambda: len(engines) == 1 and engines[0].command_names == ["run_job"])
    engines[0].say(started(), batch())
    qtbot.waitUntil(lambda: trainer.can_stop)
    closing.ask_what_to_do()
    without = [ClosingChoice.FINISH, ClosingChoice.LATER, ClosingChoice.CANCEL]
    assert ask.offered == [without, list(ClosingChoice)]


def test_that_the_question_tells_what_will_happen_to_the_queue(
    closing: Closing, ask: Answers, trainer: Trainer, in_training: FakeEngines
) -> None:
    for told in ("The training that is queued", "The 2 trainings that are queued"):
        trainer.train(load_recipe("quick"))
        closing.ask_what_to_do()
        assert told in ask.question


def test_that_no_other_training_begins_before_the_question_is_answered(
    qtbot: QtBot, closing: Closing, trainer: Trainer, ask: Answers, in_training: FakeEngines
) -> None:
    trainer.train(load_recipe("quick"))

    def ends_and_the_queue_is_looked_at() -> None:
        in_training[0].say(finished())
        qtbot.waitUntil(lambda: not trainer.is_busy)
        trainer.start_next()
        assert in_training[0].command_names == ["run_job"]

    ask.meanwhile = ends_and_the_queue_is_looked_at
    assert closing.ask_what_to_do() is None
    qtbot.waitUntil(lambda: in_training[0].command_names == ["run_job", "run_job"])


def test_that_a_review_of_labels_is_cancelled_unasked_and_a_measuring_after_a_question(
    qtbot: QtBot, closing: Closing, trainer: Trainer, ask: Answers
) -> None:
    trainer.review_labels()
    assert closing.ask_what_to_do() is ClosingChoice.LATER
    assert not ask.question
    trainer.cancel()
    qtbot.waitUntil(lambda: not trainer.is_busy)
    trainer.measure_writers(Path("model.h5"))
    assert closing.ask_what_to_do() is None
    ask.agrees = True
    assert closing.ask_what_to_do() is ClosingChoice.LATER

"""Jobs from a request to their one ending: the engine's states, the queue, and what becomes of both when things go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QObject, QThread, QTimer, Slot
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.fake_engine import FakeEngines, batch, finished, request, started
from qtdigits.core.drawing.samples import Suspicion
from qtdigits.core.recipe import Recipe
from qtdigits.core.recipe_files import load_recipe
from qtdigits.core.run.events import (
    EngineReady,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobProgress,
    Notice,
    Progress,
    RunCancelled,
    RunContinued,
    RunFailed,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
)
from qtdigits.core.run.history import History
from qtdigits.engine.protocol import RunJob
from qtdigits.errors import EngineError, QtDigitsError
from qtdigits.gui.engine_process import Asked, Current, EngineState, JobEnding
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.store.locks import ProcessLock
from qtdigits.store.run_files import RunFolder
from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import TrainingJob
from store.values import a_checkpoint, a_sample

MakeTrainer = Callable[..., Trainer]
QUICK = load_recipe("quick")
STROKE = np.array([[0, 0, 0, 1], [10, 10, 50, 1]], np.float32)
DOUBT = Suspicion(0.8, "1", "looks like a 1, and like your own 1s")


class Listener(QObject):
    """Keeps what a trainer says, and in which thread it was heard."""

    def __init__(self, trainer: Trainer) -> None:
        super().__init__()
        self.said: list[Any] = []
        self.states: list[EngineState] = []
        self.threads: set[QThread] = set()
        for signal in (trainer.job_started, trainer.job_progressed, trainer.run_started, trainer.job_ended):
            signal.connect(self._on_said)
        trainer.history_changed.connect(self._on_history)
        trainer.state_changed.connect(self._on_state)
        self.n_history = 0

    @Slot(object)
    def _on_said(self, fact: object) -> None:
        self.said.append(fact)
        self.threads.add(QThread.currentThread())

    @Slot()
    def _on_history(self) -> None:
        self.n_history += 1
        self.threads.add(QThread.currentThread())

    @Slot(object)
    def _on_state(self, state: EngineState) -> None:
        self.states.append(state)

    @property
    def endings(self) -> list[JobEnding]:
        return [fact for fact in self.said if isinstance(fact, JobEnding)]

    @property
    def outcomes(self) -> list[str]:
        return [ending.outcome for ending in self.endings]


def wait_for(qtbot: QtBot, trainer: Trainer, state: EngineState) -> None:
    qtbot.waitUntil(lambda: trainer.state is state)


def sent(engines: FakeEngines, place: int = 0) -> list[str]:
    """Ids of the jobs that an engine was asked for."""
    if len(engines) <= place:
        return []
    return [command.job.id for command in engines[place].commands if isinstance(command, RunJob)]


def running_threads(trainer: Trainer) -> list[QThread]:
    return [thread for thread in trainer.findChildren(QThread) if thread.isRunning()]


def train(qtbot: QtBot, trainer: Trainer) -> Current:
    """A training that the engine has been sent."""
    trainer.train(QUICK)
    wait_for(qtbot, trainer, EngineState.TRAINING)
    assert trainer.current is not None
    return trainer.current


# The engine.


def test_that_start_does_not_wait_and_becomes_ready(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer
) -> None:
    assert trainer.state is EngineState.OFF
    trainer.start_engine()
    assert trainer.state is EngineState.STARTING
    wait_for(qtbot, trainer, EngineState.READY)
    assert len(engines) == 1


def test_that_a_second_start_makes_no_second_engine(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer
) -> None:
    trainer.start_engine()
    trainer.start_engine()
    wait_for(qtbot, trainer, EngineState.READY)
    trainer.start_engine()
    assert len(engines) == 1


def test_that_train_starts_the_engine_and_sends_when_it_is_ready(
    qtbot: QtBot, make_trainer: MakeTrainer
) -> None:
    engines = FakeEngines(are_ready=False)
    trainer = make_trainer(engines)
    trainer.train(QUICK)
    assert trainer.is_busy
    assert trainer.is_preparing
    assert engines[0].commands == []
    engines[0].start()
    engines[0].say(EngineReady(pid=1))
    qtbot.waitUntil(lambda: engines[0].command_names == ["run_job"])
    assert trainer.state is EngineState.TRAINING


def test_that_only_one_run_goes_on_at_a_time_and_the_others_are_queued(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer
) -> None:
    trainer.train(QUICK)
    trainer.train(QUICK)
    wait_for(qtbot, trainer, EngineState.TRAINING)
    trainer.train(QUICK)
    assert engines[0].command_names == ["run_job"]
    assert len(trainer.queue) == 2


def test_that_listeners_hear_everything_in_order_and_in_the_gui_thread(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer, qapp: QApplication
) -> None:
    heard = Listener(trainer)
    current = train(qtbot, trainer)
    batches = [batch(step) for step in range(1, 200)]
    engines[0].say(Progress("run", "Loading", 1, 2), started(), *batches, finished())
    qtbot.waitUntil(lambda: heard.endings != [])
    assert heard.said == [
        current,
        JobProgress(current.id, "training", "Loading", 1, 2),
        started(),
        JobEnding(current.job, "finished", finished()),
    ]
    assert heard.n_history == len(batches)
    assert len(trainer.history.batches) == len(batches)
    assert heard.threads == {qapp.thread()}
    assert heard.states == [
        EngineState.STARTING,
        EngineState.READY,
        EngineState.TRAINING,
        EngineState.READY,
    ]
    assert not trainer.is_busy


def test_that_stop_asks_once_and_the_run_ends_by_itself(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer
) -> None:
    train(qtbot, trainer)
    trainer.stop()
    trainer.stop()
    assert trainer.state is EngineState.STOPPING
    assert engines[0].command_names == ["run_job", "stop"]
    engines[0].say(finished())
    wait_for(qtbot, trainer, EngineState.READY)
    assert not trainer.is_busy


def test_that_a_run_is_paused_resumed_and_can_be_stopped_while_it_is_paused(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer
) -> None:
    train(qtbot, trainer)
    trainer.pause()
    assert trainer.state is EngineState.TRAINING
    engines[0].say(RunPaused("run"))
    wait_for(qtbot, trainer, EngineState.PAUSED)
    trainer.resume()
    engines[0].say(RunContinued("run"))
    wait_for(qtbot, trainer, EngineState.TRAINING)
    engines[0].say(RunPaused("run"))
    wait_for(qtbot, trainer, EngineState.PAUSED)
    trainer.stop()
    engines[0].say(RunContinued("run"))
    assert engines[0].command_names == ["run_job", "pause", "resume", "stop"]
    engines[0].say(finished())
    wait_for(qtbot, trainer, EngineState.READY)


def test_that_an_engine_which_answers_a_cancel_is_not_killed(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer
) -> None:
    heard = Listener(trainer)
    train(qtbot, trainer)
    trainer.cancel()
    trainer.cancel()
    assert engines[0].command_names == ["run_job", "cancel"]
    engines[0].say(RunCancelled("run"))
    wait_for(qtbot, trainer, EngineState.READY)
    assert heard.outcomes == ["cancelled"]
    assert not engines[0].was_killed


def test_that_a_silent_engine_is_killed_after_a_cancel_and_replaced(
    qtbot: QtBot, engines: FakeEngines, make_trainer: MakeTrainer
) -> None:
    trainer = make_trainer(engines, cancel_timeout_ms=1)
    heard = Listener(trainer)
    train(qtbot, trainer)
    trainer.cancel()
    qtbot.waitUntil(lambda: len(engines) == 2 and trainer.state is EngineState.READY)
    assert engines[0].was_killed
    assert heard.outcomes == ["cancelled"]


def test_that_a_run_can_be_cancelled_before_the_engine_is_ready(
    qtbot: QtBot, make_trainer: MakeTrainer
) -> None:
    engines = FakeEngines(are_ready=False)
    trainer = make_trainer(engines)
    heard = Listener(trainer)
    trainer.train(QUICK)
    trainer.stop()  # there is nothing to keep
    assert heard.outcomes == ["cancelled"]
    engines[0].say(EngineReady(pid=1))
    wait_for(qtbot, trainer, EngineState.READY)
    assert engines[0].commands == []


@pytest.mark.parametrize("is_training", [True, False])
def test_that_a_dead_engine_is_reported_once_and_the_next_run_gets_a_new_one(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer, is_training: bool
) -> None:
    heard, notices = Listener(trainer), []
    trainer.notice_given.connect(notices.append)
    trainer.start_engine()
    wait_for(qtbot, trainer, EngineState.READY)
    if is_training:
        trainer.train(QUICK)
    engines[0].die()
    wait_for(qtbot, trainer, EngineState.LOST)
    assert not trainer.is_busy
    assert (heard.outcomes, len(notices)) == ((["lost"], 0) if is_training else ([], 1))
    trainer.train(QUICK)
    qtbot.waitUntil(lambda: len(engines) == 2 and engines[1].command_names == ["run_job"])
    assert len(heard.outcomes) + len(notices) == 1


def test_that_an_engine_which_dies_between_two_runs_ends_the_run_sent_to_it(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer
) -> None:
    heard = Listener(trainer)
    trainer.start_engine()
    wait_for(qtbot, trainer, EngineState.READY)
    engines[0].die()
    trainer.train(QUICK)
    wait_for(qtbot, trainer, EngineState.LOST)
    assert heard.outcomes == ["lost"]
    assert not trainer.is_busy


def test_that_an_engine_which_cannot_be_started_is_reported(qtbot: QtBot, make_trainer: MakeTrainer) -> None:
    class Unstartable(FakeEngines):
        def __call__(self) -> Any:
            engine = super().__call__()
            engine.start = refuse  # type: ignore[method-assign]
            return engine

    def refuse() -> None:
        raise EngineError("The engine could not be started.", "Install QtDigits again.")

    trainer = make_trainer(Unstartable())
    heard = Listener(trainer)
    trainer.train(QUICK)
    wait_for(qtbot, trainer, EngineState.LOST)
    assert [ending.message for ending in heard.endings] == [
        "The engine could not be started. Install QtDigits again."
    ]


def test_that_a_listener_may_train_again_at_once(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer
) -> None:
    class Stubborn(QObject):
        @Slot(object)
        def again(self, ending: JobEnding) -> None:
            if ending.outcome == "lost":
                trainer.retry()

    stubborn = Stubborn()
    trainer.job_ended.connect(stubborn.again)
    train(qtbot, trainer)
    engines[0].die()
    qtbot.waitUntil(lambda: len(engines) == 2 and engines[1].command_names == ["run_job"])


@pytest.mark.parametrize("is_training", [True, False])
def test_that_close_ends_the_engine_and_joins_its_thread(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer, is_training: bool
) -> None:
    """A training is interrupted by that, and not cancelled."""
    if is_training:
        train(qtbot, trainer)
    else:
        trainer.start_engine()
        wait_for(qtbot, trainer, EngineState.READY)
    trainer.close()
    assert engines[0].was_closed
    assert trainer.state is EngineState.OFF
    assert not running_threads(trainer)
    trainer.train(QUICK)
    assert not trainer.is_busy
    assert engines[0].command_names == ["run_job"] * is_training


def test_that_close_right_after_start_leaves_nothing_running(engines: FakeEngines, trainer: Trainer) -> None:
    trainer.start_engine()
    trainer.close()
    assert not running_threads(trainer)
    assert len(engines) == 1


def test_that_the_training_after_a_failed_one_gets_a_new_engine(
    qtbot: QtBot, engines: FakeEngines, make_trainer: MakeTrainer, data_dir: Path
) -> None:
    """An engine that has no memory left would fail again and again."""
    trainer = make_trainer(engines)
    heard = Listener(trainer)
    train(qtbot, trainer)
    engines[0].say(RunFailed("first", "memory", "There is not enough memory for this run."))
    qtbot.waitUntil(lambda: heard.endings != [])
    trainer.train(QUICK)
    wait_for(qtbot, trainer, EngineState.TRAINING)
    assert engines[0].was_killed
    assert [engine.command_names for engine in engines.made] == [["run_job"], ["run_job"]]
    assert ProcessLock(data_dir / "training.lock").is_taken()
    assert heard.outcomes == ["failed"]


# The current training.


def test_that_there_is_nothing_to_keep_before_the_first_batch(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer
) -> None:
    train(qtbot, trainer)
    assert trainer.is_preparing
    assert (trainer.can_stop, trainer.can_pause, trainer.can_cancel) == (False, False, True)
    engines[0].say(started(), batch())
    qtbot.waitUntil(lambda: trainer.can_stop)
    assert (trainer.is_preparing, trainer.can_pause, trainer.batch) == (False, True, batch())
    engines[0].say(Progress("run", "Scoring"))
    qtbot.waitUntil(lambda: trainer.batch is None)


def test_that_a_run_that_is_stopped_can_still_be_cancelled_but_not_the_other_way_round(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer
) -> None:
    train(qtbot, trainer)
    engines[0].say(started(), batch())
    qtbot.waitUntil(lambda: trainer.can_stop)
    trainer.stop()
    assert trainer.current is not None
    assert trainer.current.asked is Asked.STOP
    assert (trainer.can_stop, trainer.can_cancel) == (False, True)
    trainer.cancel()
    assert (trainer.can_stop, trainer.can_cancel) == (False, False)
    trainer.stop()
    assert engines[0].command_names == ["run_job", "stop", "cancel"]


def test_that_a_resumed_run_continues_its_history(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer
) -> None:
    before = History()
    for step in (1, 2):
        before.apply(batch(step))
    train(qtbot, trainer)
    with qtbot.waitSignal(trainer.run_resumed):
        engines[0].say(started(), RunResumed("run", 1, 2, before.to_json()), batch(3))
    qtbot.waitUntil(lambda: len(trainer.history.batches) == 3)


def test_that_a_lost_run_is_resumed_and_a_failed_one_repeated(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer
) -> None:
    lost = train(qtbot, trainer).job
    engines[0].die()
    qtbot.waitUntil(lambda: trainer.last_ending is not None)
    assert trainer.last_ending is not None
    assert (trainer.last_ending.can_resume, trainer.last_ending.can_retry) == (True, False)
    trainer.retry()
    wait_for(qtbot, trainer, EngineState.TRAINING)
    assert isinstance(lost, TrainingJob)
    assert trainer.current is not None
    assert trainer.current.job == replace(lost, resumes=True)
    engines[1].say(RunFailed("run", "input", "A bad file."))
    qtbot.waitUntil(lambda: trainer.last_ending is not None)
    assert (trainer.last_ending.can_resume, trainer.last_ending.can_retry) == (False, True)
    trainer.retry()
    wait_for(qtbot, trainer, EngineState.TRAINING)
    again = trainer.current.job
    assert isinstance(again, TrainingJob)
    assert (again.recipe, again.resumes, again.id != lost.id) == (QUICK, False, True)
    engines[2].say(RunCancelled("run"))
    qtbot.waitUntil(lambda: trainer.last_ending is not None)
    assert not trainer.last_ending.can_resume
    assert not trainer.last_ending.can_retry
    trainer.retry()
    assert not trainer.is_busy


def test_that_an_interrupted_run_is_not_called_cancelled(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer
) -> None:
    heard = Listener(trainer)
    train(qtbot, trainer)
    engines[0].say(RunCancelled("run", is_interrupted=True))
    qtbot.waitUntil(lambda: heard.outcomes == ["interrupted"])


def test_that_notices_of_a_run_are_passed_on(qtbot: QtBot, engines: FakeEngines, trainer: Trainer) -> None:
    train(qtbot, trainer)
    with qtbot.waitSignal(trainer.notice_given) as given:
        engines[0].say(Notice("run", "One drawing was left out."))
    assert given.args == ["One drawing was left out."]


# What is asked for.


def test_that_a_hand_is_learned_from_the_model_in_use_once_there_is_something_to_learn(
    qtbot: QtBot, trainer: Trainer, session: Session
) -> None:
    told: list[str] = []
    session.notice_given.connect(told.append)
    trainer.learn_hand()
    assert not trainer.is_busy
    assert "Draw some digits first" in told[0]
    session.store.add_samples([a_sample("7", session.writer)])
    with qtbot.waitSignal(trainer.training_requested) as asked:
        trainer.learn_hand()
    (job,) = asked.args
    assert (job.recipe.name, job.writer, job.base) == ("my-hand", session.writer, job.champion)


def test_that_learning_unasked_gives_way_to_everything_else(trainer: Trainer) -> None:
    assert trainer.learn_hand_unasked()
    assert trainer.current is not None
    assert trainer.current.begun_by_itself
    assert not trainer.learn_hand_unasked()
    assert trainer.queue == ()


def test_that_a_training_names_data_folder_writer_and_model(trainer: Trainer, session: Session) -> None:
    job = trainer.job_for(QUICK)
    assert (job.recipe, job.data_dir, job.writer) == (QUICK, str(session.data_dir), session.writer)
    assert job.base == ""


def test_that_what_would_be_learned_from_is_told_in_a_line(trainer: Trainer, session: Session) -> None:
    assert trainer.data_text == "MNIST"
    session.store.add_samples(a_sample("7") for _ in range(30))
    learned_from = session.store.ids(held_out=False)
    session.store.mark_suspects({int(learned_from[0]): DOUBT})
    n = len(learned_from) - 1
    assert trainer.data_text == f"{n} drawings + MNIST; 1 doubtful"
    session.set_writer("Ada")
    assert trainer.has_something_to_learn
    session.store.mark_suspects({int(i): DOUBT for i in learned_from})
    assert not trainer.has_something_to_learn


RECIPE = load_recipe("mlp-50-50").with_values(epochs=6)


@pytest.fixture
def earlier(session: Session) -> RunFolder:
    """The folder of a run that was begun before, elsewhere."""
    folder = RunFolder(session.data_dir, "run")
    folder.write_request(TrainingJob("run", "elsewhere", RECIPE, champion="old.h5").to_json())
    return folder


def test_that_an_interrupted_run_is_resumed_where_the_data_is_now_beside_the_present_champion(
    qtbot: QtBot, trainer: Trainer, session: Session, earlier: RunFolder
) -> None:
    session.library.promote(session.library.entries()[0].path)
    with qtbot.waitSignal(trainer.training_requested) as asked:
        trainer.resume_run(RunRecord("run", RECIPE.to_json()))
    champion = str(session.model_path or "")
    assert asked.args == [TrainingJob("run", str(session.data_dir), RECIPE, champion=champion, resumes=True)]


def test_that_an_ended_run_is_trained_longer_and_one_extended_twice_remembers_both(
    qtbot: QtBot, trainer: Trainer, earlier: RunFolder
) -> None:
    earlier.write_checkpoint(replace(a_checkpoint(), epochs=6))
    with qtbot.waitSignal(trainer.training_requested) as asked:
        trainer.extend_run(RunRecord("run", RECIPE.to_json(), state="completed"), 4)
    (first,) = asked.args
    assert (first.recipe.epochs, first.stages, first.resumes) == (10, ((0, 6), (6, 10)), True)
    earlier.write_request(first.to_json())
    earlier.write_checkpoint(replace(a_checkpoint(18), epochs=10))
    with qtbot.waitSignal(trainer.training_requested) as asked:
        trainer.extend_run(RunRecord("run", RECIPE.to_json(), state="converged"), 4)
    assert asked.args[0].stages == ((0, 6), (6, 10), (10, 14))


def test_that_what_cannot_be_resumed_is_a_problem(
    trainer: Trainer, session: Session, earlier: RunFolder
) -> None:
    problems: list[QtDigitsError] = []
    session.problem_met.connect(problems.append)
    trainer.resume_run(RunRecord("run", RECIPE.to_json(), state="completed"))
    assert earlier.lock.acquire()
    trainer.resume_run(RunRecord("run", RECIPE.to_json()))
    earlier.lock.release()
    assert len(problems) == 2
    assert not trainer.is_busy


# Other jobs.


def test_that_another_job_ends_like_a_run_and_nothing_else_begins_meanwhile(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer
) -> None:
    heard = Listener(trainer)
    assert trainer.review_labels()
    wait_for(qtbot, trainer, EngineState.WORKING)
    current = trainer.current
    assert current is not None
    assert (current.kind, trainer.is_training, trainer.can_pause) == ("label review", False, False)
    trainer.train(QUICK)
    assert not trainer.measure_writers(Path("model.h5"))
    engines[0].say(JobProgress(current.id, current.kind, "Checking", 0, 1))
    engines[0].say(JobFinished(current.id, current.kind, {"n": 3, "waiting": 0}))
    qtbot.waitUntil(lambda: heard.endings != [])
    assert heard.said[:3] == [
        current,
        JobProgress(current.id, current.kind, "Checking", 0, 1),
        JobEnding(current.job, "finished", {"n": 3, "waiting": 0}),
    ]
    qtbot.waitUntil(lambda: len(sent(engines)) == 2)  # the training was queued


def test_that_another_job_can_be_cancelled_before_and_while_it_is_at_work(
    qtbot: QtBot, make_trainer: MakeTrainer
) -> None:
    engines = FakeEngines(are_ready=False)
    trainer = make_trainer(engines, cancel_timeout_ms=20)
    heard = Listener(trainer)
    trainer.measure_writers(Path("m.h5"))
    trainer.cancel()
    assert heard.outcomes == ["cancelled"]
    engines[0].say(EngineReady(pid=1))
    wait_for(qtbot, trainer, EngineState.READY)
    trainer.measure_writers(Path("m.h5"))
    wait_for(qtbot, trainer, EngineState.WORKING)
    trainer.cancel()
    qtbot.waitUntil(lambda: heard.outcomes == ["cancelled", "cancelled"])
    assert engines[0].was_killed
    trainer.measure_writers(Path("m.h5"))
    assert trainer.current is not None
    engines[1].say(EngineReady(pid=1))
    wait_for(qtbot, trainer, EngineState.WORKING)
    engines[1].say(JobCancelled(trainer.current.id, "writer matrix"))
    qtbot.waitUntil(lambda: heard.outcomes == ["cancelled"] * 3)


def test_that_a_job_that_fails_or_is_lost_is_a_problem_with_its_remedy(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer, session: Session
) -> None:
    problems: list[QtDigitsError] = []
    session.problem_met.connect(problems.append)
    heard = Listener(trainer)
    trainer.review_labels()
    wait_for(qtbot, trainer, EngineState.WORKING)
    engines[0].say(JobFailed("e", "label review", "store", "The disk is full.", "Make some room."))
    qtbot.waitUntil(lambda: heard.outcomes == ["failed"])
    trainer.review_labels()
    engines[0].die()
    qtbot.waitUntil(lambda: heard.outcomes == ["failed", "lost"])
    assert [str(error) for error in problems] == [
        "The disk is full. Make some room.",
        "The training engine was killed. Try again.",
    ]


# Several windows.


def test_that_of_two_windows_that_are_asked_at_once_one_trains(
    qtbot: QtBot, make_trainer: MakeTrainer
) -> None:
    """Also while their engines start, when nothing of either training is on the disk."""
    engines = FakeEngines(are_ready=False)
    first, second = (make_trainer(engines) for _ in range(2))
    told: list[str] = []
    second.notice_given.connect(told.append)
    first.train(QUICK)
    assert second.must_wait
    second.train(QUICK)
    assert not second.is_busy
    assert len(second.queue) == 1
    assert "queued" in told[0]
    assert second.review_labels()


@pytest.mark.parametrize("ending", ["finished", "died", "cancelled while waiting", "closed"])
def test_that_another_window_may_train_when_the_training_has_ended(
    qtbot: QtBot, make_trainer: MakeTrainer, ending: str
) -> None:
    engines = FakeEngines(are_ready=ending in {"finished", "died"})
    first, second = (make_trainer(engines) for _ in range(2))
    first.train(QUICK)
    qtbot.waitUntil(lambda: len(engines) == 1)
    match ending:
        case "finished":
            wait_for(qtbot, first, EngineState.TRAINING)
            engines[0].say(started(), finished())
        case "died":
            engines[0].die()
        case "cancelled while waiting":
            first.cancel()
        case "closed":
            first.close()
    qtbot.waitUntil(lambda: not second.must_wait)
    assert second.learn_hand_unasked()


def test_that_a_folder_without_room_for_a_lock_keeps_nobody_from_training(
    make_trainer: MakeTrainer, session: Session, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    homeless = Session(store=session.store, library=session.library, data_dir=tmp_path / "file" / "data")
    trainer = make_trainer(FakeEngines(), session=homeless)
    trainer.train(QUICK)
    assert trainer.is_busy


# The queue.


@pytest.fixture
def quick_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qtdigits.gui.trainer.NEXT_MS", 0)
    monkeypatch.setattr("qtdigits.gui.trainer.AGAIN_MS", 10)


@pytest.fixture
def store(session: Session) -> SampleStore:
    return session.store


@pytest.fixture
def add(quick_queue: None, trainer: Trainer, store: SampleStore) -> Callable[[str], None]:
    """Queue a training of this id."""

    def add(run: str) -> None:
        store.queue.add(run, request(run).to_json())
        trainer.reload_queue()

    return add


@contextmanager
def looking_again(qtbot: QtBot, trainer: Trainer) -> Iterator[None]:
    """Until the trainer has looked at the queue once more."""
    with qtbot.waitSignal(trainer.findChild(QTimer).timeout):
        yield


def begun(run: str) -> RunStarted:
    return RunStarted(run, {"name": "mlp-50-50"}, ("0", "1"), {"MNIST": 9}, 9, 1, 10, 3, 42)


def ended(run: str) -> RunFinished:
    return RunFinished(run, "completed", f"{run}.h5", 3, 2, 9.0, {})


def queued(trainer: Trainer) -> list[str]:
    return [entry.run_id for entry in trainer.queue]


def test_that_runs_are_trained_one_after_the_other_whatever_becomes_of_them(
    qtbot: QtBot, trainer: Trainer, add: Callable[[str], None], engines: FakeEngines, store: SampleStore
) -> None:
    for run in "abcd":
        add(run)
    qtbot.waitUntil(lambda: sent(engines) == ["a"])
    assert queued(trainer) == ["b", "c", "d"]
    for place, ending, then in (
        (0, ended("a"), ["a", "b"]),
        (0, RunCancelled("b"), ["a", "b", "c"]),
        (1, RunFailed("c", "training", "It failed."), ["d"]),  # to a new engine
    ):
        engines[-1].say(begun(ending.run), ending)
        qtbot.waitUntil(lambda place=place, then=then: sent(engines, place) == then)
    engines[-1].say(begun("d"))
    qtbot.waitUntil(lambda: store.queue.entries() == [])


def test_that_a_run_leaves_the_queue_when_it_trains_and_not_before(
    qtbot: QtBot, trainer: Trainer, add: Callable[[str], None], engines: FakeEngines, store: SampleStore
) -> None:
    add("a")
    qtbot.waitUntil(lambda: sent(engines) == ["a"])
    assert [entry.run_id for entry in store.queue.entries()] == ["a"]
    engines[0].say(begun("a"))
    qtbot.waitUntil(lambda: store.queue.entries() == [])


def test_that_a_run_that_is_cancelled_before_it_trains_leaves_the_queue_too(
    qtbot: QtBot, trainer: Trainer, add: Callable[[str], None], engines: FakeEngines, store: SampleStore
) -> None:
    add("a")
    qtbot.waitUntil(lambda: sent(engines) == ["a"])
    trainer.cancel()
    engines[0].say(RunCancelled("a"))
    qtbot.waitUntil(lambda: store.queue.entries() == [])


def test_that_the_queue_is_there_after_a_restart_and_a_run_that_had_been_begun_is_resumed(
    qtbot: QtBot, trainer: Trainer, quick_queue: None, engines: FakeEngines, store: SampleStore
) -> None:
    store.queue.add("a", request("a").to_json())
    store.runs.add(RunRecord("a", {}))
    trainer.reload_queue()
    qtbot.waitUntil(lambda: sent(engines) == ["a"])
    assert engines[0].commands[0].job.resumes  # type: ignore[union-attr]


def test_that_a_training_by_hand_goes_first_and_the_queue_follows(
    qtbot: QtBot, trainer: Trainer, add: Callable[[str], None], engines: FakeEngines
) -> None:
    trainer.train(QUICK)
    assert trainer.current is not None
    by_hand = trainer.current.id
    add("a")
    qtbot.waitUntil(lambda: sent(engines) == [by_hand])
    engines[0].say(begun(by_hand), ended(by_hand))
    qtbot.waitUntil(lambda: sent(engines) == [by_hand, "a"])


def test_that_of_two_windows_one_processes_the_queue_until_it_is_closed(
    qtbot: QtBot, quick_queue: None, make_trainer: MakeTrainer, store: SampleStore
) -> None:
    here, there = FakeEngines(), FakeEngines()
    first, second = make_trainer(here), make_trainer(there)
    store.queue.add("a", request("a").to_json())
    first.reload_queue()
    qtbot.waitUntil(lambda: sent(here) == ["a"])
    store.queue.add("b", request("b").to_json())
    second.reload_queue()
    second.start_next()
    assert sent(there) == []
    assert second.is_processed_elsewhere
    here[0].say(begun("a"), ended("a"))
    qtbot.waitUntil(lambda: sent(here) == ["a", "b"])
    here[0].say(begun("b"), ended("b"))

    def is_through() -> bool:
        second.reload_queue()
        return second.queue == ()

    qtbot.waitUntil(is_through)
    first.close()
    store.queue.add("c", request("c").to_json())
    second.reload_queue()
    qtbot.waitUntil(lambda: sent(there) == ["c"])


def test_that_an_engine_lost_before_a_run_begins_stalls_the_queue_and_loses_nothing(
    qtbot: QtBot, trainer: Trainer, add: Callable[[str], None], engines: FakeEngines
) -> None:
    for run in "ab":
        add(run)
    qtbot.waitUntil(lambda: sent(engines) == ["a"])
    engines[0].die()
    qtbot.waitUntil(lambda: trainer.is_stalled)
    assert queued(trainer) == ["a", "b"]
    trainer.restart_queue()
    qtbot.waitUntil(lambda: sent(engines, 1) == ["a"])


def test_that_an_engine_lost_in_a_run_does_not_stall_the_queue(
    qtbot: QtBot, trainer: Trainer, add: Callable[[str], None], engines: FakeEngines
) -> None:
    for run in "ab":
        add(run)
    qtbot.waitUntil(lambda: sent(engines) == ["a"])
    engines[0].say(begun("a"), batch())
    qtbot.waitUntil(lambda: queued(trainer) == ["b"])
    engines[0].die()
    qtbot.waitUntil(lambda: sent(engines, 1) == ["b"])


def test_that_what_is_no_training_is_reported_and_left_out(
    qtbot: QtBot, trainer: Trainer, add: Callable[[str], None], engines: FakeEngines, session: Session
) -> None:
    problems: list[QtDigitsError] = []
    session.problem_met.connect(problems.append)
    session.store.queue.add("odd", {"run": ""})
    add("a")
    qtbot.waitUntil(lambda: sent(engines) == ["a"])
    assert "Not a training" in str(problems[0])


def test_that_the_queue_waits_while_another_window_trains(
    qtbot: QtBot, trainer: Trainer, add: Callable[[str], None], engines: FakeEngines, session: Session
) -> None:
    session.store.runs.add(RunRecord("theirs", {}))
    theirs = RunFolder(session.data_dir, "theirs")
    assert not trainer.must_wait
    assert theirs.lock.acquire()
    assert trainer.must_wait
    with looking_again(qtbot, trainer):
        add("ours")
    trainer.train(QUICK)
    assert len(trainer.queue) == 2
    assert sent(engines) == []
    theirs.lock.release()
    qtbot.waitUntil(lambda: sent(engines) == ["ours"])


def test_that_a_training_that_another_window_was_quicker_with_is_queued(
    qtbot: QtBot, make_trainer: MakeTrainer, quick_queue: None, data_dir: Path
) -> None:
    engines = FakeEngines()
    trainer = make_trainer(engines)
    theirs = ProcessLock(data_dir / "training.lock")
    assert theirs.acquire()
    trainer.train(QUICK)
    assert len(trainer.queue) == 1
    with looking_again(qtbot, trainer):
        trainer.start_next()
    assert sent(engines) == []
    theirs.release()
    qtbot.waitUntil(lambda: len(sent(engines)) == 1)


def test_that_the_one_who_waits_takes_the_queue_over_when_the_other_window_is_closed(
    qtbot: QtBot, trainer: Trainer, add: Callable[[str], None], engines: FakeEngines, data_dir: Path
) -> None:
    theirs = ProcessLock(data_dir / "queue.lock")
    assert theirs.acquire()
    with looking_again(qtbot, trainer):
        add("a")
    assert sent(engines) == []
    theirs.release()
    qtbot.waitUntil(lambda: sent(engines) == ["a"])


def test_that_what_another_window_has_queued_is_seen_when_a_run_ends(
    qtbot: QtBot, trainer: Trainer, add: Callable[[str], None], engines: FakeEngines, store: SampleStore
) -> None:
    add("a")
    qtbot.waitUntil(lambda: sent(engines) == ["a"])
    engines[0].say(begun("a"))
    qtbot.waitUntil(lambda: store.queue.entries() == [])
    store.queue.add("theirs", request("theirs").to_json())
    engines[0].say(ended("a"))
    qtbot.waitUntil(lambda: sent(engines) == ["a", "theirs"])


def test_that_nothing_is_taken_from_the_queue_while_it_is_held(
    qtbot: QtBot, trainer: Trainer, add: Callable[[str], None], engines: FakeEngines
) -> None:
    trainer.hold(True)
    add("a")
    trainer.start_next()
    assert not trainer.learn_hand_unasked()
    assert sent(engines) == []
    trainer.hold(False)
    qtbot.waitUntil(lambda: sent(engines) == ["a"])


def test_that_a_training_the_engine_has_not_been_sent_is_queued_when_the_window_closes(
    make_trainer: MakeTrainer, session: Session
) -> None:
    trainer = make_trainer(FakeEngines(are_ready=False), session=session)
    trainer.train(Recipe())
    assert trainer.current is not None
    run = trainer.current.id
    trainer.close()
    assert [entry.run_id for entry in session.store.queue.entries()] == [run]


# Studies.


def work_on_study(qtbot: QtBot, trainer: Trainer, name: str = "widths") -> str:
    """Return the id of the job of a study that the engine has been sent."""
    trainer.work_on_study(name)
    wait_for(qtbot, trainer, EngineState.WORKING)
    assert trainer.current is not None
    return trainer.current.id


def test_that_a_training_goes_before_a_study_which_is_resumed_afterwards(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer
) -> None:
    study = work_on_study(qtbot, trainer)
    trainer.train(QUICK)
    assert engines[0].command_names == ["run_job", "stop"]
    assert trainer.waiting_studies == ("widths",)
    engines[0].say(JobCancelled(study, "study"))
    wait_for(qtbot, trainer, EngineState.TRAINING)
    engines[0].say(started(), finished())
    qtbot.waitUntil(lambda: trainer.study is not None)
    assert trainer.study is not None
    assert trainer.study.name == "widths"
    assert trainer.waiting_studies == ()


def test_that_a_study_waits_for_the_training_and_can_be_given_up_before(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer
) -> None:
    train(qtbot, trainer)
    trainer.work_on_study("widths")
    trainer.work_on_study("depths")
    trainer.work_on_study("depths")
    assert trainer.waiting_studies == ("widths", "depths")
    trainer.stop_study("widths")
    engines[0].say(started(), finished())
    qtbot.waitUntil(lambda: trainer.study is not None)
    assert trainer.study is not None
    assert trainer.study.name == "depths"


def test_that_a_study_that_is_stopped_stays_so(qtbot: QtBot, engines: FakeEngines, trainer: Trainer) -> None:
    study = work_on_study(qtbot, trainer)
    trainer.stop_study("widths")
    engines[0].say(JobCancelled(study, "study"))
    wait_for(qtbot, trainer, EngineState.READY)
    assert trainer.waiting_studies == ()
    assert trainer.last_ending is not None
    assert trainer.last_ending.outcome == "cancelled"


def test_that_other_windows_train_nothing_while_a_study_runs(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer, make_trainer: MakeTrainer
) -> None:
    work_on_study(qtbot, trainer)
    assert make_trainer(FakeEngines()).must_wait

"""The window has the champion's file upgraded when the engine is idle, and remembers as soon as that is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gui.fake_engine import FakeEngine, FakeEngines, finished, started
from qtdigits.core.model import Model
from qtdigits.core.recipe_files import load_recipe
from qtdigits.core.run.events import JobCancelled, JobFailed, JobFinished, Notice
from qtdigits.engine.protocol import ControlCommand, RunJob
from qtdigits.gui import current_reader
from qtdigits.gui.engine_process import EngineState
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.reader import Reader
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model, save_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import ModelUpgradeJob, TrainingJob

MakeTrainer = Callable[..., Trainer]
STROKE = np.array([[0, 0, 0, 1], [10, 10, 50, 1]], np.float32)
OLDER = b"of an earlier version"


class OlderReader(Reader):
    """Takes a program that ends with `OLDER`, which LiteRT ignores, for one that gives no embedding."""

    def __init__(self, model: Model, **options: Any) -> None:
        super().__init__(model, **options)
        self._is_older = model.flatbuffer.endswith(OLDER)

    @property
    def has_embedding(self) -> bool:
        return not self._is_older


@pytest.fixture
def newer(data_dir: Path) -> Model:
    return load_model(ModelLibrary(data_dir).find("mlp-50-50"))


@pytest.fixture
def path(data_dir: Path, newer: Model) -> Path:
    """The champion, a model of the person's own as an earlier version made it."""
    library = ModelLibrary(data_dir)
    path = library.new_path("mine")
    library.save(replace(newer, flatbuffer=newer.flatbuffer + OLDER), path)
    library.promote(path)
    return path


@pytest.fixture
def own_session(
    qtbot: QtBot, path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Session]:
    monkeypatch.setattr(current_reader, "Reader", OlderReader)
    session = Session(store=SampleStore.open(data_dir), library=ModelLibrary(data_dir), data_dir=data_dir)
    session.ensure_champion()
    yield session
    session.close()


@pytest.fixture
def own_trainer(make_trainer: MakeTrainer, engines: FakeEngines, own_session: Session) -> Trainer:
    return make_trainer(engines, session=own_session)


def jobs(engine: FakeEngine) -> list[str]:
    return [command.job.kind for command in engine.commands if isinstance(command, RunJob)]


def upgrading(qtbot: QtBot, trainer: Trainer, engines: FakeEngines) -> ModelUpgradeJob:
    """Start the engine; return what it is asked to do."""
    trainer.start_engine()
    qtbot.waitUntil(lambda: len(engines) == 1 and jobs(engines[0]) == [ModelUpgradeJob.kind])
    command = engines[0].commands[0]
    assert isinstance(command, RunJob)
    assert isinstance(command.job, ModelUpgradeJob)
    return command.job


def wait_until_heard(qtbot: QtBot, trainer: Trainer, engine: FakeEngine) -> None:
    """Until what the engine said so far has arrived."""
    with qtbot.waitSignal(trainer.notice_given):
        engine.say(Notice("", "heard"))


def done(job: ModelUpgradeJob, *, has_embedding: bool = True) -> JobFinished:
    return JobFinished(job.id, job.kind, {"has_embedding": has_embedding})


def test_that_it_is_upgraded_unseen_and_remembers_from_the_next_drawing_on(
    qtbot: QtBot, engines: FakeEngines, own_trainer: Trainer, own_session: Session, path: Path, newer: Model
) -> None:
    own_session.add_stroke(STROKE, "mouse")
    assert own_session.judge("7")
    with qtbot.assertNotEmitted(own_trainer.job_started), qtbot.assertNotEmitted(own_trainer.job_ended):
        job = upgrading(qtbot, own_trainer, engines)
        assert Path(job.model) == path
        assert (own_trainer.state, own_trainer.is_busy) == (EngineState.READY, False)
        own_session.add_stroke(STROKE, "mouse")
        save_model(newer, path)
        engines[0].say(done(job))
        wait_until_heard(qtbot, own_trainer, engines[0])
    assert own_session.memory is None  # the drawing on the canvas is judged by the model that read it
    own_session.undo()
    qtbot.waitUntil(lambda: own_session.memory is not None and not own_session.is_remembering)
    assert own_session.model_path == path
    own_session.add_stroke(STROKE, "mouse")
    assert own_session.reading is not None
    assert own_session.reading.label == "7"
    assert jobs(engines[0]) == [ModelUpgradeJob.kind]


def test_that_another_windows_upgrade_is_seen(
    qtbot: QtBot, own_session: Session, path: Path, newer: Model
) -> None:
    save_model(newer, path)
    qtbot.waitUntil(lambda: own_session.memory is not None)


def test_that_a_training_does_not_wait_for_it(
    qtbot: QtBot, engines: FakeEngines, own_trainer: Trainer
) -> None:
    job = upgrading(qtbot, own_trainer, engines)
    own_trainer.train(load_recipe("quick"))
    assert own_trainer.is_preparing
    assert own_trainer.queue == ()
    assert engines[0].commands[1:] == [ControlCommand.CANCEL]
    engines[0].say(JobCancelled(job.id, job.kind))
    qtbot.waitUntil(lambda: jobs(engines[0])[1:] == [TrainingJob.kind])
    assert own_trainer.state is EngineState.TRAINING
    engines[0].say(started(), finished())
    qtbot.waitUntil(lambda: jobs(engines[0])[2:] == [ModelUpgradeJob.kind])  # it is tried again


def test_that_a_training_that_is_cancelled_before_the_upgrade_has_ended_is_never_sent(
    qtbot: QtBot, engines: FakeEngines, own_trainer: Trainer
) -> None:
    job = upgrading(qtbot, own_trainer, engines)
    own_trainer.train(load_recipe("quick"))
    with qtbot.waitSignal(own_trainer.job_ended):
        own_trainer.cancel()
    engines[0].say(JobCancelled(job.id, job.kind))
    qtbot.waitUntil(lambda: jobs(engines[0]) == [ModelUpgradeJob.kind] * 2)


@pytest.mark.parametrize("outcome", ["without", "failed"])
def test_that_what_cannot_be_upgraded_reads_on_and_is_not_tried_again(
    outcome: str, qtbot: QtBot, engines: FakeEngines, own_trainer: Trainer, own_session: Session
) -> None:
    job = upgrading(qtbot, own_trainer, engines)
    failed = JobFailed(job.id, job.kind, "ValueError", "It went wrong.")
    with (
        qtbot.assertNotEmitted(own_session.problem_met),
        qtbot.assertNotEmitted(own_session.champion_changed),
    ):
        engines[0].say(failed if outcome == "failed" else done(job, has_embedding=False))
        wait_until_heard(qtbot, own_trainer, engines[0])
    own_session.use_model(own_session.library.find("mine"))
    own_trainer.train(load_recipe("quick"))
    assert jobs(engines[0]) == [ModelUpgradeJob.kind, TrainingJob.kind]


def test_that_an_engine_that_dies_of_it_is_not_asked_again(
    qtbot: QtBot, engines: FakeEngines, own_trainer: Trainer
) -> None:
    upgrading(qtbot, own_trainer, engines)
    engines[0].die()
    qtbot.waitUntil(lambda: own_trainer.state is EngineState.LOST)
    own_trainer.train(load_recipe("quick"))
    qtbot.waitUntil(lambda: len(engines) == 2 and jobs(engines[1]) == [TrainingJob.kind])


def test_that_only_the_persons_own_models_are_upgraded(
    qtbot: QtBot,
    make_trainer: MakeTrainer,
    engines: FakeEngines,
    own_session: Session,
    path: Path,
    tmp_path: Path,
) -> None:
    elsewhere = tmp_path / "elsewhere.h5"
    elsewhere.write_bytes(path.read_bytes())
    own_session.use_model(elsewhere)
    trainer = make_trainer(engines, session=own_session)
    trainer.start_engine()
    qtbot.waitUntil(lambda: trainer.state is EngineState.READY)
    wait_until_heard(qtbot, trainer, engines[0])
    assert engines[0].commands == []
    own_session.use_model(path)
    assert jobs(engines[0]) == [ModelUpgradeJob.kind]

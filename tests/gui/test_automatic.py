"""What begins by itself: learning a hand after so many corrections, and promoting a better model; never in anybody's way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject, QTimer, Signal
from pytestqt.qtbot import QtBot

from gui.fake_engine import FakeEngines, request, started
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.samples import Suspicion, Trial, Verdict
from qtdigits.core.recipe_files import load_recipe
from qtdigits.core.run.events import JobFinished, RunFinished
from qtdigits.gui.automatic import (
    SUGGESTED_AFTER,
    WAITING,
    AutomaticLearning,
    AutomaticPromotion,
    SuspectWatch,
)
from qtdigits.gui.engine_process import EngineState, JobEnding
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import TrainingJob
from store.values import a_sample

STROKE = Ink.of([[(0, 0), (10, 10)]])
OLD, NEW = Path("old.h5"), Path("new.h5")
PEN_STROKE = np.array([[0, 0, 0, 1], [10, 10, 50, 1]], np.float32)
DOUBT = Suspicion(0.8, "1", "looks like a 1, and like your own 1s")


class Drawing(QObject):
    """Stands in for the session: what is on the canvas, the judgements that the test makes, and the model in use."""

    trial_judged = Signal(object)
    trial_taken_back = Signal(object)
    ink_changed = Signal(object)
    writer_changed = Signal(str)
    closing = Signal()
    ink = Ink()
    model_path = OLD
    writer = "me"

    def __init__(self) -> None:
        super().__init__()
        self.used: list[Path] = []

    def judge(self, verdict: Verdict) -> Trial:
        trial = Trial("me", "model", "1", verdict, "7", ("1", "7"), (0.6, 0.4))
        self.trial_judged.emit(trial)
        return trial

    def use_model(self, path: Path) -> None:
        self.used.append(path)
        self.model_path = path


class Engine(QObject):
    """Stands in for the trainer."""

    training_requested = Signal(object)
    job_ended = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.is_busy = False
        self.n_trained = 0

    def learn_hand_unasked(self) -> bool:
        self.n_trained += not self.is_busy
        return not self.is_busy

    def ask(self, recipe: str) -> None:
        self.training_requested.emit(TrainingJob("run", "", load_recipe(recipe)))


class Guided(QObject):
    """Stands in for the guided session; `run` is anything while one goes on."""

    ended = Signal(str)
    run: object = None

    def end(self) -> None:
        self.run = None
        self.ended.emit("59 of 60 read right")


@dataclass
class Preferred:
    retrain_after: int = 0
    promotion: str = "automatic"


class Bench:
    def __init__(self) -> None:
        self.drawing, self.engine, self.guided, self.preferred = Drawing(), Engine(), Guided(), Preferred()
        shared = {
            "session": self.drawing,
            "trainer": self.engine,
            "guided": self.guided,
            "preferences": self.preferred,
        }
        self.learning = AutomaticLearning(**shared)  # type: ignore[arg-type]
        self.promotion = AutomaticPromotion(**shared)  # type: ignore[arg-type]
        self.quiet = self.learning.findChild(QTimer)
        self.quiet.setInterval(5)
        self.suggested: list[int] = []
        self.said: list[str] = []
        self.offered: list[str] = []
        self.learning.learning_suggested.connect(lambda: self.suggested.append(self.learning.corrections))
        self.promotion.notice_given.connect(self.said.append)
        self.promotion.verdict_ready.connect(self.offered.append)

    def correct(self, times: int = 1) -> None:
        for _ in range(times):
            self.drawing.judge(Verdict.CORRECTED)

    def finish(self, advice: str = "use") -> None:
        comparison = {"advice": advice, "sentence": "reads more"}
        event = RunFinished("run", "completed", str(NEW), 1, 1, 2.0, {}, comparison)
        self.engine.job_ended.emit(JobEnding(request(), "finished", event))


@pytest.fixture
def bench(qapp: object) -> Bench:
    return Bench()


# Learning.


def test_that_it_trains_after_so_many_corrections_and_counts_anew(qtbot: QtBot, bench: Bench) -> None:
    bench.preferred.retrain_after = 2
    bench.drawing.judge(Verdict.CONFIRMED)
    bench.correct()
    assert not bench.quiet.isActive()
    bench.correct()
    qtbot.waitUntil(lambda: bench.engine.n_trained == 1)
    assert bench.learning.corrections == 0


def test_that_it_waits_for_the_end_of_a_drawing_and_of_another_run(qtbot: QtBot, bench: Bench) -> None:
    bench.preferred.retrain_after = 1
    bench.engine.is_busy = True
    bench.correct()
    with qtbot.waitSignal(bench.quiet.timeout):
        pass
    assert bench.engine.n_trained == 0
    bench.engine.is_busy, bench.drawing.ink = False, STROKE
    with qtbot.waitSignal(bench.quiet.timeout):
        pass
    assert bench.engine.n_trained == 0
    bench.drawing.ink = Ink()
    qtbot.waitUntil(lambda: bench.engine.n_trained == 1)


@pytest.mark.parametrize("after", [0, 3])
def test_that_it_does_nothing_when_not_preferred_or_not_due(bench: Bench, after: int) -> None:
    bench.preferred.retrain_after = after
    taken_back = bench.drawing.judge(Verdict.CORRECTED)
    bench.correct()
    bench.drawing.trial_taken_back.emit(taken_back)
    bench.correct()
    assert bench.learning.corrections == 2
    assert not bench.quiet.isActive()


def test_that_another_writer_begins_at_nothing(bench: Bench) -> None:
    bench.preferred.retrain_after = 2
    bench.correct()
    bench.drawing.writer_changed.emit("ada")
    assert bench.learning.corrections == 0


def test_that_only_a_training_of_the_hand_that_a_person_asks_for_counts_as_learning(bench: Bench) -> None:
    bench.preferred.retrain_after = 2
    bench.correct()
    bench.engine.ask("quick")
    assert bench.learning.corrections == 1
    bench.correct()
    bench.engine.ask("my-hand")
    assert bench.learning.corrections == 0
    assert not bench.quiet.isActive()


def test_that_a_guided_session_holds_it_back_without_forgetting(qtbot: QtBot, bench: Bench) -> None:
    bench.preferred.retrain_after = 1
    bench.guided.run = "going on"
    bench.correct()
    with qtbot.waitSignal(bench.quiet.timeout):
        pass
    assert (bench.engine.n_trained, bench.learning.corrections) == (0, 1)
    bench.guided.end()
    qtbot.waitUntil(lambda: bench.engine.n_trained == 1)


def test_that_nothing_begins_once_the_window_closes(bench: Bench) -> None:
    bench.preferred.retrain_after = 1
    bench.correct()
    bench.drawing.closing.emit()
    assert not bench.quiet.isActive()


def test_that_where_nothing_is_learned_unasked_it_is_suggested_once_after_some_corrections(
    bench: Bench,
) -> None:
    bench.correct(SUGGESTED_AFTER + 3)
    assert bench.suggested == [SUGGESTED_AFTER]
    bench.engine.ask("my-hand")
    bench.correct(SUGGESTED_AFTER)
    assert bench.suggested == [SUGGESTED_AFTER, SUGGESTED_AFTER]
    assert bench.engine.n_trained == 0


def test_that_it_is_suggested_after_a_guided_session_and_never_within_one(bench: Bench) -> None:
    bench.guided.run = "going on"
    bench.correct(SUGGESTED_AFTER + 1)
    assert not bench.suggested
    bench.guided.end()
    assert bench.suggested == [SUGGESTED_AFTER + 1]


# Promotion.


def test_that_a_better_model_is_used_at_once(bench: Bench) -> None:
    bench.finish()
    assert bench.drawing.used == [NEW]
    assert bench.said == ["A better model is in use: it reads more."]


def test_that_what_is_not_better_or_not_preferred_or_no_model_is_left_to_the_person(bench: Bench) -> None:
    bench.finish("ask")
    bench.engine.job_ended.emit(JobEnding(request(), "cancelled"))
    bench.finish("keep")
    bench.preferred.promotion = "ask"
    bench.finish()
    assert bench.drawing.used == bench.said == []
    assert bench.offered == ["A new model is ready: it reads more."] * 2


def test_that_it_waits_for_the_end_of_a_guided_session_and_says_so(bench: Bench) -> None:
    bench.guided.run = "going on"
    bench.finish()
    assert (bench.drawing.used, bench.said) == ([], [WAITING])
    bench.guided.end()
    assert bench.drawing.used == [NEW]
    bench.guided.end()
    assert bench.drawing.used == [NEW]


@pytest.mark.parametrize("change", [{"model_path": Path("chosen.h5")}, {"writer": "Ada"}])
def test_that_a_comparison_that_is_out_of_date_decides_nothing(
    bench: Bench, change: dict[str, object]
) -> None:
    bench.guided.run = "going on"
    bench.finish()
    for name, value in change.items():
        setattr(bench.drawing, name, value)
    bench.guided.end()
    assert bench.drawing.used == []


def test_that_a_change_of_mind_meanwhile_counts(bench: Bench) -> None:
    bench.guided.run = "going on"
    bench.finish()
    bench.preferred.promotion = "ask"
    bench.guided.end()
    assert bench.drawing.used == []


# Labels that look wrong.


@pytest.fixture
def doubt(session: Session) -> Callable[..., None]:
    """Mark drawings as the engine does: by a connection of its own."""
    session.store.add_samples(a_sample("7") for _ in range(5))

    def mark(*ids: int) -> None:
        with SampleStore.open(session.data_dir) as store:
            store.mark_suspects(dict.fromkeys(ids, DOUBT))

    return mark


def test_that_only_new_suspects_of_a_review_are_announced(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer, session: Session, doubt: Callable[..., None]
) -> None:
    found: list[int] = []
    watch = SuspectWatch(session=session, trainer=trainer)
    watch.suspects_found.connect(found.append)
    endings: list[JobEnding] = []
    trainer.job_ended.connect(endings.append)
    for ids in ((), (2, 3)):
        doubt(4)
        trainer.review_labels()
        qtbot.waitUntil(lambda: trainer.state is EngineState.WORKING)
        n = len(endings)
        if ids:
            doubt(*ids)
        engines[0].say(JobFinished("e", "label review", {"n": 5, "waiting": 1}))
        qtbot.waitUntil(lambda n=n: len(endings) == n + 1)
    assert found == [3]


def test_that_what_a_training_finds_is_said_between_two_drawings(
    qtbot: QtBot, engines: FakeEngines, trainer: Trainer, session: Session, doubt: Callable[..., None]
) -> None:
    found: list[int] = []
    watch = SuspectWatch(session=session, trainer=trainer)
    watch.suspects_found.connect(found.append)
    session.add_stroke(PEN_STROKE, "mouse")
    trainer.train(load_recipe("quick"))
    qtbot.waitUntil(lambda: trainer.state is EngineState.TRAINING)
    doubt(2)
    with qtbot.waitSignal(session.samples_changed):
        engines[0].say(started())
    assert found == []
    session.skip()
    assert found == [1]

"""Learning by itself: after so many corrections, between two drawings, and never in anybody's way."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QTimer, Signal
from pytestqt.qtbot import QtBot

from gui.fake_engine import request
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.samples import Trial, Verdict
from qtdigits.gui.training.self_training import OFFERED_AFTER, SelfTraining
from qtdigits.training.jobs import TrainingJob

STROKE = Ink.of([[(0, 0), (10, 10)]])


class Drawing(QObject):
    """Stands in for the session: what is on the canvas, and the judgements that the test makes."""

    trial_judged = Signal(object)
    trial_taken_back = Signal(object)
    ink_changed = Signal(object)
    writer_changed = Signal(str)
    ink = Ink()

    def judge(self, verdict: Verdict) -> Trial:
        trial = Trial("me", "model", "1", verdict, "7", ("1", "7"), (0.6, 0.4))
        self.trial_judged.emit(trial)
        return trial


class Engine:
    """Stands in for the controller."""

    def __init__(self) -> None:
        self.is_busy = False
        self.trained: list[TrainingJob] = []

    def train(self, wanted: TrainingJob) -> bool:
        self.trained.append(wanted)
        return True


class Bench:
    def __init__(self, after: int) -> None:
        self.is_held_back = False
        self.drawing, self.engine = Drawing(), Engine()
        self.training = SelfTraining(
            session=self.drawing,  # type: ignore[arg-type]
            controller=self.engine,  # type: ignore[arg-type]
            after=lambda: after,
            make_request=request,
            is_held_back=lambda: self.is_held_back,
        )
        self.quiet = self.training.findChild(QTimer)
        self.quiet.setInterval(5)

    @property
    def n_trained(self) -> int:
        return len(self.engine.trained)


def bench(after: int) -> Bench:
    return Bench(after)


def test_that_it_trains_after_so_many_corrections_and_counts_anew(qtbot: QtBot) -> None:
    b = bench(after=2)
    b.drawing.judge(Verdict.CONFIRMED)
    b.drawing.judge(Verdict.CORRECTED)
    assert not b.quiet.isActive()
    b.drawing.judge(Verdict.CORRECTED)
    qtbot.waitUntil(lambda: b.n_trained == 1)
    assert b.training.corrections == 0


def test_that_it_waits_for_the_end_of_a_drawing_and_of_another_run(qtbot: QtBot) -> None:
    b = bench(after=1)
    b.engine.is_busy = True
    b.drawing.judge(Verdict.CORRECTED)
    with qtbot.waitSignal(b.quiet.timeout):
        pass
    assert b.n_trained == 0
    b.engine.is_busy, b.drawing.ink = False, STROKE
    with qtbot.waitSignal(b.quiet.timeout):
        pass
    assert b.n_trained == 0
    b.drawing.ink = Ink()
    qtbot.waitUntil(lambda: b.n_trained == 1)


@pytest.mark.parametrize("after", [0, 3])
def test_that_it_does_nothing_when_not_wished_or_not_due(qtbot: QtBot, after: int) -> None:
    b = bench(after)
    taken_back = b.drawing.judge(Verdict.CORRECTED)
    b.drawing.judge(Verdict.CORRECTED)
    b.drawing.trial_taken_back.emit(taken_back)
    b.drawing.judge(Verdict.CORRECTED)
    assert b.training.corrections == 2
    assert not b.quiet.isActive()


def test_that_another_writer_begins_at_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    b = bench(after=2)
    b.drawing.judge(Verdict.CORRECTED)
    b.drawing.writer_changed.emit("ada")
    assert b.training.corrections == 0


def test_that_it_is_held_back_without_forgetting(qtbot: QtBot) -> None:
    b = bench(after=1)
    b.is_held_back = True
    b.drawing.judge(Verdict.CORRECTED)
    with qtbot.waitSignal(b.quiet.timeout):
        pass
    assert (b.n_trained, b.training.corrections) == (0, 1)
    b.is_held_back = False
    b.training.look_again()
    qtbot.waitUntil(lambda: b.n_trained == 1)


def test_that_where_nothing_is_learned_unasked_it_asks_once_after_some_corrections(qtbot: QtBot) -> None:
    b = bench(after=0)
    asked: list[int] = []
    b.training.worth_asking.connect(lambda: asked.append(b.training.corrections))
    for _ in range(OFFERED_AFTER + 3):
        b.drawing.judge(Verdict.CORRECTED)
    assert asked == [OFFERED_AFTER]
    b.training.forget()
    for _ in range(OFFERED_AFTER):
        b.drawing.judge(Verdict.CORRECTED)
    assert asked == [OFFERED_AFTER, OFFERED_AFTER]
    assert b.n_trained == 0


def test_that_it_asks_after_a_guided_session_and_never_within_one(qtbot: QtBot) -> None:
    b = bench(after=0)
    asked: list[int] = []
    b.training.worth_asking.connect(lambda: asked.append(b.training.corrections))
    b.is_held_back = True
    for _ in range(OFFERED_AFTER + 1):
        b.drawing.judge(Verdict.CORRECTED)
    assert not asked
    b.is_held_back = False
    b.training.look_again()
    assert asked == [OFFERED_AFTER + 1]

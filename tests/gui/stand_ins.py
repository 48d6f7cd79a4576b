"""What a window's test puts in the place of a network, of the dialogs and of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from qtdigits.core.drawing.classes import AS_TRAINED, Classes
from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.judging import Reading
from qtdigits.core.memory import Memory
from qtdigits.core.model import Model
from qtdigits.core.run.events import RunStarted
from qtdigits.core.score.calibration import ALIKE
from qtdigits.core.score.metrics import RunningAccuracy, Tally
from qtdigits.core.undo import UndoStack
from qtdigits.errors import QtDigitsError, StoreError
from qtdigits.gui.champion import Champion
from qtdigits.gui.trainer import Current, JobEnding
from qtdigits.gui.widgets.ask import Ask
from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import TrainingJob


def action(window: QWidget, text: str) -> QAction:
    """The entry of a window's menus that says `text`."""
    return next(found for found in window.findChildren(QAction) if found.text().replace("&", "") == text)


class FixedReader:
    """Reads every drawing as the digit that the model's name ends with, as a 3 where it ends with none; 91 % sure."""

    label_set = DIGITS
    outputs = DIGITS
    has_embedding = False

    def __init__(self, model: Model, *, classes: Classes = AS_TRAINED) -> None:
        self.model_name = model.name
        self.undecided_below = model.undecided_below
        self.similarity, self.unlike_below = ALIKE, model.unlike_below
        self._answer = int(model.name[-1]) if model.name[-1].isdigit() else 3

    def show_as(self, classes: Classes) -> None:
        """It says what it says."""

    def read(self, raster: NDArray[np.uint8], memory: Memory | None = None) -> Reading:
        assert raster.shape == (28, 28)
        probabilities = np.full(10, 0.01, np.float32)
        probabilities[self._answer] = 0.91
        return Reading(
            *(raster, DIGITS.labels, probabilities, self.undecided_below),
            similarity=self.similarity,
            unlike_below=self.unlike_below,
        )


class FakeSession(QObject):
    """Stands in for a session: remembers what is asked of it."""

    champion_changed = Signal(object)
    accuracy_changed = Signal(object)
    models_changed = Signal()
    samples_changed = Signal()
    undo_changed = Signal()
    closing = Signal()
    champion: Champion | None = None
    label_set = DIGITS
    classes = AS_TRAINED
    reader = None
    model_path = None
    data_dir = Path("no such folder")

    def __init__(self) -> None:
        super().__init__()
        self.store = SampleStore.unavailable(self.data_dir, StoreError("There is no store here."))
        self.writer = "me"
        self.judged: dict[str, Tally] = {}
        self.used: list[Path] = []
        self.selected: list[tuple[str, tuple[int, ...]]] = []
        self.reported: list[QtDigitsError] = []
        self.notices: list[str] = []
        self.n_rolled_back = 0
        self.told: list[str] = []
        self.undo_stack = UndoStack(on_change=self.undo_changed.emit)

    def undo(self) -> None:
        self.undo_stack.undo()

    def tell(self, text: str) -> None:
        self.told.append(text)

    def become(self, champion: Champion) -> None:
        """Another model is in use."""
        self.champion = champion
        self.champion_changed.emit(champion)

    def use_model(self, path: Path) -> None:
        self.used.append(path)

    def roll_back(self) -> None:
        self.n_rolled_back += 1

    def accuracy(self, model: str) -> RunningAccuracy:
        tally = self.judged.get(model, Tally(0, 0))
        return RunningAccuracy(self.writer, model, tally.correct, tally.n)

    def select_samples(self, title: str, ids: tuple[int, ...]) -> None:
        self.selected.append((title, ids))

    def report(self, error: QtDigitsError) -> None:
        self.reported.append(error)

    def notify(self, text: str) -> None:
        self.notices.append(text)


class FakeTrainer(QObject):
    """Stands in for a trainer: remembers what is asked of it."""

    job_started = Signal(object)
    job_progressed = Signal(object)
    job_ended = Signal(object)
    run_started = Signal(object)
    is_free = True
    is_training = False

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[object, ...]] = []
        self.current: Current | None = None

    def begin(self, job: TrainingJob, event: RunStarted) -> None:
        """A training has begun."""
        self.current = Current(job, started=event)
        self.run_started.emit(event)

    def end(self, ending: JobEnding) -> None:
        self.current = None
        self.job_ended.emit(ending)

    def review_labels(self) -> bool:
        self.asked.append(("review labels",))
        return self.is_free

    def resume_run(self, run: RunRecord) -> None:
        self.asked.append(("resume", run.id))

    def extend_run(self, run: RunRecord, epochs: int) -> None:
        self.asked.append(("extend", run.id, epochs))


class Answers(Ask):
    """Stands in for the dialogs: gives `reply`, whatever is asked, and remembers the questions as they were put."""

    def __init__(self, reply: Any = None) -> None:
        super().__init__()
        self.reply = reply
        self.asked: list[tuple[Any, ...]] = []

    def _answer(self, *question: Any) -> Any:
        self.asked.append(question)
        return self.reply

    yes = text = number = file_to_open = file_to_save = _answer

    def one_of(
        self, title: str, question: str, answers: Sequence[str], *, no: str, is_grave: bool = False
    ) -> str | None:
        """A dialog that nobody answers would never end."""
        self.asked.append((title, question))
        return self.reply if self.reply in answers else None


def no_engine() -> NoReturn:
    raise AssertionError("nothing in this test starts an engine")

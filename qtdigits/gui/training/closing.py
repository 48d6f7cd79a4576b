"""What becomes of a training, and of those behind it in line, when the window is closed."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from PySide6.QtCore import QObject, Signal, Slot

from qtdigits.gui.engine.engine_controller import EngineController
from qtdigits.gui.training.training_queue import TrainingQueue
from qtdigits.gui.widgets.ask import Ask

TITLE = "A training is running"
QUESTION = "What shall become of it?"
EXPLANATION = (
    "Finished or stopped: the window goes out of sight until the model is stored. "
    "Another time: the list of runs offers to go on with it."
)
STAY = "Do not close"


class Choice(StrEnum):
    """What a person can say when the window closes on a training."""

    FINISH = "Finish it, then quit"
    STOP = "Stop, keep the best"
    LATER = "Go on another time"
    CANCEL = "Give it up"


class Closing(QObject):
    """Asks, and has the window wait out of sight until the training is at its end. `is_over` says when that is.

    LATER is the quick one: where the training stands is written down, and the list of runs offers to go on with it. One that the
    engine has not heard of yet stands in line instead. While the question is open no other training begins (`is_asking`), so
    that the answer is about the one that was seen.
    """

    is_over = Signal()

    def __init__(
        self,
        *,
        controller: EngineController,
        ask: Ask,
        queue: TrainingQueue,
        stop: Callable[[], None],
        can_stop: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._controller, self._ask, self._queue = controller, ask, queue
        self._stop, self._can_stop = stop, can_stop
        self._is_waiting = self._is_asking = False
        controller.state_changed.connect(self._look)

    @property
    def is_waiting(self) -> bool:
        """The window is out of sight, and closes by itself when the training has ended."""
        return self._is_waiting

    @property
    def is_asking(self) -> bool:
        return self._is_asking

    def wanted(self) -> Choice | None:
        """LATER when no training goes on: then there is nothing to ask. None: the window is to stay."""
        if not self._controller.is_busy or self._controller.other_job is not None:
            return Choice.LATER
        self._is_asking = True
        answer = self._ask.one_of(TITLE, self._question(), self._choices(), no=STAY)
        self._is_asking = False
        return None if answer is None else Choice(answer)

    def keep_unsent(self) -> None:
        """Put the training that the engine has not heard of into the line, where there is one."""
        if (request := self._controller.unsent) is not None:
            self._queue.add(request)

    def wait(self, choice: Choice) -> None:
        """Let the training come to its end in the way that was chosen."""
        self._is_waiting = True
        match choice:
            case Choice.STOP:
                self._stop()
            case Choice.CANCEL:
                self._controller.cancel()
            case _:
                self._controller.go_on()
        self._look()

    @Slot()
    def _look(self) -> None:
        if self._is_waiting and not self._controller.is_busy:
            self._is_waiting = False
            self.is_over.emit()

    def _question(self) -> str:
        waiting = len(self._queue.waiting)
        return f"{TITLE}. {QUESTION}\n\n{EXPLANATION} {line_text(waiting)}".rstrip()

    def _choices(self) -> list[str]:
        """Before the first batch there is nothing to keep."""
        return [str(choice) for choice in Choice if choice is not Choice.STOP or self._can_stop()]


def line_text(n: int) -> str:
    """What becomes of the trainings behind it."""
    if not n:
        return ""
    what = (
        "The training that waits in line begins" if n == 1 else f"The {n} trainings that wait in line begin"
    )
    return f"{what} when the program is opened next."

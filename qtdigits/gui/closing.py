"""What becomes of a training when the window is closed."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from PySide6.QtCore import QObject, Signal, Slot

from qtdigits.gui.ask import Ask
from qtdigits.gui.engine_controller import EngineController

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

    LATER is the quick one: where the training stands is written down, and the list of runs offers to go on with it.
    """

    is_over = Signal()

    def __init__(
        self,
        *,
        controller: EngineController,
        ask: Ask,
        stop: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._controller, self._ask, self._stop = controller, ask, stop
        self._is_waiting = False
        controller.state_changed.connect(self._look)

    @property
    def is_waiting(self) -> bool:
        """The window is out of sight, and closes by itself when the training has ended."""
        return self._is_waiting

    def wanted(self) -> Choice | None:
        """LATER when no training goes on: then there is nothing to ask. None: the window is to stay."""
        if not self._controller.is_busy or self._controller.errand is not None:
            return Choice.LATER
        answer = self._ask.one_of(
            TITLE, f"{TITLE}. {QUESTION}\n\n{EXPLANATION}", [str(choice) for choice in Choice], no=STAY
        )
        return None if answer is None else Choice(answer)

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

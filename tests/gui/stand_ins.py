"""What a window's test puts in the place of a network, of the dialogs and of the engine."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.judging import Reading
from qtdigits.core.memory import Memory
from qtdigits.core.model import Model
from qtdigits.gui.session import Champion
from qtdigits.gui.widgets.ask import Ask


def action(window: QWidget, text: str) -> QAction:
    """The entry of a window's menus that says `text`."""
    return next(found for found in window.findChildren(QAction) if found.text().replace("&", "") == text)


class FixedReader:
    """Reads every drawing as the digit that the model's name ends with, as a 3 where it ends with none; 91 % sure."""

    label_set = DIGITS

    def __init__(self, model: Model) -> None:
        self.model_name = model.name
        self.undecided_below = model.undecided_below
        self._answer = int(model.name[-1]) if model.name[-1].isdigit() else 3

    def read(self, raster: NDArray[np.uint8], memory: Memory | None = None) -> Reading:
        assert raster.shape == (28, 28)
        probabilities = np.full(10, 0.01, np.float32)
        probabilities[self._answer] = 0.91
        return Reading(raster, DIGITS.labels, probabilities, self.undecided_below)


class ChampionOnly(QObject):
    """Stands in for a session of which only the champion is wanted."""

    champion_changed = Signal(object)
    champion: Champion | None = None

    def use(self, champion: Champion) -> None:
        self.champion = champion
        self.champion_changed.emit(champion)


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


def no_engine() -> NoReturn:
    raise AssertionError("nothing in this test starts an engine")

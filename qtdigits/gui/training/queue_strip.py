"""The trainings that wait in line, as a short list with buttons to reorder and remove them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from qtdigits.gui.training.training_queue import TrainingQueue
from qtdigits.gui.widgets.parts import button, elided_label, label, scrolling
from qtdigits.store.tables.queue import QueuedRun

MOST_SHOWN = 4
SMALL_PX = 30


class QueueStrip(QWidget):
    """Takes no room while nothing waits. The first of the list comes next."""

    def __init__(self, *, queue: TrainingQueue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("queueStrip")
        self._queue = queue
        self._title = label("", role="muted", name="queueTitle")
        self._start = button("Start the line", "startQueueButton", "Train what waits, one after the other")
        self._start.clicked.connect(queue.go_on)
        self._area = scrolling(QWidget())
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        top = QHBoxLayout()
        top.addWidget(self._title, 1)
        top.addWidget(self._start)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addLayout(top)
        box.addWidget(self._area)
        queue.changed.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        waiting = self._queue.waiting
        self.setVisible(bool(waiting))
        if not waiting:
            return
        is_elsewhere = self._queue.is_worked_off_elsewhere
        self._title.setText(_title(len(waiting), is_elsewhere=is_elsewhere, is_halted=self._queue.is_halted))
        self._start.setVisible(self._queue.is_halted)
        rows = QWidget()
        grid = QGridLayout(rows)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 1)
        for number, entry in enumerate(waiting):
            self._add_row(grid, number, entry, n_rows=len(waiting))
        if (before := self._area.takeWidget()) is not None:
            before.deleteLater()  # one of its buttons may have asked for this
        self._area.setWidget(rows)
        height = rows.sizeHint().height()
        self._area.setFixedHeight(min(height, height * MOST_SHOWN // len(waiting)))

    def _add_row(self, grid: QGridLayout, number: int, entry: QueuedRun, *, n_rows: int) -> None:
        text = elided_label(name=f"queued.{number}")
        text.setText(f"{number + 1}.  {described(entry.request)}")
        grid.addWidget(text, number, 0)
        up = _small("↑", f"queuedUp.{number}", "Train it earlier")
        down = _small("↓", f"queuedDown.{number}", "Train it later")
        away = button("Remove", f"queuedAway.{number}", "Take it out of the line")
        up.setEnabled(number > 0)
        down.setEnabled(number < n_rows - 1)
        # Partials of the queue's own methods: they run in the GUI thread, where they are made.
        up.clicked.connect(partial(self._queue.move, entry.run_id, -1))
        down.clicked.connect(partial(self._queue.move, entry.run_id, 1))
        away.clicked.connect(partial(self._queue.remove, entry.run_id))
        for column, one in enumerate((up, down, away), 1):
            grid.addWidget(one, number, column)


def described(request: Mapping[str, Any]) -> str:
    """Such as "my-hand · 4 epochs · Ada" or "cnn-32-64 · goes on to epoch 15"."""
    recipe = request.get("recipe") or {}
    epochs = recipe.get("epochs", "?")
    what = f"{epochs} epoch{'s' if epochs != 1 else ''}"
    if request.get("resumes"):
        what = f"goes on to epoch {epochs}"
    parts = [str(request.get("name") or recipe.get("name") or "a training"), what]
    if recipe.get("start") == "champion" and request.get("writer"):
        parts.append(str(request["writer"]))
    return " · ".join(parts)


def _title(n: int, *, is_elsewhere: bool, is_halted: bool) -> str:
    what = "1 training waits" if n == 1 else f"{n} trainings wait"
    if is_elsewhere:
        return f"{what}; another window works the line off"
    return f"{what}: the training engine was lost" if is_halted else f"{what} in line"


def _small(text: str, name: str, tip: str) -> QPushButton:
    made = button(text, name, tip)
    made.setAccessibleName(tip)
    made.setFixedWidth(SMALL_PX)
    return made

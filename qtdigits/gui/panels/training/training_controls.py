"""The controls above the curves: of the next training, of the one that goes on, and the thin bar of its progress."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from qtdigits.gui.training.training_queue import TrainingQueue
from qtdigits.gui.widgets.parts import ChoiceBox, button, elided_label, label, scrolling
from qtdigits.store.tables.runs import QueuedRun

NARROW_PX = 600
TRAIN_TIP = "Train a network by this recipe"
TRAIN_NEXT_TIP = "Train a network by this recipe when the present training has ended"
PAUSE_TIP = "Let the training wait after this batch; the processor is free meanwhile (Ctrl+P)"
GO_ON_TIP = "Go on with the training (Ctrl+P)"


class TrainingControls(QWidget):
    """What is trained next: recipe, epochs, data and the button. It owns the widgets; the panel acts on them."""

    def __init__(self, *, epochs_editor: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.recipe_box = ChoiceBox(name="recipeBox")
        self.recipe_box.setAccessibleName("Recipe")
        self.recipe_box.setMinimumContentsLength(9)
        self.recipe_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._epochs = epochs_editor
        self._titles = [label("Recipe", role="muted"), label("Epochs", role="muted")]
        self.data_label = elided_label(role="muted", name="trainingData")
        self.train_button = button("Train", "trainButton", TRAIN_TIP, is_primary=True)
        self.adjust_button = button("Adjust…", "adjustButton", "Show every setting of the recipe")
        self.adjust_button.setCheckable(True)
        self._lay_out()
        self.show_idle(can_train=True)

    def show_idle(self, *, can_train: bool) -> None:
        self.train_button.setText("Train")
        self.train_button.setToolTip(TRAIN_TIP)
        self.train_button.setEnabled(can_train)

    def show_running(self, *, can_queue: bool) -> None:
        self.train_button.setText("Train next")
        self.train_button.setToolTip(TRAIN_NEXT_TIP)
        self.train_button.setEnabled(can_queue)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for title, widget in zip(self._titles, (self.recipe_box, self._epochs), strict=True):
            title.setBuddy(widget)
            title.hide()  # until it is known that there is room
            row.addWidget(title)
            row.addWidget(widget)
            row.addSpacing(6)
        row.addWidget(self.data_label, 1)
        row.addWidget(self.train_button)
        row.addWidget(self.adjust_button)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for title in self._titles:
            title.setVisible(event.size().width() >= NARROW_PX)


class SteeringControls(QWidget):
    """What can be done about the run that goes on. Takes no room without one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.stop_button = button("Stop, keep best", "stopButton", "End the training and keep the best epoch")
        self.pause_button = button("Pause", "pauseButton", PAUSE_TIP)
        self.cancel_button = button("Cancel", "cancelButton", "Give the training up: no model is kept")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for one in (self.stop_button, self.pause_button, self.cancel_button):
            row.addWidget(one)
        self.hide()

    def show_running(self, *, can_stop: bool, can_cancel: bool, is_paused: bool) -> None:
        """A run can wait from when it could be stopped on."""
        self.stop_button.setEnabled(can_stop)
        self.pause_button.setText("Go on" if is_paused else "Pause")
        self.pause_button.setToolTip(GO_ON_TIP if is_paused else PAUSE_TIP)
        self.pause_button.setEnabled(can_stop)
        self.cancel_button.setEnabled(can_cancel)
        self.show()


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

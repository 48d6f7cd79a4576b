"""The controls above the curves: the next training, the running one, the queue, and what a training has to say."""

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

from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.parts import ChoiceBox, button, elided_label, frame, label, scrolling
from qtdigits.store.tables.runs import QueuedRun

NARROW_PX = 600
TRAIN_TIP = "Train a network by this recipe"
TRAIN_NEXT_TIP = "Train a network by this recipe when the present training has ended"
RETRY_TIP = "Train once more by the same recipe"
RESUME = "Resume"
RESUME_FROM_RUNS = "That training can be resumed from the Runs tab."
RESUME_TIP = "Resume this training where it was interrupted"


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


MOST_SHOWN = 4
SMALL_PX = 30


class QueueStrip(QWidget):
    """Takes no room while nothing is queued. The first of the list comes next."""

    def __init__(self, *, trainer: Trainer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("queueStrip")
        self._trainer = trainer
        self._title = label("", role="muted", name="queueTitle")
        self._start = button(
            "Start the queue", "startQueueButton", "Train what is queued, one after the other"
        )
        self._start.clicked.connect(trainer.restart_queue)
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
        trainer.queue_changed.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        queue, is_stalled = self._trainer.queue, self._trainer.is_stalled
        self.setVisible(bool(queue))
        if not queue:
            return
        is_elsewhere = self._trainer.is_processed_elsewhere
        self._title.setText(_title(len(queue), is_elsewhere=is_elsewhere, is_stalled=is_stalled))
        self._start.setVisible(is_stalled)
        rows = QWidget()
        grid = QGridLayout(rows)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 1)
        for number, entry in enumerate(queue):
            self._add_row(grid, number, entry, n_rows=len(queue))
        if (before := self._area.takeWidget()) is not None:
            before.deleteLater()  # one of its buttons may have asked for this
        self._area.setWidget(rows)
        height = rows.sizeHint().height()
        self._area.setFixedHeight(min(height, height * MOST_SHOWN // len(queue)))

    def _add_row(self, grid: QGridLayout, number: int, entry: QueuedRun, *, n_rows: int) -> None:
        text = elided_label(name=f"queued.{number}")
        text.setText(f"{number + 1}.  {described(entry.request)}")
        grid.addWidget(text, number, 0)
        up = _small("↑", f"queuedUp.{number}", "Train it earlier")
        down = _small("↓", f"queuedDown.{number}", "Train it later")
        away = button("Remove", f"queuedAway.{number}", "Remove it from the queue")
        up.setEnabled(number > 0)
        down.setEnabled(number < n_rows - 1)
        # Partials of the trainer's own methods: they run in the GUI thread, where they are made.
        up.clicked.connect(partial(self._trainer.move_in_queue, entry.run_id, -1))
        down.clicked.connect(partial(self._trainer.move_in_queue, entry.run_id, 1))
        away.clicked.connect(partial(self._trainer.remove_from_queue, entry.run_id))
        for column, one in enumerate((up, down, away), 1):
            grid.addWidget(one, number, column)


class TrainingMessages(QWidget):
    """Takes no room while there is nothing to say. `retry_button` and `resume_button` are for the panel."""

    def __init__(self) -> None:
        super().__init__()
        self._notice = label(role="warning", name="trainingNotice", wraps=True)
        self._error = label(role="error", name="trainingError", wraps=True)
        for text in (self._notice, self._error):
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.retry_button = button("Try again", "retryButton", RETRY_TIP)
        self._error_bar = frame("trainingErrorBar")
        row = QHBoxLayout(self._error_bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._error, 1)
        row.addWidget(self.retry_button, 0, Qt.AlignmentFlag.AlignTop)
        self._offer = elided_label(name="interruptedRun")
        self.resume_button = button(RESUME, "resumeInterruptedButton", RESUME_TIP)
        not_now = button("Not now", "notNowButton", "It can be resumed from the Runs tab later")
        not_now.clicked.connect(self.clear)
        self._offer_bar = frame("interruptedBar")
        offer_row = QHBoxLayout(self._offer_bar)
        offer_row.setContentsMargins(0, 0, 0, 0)
        offer_row.addWidget(self._offer, 1)
        offer_row.addWidget(self.resume_button)
        offer_row.addWidget(not_now)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._notice)
        box.addWidget(self._error_bar)
        box.addWidget(self._offer_bar)
        self.clear()

    @property
    def notice(self) -> str:
        return self._notice.text()

    @property
    def error(self) -> str:
        return self._error.text()

    def show_notice(self, text: str) -> None:
        self._notice.setText(text)
        self._notice.show()
        self.show()

    def show_error(self, text: str, *, can_retry: bool, can_resume: bool = False) -> None:
        """`can_resume`: trying again means to resume the training that was interrupted."""
        self._error.setText(text)
        self.retry_button.setText(RESUME if can_resume else "Try again")
        self.retry_button.setToolTip(RESUME_TIP if can_resume else RETRY_TIP)
        self.retry_button.setVisible(can_retry)
        self._error_bar.show()
        self.show()

    def offer_resuming(self, text: str) -> None:
        self._offer.setText(text)
        self._offer_bar.show()
        self.show()

    def begin_next(self) -> None:
        """Another training has begun by itself: the error of the one before has hardly been read yet."""
        has_failed, missed = not self.retry_button.isHidden(), self.error
        remedy = f" {RESUME_FROM_RUNS}" if self.retry_button.text() == RESUME else ""
        self.clear()
        if missed and has_failed:
            self.show_notice(f"Previous training: {missed}{remedy}")

    @Slot()
    def clear(self) -> None:
        for text in (self._notice, self._error):
            text.clear()
        for part in (self._notice, self._error_bar, self._offer_bar, self):
            part.hide()


def described(request: Mapping[str, Any]) -> str:
    """Such as "my-hand · 4 epochs · Ada" or "cnn-32-64 · resumed, to epoch 15"."""
    recipe = request.get("recipe") or {}
    epochs = recipe.get("epochs", "?")
    what = f"{epochs} epoch{'s' if epochs != 1 else ''}"
    if request.get("resumes"):
        what = f"resumed, to epoch {epochs}"
    parts = [str(request.get("name") or recipe.get("name") or "a training"), what]
    if recipe.get("start") == "champion" and request.get("writer"):
        parts.append(str(request["writer"]))
    return " · ".join(parts)


def _title(n: int, *, is_elsewhere: bool, is_stalled: bool) -> str:
    what = "1 training is queued" if n == 1 else f"{n} trainings are queued"
    if is_elsewhere:
        return f"{what}; another window processes the queue"
    return f"{what}: the training engine was lost" if is_stalled else what


def _small(text: str, name: str, tip: str) -> QPushButton:
    made = button(text, name, tip)
    made.setAccessibleName(tip)
    made.setFixedWidth(SMALL_PX)
    return made

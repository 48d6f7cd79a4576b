"""The controls above the curves: of the next training, of the one that goes on, and the thin bar of its progress."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QProgressBar, QSizePolicy, QWidget
from typing_extensions import override

from qtdigits.gui.widgets.choice_box import ChoiceBox
from qtdigits.gui.widgets.parts import button, elided_label, label
from qtdigits.gui.widgets.theme import Theme

NARROW_PX = 600
TRAIN_TIP = "Train a network by this recipe"
TRAIN_NEXT_TIP = "Train a network by this recipe when the present training has ended"
PAUSE_TIP = "Let the training wait after this batch; the processor is free meanwhile (Ctrl+P)"
GO_ON_TIP = "Go on with the training (Ctrl+P)"
BAR_PX = 6


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


class ThinBar(QProgressBar):
    """Progress as a line; a style's own bar cannot be this thin everywhere."""

    def __init__(self, *, theme: Theme) -> None:
        super().__init__()
        self.setTextVisible(False)
        self.setObjectName("trainingProgress")
        self._theme = theme
        self.setFixedHeight(BAR_PX)
        self.setRange(0, 1)
        self.setValue(0)
        self.setAccessibleName("Progress of the training")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        whole = QRectF(self.rect())
        painter.setBrush(QColor(self._theme.grid))
        painter.drawRoundedRect(whole, BAR_PX / 2, BAR_PX / 2)
        part = max(0, self.value() - self.minimum()) / max(1, self.maximum() - self.minimum())
        if part > 0:
            painter.setBrush(QColor(self._theme.accent))
            painter.drawRoundedRect(
                whole.adjusted(0, 0, (part - 1) * whole.width(), 0), BAR_PX / 2, BAR_PX / 2
            )

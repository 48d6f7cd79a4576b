"""The row of controls above the curves, and the thin bar of progress below it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QProgressBar, QSizePolicy, QWidget

from qtdigits.gui.choice_box import ChoiceBox
from qtdigits.gui.overriding import override
from qtdigits.gui.parts import button, elided_label, label
from qtdigits.gui.theme import Theme

NARROW_PX = 600
BAR_PX = 6


class TrainingControls(QWidget):
    """Recipe, epochs, data and the buttons. It owns the widgets and shows those that fit the state; the panel acts on them.

    *Stop* stands where *Train* was and can be pressed only when there is something to keep, so that a double click on
    *Train* does not end what it began.
    """

    def __init__(self, *, epochs_editor: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.recipe_box = ChoiceBox(name="recipeBox")
        self.recipe_box.setAccessibleName("Recipe")
        self.recipe_box.setMinimumContentsLength(9)
        self.recipe_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._epochs = epochs_editor
        self._titles = [label("Recipe", role="muted"), label("Epochs", role="muted")]
        self.data_label = elided_label(role="muted", name="trainingData")
        self.train_button = button("Train", "trainButton", "Train a network by this recipe", is_primary=True)
        self.stop_button = button(
            "Stop, keep best", "stopButton", "End the training and keep the best epoch", is_primary=True
        )
        self.cancel_button = button("Cancel", "cancelButton", "Give the training up; nothing is kept")
        self.adjust_button = button("Adjust…", "adjustButton", "Show every setting of the recipe")
        self.adjust_button.setCheckable(True)
        self._lay_out()
        self.show_idle(can_train=True)

    def show_idle(self, *, can_train: bool) -> None:
        self._show_running(False)
        self.train_button.setEnabled(can_train)
        for end in (self.stop_button, self.cancel_button):
            end.setEnabled(False)

    def show_running(self, *, can_stop: bool, can_cancel: bool = True) -> None:
        self._show_running(True)
        self.train_button.setEnabled(False)
        self.stop_button.setEnabled(can_stop)
        self.cancel_button.setEnabled(can_cancel)

    def _show_running(self, is_running: bool) -> None:
        idle, running = (self.train_button, self.adjust_button), (self.stop_button, self.cancel_button)
        hidden, shown = (idle, running) if is_running else (running, idle)
        # Hide first: with all four at once the row would push a narrow window apart.
        for one in hidden:
            one.hide()
        for one in shown:
            one.show()
        for setting in (self.recipe_box, self._epochs):
            setting.setEnabled(not is_running)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for title, widget in zip(self._titles, (self.recipe_box, self._epochs), strict=True):
            title.setBuddy(widget)
            row.addWidget(title)
            row.addWidget(widget)
            row.addSpacing(6)
        row.addWidget(self.data_label, 1)
        pairs = ((self.train_button, self.stop_button), (self.adjust_button, self.cancel_button))
        for idle, running in pairs:
            row.addWidget(idle)
            row.addWidget(running)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for title in self._titles:
            title.setVisible(event.size().width() >= NARROW_PX)


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

"""The line above everything: who draws, which model reads, and the menus."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenuBar, QWidget

from qtdigits.gui.widgets.parts import ChoiceBox

ADD_WRITER = "Add a writer…"
MANAGE_WRITERS = "Rename, merge…"


class TopBar(QWidget):
    """Two boxes and the menu bar. `writer_chosen` carries a name; `model_chosen` a path."""

    writer_chosen = Signal(str)
    writer_wanted = Signal()
    writers_wanted = Signal()
    model_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.menus = QMenuBar()
        self._writers = _box("writerBox", "Writer", "Who is drawing")
        self._models = _box("modelBox", "Model", "The model that reads")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(20, 10, 6, 4)
        layout.setSpacing(10)
        for title, box in (("&Writer", self._writers), ("&Model", self._models)):
            label = QLabel(title)
            label.setProperty("role", "muted")
            label.setBuddy(box)
            layout.addWidget(label)
            layout.addWidget(box)
            layout.addSpacing(10)
        layout.addStretch(1)
        layout.addWidget(self.menus)
        self._writers.activated.connect(self._on_writer)
        self._models.activated.connect(self._on_model)

    def show_writers(self, names: Sequence[str], current: str) -> None:
        with QSignalBlocker(self._writers):
            self._writers.clear()
            self._writers.addItems(list(dict.fromkeys((*names, current))))
            self._writers.addItems([MANAGE_WRITERS, ADD_WRITER])
            self._writers.setCurrentText(current)

    def show_models(self, models: Sequence[tuple[str, Path]], current: Path | None) -> None:
        """`models`: name and path of each."""
        with QSignalBlocker(self._models):
            self._models.clear()
            for name, path in models:
                self._models.addItem(name, str(path))
            self._models.setCurrentIndex(self._models.findData(str(current)))

    def _on_writer(self, index: int) -> None:
        if index == self._writers.count() - 1:
            self.writer_wanted.emit()
        elif index == self._writers.count() - 2:
            self.writers_wanted.emit()
        else:
            self.writer_chosen.emit(self._writers.itemText(index))

    def _on_model(self, index: int) -> None:
        self.model_chosen.emit(str(self._models.itemData(index)))


def _box(name: str, title: str, tip: str) -> ChoiceBox:
    box = ChoiceBox()
    box.setObjectName(name)
    box.setAccessibleName(title)
    box.setToolTip(tip)
    box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    box.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToContents)
    box.setMinimumContentsLength(10)
    return box

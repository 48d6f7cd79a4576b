"""Where the right label is typed."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFont, QKeySequence
from PySide6.QtWidgets import (
    QLineEdit,
    QWidget,
)
from typing_extensions import override

from qtdigits.core.drawing.labels import MAX_LABEL_LENGTH


class LabelEntry(QLineEdit):
    """Where the right label is typed. Enter submits, even when empty; Ctrl+Z is the window's while nothing is typed."""

    submitted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("labelEntry")
        self.setAccessibleName("Right label")
        self.setToolTip("Type the right label and press Enter; Enter alone says that the answer is right")
        self.setMaxLength(MAX_LABEL_LENGTH)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setFixedWidth(84)
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 1.4)
        font.setWeight(QFont.Weight.DemiBold)
        self.setFont(font)
        self.returnPressed.connect(self.submitted)

    @override
    def event(self, event: QEvent) -> bool:
        is_key = event.type() == QEvent.Type.ShortcutOverride
        if is_key and not self.text() and event.matches(QKeySequence.StandardKey.Undo):  # type: ignore[attr-defined]
            event.ignore()
            return False
        return super().event(event)

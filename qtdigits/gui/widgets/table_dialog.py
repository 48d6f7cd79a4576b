"""A dialog around a table: choose a row, press a button, and a line says what was done or why not."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QHeaderView, QLayout, QTableWidget, QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.errors import QtDigitsError
from qtdigits.gui.widgets.parts import give_role, label


class TableDialog(QDialog):
    """Deletes itself when it is closed. The line has `note` until something is said, and the object name `answer`."""

    def __init__(
        self,
        title: str,
        table: QTableWidget,
        *,
        stretched: int,
        size_px: tuple[int, int],
        answer: str,
        note: str,
        parent: QWidget | None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(*size_px)
        self._table = table
        table.horizontalHeader().setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)
        self._answer = label(note, role="muted", name=answer, wraps=True)

    def lay_out(self, buttons: QLayout) -> None:
        """Put the table above the line, and the buttons below it."""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(self._table, 1)
        layout.addWidget(self._answer)
        layout.addLayout(buttons)

    def begin(self, text: str) -> None:
        """Say what is being done, and allow nothing else, not even closing, until `say` tells how it ended."""
        self.say(text, role="muted")
        self.setEnabled(False)

    def say(self, text: str, *, role: str = "good") -> None:
        """Say what was done, or with the role "error" why not."""
        if not self.isEnabled():
            self.setEnabled(True)
            self._table.setFocus()
        self._answer.setText(text)
        give_role(self._answer, role)

    def fail(self, error: QtDigitsError) -> None:
        """Say why something was not done."""
        self.say(str(error), role="error")

    @override
    def done(self, result: int) -> None:
        if self.isEnabled():
            super().done(result)
            self.deleteLater()

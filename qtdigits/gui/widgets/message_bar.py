"""One line for what the person should know: an error with its remedy, or a notice."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from qtdigits.errors import QtDigitsError
from qtdigits.gui.widgets.parts import button, give_role, label


class MessageBar(QFrame):
    """Hidden without a message. A new message replaces the one before; a lasting one comes back afterwards."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("messageBar")
        self.setProperty("card", True)
        self._lasting = ""
        self._text = label(name="messageLabel", wraps=True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._offered: Callable[[], object] | None = None
        self._act = button("", "messageActionButton")
        self._act.clicked.connect(self._on_act)
        self._close = button("Dismiss", "dismissButton")
        self._close.clicked.connect(self.dismiss)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 8, 8, 8)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._act, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text() if not self.isHidden() else ""

    def show_problem(self, error: QtDigitsError, *, lasting: bool = False) -> None:
        """Show an error. A `lasting` one comes back when a later message is dismissed, since its cause remains."""
        if lasting:
            self._lasting = str(error)
        self._show(str(error), "error")

    def show_notice(self, text: str) -> None:
        self._show(text, "")

    def offer(self, text: str, action: str, act: Callable[[], object]) -> None:
        """Show a notice with a button `action` that calls `act` and dismisses the notice."""
        self._show(text, "", action=action)
        self._offered = act

    def withdraw(self, act: Callable[[], object]) -> None:
        """Dismiss the offer of `act`: it is being done already."""
        if self._offered == act and not self.isHidden():
            self.dismiss()

    def dismiss(self) -> None:
        if self._lasting and self._text.text() != self._lasting:
            self._show(self._lasting, "error")
        else:
            self.hide()

    def dismiss_problem(self) -> None:
        """Dismiss an error, as its cause is gone. Notices and lasting errors stay."""
        if self._text.text() == self._lasting:
            return
        if self._text.property("role") == "error" and not self.isHidden():
            self.dismiss()

    def _show(self, text: str, role: str, *, action: str = "") -> None:
        self._offered = None
        self._act.setText(action)
        self._act.setVisible(bool(action))
        self._text.setText(text)
        give_role(self._text, role)
        self.setAccessibleName(text)
        self.show()

    @Slot()
    def _on_act(self) -> None:
        act = self._offered
        self.dismiss()
        if act is not None:
            act()

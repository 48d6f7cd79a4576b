"""One message for the person, as an overlay: an error with its remedy, or a notice, perhaps with a button."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.formatting import printable_lines
from qtdigits.errors import QtDigitsError
from qtdigits.gui.widgets.parts import button, give_role, label

MARGIN_PX = 10


class MessageBar(QFrame):
    """Lies over the lower edge of `host`, so that nothing moves when it comes or goes. Hidden without a message.

    A new message replaces the one before; a lasting one comes back afterwards.
    """

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        self.setObjectName("messageBar")
        self._lasting = ""
        self._is_held = False
        self._waiting: Callable[[], None] | None = None
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
        host.installEventFilter(self)
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text() if not self.isHidden() else ""

    def hold(self, is_held: bool) -> None:
        """While held, messages that can wait do; the latest of them is shown afterwards."""
        self._is_held = is_held
        if not is_held and self._waiting is not None:
            show, self._waiting = self._waiting, None
            show()

    def show_problem(self, error: QtDigitsError, *, lasting: bool = False) -> None:
        """Show an error. A `lasting` one comes back when a later message is dismissed, since its cause remains."""
        if lasting:
            self._lasting = str(error)
        self._show(str(error), "error")

    def show_notice(self, text: str, *, can_wait: bool = False) -> None:
        if can_wait and self._is_held:
            self._waiting = partial(self.show_notice, text)
        else:
            self._show(text, "")

    def offer(self, text: str, action: str, act: Callable[[], object], *, can_wait: bool = False) -> None:
        """Show a notice with a button `action` that calls `act` and dismisses the notice."""
        if can_wait and self._is_held:
            self._waiting = partial(self.offer, text, action, act)
        else:
            self._show(text, "", action=action)
            self._offered = act

    def withdraw(self, act: Callable[[], object]) -> None:
        """Dismiss the offer of `act`: it is being done already."""
        if self._offered == act and not self.isHidden():
            self.dismiss()

    @Slot()
    def dismiss(self) -> None:
        if self._lasting and self._text.text() != self._lasting:
            self._show(self._lasting, "error")
        else:
            self.hide()

    @Slot()
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
        self._text.setText(text := printable_lines(text))
        give_role(self._text, role)
        self.setAccessibleName(text)
        self.show()
        self.raise_()
        self._place()

    def _place(self) -> None:
        host = self._host
        width, frame_px = host.width() - 2 * MARGIN_PX, 2 * self.contentsMargins().top()
        layout = self.layout()
        assert layout is not None
        layout.activate()
        height = self.sizeHint().height()
        if layout.hasHeightForWidth():
            height = layout.heightForWidth(width - frame_px) + frame_px
        self.setGeometry(MARGIN_PX, host.height() - height - MARGIN_PX, width, height)

    @Slot()
    def _on_act(self) -> None:
        act = self._offered
        self.dismiss()
        if act is not None:
            act()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return super().eventFilter(watched, event)

"""What nobody has asked to be told just now: it is said between two drawings, as a message moves the canvas."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Slot

from qtdigits.gui.session import Session
from qtdigits.gui.widgets.message_bar import MessageBar


class News(QObject):
    """Waits for an empty canvas; of several news that wait, the latest is told."""

    def __init__(self, *, session: Session, messages: MessageBar, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._messages = messages
        self._waiting: Callable[[], None] | None = None
        session.ink_changed.connect(self._say)

    @Slot(str)
    def tell(self, text: str) -> None:
        self._wait(partial(self._messages.show_notice, text))

    def offer(self, text: str, action: str, act: Callable[[], object]) -> None:
        """News with a button that says `action`."""
        self._wait(partial(self._messages.offer, text, action, act))

    def _wait(self, say: Callable[[], None]) -> None:
        self._waiting = say
        self._say()

    @Slot()
    def _say(self) -> None:
        if self._waiting is not None and self._session.ink.is_blank:
            say, self._waiting = self._waiting, None
            say()

"""A panel that looks at the store only while somebody looks at the panel."""

from __future__ import annotations

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override


class FreshPanel(QWidget):
    """`reload` is called when what is shown is out of date and the panel is visible: at once, or when it is next shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_stale = True

    def mark_stale(self) -> None:
        """What is shown is out of date."""
        self._is_stale = True
        self._freshen()

    def reload(self) -> None:
        """Show what is there now."""
        raise TypeError(f"{type(self).__name__} has no reload")

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._freshen()

    def _freshen(self) -> None:
        if self._is_stale and self.isVisible():
            self._is_stale = False
            self.reload()

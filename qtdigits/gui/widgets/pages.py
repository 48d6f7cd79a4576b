"""Pages that are made when they are first shown, and panels that reload when they are out of date and visible."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from typing_extensions import override


class LazyPage(QWidget):
    """`make` builds the content; it may import what only the content needs."""

    def __init__(self, make: Callable[[], QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._make = make
        self.content: QWidget | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        if self.content is None:
            self.content = self._make()
            layout = self.layout()
            assert layout is not None
            layout.addWidget(self.content)
        super().showEvent(event)


class RefreshingPanel(QWidget):
    """Calls `reload` when it is stale and visible: at once, or when it is next shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_stale = True

    def mark_stale(self) -> None:
        """Say that what is shown is out of date."""
        self._is_stale = True
        self._reload_if_stale()

    def reload(self) -> None:
        """Show the present state."""
        raise TypeError(f"{type(self).__name__} has no reload")

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._reload_if_stale()

    def _reload_if_stale(self) -> None:
        if self._is_stale and self.isVisible():
            self._is_stale = False
            self.reload()

"""A page that is made when it is first looked at: what nobody sees costs the start of the window nothing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.gui.widgets.colours import Theme


class LazyPage(QWidget):
    """`make` builds the content, in the theme of that moment; it may import what only the content needs."""

    def __init__(
        self, make: Callable[[Theme], QWidget], *, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._make = make
        self._theme = theme
        self.content: QWidget | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        if self.content is not None and hasattr(self.content, "set_theme"):
            self.content.set_theme(theme)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        if self.content is None:
            self.content = self._make(self._theme)
            layout = self.layout()
            assert layout is not None
            layout.addWidget(self.content)
        super().showEvent(event)


class RefreshingPanel(QWidget):
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

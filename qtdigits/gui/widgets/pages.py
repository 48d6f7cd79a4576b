"""Pages that are made when they are first shown, and panels that reload when they are out of date and visible."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from typing_extensions import override


class LazyPage(QWidget):
    """`make` builds the content; it may import what only the content needs.

    `is_held`: it waits for `release`, so that the window can be painted before.
    """

    def __init__(
        self, make: Callable[[], QWidget], *, is_held: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._make = make
        self._is_held = is_held
        self.content: QWidget | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)

    def release(self) -> None:
        """Make the content now if the page is shown, or else when it is."""
        self._is_held = False
        if self.isVisible():
            self._make_content()

    def _make_content(self) -> None:
        if self.content is None and not self._is_held:
            self.content = self._make()
            layout = self.layout()
            assert layout is not None
            layout.addWidget(self.content)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        self._make_content()
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

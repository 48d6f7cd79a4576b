"""Builds the memory of the stored drawings for the session, in a thread."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from qtdigits.core.memory import Memory
from qtdigits.errors import QtDigitsError
from qtdigits.gui.background import Background
from qtdigits.training.remember import MemoryRequest


class Remembering(QObject):
    """Builds what was wanted last; what is no longer wanted is soon given up. `built` or `failed` says how it ended."""

    built = Signal(object)  # Memory
    failed = Signal(object)  # QtDigitsError

    def __init__(self, *, store_path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = store_path
        self._request: MemoryRequest | None = None
        self._background = Background(self)
        self._background.done.connect(self._on_done)
        self._background.failed.connect(self._on_failed)

    @property
    def is_at_work(self) -> bool:
        return self._request is not None

    def begin(self, request: MemoryRequest) -> None:
        """Build this memory and no other."""
        self.drop()
        self._request = request
        self._background.run("memory", lambda: (request, request.build(self._path)))

    def drop(self) -> MemoryRequest | None:
        """Build no memory, and return which one was wanted."""
        dropped, self._request = self._request, None
        if dropped is not None:
            dropped.cancelled.set()
        return dropped

    def close(self) -> None:
        self.drop()
        self._background.shutdown()

    @Slot(str, object)
    def _on_done(self, _name: str, result: tuple[MemoryRequest, Memory | None]) -> None:
        request, memory = result
        if request is self._request and memory is not None:
            self._request = None
            self.built.emit(memory)

    @Slot(str, object)
    def _on_failed(self, _name: str, error: QtDigitsError) -> None:
        if not self._background.is_busy and self.drop() is not None:  # it is what was wanted last
            self.failed.emit(error)

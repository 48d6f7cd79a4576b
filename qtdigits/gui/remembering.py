"""Fills the session's memory with the stored drawings, in a thread. The session says when it is wanted, and for whom."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from qtdigits.core.memory import Memory
from qtdigits.errors import QtDigitsError
from qtdigits.gui.background import Background
from qtdigits.gui.session import Session
from qtdigits.training.remember import MemoryRequest


class Remembering(QObject):
    """Builds what the session wants, one memory after the other; those that are no longer wanted are soon given up."""

    def __init__(self, *, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._background = Background(self)
        self._background.done.connect(self._on_done)
        self._background.failed.connect(self._on_failed)
        session.memory_wanted.connect(self._build)
        session.closing.connect(self._background.shutdown)

    @Slot(object)
    def _build(self, request: MemoryRequest) -> None:
        path = self._session.store.path
        self._background.run("memory", lambda: (request, request.build(path)))

    @Slot(str, object)
    def _on_done(self, _name: str, result: tuple[MemoryRequest, Memory | None]) -> None:
        self._session.take_memory(*result)

    @Slot(str, object)
    def _on_failed(self, _name: str, error: QtDigitsError) -> None:
        if not self._background.is_busy:  # it is what was wanted last
            self._session.do_without_stored_drawings(error)

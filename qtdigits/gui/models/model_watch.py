"""Looks after the file of the model in use, as that may vanish or be damaged while the window is open."""

from __future__ import annotations

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal, Slot

from qtdigits.gui.session import Session

SETTLED_MS = 1_000
"""Whoever writes the file anew, and not at one stroke, is given so long from one change to the next."""


class ModelWatch(QObject):
    """The model itself is in memory and goes on reading; but nothing could be learned from a file that is gone, and the next
    start would be without it. So another one takes over, between two drawings, and the session says so.

    `settled`: the file was changed, and is being changed no more.
    """

    settled = Signal()

    def __init__(self, *, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._is_changed = False
        self._files = QFileSystemWatcher(self)
        self._calm = QTimer(self, singleShot=True, interval=SETTLED_MS)
        self._files.fileChanged.connect(self._on_file_changed)
        self._calm.timeout.connect(self._look)
        self._calm.timeout.connect(self.settled)
        session.model_changed.connect(self._watch)
        session.ink_changed.connect(self._look)
        session.closing.connect(self._calm.stop)

    @Slot()
    def _watch(self) -> None:
        if watched := self._files.files():
            self._files.removePaths(watched)
        path = self._session.model_path
        if path is not None and path.is_file():
            self._files.addPath(str(path))

    @Slot()
    def _on_file_changed(self) -> None:
        self._is_changed = True
        self._calm.start()

    @Slot()
    def _look(self) -> None:
        if not self._is_changed or self._calm.isActive() or not self._session.ink.is_blank:
            return
        self._is_changed = False
        self._watch()  # a file that was put in its place is another one
        self._session.replace_lost_model()

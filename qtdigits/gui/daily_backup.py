"""Backs up the store once a day, in a thread: some time after the start, and again when another day has begun."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Slot

from qtdigits.errors import QtDigitsError
from qtdigits.gui.background import Background
from qtdigits.gui.session import Session
from qtdigits.store.backups import back_up_today

FIRST_MS = 20_000
LATER_MS = 30 * 60_000


class DailyBackup(QObject):
    """A backup that fails is said once; the next one is tried at the next start."""

    def __init__(self, *, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._background = Background(self)
        self._background.failed.connect(self._on_failed)
        self._timer = QTimer(self, interval=FIRST_MS)
        self._timer.timeout.connect(self.back_up)
        self._timer.start()
        session.closing.connect(self._end)

    @Slot()
    def back_up(self) -> None:
        path = self._session.store.path
        self._timer.setInterval(LATER_MS)
        self._background.run("backup", lambda: back_up_today(path))

    @Slot(str, object)
    def _on_failed(self, _name: str, error: QtDigitsError) -> None:
        self._timer.stop()
        self._session.notify(f"The drawings could not be backed up. {error}")

    @Slot()
    def _end(self) -> None:
        self._timer.stop()
        self._background.shutdown()

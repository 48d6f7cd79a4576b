"""Long work on all that is stored, in a thread: backups, restoring one, and erasing a writer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Slot

from qtdigits.errors import QtDigitsError, StoreBusyError
from qtdigits.gui.background import Background, Work
from qtdigits.gui.saving import BUSY
from qtdigits.gui.session import Session
from qtdigits.paths import rescue_dirs
from qtdigits.store.backups import back_up, back_up_today, restore
from qtdigits.store.privacy import wipe_writer

FIRST_MS = 20_000
LATER_MS = 30 * 60_000

Then = Callable[[Any], object]
Failed = Callable[[QtDigitsError], object]


class Upkeep(QObject):
    """Backs up the store once a day: some time after the start, and again when another day has begun.

    A backup that fails is said once; the next one is tried at the next start. All else is done when it is asked for, one after
    the other, and ends with `then` or `failed`.
    """

    def __init__(self, *, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._pending: deque[tuple[Then, Failed]] = deque()
        self._background = Background(self)
        self._background.done.connect(self._on_done)
        self._background.failed.connect(self._on_failed)
        self._timer = QTimer(self, interval=FIRST_MS)
        self._timer.timeout.connect(self.back_up_today)
        self._timer.start()
        session.closing.connect(self._close)

    @Slot()
    def back_up_today(self) -> None:
        self._timer.setInterval(LATER_MS)
        work = partial(back_up_today, self._session.store.path)
        self._run("Backing up", work, lambda _: None, self._on_no_backup)

    def back_up(self, *, then: Then, failed: Failed) -> None:
        self._run("Backing up", partial(back_up, self._session.store.path), then, failed)

    def restore(self, backup: Path, *, then: Then, failed: Failed) -> None:
        """Put a backup in the place of the store; `then` is given a `Restored`.

        Where the store could not be opened, it is restored for the next start.
        """
        folder = self._session.library.folder
        run = self._replace if self._session.store.path.parent == folder else self._run
        run("Restoring", partial(restore, folder, backup), then, failed)

    def erase(self, writer: str, *, then: Then, failed: Failed) -> None:
        """Erase a writer from the data folder; `then` is given a `Wiped`. Another one draws from now on, if it was this one."""
        folder = self._session.store.path.parent
        work = partial(wipe_writer, folder, writer, also=rescue_dirs(folder))
        self._replace(f"Erasing {writer}", work, then, failed)

    def _replace(self, name: str, work: Work, then: Then, failed: Failed) -> None:
        """Do what leaves another store, after all that was asked for before."""

        def replaced(outcome: object) -> None:
            self._session.store_replaced()
            then(outcome)

        if self._session.saving.is_waiting:
            failed(StoreBusyError(BUSY.message, "Try again when what you did before is saved."))
        else:
            self._run(name, work, replaced, failed)

    def _run(self, name: str, work: Work, then: Then, failed: Failed) -> None:
        self._pending.append((then, failed))
        self._background.run(name, work)

    @Slot(str, object)
    def _on_done(self, _name: str, outcome: object) -> None:
        then, _ = self._pending.popleft()
        then(outcome)

    @Slot(str, object)
    def _on_failed(self, _name: str, error: QtDigitsError) -> None:
        _, failed = self._pending.popleft()
        failed(error)

    def _on_no_backup(self, error: QtDigitsError) -> None:
        self._timer.stop()
        self._session.notify(f"The drawings could not be backed up. {error}")

    @Slot()
    def _close(self) -> None:
        self._timer.stop()
        self._background.shutdown()

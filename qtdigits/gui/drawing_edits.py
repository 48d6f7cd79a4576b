"""Changing stored drawings from the window, with an undo for everything."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication

from qtdigits.errors import QtDigitsError
from qtdigits.gui.session import Session
from qtdigits.store.editing import Changed, Deleted

MOST_UNDONE = 50
NOTICED = 1000


class DrawingEdits(QObject):
    """`edited` carries a sentence about what was done, "" when something was undone and nothing is left to undo."""

    edited = Signal(str)

    def __init__(self, *, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._done: deque[tuple[str, Changed | Deleted]] = deque(maxlen=MOST_UNDONE)

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    def relabel(self, ids: Collection[int], label: str) -> None:
        self._do(f"relabelled as {label.strip()}", len(ids), lambda: self._session.store.relabel(ids, label))

    def set_weight(self, ids: Collection[int], weight: int) -> None:
        times = "once" if weight == 1 else f"{weight} times"
        text = f"counts {times}" if len(ids) == 1 else f"count {times}"
        self._do(text, len(ids), lambda: self._session.store.set_weight(ids, weight))

    def accept_labels(self, ids: Collection[int]) -> None:
        self._do("accepted as labelled", len(ids), lambda: self._session.store.accept_labels(ids))

    def delete(self, ids: Collection[int]) -> None:
        self._do("deleted", len(ids), lambda: self._session.store.delete_samples(ids))

    def put_back(self, ids: Collection[int]) -> None:
        """Out of the trash. Undone by deleting again."""
        try:
            n = self._session.store.restore(Deleted(tuple(ids)))
        except QtDigitsError as error:
            self._session.problem_met.emit(error)
            return
        self._session.samples_edited()
        self.edited.emit(f"{drawings(n)} put back.")

    def undo(self) -> None:
        """The last change of this sitting."""
        if not self._done:
            return
        text, change = self._done[-1]
        try:
            with _patience(len(change.ids)):
                self._session.store.restore(change)
        except QtDigitsError as error:
            self._session.problem_met.emit(error)
            return
        self._done.pop()
        self._session.samples_edited()
        self.edited.emit(f"Undone: {text}")

    def _do(self, what: str, n: int, change: Callable[[], Changed | Deleted]) -> None:
        try:
            with _patience(n):
                done = change()
        except QtDigitsError as error:
            self._session.problem_met.emit(error)
            return
        if done.ids:
            text = f"{drawings(len(done.ids))} {what}."
            self._done.append((text, done))
            self._session.samples_edited()
            self.edited.emit(text)


@contextmanager
def _patience(n: int) -> Iterator[None]:
    """The cursor of waiting where so many drawings are changed that it takes a while: 50,000 take two to four seconds."""
    if n < NOTICED:
        yield
        return
    QGuiApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
    try:
        yield
    finally:
        QGuiApplication.restoreOverrideCursor()


def drawings(n: int) -> str:
    return f"{n:,} drawing{'s' if n != 1 else ''}"

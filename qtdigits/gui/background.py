"""Work that would block the window, such as imports and exports, done one after the other in a thread.

Work is a function without arguments that touches no widget. Its result or its error arrives as a signal in the GUI thread.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable
from importlib import import_module
from time import monotonic

from PySide6.QtCore import QEventLoop, QObject, QThread, QTimer, Signal, Slot
from typing_extensions import override

from qtdigits.errors import QtDigitsError

Work = Callable[[], object]
COLLECT_MS = 500


class GarbageCollector(QObject):
    """Collects garbage between two events of the GUI thread, and nowhere else.

    Python's own collector runs wherever something is allocated. In another thread it would delete widgets there, which ends the
    program; inside a call of PySide that holds one of Qt's locks it would wait for that lock for ever.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=COLLECT_MS)
        self._timer.timeout.connect(self._collect)
        self._timer.start()

    @Slot()
    def _collect(self) -> None:
        """As Python decides it: the oldest generation whose threshold is passed."""
        for generation, (count, threshold) in reversed(
            list(enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)))
        ):
            if count > threshold:
                gc.collect(generation)
                return


class _Worker(QObject):
    """Lives in the thread."""

    done = Signal(str, object)
    failed = Signal(str, object)

    @Slot(str, object)
    def run(self, name: str, work: Work) -> None:
        try:
            result = work()
        except QtDigitsError as error:
            self.failed.emit(name, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the person is told, and the thread stays alive
            self.failed.emit(name, QtDigitsError(f"{name}: {type(error).__name__}: {error}."))
        else:
            self.done.emit(name, result)


class Importing(QThread):
    """Imports a module in a thread, so that the window goes on meanwhile: plots take a third of a second."""

    def __init__(self, module: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._module = module

    @override
    def run(self) -> None:
        import_module(self._module)


class Background(QObject):
    """Owns the thread, which starts with the first work; `shutdown` ends it."""

    done = Signal(str, object)  # name, result
    failed = Signal(str, object)  # name, QtDigitsError
    busy_changed = Signal(bool)
    _requested = Signal(str, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread: QThread | None = None
        self._worker: _Worker | None = None
        self._pending: deque[str] = deque()

    @property
    def is_busy(self) -> bool:
        return bool(self._pending)

    def run(self, name: str, work: Work) -> None:
        """Do `work` after what is pending; `name` comes back with its outcome."""
        if self._thread is None:
            self._start()
        self._pending.append(name)
        self._requested.emit(name, work)
        self.busy_changed.emit(True)

    def shutdown(self) -> None:
        """Finish all work, then end the thread."""
        if self._thread is not None:
            self._thread.quit()
            self._thread.wait()
            self._thread = self._worker = None

    def _start(self) -> None:
        self._thread = QThread()
        self._worker = _Worker()
        self._worker.moveToThread(self._thread)
        self._requested.connect(self._worker.run)
        self._worker.done.connect(self._on_done)
        self._worker.failed.connect(self._on_failed)
        self._thread.start()

    @Slot(str, object)
    def _on_done(self, name: str, result: object) -> None:
        self._end_one()
        self.done.emit(name, result)

    @Slot(str, object)
    def _on_failed(self, name: str, error: QtDigitsError) -> None:
        self._end_one()
        self.failed.emit(name, error)

    def _end_one(self) -> None:
        self._pending.popleft()
        self.busy_changed.emit(self.is_busy)


CHECK_EVERY_MS = 10


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Run the event loop until `condition` holds, checked every 10 ms. Return whether it did within `timeout_s`."""
    end = monotonic() + timeout_s
    loop = QEventLoop()

    def check() -> None:
        if condition() or monotonic() > end:
            loop.quit()

    timer = QTimer(interval=CHECK_EVERY_MS)
    timer.timeout.connect(check)
    if not condition():
        timer.start()
        loop.exec()
        timer.stop()
    return condition()

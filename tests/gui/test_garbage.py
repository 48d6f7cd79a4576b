"""Garbage is collected between two events of the GUI thread."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from qtdigits.gui.background import GarbageCollector

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Loop:
    """Refers to itself, so that only the collector frees it."""

    freed_in: threading.Thread | None = None

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        Loop.freed_in = threading.current_thread()


def test_that_garbage_waits_for_the_event_loop_of_the_gui_thread(qtbot: QtBot) -> None:
    owner = QObject()
    GarbageCollector(owner)
    loop = Loop()
    alive = weakref.ref(loop)
    del loop
    worker = threading.Thread(target=lambda: [[] for _ in range(100_000)])
    worker.start()
    worker.join()
    litter = [[] for _ in range(2 * gc.get_threshold()[0])]
    assert alive() is not None
    qtbot.waitUntil(lambda: alive() is None)
    assert Loop.freed_in is threading.main_thread()
    assert litter

"""Waiting for a condition while the window goes on."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from PySide6.QtCore import QEventLoop, QTimer

LOOK_MS = 10


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Run the event loop until `condition` holds, looked at every 10 ms; False when it did not in `timeout_s`."""
    end = monotonic() + timeout_s
    loop = QEventLoop()

    def look() -> None:
        if condition() or monotonic() > end:
            loop.quit()

    looking = QTimer(interval=LOOK_MS)
    looking.timeout.connect(look)
    if not condition():
        looking.start()
        loop.exec()
        looking.stop()
    return condition()

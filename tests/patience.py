"""Waiting as long as a busy machine needs: a test must not fail for being slow, and what never comes fails it all the same."""

from __future__ import annotations

from typing import Any

from pytestqt.qtbot import QtBot
from typing_extensions import override

PATIENCE_MS = 60_000


class PatientQtBot(QtBot):
    """Waits for a minute where pytest-qt gives up after five seconds."""

    @override
    def waitSignal(self, *args: Any, timeout: int = PATIENCE_MS, **rest: Any) -> Any:
        return super().waitSignal(*args, timeout=timeout, **rest)

    @override
    def waitSignals(self, *args: Any, timeout: int = PATIENCE_MS, **rest: Any) -> Any:
        return super().waitSignals(*args, timeout=timeout, **rest)

    @override
    def waitUntil(self, *args: Any, timeout: int = PATIENCE_MS, **rest: Any) -> Any:
        return super().waitUntil(*args, timeout=timeout, **rest)

    @override
    def waitExposed(self, *args: Any, timeout: int = PATIENCE_MS, **rest: Any) -> Any:
        return super().waitExposed(*args, timeout=timeout, **rest)

"""The model in use, and whether another program has changed its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal, Slot

from qtdigits.core.score.metrics import Tally

FILE_SETTLED_MS = 1_000
"""A program that writes the champion's file in several steps has so long from one change to the next."""

Scores = Mapping[str, Mapping[str, Any]]
"""The name of a set → `Score.to_json()`, as in `RunFinished.scores` and in a model file."""


@dataclass(frozen=True)
class Champion:
    """The model in use."""

    name: str
    path: Path
    scores: Scores = field(default_factory=dict)

    def with_score(self, name: str, *, correct: int, n: int) -> Champion:
        """Return the same model with another score on the set `name`."""
        return replace(self, scores={**self.scores, name: Tally(n, correct).to_json()})


class WatchedFile(QObject):
    """Watches one file; `settled`: nobody has written into it for a while after it was changed or removed."""

    settled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path: Path | None = None
        self._stamp: tuple[int, int] | None = None
        self._watcher: QFileSystemWatcher | None = None
        self._settling = QTimer(self, singleShot=True, interval=FILE_SETTLED_MS)
        self._settling.timeout.connect(self.settled)

    def watch(self, path: Path) -> None:
        """Watch `path` from now on, as it is now."""
        self._path, self._stamp, self._watcher = path, _stamp(path), None
        if self._stamp is not None:
            # Without a parent: whoever drops it, or calls `close`, destroys it at once and in this thread.
            self._watcher = QFileSystemWatcher([str(path)])
            self._watcher.fileChanged.connect(self._on_changed)

    @property
    def has_changed(self) -> bool:
        """Whether it is another file than when it was last watched, or gone, and settled."""
        is_other = self._path is not None and _stamp(self._path) != self._stamp
        return is_other and not self._settling.isActive()

    def close(self) -> None:
        self._settling.stop()
        self._watcher = None

    @Slot()
    def _on_changed(self) -> None:
        self._settling.start()


def _stamp(path: Path) -> tuple[int, int] | None:
    """Time and size of a file, None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size

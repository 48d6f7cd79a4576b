"""The studies of a data folder, read in a thread, again and again while somebody looks.

A worker may be this window's engine, another window's, or a terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from qtdigits.errors import QtDigitsError
from qtdigits.gui.background import Background
from qtdigits.gui.panels.studies.study_pages import Shown
from qtdigits.gui.widgets.parts import named
from qtdigits.training.study_overview import StudyReader, journals

LOOK_MS, MOST_MS = 1_500, 10_000
REST = 20
"""Reading is followed by a rest of so many times as long, up to `MOST_MS`: it competes with the window for Python's lock."""
JOURNALS, IMPORTANCES_OF = "all journals", "importances of "
"""What is read in the background, beside studies: their names have no spaces."""


class StudyWatch(QObject):
    """`listed`: which studies there are was found out; `study_read` carries the name of one; `importances_read` what they are."""

    listed = Signal()
    study_read = Signal(str)
    importances_read = Signal(str, object)

    def __init__(self, *, data_dir: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._data_dir = data_dir
        self._reader = StudyReader(data_dir)
        self._background = Background(self)
        self._timer = named(QTimer(self, singleShot=True), "studiesTimer")
        self._busy_since_s = 0.0
        self._is_watching = False
        self._stamps: Mapping[str, object] = {}
        self._studies: dict[str, Shown] = {}
        self._problems: dict[str, str] = {}
        self._favourite = ""
        self._timer.timeout.connect(self.look)
        self._background.done.connect(self._on_read)
        self._background.failed.connect(self._on_failed)
        self._background.busy_changed.connect(self._rest)

    @property
    def names(self) -> list[str]:
        """Of all studies on disk, the one written to last first."""
        return list(self._stamps)

    def study(self, name: str) -> Shown | None:
        return self._studies.get(name)

    def problem(self, name: str) -> str:
        """Why a study cannot be read, "" if it can."""
        return self._problems.get(name, "")

    def prefer(self, name: str) -> None:
        """Read this one first, and its importances, too."""
        self._favourite = name
        if name in self._stamps:
            self._background.run(IMPORTANCES_OF + name, partial(self._reader.importances, name))

    def start(self) -> None:
        self._is_watching = True
        self.look()

    def stop(self) -> None:
        self._is_watching = False
        self._timer.stop()

    def shutdown(self) -> None:
        self.stop()
        self._background.shutdown()

    @Slot()
    def look(self) -> None:
        """Look which journals have changed."""
        if not self._background.is_busy:
            self._background.run(JOURNALS, partial(journals, self._data_dir))

    @Slot(bool)
    def _rest(self, is_busy: bool) -> None:
        if is_busy:
            self._busy_since_s = self._busy_since_s or monotonic()
            return
        took_ms, self._busy_since_s = 1000 * (monotonic() - self._busy_since_s), 0.0
        if self._is_watching:
            self._timer.start(min(MOST_MS, max(LOOK_MS, round(REST * took_ms))))

    def _on_journals(self, found: Mapping[str, object]) -> None:
        before, self._stamps = self._stamps, found
        self.listed.emit()
        # Of one that runs it is not in the journal when its worker dies.
        running = {name for name, shown in self._studies.items() if shown.study.is_running}
        stale = [name for name, stamp in found.items() if before.get(name) != stamp or name in running]
        for name in sorted(stale, key=lambda name: name != self._favourite):
            self._background.run(name, partial(_read, self._reader, name, self._studies.get(name)))
        if self._favourite in stale:
            self.prefer(self._favourite)

    @Slot(str, object)
    def _on_read(self, name: str, result: Any) -> None:
        if name == JOURNALS:
            self._on_journals(result)
        elif name.startswith(IMPORTANCES_OF):
            self.importances_read.emit(name.removeprefix(IMPORTANCES_OF), result)
        elif result is not None:
            self._problems.pop(name, None)
            self._studies[name] = result
            self.study_read.emit(name)

    @Slot(str, object)
    def _on_failed(self, name: str, error: QtDigitsError) -> None:
        name = name.removeprefix(IMPORTANCES_OF)
        self._problems[name] = str(error)
        self.study_read.emit(name)


def _read(reader: StudyReader, name: str, before: Shown | None) -> Shown | None:
    study = reader.read(name)
    return Shown.of(study, before) if study is not None else None

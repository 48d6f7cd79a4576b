"""Replay from the window: every model on the writer's stored drawings, in a thread, while drawing goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

from PySide6.QtCore import QObject, Signal, Slot

from qtdigits.errors import CancelledError, QtDigitsError
from qtdigits.gui.jobs import Jobs
from qtdigits.store.model.library import ModelLibrary
from qtdigits.store.tables.samples import SampleStore
from qtdigits.tasks.lineage import headers_of
from qtdigits.tasks.replay import Drawings, Replayed, replay

Replay = Callable[..., list[Replayed]]


class Replays(QObject):
    """`replayed` carries the writer and a mapping of a model's path to its `Replayed`. `shutdown` gives up what goes on."""

    replayed = Signal(str, object)
    failed = Signal(object)  # QtDigitsError
    busy_changed = Signal(bool)

    def __init__(self, *, data_dir: Path, replay: Replay = replay, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._data_dir = data_dir
        self._replay = replay
        self._is_given_up = Event()
        self._jobs = Jobs(self)
        self._jobs.done.connect(self._on_done)
        self._jobs.failed.connect(self._on_failed)
        self._jobs.busy_changed.connect(self.busy_changed)

    def start(self, writer: str, paths: list[Path]) -> None:
        """Score the models at `paths` on the drawings of `writer`; does nothing while an earlier replay goes on."""
        if self._jobs.is_busy:
            return

        def work() -> dict[Path, Replayed]:
            with SampleStore.open(self._data_dir) as store:
                drawings = Drawings.of(store, writer=writer)
            header_of = headers_of(ModelLibrary(self._data_dir))
            found = self._replay(paths, drawings, header_of=header_of, progress=self._look)
            return {one.path: one for one in found}

        self._jobs.run(writer, work)

    def shutdown(self) -> None:
        self._is_given_up.set()
        self._jobs.shutdown()

    def _look(self, _done: int, _total: int) -> None:
        """In the thread: between two parts of the work."""
        if self._is_given_up.is_set():
            raise CancelledError("The replay was given up.")

    @Slot(str, object)
    def _on_done(self, writer: str, found: object) -> None:
        self.replayed.emit(writer, found)

    @Slot(str, object)
    def _on_failed(self, _writer: str, error: QtDigitsError) -> None:
        self.failed.emit(error)

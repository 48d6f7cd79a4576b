"""Emptying the trash of runs, with a question."""

from __future__ import annotations

from pathlib import Path

from qtdigits.errors import StoreError
from qtdigits.gui.widgets.ask import Ask
from qtdigits.store.tables.samples import SampleStore
from qtdigits.tasks.run_trash import empty_trash, look_into_trash

DELETE = "Delete for good"
KEEP = "Keep them"


class RunsTrash:
    """The trash of `store`, whose runs have their folders in `data_dir`."""

    def __init__(self, *, store: SampleStore, data_dir: Path, ask: Ask) -> None:
        self._store, self._data_dir, self._ask = store, data_dir, ask

    def empty(self) -> frozenset[str]:
        """Ask, and delete what may go. Gives the ids of what is gone; raises `QtDigitsError`."""
        trash = look_into_trash(self._store, self._data_dir)
        if not trash.runs:
            raise StoreError(
                "Nothing in the trash can be deleted now.", "What waits in line or trains has to end first."
            )
        if self._ask.one_of("The trash", trash.question, (DELETE,), no=KEEP, is_grave=True) != DELETE:
            return frozenset()
        return frozenset(empty_trash(self._store, self._data_dir, trash))

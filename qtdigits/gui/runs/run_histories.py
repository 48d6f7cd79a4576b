"""The histories of runs that are looked at, kept for a while: each is up to a megabyte, and is read from the store."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from qtdigits.core.run.history import History
from qtdigits.errors import QtDigitsError
from qtdigits.gui.curves.run_curves import ShownRun
from qtdigits.gui.runs.runs_model import titles_of
from qtdigits.store.tables.runs import RunRecord, RunTable

KEPT = 16


class RunHistories(QObject):
    """`problem_met` carries a `QtDigitsError`: a run whose history cannot be read has no curves."""

    problem_met = Signal(object)

    def __init__(self, runs: RunTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self._kept: OrderedDict[str, History | None] = OrderedDict()

    def shown(self, runs: Sequence[RunRecord], *, running: str = "") -> list[ShownRun]:
        """With their curves; `running` is read anew each time."""
        return [
            ShownRun(
                title,
                self._history(run.id, is_growing=run.id == running) or History(),
                steps_per_epoch=run.figures.steps_per_epoch,
            )
            for title, run in zip(titles_of(runs), runs, strict=True)
        ]

    def forget(self, run: str) -> None:
        """It has grown since it was read."""
        self._kept.pop(run, None)

    def _history(self, run: str, *, is_growing: bool) -> History | None:
        if is_growing or run not in self._kept:
            try:
                self._kept[run] = self._runs.history(run)
            except (QtDigitsError, ValueError, KeyError) as error:
                self.problem_met.emit(_as_problem(error))
                self._kept[run] = None
        self._kept.move_to_end(run)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[run]


def _as_problem(error: Exception) -> QtDigitsError:
    if isinstance(error, QtDigitsError):
        return error
    return QtDigitsError("The curves of this run cannot be read any more.", "The run itself is still listed.")

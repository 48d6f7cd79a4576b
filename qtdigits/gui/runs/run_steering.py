"""Going on with runs that were made before: those that did not come to their end, and those that shall be trained longer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtdigits.gui.widgets.ask import Ask
from qtdigits.store.tables.runs import RunRecord
from qtdigits.tasks.request import RetrainRequest
from qtdigits.tasks.resuming import can_be_extended, can_go_on, extended, is_under_way, resumed

MOST_EPOCHS = 1000


class RunSteering:
    """`train` is given the requests; `champion` tells the path of the model in use, which the new one is compared with."""

    def __init__(
        self,
        *,
        data_dir: Path,
        train: Callable[[RetrainRequest], None],
        champion: Callable[[], str],
        ask: Ask,
    ) -> None:
        self._data_dir, self._train, self._champion, self._ask = data_dir, train, champion, ask

    def can_go_on(self, run: RunRecord) -> bool:
        return can_go_on(self._data_dir, run)

    def can_be_extended(self, run: RunRecord) -> bool:
        return can_be_extended(self._data_dir, run)

    def is_under_way(self, run: RunRecord) -> bool:
        """Whether a process is at it, be it the engine of this window or another one."""
        return is_under_way(self._data_dir, run)

    def go_on(self, run: RunRecord) -> None:
        """Raises `QtDigitsError`."""
        self._train(resumed(self._data_dir, run, champion=self._champion()))

    def extend(self, run: RunRecord) -> None:
        """Asks by how many epochs. Raises `QtDigitsError`."""
        planned = run.recipe.get("epochs")
        suggestion = max(1, int(planned) // 2) if isinstance(planned, int) else 5
        epochs = self._ask.number(
            "Train it longer", f"By how many epochs shall “{run.title}” be extended?", suggestion, MOST_EPOCHS
        )
        if epochs is not None:
            self._train(extended(self._data_dir, run, epochs, champion=self._champion()))

"""A view of a training that also keeps a log for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from qtdigits.cli.output import say
from qtdigits.errors import StoreError

if TYPE_CHECKING:
    from qtdigits.cli.training_view import TrainingView
    from qtdigits.core.run.events import Event
    from qtdigits.ml.tensorboard_log import TensorBoardLog


class LoggedView:
    """Shows events on `view` and logs them in `folder`. A log that cannot be written is told of once, and the run goes on."""

    def __init__(self, view: TrainingView, folder: Path) -> None:
        self._view, self._folder = view, folder
        self._log: TensorBoardLog | None = None
        self._is_given_up = False

    def __enter__(self) -> Self:
        self._view.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if self._log is not None:
            self._log.__exit__(kind, error, trace)
        self._view.__exit__(kind, error, trace)

    def show(self, event: Event) -> None:
        from qtdigits.core.run.events import RunStarted

        self._view.show(event)
        if isinstance(event, RunStarted) and self._log is None:
            # TensorFlow is loaded by now
            from qtdigits.ml.tensorboard_log import TensorBoardLog

            self._log = TensorBoardLog(self._folder, event.run)
        if self._log is not None and not self._is_given_up:
            try:
                self._log.hear(event)
            except StoreError as error:
                self._is_given_up = True
                say(f"{error.message} The training goes on without.")

"""A training in a terminal: as a live bar, as plain lines, or as its events in JSON lines; and its TensorBoard log."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from qtdigits.cli.output import say
from qtdigits.core.formatting import counted, duration, percent, printable_lines
from qtdigits.core.recipe import recipe_of
from qtdigits.core.run.events import (
    BatchEnded,
    EpochEnded,
    Event,
    Notice,
    Progress,
    RunResumed,
    RunStarted,
    encode_event,
)
from qtdigits.errors import StoreError

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from qtdigits.ml.tensorboard_log import TensorBoardLog


class TrainingView(Protocol):
    """Shows events, within a `with` block."""

    def show(self, event: Event) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None: ...


def make_view(*, events_to: TextIO | None) -> TrainingView:
    """Return JSON lines when `events_to` is given, a live bar on a terminal, plain lines elsewhere."""
    if events_to:
        return EventLines(events_to)
    return LiveView() if sys.stderr.isatty() else PlainView()


class EventLines:
    """Prints each event at once as a JSON line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, event: Event) -> None:
        print(encode_event(event), file=self._stream, flush=True)


class PlainView:
    """Prints a line on stderr for the start, each kind of work and each epoch; for logs and pipes."""

    def __init__(self) -> None:
        self._epochs = 0
        self._last_work = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, event: Event) -> None:
        match event:
            case RunResumed():
                say(resumed_line(event))
            case Progress(what=what) if what != self._last_work:
                self._last_work = what
                say(f"{what} …")
            case Notice(message=message):
                say(message)
            case RunStarted():
                self._epochs = event.epochs
                say(started_line(event))
            case EpochEnded():
                say(epoch_line(event, self._epochs))
            case _:
                pass


class LiveView:
    """Shows a progress bar on stderr that follows the batches, and prints a line for each epoch."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._epochs = self._steps_per_epoch = 0

    def __enter__(self) -> Self:
        self._progress = self._stack.enter_context(_live_bar())
        self._task: TaskID = self._progress.add_task("Starting …", total=None, figures="")
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.update(self._task, visible=False)
        self._stack.close()

    def show(self, event: Event) -> None:
        match event:
            case RunResumed():
                self._print(resumed_line(event))
            case Progress():
                self._show_work(event)
            case Notice(message=message):
                self._print(message)
            case RunStarted():
                self._epochs, self._steps_per_epoch = event.epochs, event.steps_per_epoch
                self._print(started_line(event))
                self._progress.update(self._task, description="First batches", total=None, figures="")
            case BatchEnded():
                self._show_batch(event)
            case EpochEnded():
                self._print(epoch_line(event, self._epochs))
            case _:
                pass

    def _show_work(self, event: Progress) -> None:
        self._progress.update(
            self._task, description=event.what, completed=event.done, total=event.total or None, figures=""
        )

    def _show_batch(self, event: BatchEnded) -> None:
        self._progress.update(
            self._task,
            description=f"Epoch {event.epoch} of {self._epochs}",
            completed=event.step - (event.epoch - 1) * self._steps_per_epoch,
            total=self._steps_per_epoch,
            figures=f"loss {event.loss:.4f}  accuracy {percent(event.accuracy)}  {event.images_per_s:,.0f} images/s  "
            f"{duration(event.remaining_s)} left",
        )

    def _print(self, line: str) -> None:
        self._progress.console.print(printable_lines(line), soft_wrap=True)


def _live_bar() -> RichProgress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    # Without redirection: what TensorFlow's C++ side writes does not come through sys.stderr anyway.
    console = Console(stderr=True, highlight=False, markup=False)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[figures]}", markup=False),
    )
    return Progress(*columns, console=console, transient=True, redirect_stdout=False)


def started_line(event: RunStarted) -> str:
    """Return network and data, such as "MLP 50-50 (42,310 weights) on 54,000 images (MNIST 54,000), 6,000 for …"."""
    sources = ", ".join(f"{name} {count:,}" for name, count in event.data.items())
    return (
        f"{recipe_of(event.recipe).network.title} ({event.n_parameters:,} weights, {len(event.classes)} classes) "
        f"on {event.n_training:,} images ({sources}); {event.n_validation:,} for validation."
    )


def resumed_line(event: RunResumed) -> str:
    return f"Resuming after {counted(event.epochs, 'epoch')}, {event.step:,} batches."


def epoch_line(event: EpochEnded, epochs: int) -> str:
    best = "  best so far" if event.is_best else ""
    return (
        f"epoch {event.epoch:>{len(str(epochs))}}/{epochs}  {duration(event.elapsed_s)}  "
        f"loss {event.loss:.4f}  accuracy {percent(event.accuracy, 2)}  "
        f"val loss {event.val_loss:.4f}  val accuracy {percent(event.val_accuracy, 2)}{best}"
    )


class LoggedView:
    """Shows events on `view` and logs them in `folder` for TensorBoard. A log that cannot be written is reported once."""

    def __init__(self, view: TrainingView, folder: Path) -> None:
        self._view, self._folder = view, folder
        self._log: TensorBoardLog | None = None
        self._has_failed = False

    def __enter__(self) -> Self:
        self._view.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if self._log is not None:
            self._log.__exit__(kind, error, trace)
        self._view.__exit__(kind, error, trace)

    def show(self, event: Event) -> None:
        self._view.show(event)
        if isinstance(event, RunStarted) and self._log is None:
            # TensorFlow is loaded by now.
            from qtdigits.ml.tensorboard_log import TensorBoardLog

            self._log = TensorBoardLog(self._folder, event.run)
        if self._log is not None and not self._has_failed:
            try:
                self._log.on_event(event)
            except StoreError as error:
                self._has_failed = True
                say(f"{error.message} The training continues without it.")

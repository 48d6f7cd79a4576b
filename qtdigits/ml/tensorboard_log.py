"""A run as event files for TensorBoard in `<folder>/<run>/train`, `validation` and `hold-out`, which it overlays.

The files are TensorFlow's records of its own `Event` messages; TensorBoard is not needed to write them.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from qtdigits.core.run.events import BatchEnded, EpochEnded, Event
from qtdigits.errors import StoreError
from qtdigits.ml.backend import tf

FILE_VERSION = "brain.Event:2"


class TensorBoardLog:
    """Writes the events of one run; a context manager. Raises `StoreError` when the folder cannot be written."""

    def __init__(self, folder: Path, run: str) -> None:
        self._folder = folder / run
        self._writers: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        for writer in self._writers.values():
            writer.close()

    def on_event(self, event: Event) -> None:
        """Write batches and epochs, over the number of the batch. Other events are ignored."""
        match event:
            case BatchEnded():
                self._write(
                    "train",
                    event.step,
                    {
                        "batch/loss": event.loss,
                        "batch/accuracy": event.accuracy,
                        "batch/learning_rate": event.learning_rate,
                        "batch/images_per_s": event.images_per_s or None,
                    },
                )
            case EpochEnded():
                self._write("train", event.step, _pair(event.loss, event.accuracy))
                found = {**_pair(event.val_loss, event.val_accuracy), "epoch/auc": event.val_auc}
                self._write("validation", event.step, found)
                self._write("hold-out", event.step, _pair(event.hold_out_loss, event.hold_out_accuracy))

    def _write(self, part: str, step: int, figures: dict[str, float | None]) -> None:
        values = [
            tf.compat.v1.Summary.Value(tag=tag, simple_value=figure)
            for tag, figure in figures.items()
            if figure is not None
        ]
        if not values:
            return
        summary = tf.compat.v1.Summary(value=values)
        self._add(part, tf.compat.v1.Event(wall_time=time.time(), step=step, summary=summary))

    def _add(self, part: str, event: Any) -> None:
        try:
            if part not in self._writers:
                self._writers[part] = self._opened(part, event.step)
            self._writers[part].write(event.SerializeToString())
            self._writers[part].flush()
        except (OSError, tf.errors.OpError) as error:
            raise StoreError(
                f"The log for TensorBoard cannot be written to {self._folder}: {error}.",
                "Choose another folder.",
            ) from error

    def _opened(self, part: str, step: int) -> Any:
        """Open a new file. A resumed run may have been logged beyond `step` before: at a START, TensorBoard drops that."""
        folder = self._folder / part
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.v2"
        writer = tf.io.TFRecordWriter(str(folder / name))
        start = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
        for fields in ({"file_version": FILE_VERSION}, {"step": step, "session_log": start}):
            writer.write(tf.compat.v1.Event(wall_time=time.time(), **fields).SerializeToString())
        return writer


def _pair(loss: float | None, accuracy: float | None) -> dict[str, float | None]:
    return {"epoch/loss": loss, "epoch/accuracy": accuracy}

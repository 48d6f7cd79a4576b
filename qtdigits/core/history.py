"""The history of a run: columns of numbers that only grow, for curves and for the model file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.events import BatchEnded, EpochEnded, Event

BATCH_COLUMNS = ("step", "loss", "accuracy", "elapsed_s")
EPOCH_COLUMNS = ("epoch", "step", "loss", "accuracy", "val_loss", "val_accuracy", "elapsed_s")


class Columns:
    """Named float columns in one array that doubles when it is full; reading gives views, not copies."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self._rows = np.empty((len(names), 256))
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def append(self, **values: float) -> None:
        if self._n == self._rows.shape[1]:
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)], axis=1)
        self._rows[:, self._n] = [values[name] for name in self.names]
        self._n += 1

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self._rows[self.names.index(name), : self._n]


class History:
    """Batch and epoch columns of one run, and which epoch was best (0: none yet)."""

    def __init__(self) -> None:
        self.batches = Columns(BATCH_COLUMNS)
        self.epochs = Columns(EPOCH_COLUMNS)
        self.best_epoch = 0

    def apply(self, event: Event) -> None:
        """Take in what belongs here; other events are none of a history's business."""
        match event:
            case BatchEnded():
                self.batches.append(**_chosen(event, BATCH_COLUMNS))
            case EpochEnded():
                self.epochs.append(**_chosen(event, EPOCH_COLUMNS))
                if event.is_best:
                    self.best_epoch = event.epoch
            case _:
                pass

    def to_json(self) -> dict[str, object]:
        return {
            "batches": {name: self.batches[name].tolist() for name in BATCH_COLUMNS},
            "epochs": {name: self.epochs[name].tolist() for name in EPOCH_COLUMNS},
            "best_epoch": self.best_epoch,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> History:
        """The inverse of `to_json`. Raises `KeyError` or `ValueError` when columns are missing or uneven."""
        history = cls()
        for columns, key in ((history.batches, "batches"), (history.epochs, "epochs")):
            table: Mapping[str, list[float]] = values[key]  # type: ignore[assignment]
            for row in zip(*(table[name] for name in columns.names), strict=True):
                columns.append(**dict(zip(columns.names, row, strict=True)))
        history.best_epoch = int(values["best_epoch"])  # type: ignore[call-overload]
        return history


def _chosen(event: BatchEnded | EpochEnded, names: tuple[str, ...]) -> dict[str, float]:
    return {f.name: getattr(event, f.name) for f in fields(event) if f.name in names}

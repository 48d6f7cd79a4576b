"""The history of a run: columns of numbers that only grow, for curves and for the model file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.run.events import (
    BATCH_COLUMNS,
    BATCH_EXTRAS,
    EPOCH_COLUMNS,
    EPOCH_EXTRAS,
    BatchEnded,
    EpochEnded,
    Event,
    RunResumed,
)


class Columns:
    """Named float columns in one array that doubles when it is full; reading gives views, not copies."""

    def __init__(self, names: tuple[str, ...], extras: tuple[str, ...] = ()) -> None:
        self.names = names
        self._extras = extras
        self._place = {name: row for row, name in enumerate((*names, *extras))}
        self._rows = np.empty((len(self._place), 256))
        self._n = 0

    def __len__(self) -> int:
        return self._n

    @property
    def kept_names(self) -> tuple[str, ...]:
        """All of `names`, and the extras in which any figure is known."""
        return (*self.names, *(name for name in self._extras if np.isfinite(self[name]).any()))

    def append(self, **values: float) -> None:
        """Append one row. An extra that is not given, or is None, is NaN."""
        if self._n == self._rows.shape[1]:
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)], axis=1)
        known = [values[name] for name in self.names]
        self._rows[:, self._n] = [*known, *(_or_nan(values.get(name)) for name in self._extras)]
        self._n += 1

    def extend(self, table: Mapping[str, Sequence[float]]) -> None:
        """Append all rows of a table. Raises `KeyError` or `ValueError` when columns are missing or uneven."""
        known = [np.asarray(table[name], np.float64) for name in self.names]
        n = len(known[0])
        given = [table.get(name) for name in self._extras]
        extras = [np.array([_or_nan(v) for v in ([None] * n if one is None else one)]) for one in given]
        if any(column.shape != (n,) for column in (*known, *extras)):
            raise ValueError("columns of different length: an argument is longer than the others")
        self._rows = np.concatenate(
            [self._rows[:, : self._n], [*known, *extras], np.empty_like(self._rows)], 1
        )
        self._n += n

    def to_json(self) -> dict[str, list[float | None]]:
        """Return a list for each column of `kept_names`; unknown figures are None, as JSON has no NaN."""
        extras = {
            name: [None if math.isnan(v) else v for v in self[name].tolist()]
            for name in self.kept_names[len(self.names) :]
        }
        return {**{name: self[name].tolist() for name in self.names}, **extras}

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self._rows[self._place[name], : self._n]


class History:
    """Batch and epoch columns of one run, and which epoch was best (0: none yet)."""

    def __init__(self) -> None:
        self.batches = Columns(BATCH_COLUMNS, BATCH_EXTRAS)
        self.epochs = Columns(EPOCH_COLUMNS, EPOCH_EXTRAS)
        self.best_epoch = 0

    @property
    def epochs_since_best(self) -> int:
        """Epochs that ended since the best one; 0 before the first."""
        return int(self.epochs["epoch"][-1]) - self.best_epoch if len(self.epochs) else 0

    @property
    def steps_per_epoch(self) -> float:
        """Batches in an epoch, as far as the epochs tell; 0 before the first has ended, or where they have no numbers."""
        epochs = self.epochs
        return (
            float(epochs["step"][0]) / float(epochs["epoch"][0])
            if len(epochs) and epochs["epoch"][0]
            else 0.0
        )

    def apply(self, event: Event) -> None:
        """Append the figures of an event; events without any are ignored. A resumed run brings its past along."""
        match event:
            case RunResumed(history=past) if past:
                before = History.from_json(past)
                self.batches, self.epochs = before.batches, before.epochs
                self.best_epoch = before.best_epoch
            case BatchEnded():
                chosen = _chosen(event, (*BATCH_COLUMNS, *BATCH_EXTRAS))
                # 0: the speed of the first batch is unknown.
                chosen["images_per_s"] = event.images_per_s or math.nan
                self.batches.append(**chosen)
            case EpochEnded():
                self.epochs.append(**_chosen(event, (*EPOCH_COLUMNS, *EPOCH_EXTRAS)))
                if event.is_best:
                    self.best_epoch = event.epoch
            case _:
                pass

    def to_json(self) -> dict[str, object]:
        """Return the columns of `batches` and `epochs`, and the best epoch."""
        return {
            "batches": self.batches.to_json(),
            "epochs": self.epochs.to_json(),
            "best_epoch": self.best_epoch,
        }

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """Return the kept columns by names such as "batches/loss" and "epochs/val_loss"."""
        parts = {"batches": self.batches, "epochs": self.epochs}
        return {f"{part}/{c}": columns[c] for part, columns in parts.items() for c in columns.kept_names}

    @classmethod
    def of_arrays(cls, get: Callable[[str], NDArray[Any] | None], best_epoch: int) -> History:
        """The inverse of `arrays`; `get` returns a column, or None where there is none. Raises as `from_json`."""
        names = {"batches": (*BATCH_COLUMNS, *BATCH_EXTRAS), "epochs": (*EPOCH_COLUMNS, *EPOCH_EXTRAS)}
        tables = {
            part: {c: found for c in columns if (found := get(f"{part}/{c}")) is not None}
            for part, columns in names.items()
        }
        return cls.from_json({**tables, "best_epoch": best_epoch})

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> History:
        """The inverse of `to_json`. Raises `KeyError`, `TypeError` or `ValueError` when columns are missing or uneven."""
        history = cls()
        for columns, key in ((history.batches, "batches"), (history.epochs, "epochs")):
            columns.extend(values[key])  # type: ignore[arg-type]
        history.best_epoch = int(values["best_epoch"])  # type: ignore[call-overload]
        return history


def _chosen(event: BatchEnded | EpochEnded, names: tuple[str, ...]) -> dict[str, float]:
    return {f.name: getattr(event, f.name) for f in fields(event) if f.name in names}


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)

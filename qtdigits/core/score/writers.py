"""The writer matrix: models that learned from one writer's drawings, and how they read each writer's.

A row is a model, a column is a writer. Every cell is paired: the model that they all began with has read the same drawings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.score.comparison import SIGNIFICANT, mcnemar_exact
from qtdigits.core.score.metrics import wilson_interval

BASE, ALL_OTHERS = "base", "all others"
"""Names of the first row, the model that learned from nobody here, and of the last, where each cell has a model of its own."""


@dataclass(frozen=True)
class MatrixCell:
    """The `n` drawings of `writer` that were read: how many the base read right, and how many the row's model.

    `fixed` only the row's model read right, `broken` only the base.
    """

    writer: str
    n: int
    base: int
    correct: int
    fixed: int = 0
    broken: int = 0

    @classmethod
    def of(
        cls, writer: str, is_right_before: NDArray[np.bool_], is_right_after: NDArray[np.bool_]
    ) -> MatrixCell:
        """From `(n,)` whether each drawing is read right, by the base and by the row's model."""
        return cls(
            writer,
            len(is_right_after),
            int(is_right_before.sum()),
            int(is_right_after.sum()),
            int((~is_right_before & is_right_after).sum()),
            int((is_right_before & ~is_right_after).sum()),
        )

    @property
    def accuracy(self) -> float | None:
        """None where nothing was read."""
        return self.correct / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, at 95 %."""
        return wilson_interval(self.correct, self.n)

    @property
    def p_value(self) -> float:
        """McNemar's, exact and two-sided, for this cell alone."""
        return mcnemar_exact(self.fixed, self.broken)

    def to_json(self) -> dict[str, Any]:
        return {
            "writer": self.writer,
            "n": self.n,
            "base": self.base,
            "correct": self.correct,
            "fixed": self.fixed,
            "broken": self.broken,
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "p_value": self.p_value,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> MatrixCell:
        """The inverse; what follows from the counts is found anew."""
        counts = (int(values[name]) for name in ("n", "base", "correct", "fixed", "broken"))
        return cls(str(values["writer"]), *counts)


@dataclass(frozen=True)
class MatrixRow:
    """What one model read. `kind` is "base", "writer" or "all others"; `name` is the writer of a row of that kind, else the kind.

    `learned_from` are the drawings that it learned from; 0 for the base and where it differs from cell to cell. A matrix that
    was stopped may lack cells.
    """

    kind: str
    name: str
    learned_from: int
    cells: tuple[MatrixCell, ...]

    def cell(self, writer: str) -> MatrixCell | None:
        """How this writer's drawings were read; None where the matrix was stopped before that."""
        return next((cell for cell in self.cells if cell.writer == writer), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "learned_from": self.learned_from,
            "cells": [cell.to_json() for cell in self.cells],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> MatrixRow:
        """The inverse of `to_json`. Raises `KeyError`, `TypeError` or `ValueError` for another form."""
        cells = tuple(MatrixCell.from_json(cell) for cell in values["cells"])
        return cls(str(values["kind"]), str(values["name"]), int(values["learned_from"]), cells)


@dataclass(frozen=True)
class WriterMatrix:
    """All rows by all writers. `is_whole` is false when it was stopped on the way."""

    model: str
    source: str
    writers: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    is_whole: bool = True

    @property
    def compared(self) -> tuple[MatrixCell, ...]:
        """The cells in which another model than the base read something."""
        return tuple(cell for row in self.rows if row.kind != BASE for cell in row.cells if cell.n)

    @property
    def significant(self) -> frozenset[MatrixCell]:
        """Cells that differ from the base even though so many were compared, after Holm (1979), at 5 % for the whole matrix."""
        cells = sorted(self.compared, key=lambda cell: cell.p_value)
        found = []
        for place, cell in enumerate(cells):
            if cell.p_value >= SIGNIFICANT / (len(cells) - place):
                break
            found.append(cell)
        return frozenset(found)

    def mark(self, cell: MatrixCell) -> str:
        """Against the base: "+" better, taken alone; "++" also among so many cells; "-" and "--" worse; "" not told apart."""
        if cell.p_value >= SIGNIFICANT:
            return ""
        sign = "+" if cell.fixed > cell.broken else "-"
        return sign * 2 if cell in self.significant else sign

    def to_json(self) -> dict[str, Any]:
        """Each cell with its `mark`."""
        rows = [row.to_json() for row in self.rows]
        for row, values in zip(self.rows, rows, strict=True):
            for cell, cell_values in zip(row.cells, values["cells"], strict=True):
                cell_values["mark"] = self.mark(cell)
        return {
            "model": self.model,
            "on": self.source,
            "writers": list(self.writers),
            "rows": rows,
            "is_whole": self.is_whole,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> WriterMatrix:
        return cls(
            str(values["model"]),
            str(values["on"]),
            tuple(map(str, values["writers"])),
            tuple(MatrixRow.from_json(row) for row in values["rows"]),
            bool(values["is_whole"]),
        )


AFTER = (0, 20, 50, 100, 200)
"""After so many judged drawings a simulated user retrains, unless other numbers are asked for; 0: before anything is learned."""


@dataclass(frozen=True)
class Plan:
    """Retrained after `after` judged drawings, which rises from 0 on. Errors count on all that follow, or on the `last` only."""

    after: tuple[int, ...] = AFTER
    last: int | None = None

    def first_counted(self, after: int, n: int) -> int:
        """Of `n` drawings, the first one that counts after so many judged ones."""
        return after if self.last is None else max(after, n - self.last)


@dataclass(frozen=True)
class SimulatedStep:
    """After `after` judged drawings, on the `n` that came later: errors of the model that never learned, and of the one that did.

    `fixed` were misread without learning and are read with it, `broken` the other way round.
    """

    after: int
    n: int
    errors_without: int
    errors_with: int
    fixed: int
    broken: int

    @classmethod
    def of(
        cls, after: int, is_right_without: NDArray[np.bool_], is_right_with: NDArray[np.bool_]
    ) -> SimulatedStep:
        """From `(n,)` whether each later drawing is read right."""
        return cls(
            after,
            len(is_right_with),
            int((~is_right_without).sum()),
            int((~is_right_with).sum()),
            int((~is_right_without & is_right_with).sum()),
            int((is_right_without & ~is_right_with).sum()),
        )

    @property
    def fewer(self) -> float | None:
        """By which part the errors became fewer; None where there were none to lose."""
        return 1.0 - self.errors_with / self.errors_without if self.errors_without else None

    def to_json(self) -> dict[str, Any]:
        """`interval_…`: Wilson's 95 % interval of the error rate."""
        return {
            "after": self.after,
            "n": self.n,
            "errors_without": self.errors_without,
            "errors_with": self.errors_with,
            "fixed": self.fixed,
            "broken": self.broken,
            "interval_without": list(wilson_interval(self.errors_without, self.n)),
            "interval_with": list(wilson_interval(self.errors_with, self.n)),
        }


@dataclass(frozen=True)
class SimulatedWriter:
    """One writer's steps. `mnist` is the accuracy on MNIST's test set after the last training, None where there is no MNIST."""

    writer: str
    drawings: int
    steps: tuple[SimulatedStep, ...]
    mnist: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "writer": self.writer,
            "drawings": self.drawings,
            "steps": [step.to_json() for step in self.steps],
            "mnist_after": self.mnist,
        }


@dataclass(frozen=True)
class Simulation:
    """All writers by one model. `mnist_before` is the model's own accuracy on MNIST's test set.

    `is_whole` is false when it was stopped before all writers were simulated.
    """

    model: str
    writers: tuple[SimulatedWriter, ...]
    mnist_before: float | None = None
    is_whole: bool = True

    @property
    def steps(self) -> tuple[SimulatedStep, ...]:
        """The sums over the writers, for each number of judged drawings that at least one of them reached."""
        of_all = [step for writer in self.writers for step in writer.steps]
        return tuple(
            summed(after, [step for step in of_all if step.after == after])
            for after in sorted({step.after for step in of_all})
        )

    @property
    def mnist_after(self) -> float | None:
        """The mean over the writers' last models."""
        found = [writer.mnist for writer in self.writers if writer.mnist is not None]
        return float(np.mean(found)) if found else None

    @property
    def lowest_mnist(self) -> float | None:
        """Of the writers' last models, on MNIST's test set, 0 to 1; None where that was not measured."""
        return min((writer.mnist for writer in self.writers if writer.mnist is not None), default=None)

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "writers": len(self.writers),
            "steps": [step.to_json() for step in self.steps],
            "per_writer": [writer.to_json() for writer in self.writers],
            "mnist_before": self.mnist_before,
            "mnist_after": self.mnist_after,
            "is_whole": self.is_whole,
        }


def summed(after: int, steps: Iterable[SimulatedStep]) -> SimulatedStep:
    """All of `steps`, which are of different writers, as one step after `after` judged drawings."""
    rows = [(s.n, s.errors_without, s.errors_with, s.fixed, s.broken) for s in steps]
    return SimulatedStep(after, *(sum(column) for column in zip(*rows, strict=True)))


def chosen_writers(writers: Sequence[str], most: int | None, seed: int, *, more_than: int) -> list[str]:
    """The writers to simulate, in the order of the data: all, or `most` of those with `more_than` so many drawings, at random."""
    names, counts = np.unique(np.asarray(writers), return_counts=True)
    order = list(dict.fromkeys(writers))
    if most is None or most >= len(order):
        return order
    count_of = dict(zip(names.tolist(), counts.tolist(), strict=True))
    able = [name for name in order if count_of[name] > more_than] or order
    picked = set(np.random.default_rng(seed).permutation(len(able))[:most].tolist())
    return [name for place, name in enumerate(able) if place in picked]

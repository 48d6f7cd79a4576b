"""The writer matrix: models that learned from one writer's drawings, and how they read each writer's.

A row is a model, a column is a writer. Every cell is paired: the model that they all began with has read the same drawings.
"""

from __future__ import annotations

from collections.abc import Mapping
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

"""Models that learn from single writers: the writer matrix, and simulated users.

In the writer matrix a row is a model and a column is a writer; the base, with which all models began, has read the same
drawings as each of them. A simulated user judges a writer's drawings in their order and retrains now and then; errors count
on drawings not yet learned from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any

import numpy as np

from qtdigits.core.score.comparison import SIGNIFICANT, PairedComparison
from qtdigits.core.score.metrics import wilson_interval

BASE, ALL_OTHERS = "base", "all others"
"""Names of the first row, the model that learned from nobody here, and of the last, where each cell has a model of its own."""


@dataclass(frozen=True)
class MatrixRow:
    """The drawings of each writer by one model, compared with the base.

    `kind` is "base", "writer" or "all others"; `name` is the writer of a row of that kind, else the kind. `learned_from` are
    the drawings that the model learned from; 0 for the base and where it differs from cell to cell. `cells` are by writer;
    a matrix that was stopped may lack some.
    """

    kind: str
    name: str
    learned_from: int
    cells: Mapping[str, PairedComparison] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "learned_from": self.learned_from,
            "cells": [_cell_to_json(writer, cell) for writer, cell in self.cells.items()],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> MatrixRow:
        """The inverse of `to_json`. Raises `KeyError`, `TypeError` or `ValueError` for another form."""
        cells = {str(cell["writer"]): _cell_from_json(cell) for cell in values["cells"]}
        return cls(str(values["kind"]), str(values["name"]), int(values["learned_from"]), cells)


def _cell_to_json(writer: str, cell: PairedComparison) -> dict[str, Any]:
    after = cell.tally_after.to_json()
    return {
        "writer": writer,
        "n": cell.n,
        "base": cell.before,
        "correct": cell.after,
        "fixed": cell.n_fixed,
        "broken": cell.n_broken,
        "accuracy": after["accuracy"],
        "interval": after["interval"],
        "p_value": cell.p_value,
    }


def _cell_from_json(values: Mapping[str, Any]) -> PairedComparison:
    """What follows from the counts is found anew."""
    n, before, after, fixed, broken = (
        int(values[name]) for name in ("n", "base", "correct", "fixed", "broken")
    )
    return PairedComparison(n, before, after, fixed, broken)


@dataclass(frozen=True)
class WriterMatrix:
    """All rows by all writers. `is_whole` is false when it was stopped on the way."""

    model: str
    source: str
    writers: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    is_whole: bool = True

    @property
    def compared(self) -> tuple[PairedComparison, ...]:
        """The cells in which another model than the base read something."""
        return tuple(cell for row in self.rows if row.kind != BASE for cell in row.cells.values() if cell.n)

    @cached_property
    def highest_significant_p(self) -> float:
        """The highest p-value that is significant after Holm (1979), at 5 % for the whole matrix; 0 where none is."""
        p_values = sorted(cell.p_value for cell in self.compared)
        highest = 0.0
        for place, p_value in enumerate(p_values):
            if p_value >= SIGNIFICANT / (len(p_values) - place):
                break
            highest = p_value
        return highest

    def mark(self, cell: PairedComparison) -> str:
        """Against the base: "+" better, taken alone; "++" also among so many cells; "-" and "--" worse; "" not told apart."""
        if not cell.is_significant:
            return ""
        sign = "+" if cell.n_fixed > cell.n_broken else "-"
        return sign * 2 if cell.p_value <= self.highest_significant_p else sign

    def to_json(self) -> dict[str, Any]:
        """Each cell with its `mark`."""
        rows = [row.to_json() for row in self.rows]
        for row, values in zip(self.rows, rows, strict=True):
            for cell, cell_values in zip(row.cells.values(), values["cells"], strict=True):
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
    """Retrained after `after` judged drawings, which rises from 0 on. Errors count on all that follow, or on the `last` only.

    `remembers`: every judged drawing, held out from training or not, is in a memory from the next reading on.
    """

    after: tuple[int, ...] = AFTER
    last: int | None = None
    remembers: bool = False

    def first_counted(self, after: int, n: int) -> int:
        """Of `n` drawings, the first one that counts after so many judged ones."""
        return after if self.last is None else max(after, n - self.last)


@dataclass(frozen=True)
class SimulatedStep:
    """After `after` judged drawings, on those that came later: the model that never learned, and the one that did."""

    after: int
    later: PairedComparison

    @property
    def errors_without(self) -> int:
        return self.later.n - self.later.before

    @property
    def errors_with(self) -> int:
        return self.later.n - self.later.after

    @property
    def fewer(self) -> float | None:
        """By which part the errors became fewer; None where there were none to lose."""
        return 1.0 - self.errors_with / self.errors_without if self.errors_without else None

    def to_json(self) -> dict[str, Any]:
        """`interval_…`: Wilson's 95 % interval of the error rate."""
        n = self.later.n
        return {
            "after": self.after,
            "n": n,
            "errors_without": self.errors_without,
            "errors_with": self.errors_with,
            "fixed": self.later.n_fixed,
            "broken": self.later.n_broken,
            "interval_without": list(wilson_interval(self.errors_without, n)),
            "interval_with": list(wilson_interval(self.errors_with, n)),
        }


@dataclass(frozen=True)
class SimulatedWriter:
    """One writer's steps. `mnist` is the accuracy on MNIST's test set after the last training, None where there is no MNIST.

    `all` compares on every drawing, from the first one on, each read before it is remembered; None if nothing was remembered.
    """

    writer: str
    drawings: int
    steps: tuple[SimulatedStep, ...]
    mnist: float | None = None
    all: PairedComparison | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "writer": self.writer,
            "drawings": self.drawings,
            "steps": [step.to_json() for step in self.steps],
            "mnist_after": self.mnist,
            **({} if self.all is None else {"all": _errors(self.all)}),
        }


@dataclass(frozen=True)
class Simulation:
    """All writers by one model; `mnist_before` is its accuracy on MNIST's test set. `is_whole` is false when it was stopped."""

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

    @property
    def all(self) -> PairedComparison | None:
        """The sum over the writers; None if nothing was remembered."""
        found = [writer.all for writer in self.writers if writer.all is not None]
        return reduce(PairedComparison.combined_with, found) if found else None

    @property
    def writers_worse(self) -> tuple[str, ...]:
        """The writers with more errors on all their drawings than without learning."""
        compared = ((writer.writer, writer.all) for writer in self.writers)
        return tuple(name for name, all_ in compared if all_ is not None and all_.after < all_.before)

    def to_json(self) -> dict[str, Any]:
        of_all = {} if self.all is None else _errors(self.all) | {"writers_worse": len(self.writers_worse)}
        return {
            "model": self.model,
            "writers": len(self.writers),
            **({"all": of_all} if of_all else {}),
            "steps": [step.to_json() for step in self.steps],
            "per_writer": [writer.to_json() for writer in self.writers],
            "mnist_before": self.mnist_before,
            "mnist_after": self.mnist_after,
            "is_whole": self.is_whole,
        }


def _errors(found: PairedComparison) -> dict[str, Any]:
    return {"n": found.n, "errors_without": found.n - found.before, "errors_with": found.n - found.after}


def summed(after: int, steps: Iterable[SimulatedStep]) -> SimulatedStep:
    """Return `steps` of different writers as one step after `after` judged drawings."""
    later = PairedComparison()
    for step in steps:
        later = later.combined_with(step.later)
    return SimulatedStep(after, later)


def chosen_writers(writers: Sequence[str], most: int | None, seed: int, *, more_than: int) -> list[str]:
    """Return the writers to simulate, in the order of the data: all, or `most` with more than `more_than` drawings, at random."""
    names, counts = np.unique(np.asarray(writers), return_counts=True)
    order = list(dict.fromkeys(writers))
    if most is None or most >= len(order):
        return order
    count_of = dict(zip(names.tolist(), counts.tolist(), strict=True))
    able = [name for name in order if count_of[name] > more_than] or order
    picked = set(np.random.default_rng(seed).permutation(len(able))[:most].tolist())
    return [name for place, name in enumerate(able) if place in picked]

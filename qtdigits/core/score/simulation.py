"""Simulated users: what learning from a writer's judged drawings was worth, counted on drawings not yet learned from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.score.metrics import wilson_interval

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

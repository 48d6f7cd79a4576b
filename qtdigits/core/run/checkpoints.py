"""Where a training stands, as a value: all that it takes to go on as if nothing had happened.

`ml` takes these and goes on from them, `store` writes and reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.run.history import History

Arrays = tuple[NDArray[Any], ...]

Stages = tuple[tuple[int, int], ...]
"""After which epoch, and up to which one: the run as it was planned first, then each extension. Empty: it was never extended."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A moment between two batches.

    `network`: every variable of the network in Keras's order, weights, statistics and the states of dropout's seeds; `optimizer`
    those of the optimizer, which count its steps; `metrics` the sums of the epoch so far; `best` the weights of the best epoch,
    empty before there is one.

    `step` counts the batches of the whole run, `epochs` the epochs that are over; `best_loss` is the validation loss of
    `best_epoch`. `elapsed_s` is the time trained. `facts` are JSON: what whoever writes the checkpoint has to know when it is
    taken up again.
    """

    network: Arrays
    optimizer: Arrays
    metrics: Arrays
    best: Arrays
    step: int
    epochs: int
    best_epoch: int
    best_loss: float
    elapsed_s: float
    history: History = field(default_factory=History)
    facts: Mapping[str, Any] = field(default_factory=dict)


class Keeper(Protocol):
    """Who keeps the checkpoints of a run. Nothing that goes wrong with it ends the run."""

    @property
    def is_due(self) -> bool:
        """Whether it is worth the time to keep one of those that may be left out."""

    def keep(self, checkpoint: Checkpoint) -> None:
        """Write it down; the one before may be dropped."""


@dataclass(frozen=True, eq=False)
class Continuation:
    """How a run goes on: from where, if it does, who keeps where it stands, if anybody does, and how it was extended."""

    begin: Checkpoint | None = None
    keeper: Keeper | None = None
    stages: Stages = ()


def order_of_epoch(training: NDArray[np.int64], *, seed: int, epoch: int) -> NDArray[np.int64]:
    """`training` `(n,)` as it comes in an epoch, counted from 0. It depends on nothing else, so that a run can begin anywhere."""
    return np.random.default_rng((seed, epoch)).permutation(training)

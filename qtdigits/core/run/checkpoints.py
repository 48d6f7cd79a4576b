"""Checkpoints: all that it takes to resume a training exactly, and the fingerprint of the data that it is resumed on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.run.history import History

Arrays = tuple[NDArray[Any], ...]

Stages = tuple[tuple[int, int], ...]
"""(from epoch, to epoch) of the run as first planned, then of each extension. Empty: it was never extended."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state of a training between two batches.

    `network`: every variable of the network in Keras's order, weights, statistics and the states of dropout's seeds; `optimizer`
    those of the optimizer, which count its steps; `metrics` the sums of the epoch so far; `best` the weights of the best epoch,
    empty before there is one.

    `step` counts the batches of the whole run, `epochs` the finished epochs; `best_loss` is the validation loss of
    `best_epoch`. `elapsed_s` is the time trained. `facts` are JSON, for the writer of the checkpoint.
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


class CheckpointWriter(Protocol):
    """Writes the checkpoints of a run. Its errors never end the run."""

    @property
    def is_due(self) -> bool:
        """Whether it is time for one of the checkpoints that may be left out."""

    def write(self, checkpoint: Checkpoint) -> None:
        """Write the checkpoint; the one before may be dropped."""


@dataclass(frozen=True, eq=False)
class Continuation:
    """How a run begins and continues: the checkpoint to resume, if any; the writer of checkpoints, if any; its extensions."""

    begin: Checkpoint | None = None
    writer: CheckpointWriter | None = None
    stages: Stages = ()


def order_of_epoch(training: NDArray[np.int64], *, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return `training` `(n,)` in the order of an epoch, counted from 0. It depends on nothing else, so a run can resume."""
    return np.random.default_rng((seed, epoch)).permutation(training)


@dataclass(frozen=True)
class DataFingerprint:
    """The fingerprint of a run's training data.

    `sources`: the name of each → its number of images and a digest of them. `mix` is a digest of which images are trained on,
    how often, and which are validated on; `classes` are their ids in their order. `base` has a digest of the weights that the
    run starts from, and one of those whose answers are rehearsed where these are others; "" where there are none.
    """

    sources: Mapping[str, tuple[int, str]]
    classes: tuple[str, ...]
    mix: str
    base: str = ""

    @classmethod
    def of(
        cls,
        records: Sequence[Mapping[str, Any]],
        classes: Sequence[str],
        indices: Sequence[NDArray[np.int64]],
        *,
        base: str = "",
    ) -> DataFingerprint:
        """Make one from `records` as in a model's provenance and all `indices` that say which images play which part."""
        digest = hashlib.sha256()
        for array in indices:
            digest.update(f"{array.shape}".encode())
            digest.update(np.ascontiguousarray(array, "<i8").tobytes())
        return cls(
            {str(r["name"]): (r["n_training"] + r["n_validation"], str(r["sha256"])) for r in records},
            tuple(classes),
            digest.hexdigest(),
            base,
        )

    @property
    def fingerprint(self) -> str:
        """A SHA-256 over all of it: equal for two runs on the same images in the same parts."""
        text = json.dumps(self.to_json(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        return {
            "sources": {name: list(told) for name, told in self.sources.items()},
            "classes": list(self.classes),
            "mix": self.mix,
            "base": self.base,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> DataFingerprint:
        """The inverse of `to_json`. Raises `KeyError`, `TypeError` or `ValueError`."""
        sources = {str(name): (int(n), str(digest)) for name, (n, digest) in values["sources"].items()}
        return cls(sources, tuple(map(str, values["classes"])), str(values["mix"]), str(values["base"]))


def data_changes(before: DataFingerprint, now: DataFingerprint) -> tuple[str, ...]:
    """Describe what changed, such as ("drawings: 38 instead of 40",)."""
    found = []
    for name in dict.fromkeys((*before.sources, *now.sources)):
        old, new = before.sources.get(name), now.sources.get(name)
        if old == new:
            continue
        if old is None:
            found.append(f"{name}: not there before")
        elif new is None:
            found.append(f"{name}: no longer there")
        elif old[0] != new[0]:
            found.append(f"{name}: {new[0]:,} instead of {old[0]:,}")
        else:
            found.append(f"{name}: other images or labels")
    if before.classes != now.classes:
        found.append(f"the classes: {' '.join(now.classes)} instead of {' '.join(before.classes)}")
    if before.base != now.base:
        found.append("the model it went on from, or the one whose answers it rehearses")
    if not found and before.mix != now.mix:
        found.append("which images are trained on, how often, or validated on")
    return tuple(found)


def digest_of(dataset: Dataset) -> str:
    """Return a SHA-256 over images and labels, in this order."""
    digest = hashlib.sha256(np.ascontiguousarray(dataset.images).tobytes())
    digest.update("\0".join(dataset.labels).encode())
    return digest.hexdigest()

"""What of a network in training has to be kept so that it can go on as if nothing had happened, and putting it back."""

from __future__ import annotations

from typing import Any

import numpy as np

from qtdigits.core.run.checkpoints import Arrays, Checkpoint
from qtdigits.errors import TrainingError
from qtdigits.ml.backend import keras


class CheckpointMisfitError(TrainingError):
    """A checkpoint is of another network than the one that is to go on from it."""

    kind = "checkpoint"


def standing_of(network: Any) -> tuple[Arrays, Arrays]:
    """`network` and `optimizer` of a `Checkpoint`: copies of all variables."""
    of_network, of_optimizer = _variables(network)
    return _values(of_network), _values(of_optimizer)


def metrics_of(network: Any) -> Arrays:
    """The sums of the epoch so far."""
    return _values(network.metrics_variables)


def restore(network: Any, checkpoint: Checkpoint) -> None:
    """Give a network that was built and compiled in the same way all of a checkpoint but the metrics.

    Raises `CheckpointMisfitError`, and then changes nothing.
    """
    pairs = list(zip(_variables(network), (checkpoint.network, checkpoint.optimizer), strict=True))
    for variables, values in pairs:
        if [tuple(v.shape) for v in variables] != [a.shape for a in values]:
            raise CheckpointMisfitError(
                "What was kept of this run does not fit its network any more.",
                "Train by the same recipe anew.",
            )
    for variables, values in pairs:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def restore_metrics(network: Any, metrics: Arrays) -> None:
    """The sums of an epoch that was begun before. Keras sets them to 0 when an epoch begins: this comes after that."""
    for variable, value in zip(network.metrics_variables, metrics, strict=True):
        variable.assign(value)


def _variables(network: Any) -> tuple[list[Any], list[Any]]:
    return list(network.variables), list(network.optimizer.variables)


def _values(variables: list[Any]) -> Arrays:
    return tuple(np.array(keras.ops.convert_to_numpy(variable)) for variable in variables)

"""Real writers replayed as simulated users, who judge, store and retrain, each in the order of drawing.

As in the program, a part of the judged drawings is held out and never trained on, every training starts from the model before
it, and only later drawings count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.model import Model
from qtdigits.core.run.control import Control
from qtdigits.core.score.comparison import PairedComparison
from qtdigits.core.score.writers import Plan, SimulatedStep, SimulatedWriter, Simulation
from qtdigits.errors import CancelledError, InputError
from qtdigits.training.consolidate import Learner, held_out_by_order

FEWEST_LATER = 10
"""With fewer later drawings, the effect of learning is not measured."""
_CHUNK = 512

Progress = Callable[[SimulatedWriter, int, int], None]


def simulate(
    drawings: Dataset,
    *,
    base: Model,
    learner: Learner,
    mnist_test: Dataset | None,
    writers: Sequence[str] | None = None,
    plan: Plan | None = None,
    progress: Progress = lambda writer, done, total: None,
    control: Control | None = None,
) -> Simulation:
    """Simulate `writers`, None: all those of `drawings`, with `base`, which was loaded with its weights.

    A stop keeps the writers who are done. Raises `InputError` when the drawings have no writers, and `CancelledError`.
    """
    if len(drawings.writers) != len(drawings):
        raise InputError(f"{drawings.name} does not say who wrote what.", "Choose ink with writers.")
    from qtdigits.ml.models import from_model

    control = control or Control()
    network = from_model(base)
    names = list(dict.fromkeys(drawings.writers)) if writers is None else writers
    by = np.asarray(drawings.writers)
    done: list[SimulatedWriter] = []
    try:
        for name in names:
            hand = drawings.take(np.flatnonzero(by == name))
            found = _simulated(name, hand, base, network, learner, mnist_test, plan or Plan(), control)
            done.append(found)
            progress(found, len(done), len(names))
    except CancelledError:
        if control.is_cancelled:
            raise
    before = _accuracy(network, base, mnist_test)
    return Simulation(base.name, tuple(done), before, is_whole=len(done) == len(names))


def _simulated(
    name: str,
    hand: Dataset,
    base: Model,
    network: Any,
    learner: Learner,
    mnist_test: Dataset | None,
    plan: Plan,
    control: Control,
) -> SimulatedWriter:
    from qtdigits.ml.models import weights_of

    without = _is_right(network, base, hand)
    held_out = held_out_by_order(hand)
    model, present, is_right = base, network, without
    steps = []
    for after in plan.after:
        if after and len(hand) - after < FEWEST_LATER:
            break
        if after:
            control.raise_if_stopping()
            learned_from = hand.take(np.flatnonzero(~held_out[:after]))
            trained = learner.learn(model, learned_from, teacher=base, control=control)
            control.raise_if_stopping()  # an interrupted training says nothing about the writer
            present = trained.network
            model = weights_of(model, trained)
            is_right = _is_right(present, model, hand)
        start = plan.first_counted(after, len(hand))
        steps.append(SimulatedStep(after, PairedComparison.of(without[start:], is_right[start:])))
    return SimulatedWriter(name, len(hand), tuple(steps), _accuracy(present, model, mnist_test))


def _is_right(network: Any, model: Model, dataset: Dataset) -> NDArray[np.bool_]:
    """Return `(n,)`; always false for a label that the model does not know."""
    from qtdigits.ml.networks import probabilities

    names = np.asarray(model.label_set.labels)
    answers = [
        names[probabilities(network, dataset.images[first : first + _CHUNK]).argmax(axis=1)]
        for first in range(0, len(dataset), _CHUNK)
    ]
    right: NDArray[np.bool_] = np.concatenate([np.empty(0, names.dtype), *answers]) == np.asarray(
        dataset.labels
    )
    return right


def _accuracy(network: Any, model: Model, dataset: Dataset | None) -> float | None:
    return None if dataset is None else float(_is_right(network, model, dataset).mean())

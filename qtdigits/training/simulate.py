"""Real writers replayed as simulated users, who judge, remember and retrain, each in the order of drawing.

As in the program, a part of the judged drawings is held out and never trained on, every training starts from the model before
it, and a drawing counts before it is remembered or learned from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.memory import Memory
from qtdigits.core.model import Model
from qtdigits.core.run.control import Control
from qtdigits.core.score.comparison import PairedComparison
from qtdigits.core.score.writers import Plan, SimulatedStep, SimulatedWriter, Simulation
from qtdigits.errors import CancelledError, InputError
from qtdigits.reader import Reader
from qtdigits.training.consolidate import Learner, NetworkReader, held_out_by_order

FEWEST_LATER = 10
"""With fewer later drawings, the effect of learning is not measured."""

Progress = Callable[[SimulatedWriter, int, int], None]
Floats = NDArray[np.float32]


def simulate(
    drawings: Dataset,
    *,
    base: Model,
    learner: Learner | None,
    mnist_test: Dataset | None,
    writers: Sequence[str] | None = None,
    plan: Plan | None = None,
    progress: Progress = lambda writer, done, total: None,
    control: Control | None = None,
) -> Simulation:
    """Simulate `writers`, None: all those of `drawings`, with `base`.

    A `learner` retrains it at the steps of the plan; it must have been loaded with its weights then. Without one TensorFlow is
    not needed.

    A stop keeps the writers who are done. Raises `InputError` when the drawings have no writers, and `CancelledError`.
    """
    if len(drawings.writers) != len(drawings):
        raise InputError(f"{drawings.name} does not say who wrote what.", "Choose ink with writers.")
    control = control or Control()
    user = _User(base, learner, mnist_test, plan or Plan(), control)
    names = list(dict.fromkeys(drawings.writers)) if writers is None else writers
    by = np.asarray(drawings.writers)
    done: list[SimulatedWriter] = []
    try:
        for name in names:
            control.raise_if_stopping()
            found = user.simulated(name, drawings.take(np.flatnonzero(by == name)))
            done.append(found)
            progress(found, len(done), len(names))
    except CancelledError:
        if control.is_cancelled:
            raise
    return Simulation(base.name, tuple(done), user.mnist_before, is_whole=len(done) == len(names))


class _User:
    """A simulated user, who begins each hand with the model `base` and an empty memory."""

    def __init__(
        self,
        base: Model,
        learner: Learner | None,
        mnist_test: Dataset | None,
        plan: Plan,
        control: Control,
    ) -> None:
        self._base, self._learner, self._mnist_test = base, learner, mnist_test
        self._plan, self._control = plan, control
        self._reader = Reader(base) if learner is None else _reader_of(base)
        self.mnist_before = self._mnist_accuracy(base, self._reader)

    def simulated(self, name: str, hand: Dataset) -> SimulatedWriter:
        held_out = held_out_by_order(hand)
        model, reader, mnist = self._base, self._reader, self.mnist_before
        without, is_right = self._alone_and_as_used(model, reader, hand)
        of_all = is_right.copy()
        steps = []
        for after in self._plan.after:
            if after and len(hand) - after < FEWEST_LATER:
                break
            if after and self._learner is not None:
                judged = hand.take(np.flatnonzero(~held_out[:after]))
                model, reader = self._retrained(self._learner, model, judged)
                _, is_right = self._alone_and_as_used(model, reader, hand)
                of_all[after:] = is_right[after:]
            start = self._plan.first_counted(after, len(hand))
            steps.append(SimulatedStep(after, PairedComparison.of(without[start:], is_right[start:])))
        if model is not self._base:
            mnist = self._mnist_accuracy(model, reader)
        all_drawings = PairedComparison.of(without, of_all) if self._plan.remembers else None
        return SimulatedWriter(name, len(hand), tuple(steps), mnist, all_drawings)

    def _retrained(self, learner: Learner, model: Model, judged: Dataset) -> tuple[Model, NetworkReader]:
        from qtdigits.ml.models import weights_of

        self._control.raise_if_stopping()
        trained = learner.learn(model, judged, teacher=self._base, control=self._control)
        self._control.raise_if_stopping()  # an interrupted training says nothing about the writer
        return weights_of(model, trained), NetworkReader(trained.network, model.network, model.label_set)

    def _alone_and_as_used(
        self, model: Model, reader: Reader | NetworkReader, hand: Dataset
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether each drawing is read right, `(n,)`: by the network alone, and with a memory, if any, of those before it."""
        if not self._plan.remembers:
            alone = _is_right(model, reader.read_many(hand.images), hand)
            return alone, alone
        read, embeddings = reader.read_and_embed(hand.images)
        memory, right = Memory(), np.zeros(len(hand), bool)
        likeness = (
            reader.likeness(embeddings)
            if isinstance(reader, Reader)
            else np.empty((len(hand), 0), np.float32)
        )
        for i, label in enumerate(hand.labels):
            neighbours = memory.neighbours(embeddings[i])
            classes, probabilities = memory.combine(model.label_set.labels, read[i], neighbours, likeness[i])
            right[i] = classes[probabilities.argmax()] == label
            memory.add(embeddings[i], label)
        return _is_right(model, read, hand), right

    def _mnist_accuracy(self, model: Model, reader: Reader | NetworkReader) -> float | None:
        if self._mnist_test is None:
            return None
        return float(_is_right(model, reader.read_many(self._mnist_test.images), self._mnist_test).mean())


def _reader_of(model: Model) -> NetworkReader:
    from qtdigits.ml.models import from_model

    return NetworkReader(from_model(model), model.network, model.label_set)


def _is_right(model: Model, probabilities: Floats, dataset: Dataset) -> NDArray[np.bool_]:
    """Return `(n,)`; always false for a label that the model does not know."""
    answers = np.asarray(model.label_set.labels)[probabilities.argmax(axis=1)]
    right: NDArray[np.bool_] = answers == np.asarray(dataset.labels)
    return right

"""Personal training ("Learn my hand"): its data, and the training itself without store or files.

The champion is trained further on the writer's drawings (augmented each time, together a fixed share of the training data however
few they are) and on a rehearsal from MNIST, so that nothing is forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.classes import AS_TRAINED, Classes, Shown
from qtdigits.core.drawing.labels import DIGITS, LabelSet
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import DRAWINGS_OF_OTHERS, SCRIBBLES, Dataset, guard_split, is_held_out
from qtdigits.core.drawing.synthetic import scribbles
from qtdigits.core.model import Model
from qtdigits.core.network_spec import NetworkSpec
from qtdigits.core.recipe import Recipe
from qtdigits.core.run.control import Control
from qtdigits.core.run.events import Event
from qtdigits.core.run.history import History
from qtdigits.ml.training_data import TrainingData
from qtdigits.training.evaluate import answers_as_used
from qtdigits.training.mixing import Source, mix, some_of

if TYPE_CHECKING:
    from qtdigits.ml.training import TrainedNetwork

RECIPE = "my-hand"
"""The recipe of a personal training unless another one is chosen."""

FOLDS = 3
"""A new model is judged on what it learned from by so many trainings without parts of it, together as long as its own."""

PERSONAL_VALIDATION = 1000
"""Images of the guard for validation during a personal training; all of them are read at its end."""


_CHUNK = 512


@dataclass(frozen=True, eq=False)
class Learner:
    """Trains models on single hands. `mnist` are its 60,000 training images, or the synthetic ink that replaces them."""

    recipe: Recipe
    mnist: Dataset

    def learn(
        self,
        base: Model,
        own: Dataset,
        *,
        teacher: Model | None = None,
        emit: Callable[[Event], None] = lambda event: None,
        control: Control | None = None,
    ) -> TrainedNetwork:
        """Train `base`, which was loaded with its weights, on the drawings `own`. Raises as `ml.training.train`.

        `teacher` is the model whose answers are rehearsed, None: `base`. In a series of trainings it is the first model.
        """
        from qtdigits.ml.resuming import with_teacher_answers
        from qtdigits.ml.training import tidy_up, train

        tidy_up()  # this process may train for one writer after the other
        recipe = self.recipe.on_network_of(base.recipe)
        sources = [rehearsal_source(self.mnist, recipe), *writer_sources(own, recipe)]
        if recipe.scribbles:
            sources.append(scribble_source(recipe))
        label_set = base.label_set.with_labels(sorted(set(own.labels)))
        data, _, _ = mix(
            sources, label_set, fraction=recipe.validation_fraction, seed=recipe.seed, is_rehearsal=False
        )
        data = with_teacher_answers(teacher or base, data, recipe, label_set)
        return train(
            recipe, label_set, data, run="personal", emit=emit, control=control or Control(), base=base
        )

    def learned_model(self, base: Model, own: Dataset, *, name: str, control: Control | None = None) -> Model:
        """Train as `learn` does and return a model to read with; it keeps the threshold of "not sure" of `base`."""
        from qtdigits.ml.models import to_model

        history = History()
        trained = self.learn(base, own, emit=history.apply, control=control)
        learned = to_model(
            trained,
            name=name,
            images=own.images,
            targets=own.targets(trained.label_set),
            history=history,
            provenance={"base": base.name},
        )
        return replace(learned, undecided_below=base.undecided_below)


def rehearsal_source(training: Dataset, recipe: Recipe, *, sha256: str = "") -> Source:
    """Return images for rehearsal, none of them the guard's, and some of the guard's for validation."""
    rehearsed, guard = guard_split(training.targets(DIGITS))
    chosen = some_of(training.take(rehearsed), recipe.mnist_images, recipe.seed)
    validated = training.take(guard[:PERSONAL_VALIDATION])
    together = Dataset(
        training.name,
        np.concatenate([chosen.images, validated.images]),
        chosen.labels + validated.labels,
        labels_are_ids=training.labels_are_ids,
    )
    is_validation = np.arange(len(together)) >= len(chosen)
    return Source(together, sha256=sha256, validation=is_validation, is_remembered=recipe.rehearses_answers)


def writer_sources(drawings: Dataset, recipe: Recipe, *, writer: str = "") -> Iterator[Source]:
    """Yield the drawings of `writer` ("": of everybody) as the recipe's share of the data, and those of others as rehearsal.

    None of the few drawings is spent on validation: the hold-out shows how well the hand is read.
    """
    names = drawings.writers or ("",) * len(drawings)
    is_own = np.array([not writer or name == writer for name in names], bool)
    parts = ((drawings.name, is_own, recipe.drawings_share), (DRAWINGS_OF_OTHERS, ~is_own, 0.0))
    for name, chosen, share in parts:
        if chosen.any():
            part = replace(drawings.take(np.flatnonzero(chosen)), name=name, writers=())
            weight = 1 if share or writer else recipe.drawings_weight
            yield Source(part, weight, share=share, validation=np.zeros(len(part), bool))


def scribble_source(recipe: Recipe) -> Source:
    """Return the recipe's scribbles as outliers."""
    inks = scribbles(recipe.scribbles, recipe.seed)
    drawn = Dataset(SCRIBBLES, render_many(inks), ("",) * len(inks), inks=tuple(inks))
    return Source(drawn, is_outlier=True)


@dataclass(frozen=True, eq=False)
class NetworkReader:
    """Reads with a Keras network as `Reader` does with a LiteRT program."""

    network: Any
    spec: NetworkSpec
    outputs: LabelSet
    classes: Classes = AS_TRAINED

    @property
    def label_set(self) -> LabelSet:
        """What it answers."""
        return self._shown.label_set

    def meaning_of(self, label: str, *, is_id: bool = False) -> str:
        """As that of `Reader`."""
        return self.classes.meaning_of(label, self.label_set, is_id=is_id)

    @property
    def _shown(self) -> Shown:
        return self.classes.shown(self.outputs)

    def read_many(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        from qtdigits.ml.networks import probabilities

        return self._shown.of(np.concatenate([probabilities(self.network, part) for part in _chunks(images)]))

    def read_and_embed(
        self, images: NDArray[np.uint8], *, threads: int = 1
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """TensorFlow has threads of its own: `threads` makes no difference."""
        from qtdigits.ml.models import with_embedding
        from qtdigits.ml.networks import outputs_of

        network = with_embedding(self.network, self.spec)
        found = [outputs_of(network, part) for part in _chunks(images)]
        return self._shown.of(np.concatenate([p for p, _ in found])), np.concatenate([e for _, e in found])


def _chunks(images: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    return [images[first : first + _CHUNK] for first in range(0, max(1, len(images)), _CHUNK)]


def read_out_of_fold(
    drawings: Dataset,
    are_wanted: NDArray[np.bool_],
    data: TrainingData,
    *,
    own_ids: NDArray[np.int64],
    train_on: Callable[[TrainingData, int], TrainedNetwork],
    classes: Classes = AS_TRAINED,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Read learned drawings as networks do that learned from all but a part of them, with a memory of all others.

    `drawings` are stored ones; of those that `are_wanted` `(n,)`, the ones in the training data `data` are read. `own_ids` are
    the ids of its images, 0 for those that are no drawing of the writer. `train_on` trains on a fold's data, given its number.
    `classes` are what the outputs of the networks stand for. Return which drawings were read, and which of these right, `(n,)`
    each.
    """
    ids = np.asarray(drawings.ids, np.int64)
    places = np.flatnonzero(are_wanted & np.isin(ids, own_ids))
    by_class = places[np.argsort(np.asarray(drawings.labels)[places], kind="stable")]
    folds = np.zeros(len(ids), np.int64)
    folds[by_class] = 1 + np.arange(len(places)) % FOLDS  # each class is spread over the folds
    are_read, are_right = np.zeros(len(ids), bool), np.zeros(len(ids), bool)
    for fold in range(1, FOLDS + 1):
        chosen = folds == fold
        rest = _without(data, own_ids, ids[chosen])
        if rest is None:
            continue
        trained = train_on(rest, fold)
        _, used = answers_as_used(
            NetworkReader(trained.network, trained.recipe.network, trained.label_set, classes=classes),
            drawings,
            are_read=chosen,
        )
        are_read |= chosen
        are_right[chosen] = used.is_right
    return are_read, are_right


def _without(
    data: TrainingData, own_ids: NDArray[np.int64], left_out: NDArray[np.int64]
) -> TrainingData | None:
    """Return one of `FOLDS` parts of an epoch without some drawings, the writer's others in their places.

    None without others, or without any to leave out.
    """
    trained = own_ids[data.training]
    own = data.training[(trained > 0) & ~np.isin(trained, left_out)]
    if not len(left_out) or not len(own):
        return None
    n = max((trained > 0).sum() // FOLDS, len(np.unique(own)))
    evenly = np.arange(n) * len(own) // n
    return replace(data, training=np.concatenate([data.training[trained == 0][::FOLDS], own[evenly]]))


def held_out_by_order(drawings: Dataset) -> NDArray[np.bool_]:
    """Return `(n,)`: which drawings the store would hold out, had each writer's been judged in this order."""
    seen: Counter[tuple[str, str]] = Counter()
    flags = []
    for key in zip(drawings.writers, drawings.labels, strict=True):
        flags.append(is_held_out(*key, seen[key]))
        seen[key] += 1
    return np.array(flags, bool)

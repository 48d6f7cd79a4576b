"""Learning one person's hand: what a personal training is made of, and the training itself without store or files.

The model in use goes on from where it is, on the writer's drawings (each varied anew every time, together a fixed part of what is
trained on, however few they are) and on a rehearsal from MNIST, so that nothing is forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import DRAWINGS_OF_OTHERS, SCRIBBLES, Dataset, guard_split, is_held_out
from qtdigits.core.drawing.synthetic import scribbles
from qtdigits.core.model import Model
from qtdigits.core.recipe import Recipe
from qtdigits.core.run.control import Control
from qtdigits.core.run.events import Event
from qtdigits.core.run.history import History
from qtdigits.training.mixing import Source, mix, some_of

if TYPE_CHECKING:
    from qtdigits.ml.training import TrainedNetwork

RECIPE = "my-hand"
"""The recipe by which a hand is learned unless another one is chosen."""

PERSONAL_VALIDATION = 1000
"""Images of the guard that a personal training is validated on while it goes on; all of them are read at its end."""


@dataclass(frozen=True, eq=False)
class Learner:
    """Learns hands from drawings. `mnist` are its 60,000 training images; what stands in for them will do, if not as well."""

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
        """`base`, which was loaded with its weights, after a training on `own`. Raises as `ml.training.train`.

        `teacher` is the model whose answers are rehearsed, `base` where there is none: after several trainings in a row, the
        one that they began with.
        """
        from qtdigits.ml.resuming import with_teacher_answers
        from qtdigits.ml.training import tidy_up, train

        tidy_up()  # one hand after the other may be learned in this process
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
        """The same as a model that anything can read with; it is not sure below what `base` is not sure below."""
        from qtdigits.ml.models import to_model

        history = History()
        trained = self.learn(base, own, emit=history.apply, control=control)
        images, targets = own.images, own.targets(trained.label_set)
        learned = to_model(
            trained,
            name=name,
            images=images,
            targets=targets,
            history=history,
            provenance={"base": base.name},
        )
        return replace(learned, undecided_below=base.undecided_below)


def rehearsal_source(training: Dataset, recipe: Recipe, *, sha256: str = "") -> Source:
    """Some of the images that are not the guard's to rehearse with; some of the guard's to be validated on."""
    rehearsed, guard = guard_split(training.targets(DIGITS))
    chosen = some_of(training.take(rehearsed), recipe.mnist_images, recipe.seed)
    watched = training.take(guard[:PERSONAL_VALIDATION])
    together = Dataset(
        training.name, np.concatenate([chosen.images, watched.images]), chosen.labels + watched.labels
    )
    is_watched = np.arange(len(together)) >= len(chosen)
    return Source(together, sha256=sha256, validation=is_watched, is_remembered=recipe.rehearses_answers)


def writer_sources(drawings: Dataset, recipe: Recipe, *, writer: str = "") -> Iterator[Source]:
    """The drawings of `writer` ("": of everybody) as the recipe's share of what is trained on; those of others as rehearsal.

    None of the few drawings is spent on validation: the hold-out tells how well the hand is read.
    """
    is_own = np.array(
        [not writer or name == writer for name in drawings.writers or ("",) * len(drawings)], bool
    )
    for name, chosen, share in (
        (drawings.name, is_own, recipe.drawings_share),
        (DRAWINGS_OF_OTHERS, ~is_own, 0.0),
    ):
        if chosen.any():
            part = replace(drawings.take(np.flatnonzero(chosen)), name=name, writers=())
            weight = 1 if share or writer else recipe.drawings_weight
            yield Source(part, weight, share=share, validation=np.zeros(len(part), bool))


def scribble_source(recipe: Recipe) -> Source:
    """The recipe's scribbles, as something that is no digit."""
    inks = scribbles(recipe.scribbles, recipe.seed)
    drawn = Dataset(SCRIBBLES, render_many(inks), ("",) * len(inks), inks=tuple(inks))
    return Source(drawn, is_outlier=True)


def held_out_by_order(drawings: Dataset) -> NDArray[np.bool_]:
    """`(n,)`: which drawings the store would hold out, had each writer's been judged in this order."""
    seen: Counter[tuple[str, str]] = Counter()
    flags = []
    for key in zip(drawings.writers, drawings.labels, strict=True):
        flags.append(is_held_out(*key, seen[key]))
        seen[key] += 1
    return np.array(flags, bool)

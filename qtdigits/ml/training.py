"""Training a network by a recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qtdigits.core.drawing.labels import LabelSet
from qtdigits.core.models import Model
from qtdigits.core.recipe.recipes import Recipe
from qtdigits.core.run.checkpoints import Continuation
from qtdigits.core.run.control import Control
from qtdigits.core.run.events import Event, RunResumed, RunStarted
from qtdigits.errors import TrainingError
from qtdigits.ml.backend import keras, tf
from qtdigits.ml.batches import training_batches, validation_batches
from qtdigits.ml.calibration import apply_temperature, temperature_of
from qtdigits.ml.continuing import freeze, take_up
from qtdigits.ml.networks import build_network, compile_network
from qtdigits.ml.precision import computing_in
from qtdigits.ml.standing import restore
from qtdigits.ml.training_data import TrainingData
from qtdigits.ml.varied_batches import varied_batches
from qtdigits.ml.watching import Ended, Watch

Emit = Callable[[Event], None]


class DivergedError(TrainingError):
    """The loss stopped being a number before there were weights worth keeping."""

    kind = "diverged"


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A `keras.Model` with its best weights, and how it came by them. `outcome` as in `RunFinished`."""

    network: Any
    recipe: Recipe
    label_set: LabelSet
    outcome: str
    epochs: int
    best_epoch: int


def train(
    recipe: Recipe,
    label_set: LabelSet,
    data: TrainingData,
    *,
    run: str,
    emit: Emit,
    control: Control,
    base: Model | None = None,
    continuation: Continuation | None = None,
) -> TrainedNetwork:
    """Train until the recipe's epochs are over, patience has run out, or `control` says so; keep the best weights.

    With `base`, which was loaded with its weights and has the recipe's network, it begins there; what is rehearsed has its
    answers in `data` (`ml.continuing.answered_by`). A `continuation` goes on from where the run was kept, on the same data, and
    ends with the same weights, bit for bit, as one that was never interrupted.

    Best are those with the lowest validation loss at the end of an epoch. A run that is stopped before the first epoch is over
    is validated where it stands, so that its figures are honest.

    Raises `CancelledError`, `DivergedError`, `CheckpointMisfitError`, and `MemoryError`.
    """
    continuation = continuation or Continuation()
    keras.utils.set_random_seed(recipe.seed)
    with computing_in(recipe.precision):
        network = build_network(recipe.network, len(label_set))
    if base is not None:
        take_up(network, base, label_set)
        freeze(network, last_blocks=recipe.last_blocks)
    steps_per_epoch = data.steps_per_epoch(recipe.batch_size)
    compile_network(network, recipe, steps_per_epoch=steps_per_epoch, stages=continuation.stages)
    begin = continuation.begin
    if begin is not None:
        restore(network, begin)
    emit(_started(recipe, label_set, data, run, network.count_params()))
    if begin is not None:
        emit(RunResumed(run, begin.epochs, begin.step, begin.history.to_json()))
    watch = Watch(recipe=recipe, data=data, run=run, emit=emit, control=control, continuation=continuation)
    try:
        outcome = _fit(network, recipe, data, len(label_set), watch)
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError("TensorFlow could not have the memory it asked for.") from error
    if watch.best_weights is None:
        raise DivergedError(
            "The training diverged: the loss is not a number any more.",
            "Choose a smaller learning rate, or another optimizer.",
        )
    if recipe.precision != "float32":
        network = build_network(recipe.network, len(label_set))
    network.set_weights(watch.best_weights)
    if recipe.calibration == "temperature":
        _calibrate(network, data)
    return TrainedNetwork(network, recipe, label_set, outcome, watch.epochs, watch.best_epoch)


def _fit(network: Any, recipe: Recipe, data: TrainingData, n_classes: int, watch: Watch) -> str:
    """Run Keras's `fit` with the watch beside it; returns the outcome."""
    validation = validation_batches(data, n_classes=n_classes)
    steps = data.steps_per_epoch(recipe.batch_size)

    def fit(*, epochs: int, steps_per_epoch: int) -> None:
        network.fit(
            _training_batches(data, recipe, n_classes, first_step=watch.step),
            initial_epoch=watch.epochs,
            epochs=epochs,
            steps_per_epoch=steps_per_epoch,
            validation_data=validation,
            callbacks=[watch],
            shuffle=False,
            verbose=0,
        )

    try:
        match watch.step - watch.epochs * steps:
            case 0 if watch.epochs and (ending := watch.ending()):
                return ending
            case 0:
                pass
            case begun if begun == steps:
                _finish_epoch(network, validation, watch)
            case begun:
                # A `fit` of its own: Keras has epochs of one length only.
                fit(epochs=watch.epochs + 1, steps_per_epoch=steps - begun)
        if watch.epochs < recipe.epochs:
            fit(epochs=recipe.epochs, steps_per_epoch=steps)
    except Ended as ended:
        if ended.outcome == "stopped" and watch.best_weights is None:
            return _validate_now(network, validation, watch)
        return ended.outcome
    return "completed"


def _calibrate(network: Any, data: TrainingData) -> None:
    """Fit the temperature on the validation part."""
    chosen = network.predict(validation_batches(data, n_classes=network.output_shape[-1]), verbose=0)
    apply_temperature(network, temperature_of(chosen, data.targets[data.validation]))


def _training_batches(data: TrainingData, recipe: Recipe, n_classes: int, *, first_step: int) -> Any:
    settings = {
        "n_classes": n_classes,
        "batch_size": recipe.batch_size,
        "seed": recipe.seed,
        "first_step": first_step,
    }
    if recipe.augmentation:
        return varied_batches(data, **settings, augmentation=recipe.variation)
    return training_batches(data, **settings)


def _finish_epoch(network: Any, validation: Any, watch: Watch) -> None:
    """All batches of this epoch were trained on before, but it was not validated."""
    watch.set_model(network)
    watch.on_epoch_begin(watch.epochs)
    watch.on_epoch_end(watch.epochs, _validated(network, validation, watch))


def _validate_now(network: Any, validation: Any, watch: Watch) -> str:
    figures = _validated(network, validation, watch)
    try:
        watch.end_epoch(figures)
    except Ended as ended:
        return ended.outcome
    return "stopped"


def _validated(network: Any, validation: Any, watch: Watch) -> dict[str, float]:
    """The epoch's figures so far, with those of a validation as it stands."""
    figures = watch.epoch_figures
    found = network.evaluate(validation, callbacks=[watch], verbose=0, return_dict=True)
    return {**figures, **{f"val_{name}": value for name, value in found.items()}}


def _started(
    recipe: Recipe, label_set: LabelSet, data: TrainingData, run: str, n_parameters: int
) -> RunStarted:
    return RunStarted(
        run=run,
        recipe=recipe.to_json(),
        classes=label_set.labels,
        data=dict(data.sources),
        n_training=len(data.training),
        n_validation=len(data.validation),
        steps_per_epoch=data.steps_per_epoch(recipe.batch_size),
        epochs=recipe.epochs,
        n_parameters=n_parameters,
        is_rehearsal=data.is_rehearsal,
    )

"""Training a network by a recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import DIGITS, LabelSet
from qtdigits.core.model import Model
from qtdigits.core.recipe import Recipe
from qtdigits.core.run.checkpoints import Continuation
from qtdigits.core.run.control import Control
from qtdigits.core.run.events import Event, RunResumed, RunStarted
from qtdigits.errors import TrainingError
from qtdigits.ml.backend import computing_in, keras, tf
from qtdigits.ml.batches import augmented_batches, training_batches, validation_batches
from qtdigits.ml.callback import Ended, TrainingCallback
from qtdigits.ml.networks import build_network, compile_network
from qtdigits.ml.resuming import freeze, initialise_from, restore
from qtdigits.ml.training_data import TrainingData

COLDEST, HOTTEST = 0.2, 5.0
_ROUNDS = 40


def temperature_of(probabilities: NDArray[np.float32], targets: NDArray[np.int64]) -> float:
    """The temperature with the lowest negative log-likelihood. `probabilities` `(n, k)` at temperature 1, `targets` `(n,)`."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-30))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        right = scaled[np.arange(len(targets)), targets]
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - right))

    return float(np.exp(_lowest(loss, np.log(COLDEST), np.log(HOTTEST))))


def apply_temperature(network: Any, temperature: float) -> None:
    """Divide the logits of `network`, whose last layer is a dense softmax, by `temperature`; no answer changes."""
    layer = network.layers[-1]
    layer.set_weights([array / np.float32(temperature) for array in layer.get_weights()])


def _lowest(loss: Any, low: float, high: float) -> float:
    """Golden-section search: the loss has one minimum, as it is convex in the inverse temperature."""
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(_ROUNDS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return (low + high) / 2


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
    answers in `data` (`ml.resuming.with_teacher_answers`). A `continuation` resumes from a checkpoint, on the same data, and ends
    with the same weights, bit for bit, as a run that was never interrupted.

    Best are those with the lowest validation loss at the end of an epoch. A run that is stopped before the first epoch is over
    is validated where it stands, so that its figures are honest.

    Raises `CancelledError`, `DivergedError`, `CheckpointMisfitError`, and `MemoryError`.
    """
    continuation = continuation or Continuation()
    keras.utils.set_random_seed(recipe.seed)
    with computing_in(recipe.precision):
        network = build_network(recipe.network, len(label_set))
    if base is not None:
        initialise_from(network, base, label_set)
        freeze(network, last_blocks=recipe.last_blocks)
    steps_per_epoch = data.steps_per_epoch(recipe.batch_size)
    compile_network(network, recipe, steps_per_epoch=steps_per_epoch, stages=continuation.stages)
    begin = continuation.begin
    if begin is not None:
        restore(network, begin)
    emit(_started(recipe, label_set, data, run, network.count_params()))
    if begin is not None:
        emit(RunResumed(run, begin.epochs, begin.step, begin.history.to_json()))
    watch = TrainingCallback(
        recipe=recipe, data=data, run=run, emit=emit, control=control, continuation=continuation
    )
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


def _fit(network: Any, recipe: Recipe, data: TrainingData, n_classes: int, watch: TrainingCallback) -> str:
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
        return augmented_batches(data, **settings, augmentation=recipe.augmentation_settings)
    return training_batches(data, **settings)


def _finish_epoch(network: Any, validation: Any, watch: TrainingCallback) -> None:
    """All batches of this epoch were trained on before, but it was not validated."""
    watch.set_model(network)
    watch.on_epoch_begin(watch.epochs)
    watch.on_epoch_end(watch.epochs, _validated(network, validation, watch))


def _validate_now(network: Any, validation: Any, watch: TrainingCallback) -> str:
    figures = _validated(network, validation, watch)
    try:
        watch.end_epoch(figures)
    except Ended as ended:
        return ended.outcome
    return "stopped"


def _validated(network: Any, validation: Any, watch: TrainingCallback) -> dict[str, float]:
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


_N_IMAGES = 40


def tidy_up() -> None:
    """Let go of what Keras remembers of networks that nobody has any more. Costs up to 0.3 s: not before a run but after it."""
    keras.utils.clear_session()


def warm_up(recipe: Recipe) -> None:
    """Train the recipe's network for a moment on nothing in particular; nothing of it is kept."""
    images = np.zeros((_N_IMAGES, 28, 28), np.uint8)
    places = np.arange(_N_IMAGES)
    data = TrainingData(images, places % len(DIGITS), training=places[10:], validation=places[:10])
    brief = recipe.with_values(epochs=1, batch_size=20)
    train(brief, DIGITS, data, run="warm-up", emit=lambda _event: None, control=Control())

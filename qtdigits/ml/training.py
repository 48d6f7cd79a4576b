"""Training a network by a recipe, its calibration, and warming TensorFlow up.

Calibrated probabilities mean what they say: of the answers given with 90 %, nine in ten should be right. One number, the
temperature, divides the logits (Guo et al., On Calibration of Modern Neural Networks, 2017). It is fitted on the validation
part and divided into the weights of the last layer, so that nothing else has to know of it.
"""

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
from qtdigits.ml.characters import WithCharacters
from qtdigits.ml.networks import build_network, compile_network
from qtdigits.ml.resuming import freeze, imprint, initialise_from, restore
from qtdigits.ml.training_data import TrainingData

Emit = Callable[[Event], None]

COLDEST, HOTTEST = 0.2, 5.0
"""Range of the temperature."""

_ROUNDS = 40

_N_IMAGES = 40


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

    Training starts from `base` if given, which has the recipe's network and was loaded with its weights; `data` has the answers
    for its rehearsal (`ml.resuming.with_teacher_answers`). A `continuation` resumes from a checkpoint, on the same data, and ends
    with the same weights, bit for bit, as a run that was never interrupted.

    The best weights are those with the lowest validation loss at the end of an epoch. A run that is stopped before the end of its
    first epoch is validated at once, so that its figures are honest.

    Raises `CancelledError`, `DivergedError`, `CheckpointMisfitError`, and `MemoryError`.
    """
    continuation = continuation or Continuation()
    begin = continuation.begin
    network = _initial_network(recipe, label_set, data, base)
    trained = _compiled(network, recipe, data, continuation)
    emit(_started(recipe, label_set, data, run, network.count_params()))
    if begin is not None:
        emit(RunResumed(run, begin.epochs, begin.step, begin.history.to_json()))
    callback = TrainingCallback(
        recipe=recipe, data=data, run=run, emit=emit, control=control, continuation=continuation
    )
    try:
        outcome = _fit(trained, recipe, data, len(label_set), callback)
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError("TensorFlow could not have the memory it asked for.") from error
    if callback.best_weights is None:
        raise DivergedError(
            "The training diverged: the loss is not a number any more.",
            "Choose a smaller learning rate, or another optimizer.",
        )
    trained.set_weights(callback.best_weights)
    if recipe.precision != "float32":
        weights = network.get_weights()
        network = build_network(recipe.network, len(label_set))
        network.set_weights(weights)
    if recipe.calibration == "temperature":
        _calibrate(network, data)
    return TrainedNetwork(network, recipe, label_set, outcome, callback.epochs, callback.best_epoch)


def tidy_up() -> None:
    """Free what Keras keeps of networks that are no longer used. Takes up to 0.3 s, so call it after a run, not before one."""
    keras.utils.clear_session()


def warm_up(recipe: Recipe) -> None:
    """Train the recipe's network on blank images for a moment, so that TensorFlow initialises before anybody waits for it."""
    images = np.zeros((_N_IMAGES, 28, 28), np.uint8)
    places = np.arange(_N_IMAGES)
    data = TrainingData(images, places % len(DIGITS), training=places[10:], validation=places[:10])
    brief = recipe.with_values(epochs=1, batch_size=20)
    train(brief, DIGITS, data, run="warm-up", emit=lambda _event: None, control=Control())


def temperature_of(probabilities: NDArray[np.float32], targets: NDArray[np.int64]) -> float:
    """Return the temperature with the lowest negative log-likelihood.

    `probabilities` `(n, k)` are those at temperature 1, `targets` `(n,)`.
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-30))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        right = scaled[np.arange(len(targets)), targets]
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - right))

    return float(np.exp(_lowest(loss, np.log(COLDEST), np.log(HOTTEST))))


def apply_temperature(network: Any, temperature: float) -> None:
    """Divide the logits of `network`, whose last layer is a dense softmax, by `temperature`. No answer changes."""
    layer = network.layers[-1]
    layer.set_weights([array / np.float32(temperature) for array in layer.get_weights()])


def _initial_network(recipe: Recipe, label_set: LabelSet, data: TrainingData, base: Model | None) -> Any:
    """Return the network with the weights that a new run begins with."""
    keras.utils.set_random_seed(recipe.seed)
    with computing_in(recipe.precision):
        network = build_network(recipe.network, len(label_set))
    if base is not None:
        initialise_from(network, base, label_set)
        imprint(network, base, label_set, data)
        freeze(network, last_blocks=recipe.last_blocks)
    return network


def _compiled(network: Any, recipe: Recipe, data: TrainingData, continuation: Continuation) -> Any:
    """Return what is trained, compiled and as the run begins: the network, or the network with its second head."""
    if len(data.characters):
        network = WithCharacters(network, data.character_labels, recipe.characters_weight)
    steps_per_epoch = data.steps_per_epoch(recipe.batch_size)
    compile_network(network, recipe, steps_per_epoch=steps_per_epoch, stages=continuation.stages)
    if continuation.begin is not None:
        restore(network, continuation.begin)
    return network


def _fit(network: Any, recipe: Recipe, data: TrainingData, n_classes: int, callback: TrainingCallback) -> str:
    """Run Keras's `fit` and return the outcome."""
    validation = validation_batches(data, n_classes=n_classes)
    steps = data.steps_per_epoch(recipe.batch_size)

    def fit(*, epochs: int, steps_per_epoch: int) -> None:
        network.fit(
            _training_batches(data, recipe, n_classes, first_step=callback.step),
            initial_epoch=callback.epochs,
            epochs=epochs,
            steps_per_epoch=steps_per_epoch,
            validation_data=validation,
            callbacks=[callback],
            shuffle=False,
            verbose=0,
        )

    try:
        match callback.step - callback.epochs * steps:
            case 0 if callback.epochs and (ending := callback.ending()):
                return ending
            case 0:
                pass
            case begun if begun == steps:
                _finish_epoch(network, validation, callback)
            case begun:
                # A `fit` of its own: Keras has epochs of one length only.
                fit(epochs=callback.epochs + 1, steps_per_epoch=steps - begun)
        if callback.epochs < recipe.epochs:
            fit(epochs=recipe.epochs, steps_per_epoch=steps)
    except Ended as ended:
        if ended.outcome == "stopped" and callback.best_weights is None:
            return _validate_now(network, validation, callback)
        return ended.outcome
    return "completed"


def _lowest(loss: Any, low: float, high: float) -> float:
    """Return where `loss` is lowest, by golden-section search: it is convex in the inverse temperature."""
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(_ROUNDS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return (low + high) / 2


def _calibrate(network: Any, data: TrainingData) -> None:
    """Fit the temperature on the validation part and apply it."""
    found = network.predict(validation_batches(data, n_classes=network.output_shape[-1]), verbose=0)
    apply_temperature(network, temperature_of(found, data.targets[data.validation]))


def _training_batches(data: TrainingData, recipe: Recipe, n_classes: int, *, first_step: int) -> Any:
    settings = {
        "n_classes": n_classes,
        "batch_size": recipe.batch_size,
        "seed": recipe.seed,
        "first_step": first_step,
    }
    if recipe.augmentation:
        return augmented_batches(
            data,
            **settings,
            augmentation=recipe.augmentation_settings,
            characters_augmentation=recipe.characters_augmentation,
        )
    return training_batches(data, **settings)


def _finish_epoch(network: Any, validation: Any, callback: TrainingCallback) -> None:
    """Validate an epoch whose batches were all trained on before the run was resumed."""
    callback.set_model(network)
    callback.on_epoch_begin(callback.epochs)
    callback.on_epoch_end(callback.epochs, _validated(network, validation, callback))


def _validate_now(network: Any, validation: Any, callback: TrainingCallback) -> str:
    try:
        callback.end_epoch(_validated(network, validation, callback))
    except Ended as ended:
        return ended.outcome
    return "stopped"


def _validated(network: Any, validation: Any, callback: TrainingCallback) -> dict[str, float]:
    """Validate now; return those figures with the epoch's figures so far."""
    figures = callback.epoch_figures
    found = network.evaluate(validation, callbacks=[callback], verbose=0, return_dict=True)
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

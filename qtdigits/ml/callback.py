"""The Keras callback of a training: it reports, obeys its control, keeps the best weights, and writes checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from qtdigits.core.recipe import Recipe
from qtdigits.core.run.checkpoints import Arrays, Checkpoint, Continuation
from qtdigits.core.run.control import Control
from qtdigits.core.run.events import BatchEnded, EpochEnded, Event, RunContinued, RunPaused
from qtdigits.core.score.metrics import macro_auc
from qtdigits.ml.backend import keras
from qtdigits.ml.batches import one_hot
from qtdigits.ml.networks import probabilities
from qtdigits.ml.pace import Pace, RecentMeans
from qtdigits.ml.resuming import checkpoint_of, metrics_of, restore_metrics
from qtdigits.ml.training_data import TrainingData

ACCURACY = "categorical_accuracy"

MOST_IMAGES = 1000
"""For the area under the ROC curve: under 1 % of the arithmetic of an epoch with MNIST, which trains on 54,000 images."""


class Ended(Exception):  # noqa: N818 - the end of a training is no error
    """The training ends with an `outcome` of `RunFinished`."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class TrainingCallback(keras.callbacks.Callback):
    """Emits the events of a training, obeys its `Control`, and ends it when it diverges or has converged.

    Raises `Ended` or `CancelledError` through `fit` and `evaluate`, which is the quickest way to end both.
    """

    def __init__(
        self,
        *,
        recipe: Recipe,
        data: TrainingData,
        run: str,
        emit: Callable[[Event], None],
        control: Control,
        continuation: Continuation | None = None,
    ) -> None:
        super().__init__()
        self._recipe, self._run, self._emit, self._control = recipe, run, emit, control
        self._hold_out = HoldOut(data)
        self._auc = ValidationAuc(data)
        self._n_training = len(data.training)
        self._steps_per_epoch = data.steps_per_epoch(recipe.batch_size)
        self._means = RecentMeans()
        self._epoch_means: dict[str, float] = {}
        self._pace = Pace(
            steps=self._steps_per_epoch * recipe.epochs,
            epochs=recipe.epochs,
            n_training=self._n_training,
            n_validation=len(data.validation),
        )
        self._step = self._epoch_images = 0
        self._first_step = 1
        self._epoch_metrics: Arrays = ()
        self._best_loss = math.inf
        self.epochs = self.best_epoch = 0
        self.best_weights: list[Any] | None = None
        continuation = continuation or Continuation()
        self._checkpoints = continuation.writer
        self._extended_after = continuation.stages[-1][0] if continuation.stages else 0
        self._resumed_from = continuation.begin
        if continuation.begin is not None:
            self._restore(continuation.begin)

    @property
    def step(self) -> int:
        """Number of batches of the whole run so far."""
        return self._step

    @property
    def epoch_figures(self) -> dict[str, float]:
        """Loss and accuracy of the epoch so far."""
        return dict(self._epoch_means)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self._epoch_images = 0
        self._epoch_means = {}
        self._means.restart()
        if self._resumed_from is not None:
            self._restore_epoch(self._resumed_from)
            self._resumed_from = None
        self._pace.resume()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        self._step += 1
        n_images = min(self._recipe.batch_size, self._n_training - self._epoch_images)
        self._epoch_images += n_images
        is_due = self._pace.batch_ended(n_images, is_first=self._step == self._first_step)
        if self._is_at_end_of_epoch:
            self._epoch_metrics = metrics_of(self.model)
        self._wait_if_paused()
        is_stopping = self._control.is_stopping
        if is_stopping:
            self._write_checkpoint()
            self._control.raise_if_cancelled()
        if is_due or is_stopping:
            self._report_batch(logs or {})
        if is_stopping:
            raise Ended("stopped")

    def on_test_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        self._wait_if_paused()
        if not self._control.is_stopping:
            return
        if self._control.is_interrupted:
            self._write_checkpoint()
        self._control.raise_if_cancelled()
        if self.best_weights is not None:
            raise Ended("stopped")

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self.end_epoch(logs or {})
        ending = self.ending()
        if ending or self.epochs == self._recipe.epochs or (self._checkpoints and self._checkpoints.is_due):
            self._write_checkpoint()
        if ending:
            raise Ended(ending)

    def ending(self) -> str:
        """Return the outcome if the run ends after this epoch, else "". An extension of a run restarts its patience."""
        if self._control.is_stopping:
            return "stopped"
        waited = self.epochs - max(self.best_epoch, self._extended_after)
        is_out = 0 < self._recipe.patience <= waited and self.epochs < self._recipe.epochs
        return "converged" if is_out else ""

    def end_epoch(self, logs: Mapping[str, float]) -> None:
        """Report an epoch and its validation, and keep the weights when they are the best so far.

        Raises `Ended` when a loss is not a number any more.
        """
        loss, val_loss = float(logs["loss"]), float(logs["val_loss"])
        if not (math.isfinite(loss) and math.isfinite(val_loss)):
            raise Ended("diverged")
        further = {"val_auc": self._auc.of(self.model), **self._hold_out.of(self.model)}
        self._pace.validated()
        self.epochs += 1
        is_best = val_loss < self._best_loss
        if is_best:
            self._best_loss = val_loss
        if is_best or self._recipe.keep == "last":
            self.best_epoch = self.epochs
            self.best_weights = self.model.get_weights()
        self._emit(
            EpochEnded(
                run=self._run,
                epoch=self.epochs,
                step=self._step,
                loss=loss,
                accuracy=float(logs[ACCURACY]),
                val_loss=val_loss,
                val_accuracy=float(logs[f"val_{ACCURACY}"]),
                is_best=is_best,
                elapsed_s=self._pace.elapsed_s,
                remaining_s=self._pace.remaining_s(self._step),
                clock_s=time.time(),
                **further,
            )
        )

    def _restore(self, checkpoint: Checkpoint) -> None:
        self._step, self.epochs = checkpoint.step, checkpoint.epochs
        self.best_epoch, self._best_loss = checkpoint.best_epoch, checkpoint.best_loss
        self.best_weights = list(checkpoint.best) or None
        self._first_step += checkpoint.step
        self._pace.begin_after(checkpoint.elapsed_s, validations=checkpoint.epochs)

    def _restore_epoch(self, checkpoint: Checkpoint) -> None:
        """Restore the sums of an epoch whose first batches were trained on before."""
        batches = checkpoint.step - checkpoint.epochs * self._steps_per_epoch
        if not batches:
            return
        restore_metrics(self.model, checkpoint.metrics)
        self._epoch_metrics = checkpoint.metrics
        self._epoch_images = min(batches * self._recipe.batch_size, self._n_training)
        found = self.model.get_metrics_result()
        self._epoch_means = {name: float(found[name]) for name in ("loss", ACCURACY)}
        self._means.since_last(self._epoch_images, self._epoch_means)

    @property
    def _is_at_end_of_epoch(self) -> bool:
        """Whether all batches of the epoch are trained on; it may not be validated yet."""
        return self._step == (self.epochs + 1) * self._steps_per_epoch

    def _write_checkpoint(self) -> None:
        """Write a checkpoint, unless the run is cancelled for good."""
        is_discarded = self._control.is_cancelled and not self._control.is_interrupted
        if self._checkpoints is None or is_discarded:
            return
        # During the validation, Keras's metrics are those of the validation.
        metrics = self._epoch_metrics if self._is_at_end_of_epoch else metrics_of(self.model)
        network, optimizer = checkpoint_of(self.model)
        self._checkpoints.write(
            Checkpoint(
                network,
                optimizer,
                metrics,
                best=tuple(self.best_weights or ()),
                step=self._step,
                epochs=self.epochs,
                best_epoch=self.best_epoch,
                best_loss=self._best_loss,
                elapsed_s=self._pace.elapsed_s,
            )
        )

    def _wait_if_paused(self) -> None:
        if not self._control.is_paused:
            return
        before_s = self._pace.elapsed_s
        self._emit(RunPaused(self._run))
        self._write_checkpoint()  # after the event: a large network takes a second to write
        self._control.wait_while_paused()
        self._pace.leave_out(self._pace.elapsed_s - before_s)
        self._emit(RunContinued(self._run))

    def _report_batch(self, logs: Mapping[str, float]) -> None:
        self._epoch_means = {name: float(logs[name]) for name in ("loss", ACCURACY)}
        recent = self._means.since_last(self._epoch_images, self._epoch_means)
        if not math.isfinite(recent["loss"]):
            raise Ended("diverged")
        self._emit(
            BatchEnded(
                run=self._run,
                step=self._step,
                epoch=self.epochs + 1,
                loss=recent["loss"],
                accuracy=min(max(recent[ACCURACY], 0.0), 1.0),
                elapsed_s=self._pace.elapsed_s,
                remaining_s=self._pace.remaining_s(self._step),
                images_per_s=self._pace.images_per_s,
                # With a schedule it is a tensor.
                learning_rate=float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)),
                clock_s=time.time(),
            )
        )


class ValidationAuc:
    """Computes the area under the ROC curve, always on the same images, evenly spread over the validation part.

    It calls the network as a function, on all images at once: `predict` and `evaluate` alone cost more than a small network
    takes to read a thousand images.
    """

    def __init__(self, data: TrainingData) -> None:
        part = data.validation
        chosen = part[:: -(-len(part) // MOST_IMAGES)] if len(part) else part
        self._images, self._targets = data.images[chosen], data.targets[chosen]

    def of(self, network: Any) -> float | None:
        """Return None where there are not two classes, or where an output is not a number."""
        if not len(self._images):
            return None
        answers = probabilities(network, self._images)
        found = macro_auc(self._targets, answers) if np.isfinite(answers).all() else math.nan
        return found if math.isfinite(found) else None


class HoldOut:
    """Computes loss and accuracy on the person's own hold-out; no weights are chosen by it."""

    def __init__(self, data: TrainingData) -> None:
        self._images, self._targets = data.hold_out_images, data.hold_out_targets

    def of(self, network: Any) -> dict[str, float]:
        """Return `hold_out_loss` and `hold_out_accuracy`; {} where nothing is held out."""
        if not len(self._images):
            return {}
        answers = probabilities(network, self._images)
        loss = network.compute_loss(
            y=one_hot(self._targets, answers.shape[1]), y_pred=answers, training=False
        )
        accuracy = np.mean(answers.argmax(axis=1) == self._targets)
        return {"hold_out_loss": float(loss), "hold_out_accuracy": float(accuracy)}

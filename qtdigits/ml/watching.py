"""What goes along with a training: it reports, obeys, and keeps the best weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from qtdigits.core.control import Control
from qtdigits.core.events import BatchEnded, EpochEnded, Event
from qtdigits.core.recipes import Recipe
from qtdigits.ml.backend import keras
from qtdigits.ml.batches import hold_out_batches
from qtdigits.ml.pace import Pace, RecentMeans
from qtdigits.ml.training_data import TrainingData
from qtdigits.ml.validation_auc import ValidationAuc

ACCURACY = "categorical_accuracy"


class Ended(Exception):  # noqa: N818 - the end of a training is no error
    """The training ends here, for a reason that is an `outcome` of `RunFinished`."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class Watch(keras.callbacks.Callback):
    """Emits the events of a training, obeys its `Control`, ends it when it diverges or has converged.

    Raises `Ended` or `CancelledError` out of `fit` and `evaluate`: that is the quickest way out of both.
    """

    def __init__(
        self, *, recipe: Recipe, data: TrainingData, run: str, emit: Callable[[Event], None], control: Control
    ) -> None:
        super().__init__()
        self._recipe, self._run, self._emit, self._control = recipe, run, emit, control
        self._data = data
        self._hold_out: Any = None
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
        self._best_loss = math.inf
        self.epochs = self.best_epoch = 0
        self.best_weights: list[Any] | None = None

    @property
    def epoch_figures(self) -> dict[str, float]:
        """Loss and accuracy over the epoch so far."""
        return dict(self._epoch_means)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self._epoch_images = 0
        self._epoch_means = {}
        self._means.restart()
        self._pace.resume()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        self._step += 1
        n_images = min(self._recipe.batch_size, self._n_training - self._epoch_images)
        self._epoch_images += n_images
        self._control.check()
        is_stopping = self._control.is_stopping
        if self._pace.batch_ended(n_images, is_first=self._step == 1) or is_stopping:
            self._report_batch(logs or {})
        if is_stopping:
            raise Ended("stopped")

    def on_test_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        self._control.check()
        if self._control.is_stopping and self.best_weights is not None:
            raise Ended("stopped")

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self.end_epoch(logs or {})
        if self._control.is_stopping:
            raise Ended("stopped")
        patience = self._recipe.patience
        if patience and self.epochs - self.best_epoch >= patience and self.epochs < self._recipe.epochs:
            raise Ended("converged")

    def end_epoch(self, logs: Mapping[str, float]) -> None:
        """Report an epoch and its validation, and keep the weights when they are the best so far.

        Raises `Ended` when a loss is no number any more.
        """
        loss, val_loss = float(logs["loss"]), float(logs["val_loss"])
        if not (math.isfinite(loss) and math.isfinite(val_loss)):
            raise Ended("diverged")
        further = {"val_auc": self._auc.of(self.model), **self._hold_out_figures()}
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
                **further,
            )
        )

    def _hold_out_figures(self) -> dict[str, float | None]:
        """What the person's own hold-out says; no weights are chosen by it."""
        if not len(self._data.hold_out_targets):
            return {}
        if self._hold_out is None:
            self._hold_out = hold_out_batches(self._data, n_classes=self.model.output_shape[-1])
        found = self.model.evaluate(self._hold_out, verbose=0, return_dict=True)
        return {"hold_out_loss": float(found["loss"]), "hold_out_accuracy": float(found[ACCURACY])}

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
                # That of a schedule is a tensor.
                learning_rate=float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)),
            )
        )

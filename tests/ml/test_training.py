"""Real, tiny trainings: they learn, report, stop, keep the best, and are calibrated."""

from __future__ import annotations

import gc
import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.network_spec import NetworkSpec, parse_dense
from qtdigits.core.recipe import Recipe
from qtdigits.core.run.control import Control
from qtdigits.core.run.events import BatchEnded, EpochEnded, Event, RunStarted
from qtdigits.core.score.metrics import macro_auc
from qtdigits.errors import CancelledError
from qtdigits.ml.callback import Ended, TrainingCallback
from qtdigits.ml.networks import build_network, probabilities
from qtdigits.ml.training import (
    DivergedError,
    TrainedNetwork,
    apply_temperature,
    temperature_of,
    tidy_up,
    train,
)
from qtdigits.ml.training_data import TrainingData
from tiny_training import TINY_RECIPE, Recorder, poison_second_epoch, tiny_data


@pytest.fixture(scope="module")
def data() -> TrainingData:
    return tiny_data()


def run(
    data: TrainingData,
    recipe: Recipe = TINY_RECIPE,
    *,
    emit: Recorder | None = None,
    control: Control | None = None,
) -> TrainedNetwork:
    return train(recipe, DIGITS, data, run="r", emit=emit or Recorder(), control=control or Control())


def validation_loss(trained: TrainedNetwork, data: TrainingData) -> float:
    images = (data.images[data.validation] / 255.0).astype(np.float32)[..., np.newaxis]
    truth = np.eye(10, dtype=np.float32)[data.targets[data.validation]]
    return float(trained.network.evaluate(images, truth, verbose=0)[0])


def test_that_a_network_learns_and_tells_of_it(data: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    emit, ticks = Recorder(), itertools.count(1_700_000_000.0)
    monkeypatch.setattr("qtdigits.ml.callback.time", SimpleNamespace(time=lambda: next(ticks)))
    trained = run(data, TINY_RECIPE.with_values(epochs=4), emit=emit)
    started, batches, epochs = emit.of(RunStarted), emit.of(BatchEnded), emit.of(EpochEnded)
    assert (trained.outcome, trained.epochs) == ("completed", 4)
    assert emit.events[0] is started[0]
    assert isinstance(emit.events[1], BatchEnded)
    assert started[0].n_training == started[0].data["synthetic ink"] == 240
    assert (started[0].n_validation, started[0].steps_per_epoch) == (60, 12)
    assert started[0].n_parameters == TINY_RECIPE.network.n_parameters(10)
    assert [(e.epoch, e.step) for e in epochs] == [(1, 12), (2, 24), (3, 36), (4, 48)]
    assert batches[0].step == 1
    assert all(0 <= b.accuracy <= 1 for b in batches)
    assert [b.learning_rate for b in batches] == pytest.approx([TINY_RECIPE.learning_rate] * len(batches))
    told_at = [event.clock_s for event in emit.events if isinstance(event, BatchEnded | EpochEnded)]
    assert told_at == [1_700_000_000.0 + n for n in range(len(told_at))]
    assert epochs[-1].loss < epochs[0].loss / 2
    assert epochs[-1].val_accuracy > 0.5
    assert epochs[-1].remaining_s == pytest.approx(0.0)


def test_that_the_weights_with_the_lowest_validation_loss_are_kept(data: TrainingData) -> None:
    emit = Recorder()
    trained = run(data, TINY_RECIPE.with_values(epochs=4, learning_rate=0.1), emit=emit)
    losses = [epoch.val_loss for epoch in emit.of(EpochEnded)]
    assert validation_loss(trained, data) == pytest.approx(min(losses), rel=1e-3)
    assert trained.best_epoch == losses.index(min(losses)) + 1
    assert [e.is_best for e in emit.of(EpochEnded)] == [
        value == min(losses[: number + 1]) for number, value in enumerate(losses)
    ]


def test_that_the_same_seed_gives_the_same_network(data: TrainingData) -> None:
    first, second, other = (run(data, TINY_RECIPE.with_values(epochs=1, seed=seed)) for seed in (5, 5, 6))
    weights, again, different = (trained.network.get_weights()[0] for trained in (first, second, other))
    assert np.allclose(weights, again, atol=1e-6)
    assert not np.allclose(weights, different, atol=1e-3)


def test_that_a_training_leaves_no_graph_behind(data: TrainingData) -> None:
    from tensorflow.python.framework.func_graph import FuncGraph

    def graphs_left() -> int:
        tidy_up()
        return sum(isinstance(found, FuncGraph) for found in gc.get_objects())

    before = graphs_left()
    for _ in range(2):
        run(data, TINY_RECIPE.with_values(epochs=1))
    assert graphs_left() <= before


def test_that_the_hold_out_is_looked_at_after_each_epoch_and_changes_nothing(data: TrainingData) -> None:
    emit, emit_with = Recorder(), Recorder()
    chosen = data.validation[:7]
    watched = replace(
        data, hold_out_images=data.images[chosen], hold_out_targets=(data.targets[chosen] + 1) % 10
    )
    alone, beside = run(data, emit=emit), run(watched, emit=emit_with)
    epochs, epochs_with = emit.of(EpochEnded), emit_with.of(EpochEnded)
    assert [(e.hold_out_loss, e.hold_out_accuracy) for e in epochs] == [(None, None)] * 2
    # The network learns the right targets, and these are the wrong ones.
    assert all(e.hold_out_loss > e.val_loss and e.hold_out_accuracy < 0.5 for e in epochs_with)
    assert [e.val_loss for e in epochs] == [e.val_loss for e in epochs_with]
    pairs = zip(alone.network.get_weights(), beside.network.get_weights(), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)


def test_that_each_epoch_tells_how_well_the_validation_part_is_put_in_order(data: TrainingData) -> None:
    emit = Recorder()
    trained = run(data, TINY_RECIPE.with_values(epochs=3, keep="last"), emit=emit)
    epochs = emit.of(EpochEnded)
    assert 0.5 < epochs[0].val_auc < epochs[-1].val_auc <= 1
    answers = probabilities(trained.network, data.images[data.validation])
    assert epochs[-1].val_auc == pytest.approx(macro_auc(data.targets[data.validation], answers), abs=1e-6)


def test_that_a_stop_in_the_first_epoch_keeps_what_was_learned_and_validates_it(data: TrainingData) -> None:
    control = Control()
    emit = Recorder(lambda event: control.stop() if isinstance(event, BatchEnded) else None)
    trained = run(data, TINY_RECIPE.with_values(epochs=50), emit=emit, control=control)
    last = emit.events[-1]
    assert (trained.outcome, trained.epochs, trained.best_epoch) == ("stopped", 1, 1)
    assert isinstance(last, EpochEnded)
    assert last.step < 12
    assert validation_loss(trained, data) == pytest.approx(last.val_loss, rel=1e-3)


def test_that_a_stop_in_a_later_epoch_goes_back_to_the_best(data: TrainingData) -> None:
    control = Control()

    def stop_in_epoch_3(event: Event) -> None:
        if isinstance(event, EpochEnded) and event.epoch == 2:
            control.stop()

    emit = Recorder(stop_in_epoch_3)
    trained = run(data, TINY_RECIPE.with_values(epochs=50), emit=emit, control=control)
    best = min(emit.of(EpochEnded), key=lambda epoch: epoch.val_loss)
    assert (trained.outcome, trained.epochs, trained.best_epoch) == ("stopped", 2, best.epoch)
    assert validation_loss(trained, data) == pytest.approx(best.val_loss, rel=1e-3)


def test_that_a_cancel_ends_the_training_at_once(data: TrainingData) -> None:
    control = Control()
    emit = Recorder(lambda event: control.cancel() if isinstance(event, BatchEnded) else None)
    with pytest.raises(CancelledError):
        run(data, emit=emit, control=control)
    assert len(emit.of(BatchEnded)) == 1
    assert not emit.of(EpochEnded)


def test_that_patience_ends_a_training_that_gets_no_better(data: TrainingData) -> None:
    emit = Recorder()
    recipe = TINY_RECIPE.with_values(epochs=50, learning_rate=1.0, optimizer="adam", patience=2)
    trained = run(data, recipe, emit=emit)
    assert trained.outcome == "converged"
    assert trained.epochs == trained.best_epoch + 2 < 50


def test_that_a_training_that_diverges_at_once_fails_in_words(data: TrainingData) -> None:
    recipe = TINY_RECIPE.with_values(
        optimizer="sgd", learning_rate=10, dense="16:linear, 16:linear, 16:linear", epochs=5
    )
    with pytest.raises(DivergedError, match="not a number") as caught:
        run(data, recipe)
    assert "learning rate" in caught.value.remedy


class FakeNetwork:
    """As much of a network as keeping its weights takes; it cannot tell the classes apart."""

    def __call__(self, images: np.ndarray, *, training: bool) -> np.ndarray:
        return np.full((len(images), 10), 0.1)

    def get_weights(self) -> list[str]:
        return ["the weights"]


def make_watch(data: TrainingData, control: Control) -> TrainingCallback:
    watch = TrainingCallback(recipe=TINY_RECIPE, data=data, run="r", emit=Recorder(), control=control)
    watch.set_model(FakeNetwork())
    watch.on_epoch_begin(0)
    return watch


FIGURES = {"loss": 1.0, "categorical_accuracy": 0.5, "val_loss": 1.0, "val_categorical_accuracy": 0.5}


def test_that_a_later_divergence_leaves_the_weights_that_were_good(data: TrainingData) -> None:
    watch = make_watch(data, Control())
    watch.on_epoch_end(0, FIGURES)
    with pytest.raises(Ended) as caught:
        watch.on_epoch_end(1, {**FIGURES, "val_loss": float("nan")})
    assert (caught.value.outcome, watch.best_epoch, watch.best_weights) == ("diverged", 1, ["the weights"])


def test_that_a_run_whose_loss_is_no_number_any_more_ends_with_the_last_good_weights(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TrainingCallback, "on_train_batch_begin", poison_second_epoch)
    emit = Recorder()
    trained = run(data, TINY_RECIPE.with_values(epochs=9), emit=emit)
    (epoch,) = emit.of(EpochEnded)
    assert (trained.outcome, trained.epochs, trained.best_epoch) == ("diverged", 1, 1)
    assert validation_loss(trained, data) == pytest.approx(epoch.val_loss, rel=1e-3)


def test_that_a_cancel_is_obeyed_in_the_middle_of_a_validation(data: TrainingData) -> None:
    control = Control()
    watch = make_watch(data, control)
    watch.on_test_batch_end(0)
    control.cancel()
    with pytest.raises(CancelledError):
        watch.on_test_batch_end(1)


def test_that_a_stop_ends_a_validation_once_there_is_something_to_keep(data: TrainingData) -> None:
    control = Control()
    watch = make_watch(data, control)
    control.stop()
    watch.on_test_batch_end(0)
    watch.best_weights = ["something"]
    with pytest.raises(Ended):
        watch.on_test_batch_end(1)


def test_that_weights_of_drawings_lengthen_the_epoch(data: TrainingData) -> None:
    heavy = replace(data, training=np.concatenate([data.training, np.repeat(data.training[:10], 6)]))
    emit = Recorder()
    run(heavy, TINY_RECIPE.with_values(epochs=1), emit=emit)
    assert emit.of(RunStarted)[0].n_training == 300
    assert emit.of(EpochEnded)[0].step == 15


def test_that_a_varied_normalised_calibrated_training_gives_a_network_of_its_spec(data: TrainingData) -> None:
    recipe = TINY_RECIPE.with_values(
        blocks="4:5:2:0:relu:valid:batch, 4:3:1:0:relu:same:batch",
        dense="",
        pooling="average",
        optimizer="adamw",
        learning_rate=0.01,
        schedule="one-cycle",
        weight_decay=1e-4,
        label_smoothing=0.1,
        calibration="temperature",
        precision="auto",
        augmentation=1.0,
    )
    emit = Recorder()
    trained = run(data, recipe, emit=emit)
    assert [e.step for e in emit.of(EpochEnded)][-1] == data.steps_per_epoch(
        recipe.batch_size
    ) * recipe.epochs
    assert trained.network.count_params() == recipe.network.n_parameters(10)
    assert {weight.dtype for weight in trained.network.get_weights()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_that_the_temperature_that_made_the_labels_is_found(temperature: float) -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 2, (20_000, 10))
    true = np.exp(logits / temperature)
    true /= true.sum(axis=1, keepdims=True)
    targets = (true.cumsum(axis=1) > rng.random((len(true), 1))).argmax(axis=1)
    said = np.exp(logits)
    said /= said.sum(axis=1, keepdims=True)
    assert temperature_of(said.astype(np.float32), targets) == pytest.approx(temperature, rel=0.05)


def test_that_a_network_made_colder_is_surer_of_the_same_answers() -> None:
    network = build_network(NetworkSpec(dense=parse_dense("8")), 10)
    images = np.random.default_rng(1).integers(0, 256, (32, 28, 28), np.uint8)
    before = probabilities(network, images)
    apply_temperature(network, 0.5)
    after = probabilities(network, images)
    np.testing.assert_array_equal(before.argmax(axis=1), after.argmax(axis=1))
    squared = before**2 / (before**2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(after, squared, atol=1e-5)

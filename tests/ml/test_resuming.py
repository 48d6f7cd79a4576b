"""A training that is resumed ends with the same weights, to the last bit, as one that was never interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.recipe import Recipe
from qtdigits.core.run.checkpoints import Checkpoint, Continuation, Stages
from qtdigits.core.run.control import Control
from qtdigits.core.run.events import BatchEnded, EpochEnded, Event, RunContinued, RunPaused, RunResumed
from qtdigits.core.run.history import History
from qtdigits.errors import CancelledError
from qtdigits.ml.resuming import CheckpointMisfitError
from qtdigits.ml.training import TrainedNetwork, train
from qtdigits.ml.training_data import NOT_ASKED, TrainingData
from tiny_training import TINY_RECIPE, Recorder, tiny_data

PLAIN = TINY_RECIPE.with_values(epochs=3, dense="12", optimizer="adam")
RICH = PLAIN.with_values(
    blocks="4:5:2:0.3:relu:valid:batch",
    dense="8:relu:0.5",
    optimizer="adamw",
    learning_rate=0.01,
    schedule="one-cycle",
    weight_decay=1e-4,
    augmentation=1.0,
    calibration="temperature",
    keep="last",
)
TWO_HEADED = RICH.with_values(dense="8:linear", characters_weight=1.0, characters_augmentation=1.5)
RECIPES = {"plain": PLAIN, "rich": RICH, "two_headed": TWO_HEADED}
STEPS_PER_EPOCH = 12


@pytest.fixture(scope="module")
def data() -> TrainingData:
    return tiny_data()


class Training:
    """One training whose events and checkpoints are kept, as the program does."""

    def __init__(
        self,
        data: TrainingData,
        recipe: Recipe,
        *,
        begin: Checkpoint | None = None,
        stages: Stages = (),
        control: Control | None = None,
        on: Callable[[Event], None] = lambda event: None,
    ) -> None:
        self.is_due = True
        self.kept: list[Checkpoint] = []
        self.history = History()
        self.recorder = Recorder(on)
        self.trained: TrainedNetwork | None = None
        with suppress(CancelledError):
            self.trained = train(
                recipe,
                DIGITS,
                data,
                run="r",
                emit=self._hear,
                control=control or Control(),
                continuation=Continuation(begin, self, stages),
            )

    def write(self, checkpoint: Checkpoint) -> None:
        so_far = History.from_json(json.loads(json.dumps(self.history.to_json())))
        self.kept.append(replace(checkpoint, history=so_far))

    def _hear(self, event: Event) -> None:
        self.history.apply(event)
        self.recorder(event)

    @property
    def weights(self) -> list[np.ndarray]:
        assert self.trained is not None
        return self.trained.network.get_weights()

    @property
    def figures(self) -> list[tuple[float, ...]]:
        """What the curves show of each epoch."""
        names = ("epoch", "step", "loss", "accuracy", "val_loss", "val_accuracy")
        return list(zip(*(self.history.epochs[name].tolist() for name in names), strict=True))


def assert_same(resumed: Training, whole: Training) -> None:
    pairs = zip(resumed.weights, whole.weights, strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)
    assert resumed.figures == whole.figures
    assert resumed.trained is not None
    assert whole.trained is not None
    for name in ("outcome", "epochs", "best_epoch"):
        assert getattr(resumed.trained, name) == getattr(whole.trained, name)


@pytest.fixture(scope="module")
def plain(data: TrainingData) -> Training:
    return Training(data, PLAIN)


@pytest.fixture(scope="module")
def rich(data: TrainingData) -> Training:
    return Training(data, RICH)


@pytest.fixture(scope="module")
def two_headed(data: TrainingData) -> Training:
    return Training(with_characters(data), TWO_HEADED)


def with_characters(data: TrainingData) -> TrainingData:
    """Make every third drawing one of a character that the network is not asked about."""
    is_only_character = np.arange(len(data.targets)) % 3 == 0
    validation = data.validation[~is_only_character[data.validation]]
    return replace(
        data,
        targets=np.where(is_only_character, NOT_ASKED, data.targets),
        validation=validation,
        characters=np.where(is_only_character, 10 + data.targets, data.targets),
        character_labels=tuple("0123456789abcdefghij"),
    )


def data_of(name: str, data: TrainingData) -> TrainingData:
    return with_characters(data) if name == "two_headed" else data


@pytest.mark.parametrize("name", list(RECIPES))
def test_that_a_run_goes_on_from_an_epoch_as_if_nothing_had_happened(
    request: pytest.FixtureRequest, data: TrainingData, name: str
) -> None:
    whole: Training = request.getfixturevalue(name)
    assert [(c.epochs, c.step) for c in whole.kept] == [(n, n * STEPS_PER_EPOCH) for n in (1, 2, 3)]
    resumed = Training(data_of(name, data), RECIPES[name], begin=whole.kept[0])
    assert_same(resumed, whole)
    assert resumed.recorder.of(RunResumed)[0].epochs == 1
    assert len(resumed.recorder.of(EpochEnded)) == 2


class InterruptedAt(Control):
    """Is interrupted when it is asked for the nth time, once after each batch, each validation and each epoch."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self._left = n

    @property
    def is_stopping(self) -> bool:
        self._left -= 1
        if self._left == 0:
            self.interrupt()
        return super().is_stopping


@pytest.mark.parametrize(
    ("n", "stands_at"),
    [
        (STEPS_PER_EPOCH, (0, STEPS_PER_EPOCH)),
        (STEPS_PER_EPOCH + 1, (0, STEPS_PER_EPOCH)),
        (STEPS_PER_EPOCH + 5, (1, STEPS_PER_EPOCH + 3)),
    ],
    ids=["after the last batch of an epoch", "while it is validated", "in a later one"],
)
@pytest.mark.parametrize("name", ["rich", "two_headed"])
def test_that_a_run_can_be_interrupted_at_any_moment(
    request: pytest.FixtureRequest, data: TrainingData, name: str, n: int, stands_at: tuple[int, int]
) -> None:
    data, recipe = data_of(name, data), RECIPES[name]
    interrupted = Training(data, recipe, control=InterruptedAt(n))
    last = interrupted.kept[-1]
    assert (last.epochs, last.step) == stands_at
    assert_same(Training(data, recipe, begin=last), request.getfixturevalue(name))


def test_that_a_pause_writes_down_where_it_stands_and_changes_nothing(
    plain: Training, data: TrainingData
) -> None:
    control = Control()

    def pause(event: Event) -> None:
        if isinstance(event, BatchEnded) and event.epoch == 2:
            control.pause()
        elif isinstance(event, RunPaused):
            control.resume()

    paused = Training(data, PLAIN, control=control, on=pause)
    assert paused.recorder.of(RunPaused)
    assert len(paused.recorder.of(RunPaused)) == len(paused.recorder.of(RunContinued))
    in_epoch = [c for c in paused.kept if c.step % STEPS_PER_EPOCH]
    assert in_epoch
    assert_same(paused, plain)
    assert_same(Training(data, PLAIN, begin=in_epoch[0]), plain)


def test_that_a_run_at_a_constant_rate_is_extended_as_if_it_had_been_longer_from_the_start(
    plain: Training, data: TrainingData
) -> None:
    short = Training(data, PLAIN.with_values(epochs=2))
    longer = Training(data, PLAIN, begin=short.kept[-1], stages=((0, 2), (2, 3)))
    assert_same(longer, plain)


def test_that_a_converged_run_does_not_train_again_but_is_patient_anew_when_it_is_extended(
    data: TrainingData,
) -> None:
    hasty = PLAIN.with_values(epochs=50, learning_rate=1.0, patience=2)
    first = Training(data, hasty)
    assert first.trained is not None
    assert first.trained.outcome == "converged"
    again = Training(data, hasty, begin=first.kept[-1])
    assert_same(again, first)
    assert not again.recorder.of(BatchEnded)

    ended = first.trained.epochs
    longer = hasty.with_values(epochs=ended + 20)
    extended = Training(data, longer, begin=first.kept[-1], stages=((0, 50), (ended, ended + 20)))
    assert extended.trained is not None
    assert extended.trained.epochs >= ended + 2


def test_that_a_stopped_run_goes_on_to_where_it_would_have_gone(plain: Training, data: TrainingData) -> None:
    control = Control()
    stopped = Training(
        data,
        PLAIN,
        control=control,
        on=lambda event: control.stop() if isinstance(event, BatchEnded) else None,
    )
    assert stopped.trained is not None
    assert (stopped.trained.outcome, stopped.trained.epochs) == ("stopped", 1)
    assert stopped.kept[-1].epochs == 0
    assert_same(Training(data, PLAIN, begin=stopped.kept[-1]), plain)


def test_that_a_run_that_is_given_up_writes_nothing_down(data: TrainingData) -> None:
    control = Control()
    given_up = Training(
        data,
        PLAIN,
        control=control,
        on=lambda event: control.cancel() if isinstance(event, BatchEnded) else None,
    )
    assert given_up.kept == []


def test_that_a_checkpoint_of_another_network_is_refused(plain: Training, data: TrainingData) -> None:
    with pytest.raises(CheckpointMisfitError):
        Training(data, PLAIN.with_values(dense="13"), begin=plain.kept[0])

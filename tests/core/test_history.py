"""The history of a run takes in its events and comes back from JSON as it was."""

import json
from dataclasses import replace

import pytest

from qtdigits.core.events import BatchEnded, EpochEnded, RunCancelled
from qtdigits.core.history import History

BATCH = BatchEnded(
    "r", step=1, epoch=1, loss=2.0, accuracy=0.1, elapsed_s=0.5, remaining_s=9.0, images_per_s=10.0
)
EPOCH = EpochEnded("r", 1, 9, 1.0, 0.5, 0.9, 0.6, is_best=True, elapsed_s=2.0, remaining_s=4.0)


def history_of_a_run() -> History:
    history = History()
    for step in range(1, 601):
        history.apply(replace(BATCH, step=step, loss=2.0 / step))
    history.apply(EPOCH)
    history.apply(replace(EPOCH, epoch=2, step=18, is_best=False))
    return history


def test_that_columns_hold_more_than_they_began_with() -> None:
    history = history_of_a_run()
    assert len(history.batches) == 600
    assert history.batches["step"].tolist() == list(range(1, 601))
    assert history.batches["loss"][-1] == pytest.approx(2.0 / 600)


def test_that_the_best_epoch_is_the_last_that_was_best() -> None:
    assert history_of_a_run().best_epoch == 1


def test_that_other_events_change_nothing() -> None:
    history = History()
    history.apply(RunCancelled("r"))
    assert (len(history.batches), len(history.epochs), history.best_epoch) == (0, 0, 0)


def test_that_a_history_comes_back_from_json() -> None:
    history = history_of_a_run()
    again = History.from_json(json.loads(json.dumps(history.to_json())))
    assert again.to_json() == history.to_json()


def test_that_columns_of_different_length_are_refused() -> None:
    values = history_of_a_run().to_json()
    values["epochs"]["loss"].pop()  # type: ignore[index]
    with pytest.raises(ValueError, match="argument"):
        History.from_json(values)


def test_that_a_missing_column_is_refused() -> None:
    values = history_of_a_run().to_json()
    del values["batches"]["loss"]  # type: ignore[attr-defined]
    with pytest.raises(KeyError, match="loss"):
        History.from_json(values)

"""The history of a run takes in its events and comes back from JSON as it was."""

import json
from dataclasses import replace

import numpy as np
import pytest

from qtdigits.core.run.events import (
    BatchEnded,
    EpochEnded,
    RunCancelled,
    RunResumed,
    decode_event,
    encode_event,
)
from qtdigits.core.run.history import History

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


def test_that_a_run_that_is_resumed_has_one_continuous_history() -> None:
    before = history_of_a_run()
    event = decode_event(encode_event(RunResumed("r", 2, 18, before.to_json())))
    resumed = History()
    resumed.apply(event)
    for history in (before, resumed):
        history.apply(replace(BATCH, step=601))
    assert resumed.to_json() == before.to_json()


def test_that_columns_of_different_length_are_refused() -> None:
    values = history_of_a_run().to_json()
    values["epochs"]["loss"].pop()  # type: ignore[index]
    with pytest.raises(ValueError, match="length"):
        History.from_json(values)


def test_that_what_only_some_runs_know_is_kept_where_it_is_known() -> None:
    history = History()
    history.apply(replace(BATCH, learning_rate=1e-3, images_per_s=0.0))
    history.apply(BATCH)
    history.apply(EPOCH)
    values = json.loads(json.dumps(history.to_json()))
    assert values["batches"]["learning_rate"] == [1e-3, None]
    assert values["batches"]["images_per_s"] == [None, 10.0]
    assert "hold_out_accuracy" not in values["epochs"]
    again = History.from_json(values)
    assert again.to_json() == history.to_json()
    assert np.isnan(again.epochs["hold_out_accuracy"]).all()


def test_that_the_auc_of_an_epoch_is_kept() -> None:
    history = History()
    history.apply(replace(EPOCH, val_auc=0.998))
    again = History.from_json(json.loads(json.dumps(history.to_json())))
    assert again.epochs["val_auc"].tolist() == [0.998]
    assert "val_auc" in again.epochs.kept_names


def test_that_a_history_of_before_there_were_extras_is_read() -> None:
    values = history_of_a_run().to_json()
    del values["batches"]["images_per_s"]  # type: ignore[attr-defined]
    assert len(History.from_json(values).batches) == 600


def test_that_a_history_that_was_read_goes_on_growing() -> None:
    again = History.from_json(history_of_a_run().to_json())
    again.apply(replace(BATCH, step=601, loss=0.25))
    assert (len(again.batches), again.batches["loss"][-1]) == (601, 0.25)


def test_that_epochs_since_the_best_are_counted() -> None:
    history = history_of_a_run()
    assert (history.epochs_since_best, history.steps_per_epoch) == (1, 9)
    assert (History().epochs_since_best, History().steps_per_epoch) == (0, 0)


def test_that_a_missing_column_is_refused() -> None:
    values = history_of_a_run().to_json()
    del values["batches"]["loss"]  # type: ignore[attr-defined]
    with pytest.raises(KeyError, match="loss"):
        History.from_json(values)

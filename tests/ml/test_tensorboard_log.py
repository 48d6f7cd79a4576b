from __future__ import annotations

from dataclasses import replace

import pytest

from qtdigits.core.run.events import BatchEnded, EpochEnded, RunCancelled
from qtdigits.errors import StoreError
from qtdigits.ml import tensorboard_log
from qtdigits.ml.backend import tf
from qtdigits.ml.tensorboard_log import TensorBoardLog

BATCH = BatchEnded("r", 5, 1, loss=0.5, accuracy=0.75, elapsed_s=1, remaining_s=9, images_per_s=100)
EPOCH = EpochEnded("r", 1, 10, 0.4, 0.875, 0.25, 0.5, is_best=True, elapsed_s=2, remaining_s=8, val_auc=0.75)


def read(folder):
    """{(tag, step): value} of the event files in a folder, read by TensorFlow itself and joined as TensorBoard joins them.

    What it does at a start: `_CheckForRestartAndMaybePurge` in its `event_accumulator.py`.
    """
    found = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            if event.HasField("session_log") and event.session_log.status == tf.compat.v1.SessionLog.START:
                found = {(tag, step): value for (tag, step), value in found.items() if step < event.step}
            found |= {(value.tag, event.step): value.simple_value for value in event.summary.value}
    return found


def test_that_batches_and_epochs_become_scalars_of_runs_that_lie_over_one_another(tmp_path):
    with TensorBoardLog(tmp_path, "r") as log:
        log.on_event(replace(BATCH, learning_rate=0.125))
        log.on_event(EPOCH)
        log.on_event(RunCancelled("r"))
    assert read(tmp_path / "r" / "train") == {
        ("batch/loss", 5): 0.5,
        ("batch/accuracy", 5): 0.75,
        ("batch/learning_rate", 5): 0.125,
        ("batch/images_per_s", 5): 100,
        ("epoch/loss", 10): pytest.approx(0.4),
        ("epoch/accuracy", 10): 0.875,
    }
    assert read(tmp_path / "r" / "validation") == {
        ("epoch/loss", 10): 0.25,
        ("epoch/accuracy", 10): 0.5,
        ("epoch/auc", 10): 0.75,
    }
    assert not (tmp_path / "r" / "hold-out").exists()


def test_that_the_hold_out_has_curves_where_there_is_one(tmp_path):
    with TensorBoardLog(tmp_path, "r") as log:
        log.on_event(replace(EPOCH, hold_out_loss=0.5, hold_out_accuracy=1.0))
    assert read(tmp_path / "r" / "hold-out") == {("epoch/loss", 10): 0.5, ("epoch/accuracy", 10): 1.0}


def test_that_what_was_logged_is_on_the_disk_before_the_run_is_over(tmp_path):
    with TensorBoardLog(tmp_path, "r") as log:
        log.on_event(EPOCH)
        assert ("epoch/loss", 10) in read(tmp_path / "r" / "validation")


def test_that_a_run_that_goes_on_takes_the_place_of_what_was_logged_beyond(tmp_path, monkeypatch):
    def logged(at_s, *events):
        monkeypatch.setattr(tensorboard_log.time, "time", lambda: at_s)
        with TensorBoardLog(tmp_path, "r") as log:
            for event in events:
                log.on_event(event)

    logged(1.0, *(replace(BATCH, step=step, loss=0.5) for step in (5, 10, 13)))
    logged(2.0, *(replace(BATCH, step=step, loss=0.25) for step in (9, 14)))
    loss = {
        step: value for (tag, step), value in read(tmp_path / "r" / "train").items() if tag == "batch/loss"
    }
    assert loss == {5: 0.5, 9: 0.25, 14: 0.25}


def test_that_a_file_in_the_way_is_told_of(tmp_path):
    (tmp_path / "log").write_text("not a folder")
    with TensorBoardLog(tmp_path / "log", "r") as log, pytest.raises(StoreError, match="TensorBoard"):
        log.on_event(EPOCH)

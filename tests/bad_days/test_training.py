"""A training that is killed in the middle goes on, and ends with the same weights as one that was left in peace."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from cli.running import python, signalled_in_second_epoch, write_ink
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.store.tables.runs import RUNNING
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.runs import can_be_resumed

pytestmark = [pytest.mark.slow, pytest.mark.tensorflow]

RECIPE = (
    *("--recipe", "mlp-50-50", "--mnist-images", "0", "--dense", "8:relu:0.3", "--batch-size", "32"),
    *("--epochs", "30", "--augmentation", "1", "--keep", "last"),
)


KILLED_WHILE_IT_BEGINS = """
import os, signal, sys
from pathlib import Path
from qtdigits.core.recipe import Recipe
from qtdigits.core.run.control import Control
from qtdigits.store.run_files import RunFolder
from qtdigits.training.jobs import TrainingJob
from qtdigits.training.train import train_job

def write_and_die(folder, values, write=RunFolder.write_request):
    if sys.argv[2] == "after":
        write(folder, values)
    os.kill(os.getpid(), signal.SIGKILL)

RunFolder.write_request = write_and_die
train_job(TrainingJob.new(Recipe(), data_dir=sys.argv[1]), emit=lambda event: None, control=Control())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of POSIX")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_that_a_run_that_is_killed_while_it_is_written_down_is_not_listed_by_halves(
    tmp_path: Path, moment: str
) -> None:
    assert python("-c", KILLED_WHILE_IT_BEGINS, tmp_path, moment).code == -signal.SIGKILL
    with SampleStore.open(tmp_path) as store:
        assert all(can_be_resumed(tmp_path, run) for run in store.runs.records())


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of POSIX")
def test_that_a_run_that_is_killed_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    ink = write_ink(tmp_path / "drawings.jsonl", *synthetic_digits(120, seed=3))
    data = ("--data-dir", tmp_path / "data")
    begin = ("train", *data, "--ink", ink, *RECIPE)
    whole = python("-m", "qtdigits", *begin, "--out", tmp_path / "whole.h5", "--json")
    assert whole.code == 0, whole.err

    assert signalled_in_second_epoch("SIGKILL", *begin, "--events").code == -signal.SIGKILL
    with SampleStore.open(tmp_path / "data") as store:
        (killed,) = [run for run in store.runs.records() if run.state == RUNNING]
    gone_on = python("-m", "qtdigits", "train", *data, "--resume", killed.id, "--events")
    assert gone_on.code == 0, gone_on.err
    events = {value["event"]: value for value in map(json.loads, gone_on.out.splitlines())}
    assert events["run_resumed"]["epochs"] in {
        1,
        2,
    }  # the second may not be written down yet when it is told of
    with SampleStore.open(tmp_path / "data") as store:
        assert len(store.runs.records()) == 2
        history = store.runs.history(killed.id)
    assert history is not None
    assert history.epochs["epoch"].tolist() == list(range(1, 31))

    digests = [
        python("-m", "qtdigits", "models", "show", *data, model, "--json").json["weights_sha256"]
        for model in (tmp_path / "whole.h5", events["run_finished"]["model"])
    ]
    assert digests[0] == digests[1]

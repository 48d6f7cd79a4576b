"""How much of a training's time the writing of checkpoints may take."""

from __future__ import annotations

from pathlib import Path

import pytest

from qtdigits.core.recipe_files import load_recipe
from qtdigits.store.run_files import RunFolder
from qtdigits.training.checkpoints import RunCheckpoints
from qtdigits.training.jobs import TrainingJob
from store.values import a_checkpoint


@pytest.fixture
def job(data_dir: Path) -> TrainingJob:
    return TrainingJob.new(load_recipe("quick"), data_dir=data_dir)


def test_that_the_slower_the_disk_the_rarer_the_checkpoints(data_dir: Path, job: TrainingJob) -> None:
    seconds = iter([0.0, 100.0, 101.0, 150.9, 151.1])
    checkpoints = RunCheckpoints(job, notice=pytest.fail, clock=lambda: next(seconds))
    checkpoints.write(a_checkpoint())  # from 100 to 101 s: a second, which is to be a fiftieth
    assert not checkpoints.is_due
    assert checkpoints.is_due
    kept = RunFolder(data_dir, job.id).latest_checkpoint()
    assert kept is not None
    assert kept.step == a_checkpoint().step


def test_that_a_disk_that_takes_no_checkpoints_is_told_of_once(data_dir: Path, job: TrainingJob) -> None:
    (data_dir / "runs").write_text("no folder")
    told: list[str] = []
    checkpoints = RunCheckpoints(job, notice=told.append)
    for _ in range(2):
        checkpoints.write(a_checkpoint())
    assert len(told) == 1
    assert "cannot be resumed after an interruption" in told[0]
